"""Refusals: what goes wrong in a request, as the reply that says so."""


class Refusal(Exception):  # noqa: N818 - most are the client's error, not ours
    """A request that is answered with an error.

    Parameters
    ----------
    status : int
        The HTTP status code.
    body : mapping
        The JSON of the reply.
    """

    def __init__(self, status: int, body: dict[str, object]) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


def bad_request(message: str) -> Refusal:
    """Refuse a request that cannot be read (400)."""
    return Refusal(400, {"error": message})


def unauthorized(message: str) -> Refusal:
    """Refuse a request without the right key (401)."""
    return Refusal(401, {"error": message})


def forbidden(message: str) -> Refusal:
    """Refuse a request that a web page of another site may have made (403)."""
    return Refusal(403, {"error": message})


def not_found() -> Refusal:
    """Say that there is nothing here (404)."""
    return Refusal(404, {"status": 404, "error": "Not Found"})


def too_large(message: str) -> Refusal:
    """Refuse a request that exceeds a limit of size or count (413)."""
    return Refusal(413, {"error": message})


def invalid(errors: dict[str, list[str]]) -> Refusal:
    """Refuse a request whose fields break rules (422): field → messages."""
    return Refusal(422, {**errors})
