"""Refusals: errors that become the reply to a request."""

from collections.abc import Mapping


class Refusal(Exception):  # noqa: N818 - an answer to the client, not an error of the sandbox
    """A request that is answered with an error.

    Parameters
    ----------
    status : int
        The HTTP status code.
    body : mapping
        The JSON of the reply.
    text : str, optional
        The reply as plain text, instead of JSON.
    headers : mapping, optional
        Further headers of the reply.
    """

    def __init__(
        self,
        status: int,
        body: dict[str, object],
        text: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.text = text
        self.headers = headers or {}


def bad_request(message: str) -> Refusal:
    """Refuse a malformed request (400)."""
    return Refusal(400, {"error": message})


def unauthorized(hint: str, text: str = "HTTP Token: Access denied.") -> Refusal:
    """Refuse a request without a valid key (401), as Rails does: in plain text.

    The hint is in a header, where no client mistakes it for part of the service's answer.
    """
    headers = {"WWW-Authenticate": 'Token realm="Application"', "X-Sandbox-Hint": hint}
    return Refusal(401, {"error": hint}, f"{text}\n", headers)


def forbidden(message: str) -> Refusal:
    """Refuse a request that a web page of another site may have made (403)."""
    return Refusal(403, {"error": message})


def not_found() -> Refusal:
    """Refuse a request for something that does not exist (404)."""
    return Refusal(404, {"status": 404, "error": "Not Found"})


def too_large(message: str) -> Refusal:
    """Refuse a request that exceeds a limit (413)."""
    return Refusal(413, {"error": message})


def over_limit(message: str) -> Refusal:
    """Refuse a request that exceeds a limit at which Rails fails (500)."""
    return Refusal(500, {"status": 500, "error": message})


def invalid(errors: dict[str, list[str]]) -> Refusal:
    """Refuse a request with invalid fields (422): field → messages."""
    return Refusal(422, {**errors})
