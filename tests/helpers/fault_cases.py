"""Every fault of a submission, and what it means for its state, its requests and its tunes."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from astria_nb.errors import (
    AstriaError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    RejectedError,
    UnauthorizedError,
)
from helpers.gateway import Gateway

ENCODINGS = ("multipart", "form", "json")
ROUTE = "POST /p/*/tunes"
PAGE = b"<html><body>Please accept our terms</body></html>"


def page(status: str) -> bytes:
    """Return an answer that is a page."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(PAGE)}\r\nConnection: close"
    return head.encode() + b"\r\n\r\n" + PAGE


@dataclass(frozen=True)
class Case:
    """A fault, and what comes of it; where something else comes of it on an idempotent account, that too.

    Attributes
    ----------
    name : str
    state : str
        Of the submission in the end.
    posts : int
        How many requests arrived, in part or whole.
    error : type of AstriaError or None
        What the caller gets instead of a row.
    fault : mapping
        Of the sandbox, by the fields of its `Fault`.
    strike : callable or None
        What befalls the gateway once the intent is on record.
    state_if_idempotent, posts_if_idempotent
    large : bool
        Whether the tune has a photo that no socket's buffer holds.
    encodings : tuple of str
    """

    name: str
    state: str
    posts: int = 1
    error: type[AstriaError] | None = None
    fault: dict[str, Any] = field(default_factory=dict)
    strike: Callable[[Gateway], None] | None = None
    state_if_idempotent: str = ""
    posts_if_idempotent: int = 0
    large: bool = False
    encodings: tuple[str, ...] = ENCODINGS

    def expected(self, *, idempotent: bool) -> tuple[str, int, type[AstriaError] | None]:
        """Return the state, the number of requests and the error."""
        if idempotent and self.state_if_idempotent:
            return self.state_if_idempotent, self.posts_if_idempotent, None
        return self.state, self.posts, self.error


def lost(name: str, **how: Any) -> Case:
    """Return a fault after which nobody knows, and nothing is there: idempotent accounts send again."""
    return Case(name, "needs_review", 1, OutcomeUnknownError, how, None, "done", 2)


def adopted(name: str, **how: Any) -> Case:
    """Return a fault after which nobody knows, and the tune is on the account."""
    return Case(name, "adopted", fault=how)


CASES = [
    Case("no fault", "done"),
    Case("401", "rejected", 1, UnauthorizedError, {"kind": "401"}),
    Case("404", "rejected", 1, NotFoundError, strike=lambda gate: gate.answer(page("404 Not Found"))),
    Case("422", "rejected", 1, RejectedError, {"kind": "422"}),
    Case("429", "done", 2, fault={"kind": "429"}),
    Case("429 with Retry-After", "done", 2, fault={"kind": "429", "retry_after": "7"}),
    lost("500 before", kind="500"),
    adopted("500 after", kind="500", commit="yes"),
    lost("502 before", kind="502"),
    adopted("502 after", kind="502", commit="yes"),
    lost("503", kind="503"),
    lost("504 before", kind="504"),
    adopted("504 after", kind="504", commit="yes"),
    Case(
        "a page instead of an answer", "needs_review", 1, OutcomeUnknownError, {},
        lambda gate: gate.answer(page("200 OK")), "done", 2,
    ),
    adopted("half the JSON", kind="truncated"),
    adopted("half the JSON, no length", kind="truncated", length="omitted"),
    Case("an answer that is late", "done", fault={"kind": "slow", "seconds": 0.1}),
    Case("a training that fails later", "done", fault={"kind": "training"}),
    Case("a prompt that fails later", "done", fault={"kind": "prompt"}),
    adopted("an answer that drips", kind="drip", seconds=5.0),
    adopted("reset in the answer", kind="reset", at="reply"),
    lost("reset before the answer", kind="reset"),
    adopted("reset before the answer, after the work", kind="reset", commit="yes"),
    Case(
        "reset in mid-upload", "not_sent", 1, NotSentError, {"kind": "reset", "at": "during"},
        large=True, encodings=("multipart",),
    ),
    # These small bodies are out of this machine by then, so nobody knows.
    replace(lost("reset in a small upload", kind="reset", at="during"), encodings=("form", "json")),
    Case("refused", "not_sent", 0, NotSentError, strike=Gateway.shut),
    Case("another certificate", "not_sent", 0, NotSentError, strike=Gateway.impersonate),
]  # fmt: skip
