"""The error for a request that the service refused, with the request and the right next step."""

from __future__ import annotations

from astria_nb.client._error_body import Message
from astria_nb.errors import NotFoundError, Problem, RejectedError

REFUSALS = frozenset({400, 401, 402, 403, 404, 422, 426, 429})
"""The statuses with which the service says that a request changed nothing; see `responses.is_refusal`.

Other statuses may come from a proxy, or after the work was done.
"""
_OF_THE_ACCOUNT = (402, 403)
_STEPS = {
    402: "check the balance and the plan of the account",
    403: "check that the account of this key may do this",
    426: "update this package",
}
PAGE_STEP = "check base_url, and whether a proxy, a VPN or a sign-in page answers in its place"
_PASSING = (408, 409, 423, 425)


def creation_refused(status: int, messages: list[Message], page: str | None) -> RejectedError:
    """Return the error for the paid request.

    Parameters
    ----------
    status : int
    messages : list of (str, str)
        The service's messages, by field.
    page : str or None
        The title of the web page, if one was returned.
    """
    hint = "try again in a minute"
    if status in REFUSALS:
        step = f"{_STEPS[status]}, then" if status in _STEPS else "fix it and"
        hint = f"{step} submit again; nothing was created"
    messages = messages or [("", f"the service answered {status} and gave no reason")]
    problems = (Problem(field or "tune", text, hint, kind="rejected") for field, text in messages)
    return RejectedError(*problems, status=status, page=page)


def refused(request: str, status: int, messages: list[Message], page: str | None) -> RejectedError:
    """Return the error for a request that reads or changes existing records.

    Parameters
    ----------
    request : str
        Such as ``GET /tunes/7``.
    status, messages, page : int, list of (str, str), str or None
        As for `creation_refused`.
    """
    step = "settle that" if messages and not page else PAGE_STEP
    hint = "try again in a minute" if status in _PASSING else f"{_STEPS.get(status, step)}, then try again"
    general = "api_key" if status in _OF_THE_ACCOUNT else "base_url"
    problems = (
        Problem(field, text, "fix it, then try again")
        if field
        else Problem(general, f"{request} was refused ({status}: {text})", hint)
        for field, text in messages or [("", "no reason given")]
    )
    return RejectedError(*problems, status=status, page=page)


def not_found(request: str, reason: str, page: str | None, *, creates: bool) -> NotFoundError:
    """Return the error for a 404, for callers without a more specific one.

    Parameters
    ----------
    request, page : str, str or None
        As for `refused`.
    reason : str
        The service's message.
    creates : bool
        Whether it is the paid request.
    """
    if creates:
        hint = "check pack and tune_ids; nothing was created"
        problem = Problem("pack", f"no such pack, or no such tune ({reason})", hint)
    elif any(part.isdecimal() for part in request.split("/")):  # the address of a record
        hint = "check the id, and that it belongs to the account of this API key"
        problem = Problem("id", reason, hint)
    else:
        problem = Problem("base_url", f"{request} is not there ({reason})", "check base_url")
    return NotFoundError(problem, status=404, page=page)
