"""Every error that this package raises for its callers."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd

ProblemKind = Literal["missing", "invalid", "conflict", "not_found", "rejected"]
"""A required field is empty; a value breaks a rule; two fields, or two requests, exclude each other; the
service does not have the named object; the service rejected it, and `what` contains its own text."""


_MOST_LINES = 10  # lines of a message about many rows
_JOINERS = "\u200c\u200d"  # used in some scripts and emoji; they do not move the cursor


def printable(text: str, mark: str = "\ufffd") -> str:
    r"""Return a text as one line without control characters, which could move a cursor or reorder the line.

    Parameters
    ----------
    text : str
        It may come from a service.
    mark : str
        Replaces each of them; white space becomes a space.

    Returns
    -------
    str

    Examples
    --------
    >>> from astria_nb.errors import printable
    >>> printable("a\nb\x1b[2J", "?")
    'a b?[2J'
    """
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character in _JOINERS
        else " "
        if character.isspace()
        else mark
        for character in text
    )


def printable_lines(text: str) -> str:
    r"""Return a text of several lines, each `printable`.

    Examples
    --------
    >>> from astria_nb.errors import printable_lines
    >>> printable_lines("a\tb\nc")
    'a b\nc'
    """
    return "\n".join(map(printable, text.split("\n")))


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to fix. Its texts are one line each, without control characters.

    Parameters
    ----------
    field : str
        The field at fault, by its name in the API (``"images"``) or in our own call (``"encoding"``).
    what : str
        What is wrong with it. Never holds a secret.
    hint : str
        The next step.
    kind : {"missing", "invalid", "conflict", "not_found", "rejected"}, keyword-only
        For code that has to distinguish problems; not part of the text. Default: ``"invalid"``.
    """

    field: str
    what: str
    hint: str
    _: KW_ONLY
    kind: ProblemKind = "invalid"

    def __post_init__(self) -> None:
        """Replace characters that are not shown as text: the words may come from a service."""
        for name in ("field", "what", "hint"):
            object.__setattr__(self, name, printable(getattr(self, name)))

    def __str__(self) -> str:
        return f"{self.field}: {self.what}; {self.hint}"


class AstriaError(Exception):
    """Base class of every error that this package raises for its callers.

    Parameters
    ----------
    *problems : Problem
        One or more.

    Examples
    --------
    >>> from astria_nb.errors import AstriaError, Problem
    >>> print(AstriaError(Problem("name", "is missing", "choose a class of the pack")))
    name: is missing; choose a class of the pack
    """

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems, in the order of the fields."""
        return self.args

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class TuneError(AstriaError, ValueError):
    """The tune, or an argument, is not valid. Nothing was sent."""


class BatchError(TuneError):
    """Some rows of a batch cannot be sent. Nothing was sent.

    Parameters
    ----------
    *problems : Problem
        Each names its row.
    frame : pandas.DataFrame
        See the attribute.

    Attributes
    ----------
    frame : pandas.DataFrame
        A row for each problem: ``row`` (its label in the index), ``field`` and ``message``.
    """

    def __init__(self, *problems: Problem, frame: pd.DataFrame | None = None) -> None:
        super().__init__(*problems)
        self.frame = frame

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems]
        if len(lines) > _MOST_LINES:
            lines[_MOST_LINES:] = [f"… and {len(lines) - _MOST_LINES:,} more; all are in the error's frame"]
        return "\n".join(lines)


class CredentialsError(AstriaError):
    """No usable API key was found, or the service's address would expose it. Nothing was sent."""


class LogError(AstriaError):
    """The experiment log cannot be opened, read or written. The field is ``log``."""


class SandboxError(AstriaError, OSError):
    """The sandbox cannot be started: its port is taken, or the disk for its files cannot be used."""


class NotSentError(AstriaError):
    """The service did not receive a complete request. Nothing was created, so trying again is safe."""


class UnreachableError(NotSentError):
    """The proxy or certificate settings of this machine prevent connections to the service.

    Trying again does not help until the setting is changed.
    """


class CancelledError(AstriaError):
    """The caller cancelled the request before all of it was sent. Nothing was created."""


class OutcomeUnknownError(AstriaError):
    """A paid request was sent completely, but no readable answer came back.

    The tune may exist: look for its title with ``client.tunes(title=...)`` before you send it again.

    Attributes
    ----------
    reason : str
        What was received instead of an answer, from `Client.create_tune`. It is empty from `submit`, which
        has looked up the tune and explains both in the problem.

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = anb.Tune(pack=43, title="lost", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> with anb.Sandbox() as sandbox:
    ...     fault = sandbox.fail("504", "POST /p/*/tunes")
    ...     try:
    ...         anb.submit(tune, sandbox.client(), settle=0)
    ...     except anb.errors.OutcomeUnknownError as error:
    ...         print(error.problems[0].what)  # doctest: +ELLIPSIS
    its outcome is unknown: its answer was lost (status 504: the web page '504 Gateway Timeout'), and ...
    """

    reason = ""


class ApiError(AstriaError):
    """The service responded with an error.

    Parameters
    ----------
    *problems : Problem
        The rejected fields, one problem per field.
    status : int
        The HTTP status.
    retry_after : str or None
        The ``Retry-After`` header as received (seconds or an HTTP date); None if it was not sent.
    page : str or None
        The title of the web page that was returned instead of the API's answer; None if there was no page.

    Examples
    --------
    >>> import astria_nb as anb
    >>> with anb.Sandbox() as sandbox:
    ...     try:
    ...         sandbox.client().pack("unknown")
    ...     except anb.errors.ApiError as error:
    ...         type(error).__name__, error.status, error.problems[0].field, error.problems[0].kind
    ('NotFoundError', 404, 'pack', 'not_found')
    """

    def __init__(
        self,
        *problems: Problem,
        status: int = 0,
        retry_after: str | None = None,
        page: str | None = None,
    ) -> None:
        super().__init__(*problems)
        self.status = status
        self.retry_after = retry_after
        self.page = page


class UnauthorizedError(ApiError):
    """401: the service did not accept the API key."""


class NotFoundError(ApiError):
    """404: the pack, tune or prompt does not exist, or belongs to another account."""


class RejectedError(ApiError):
    """400, 402, 403, 422 and other 4xx: the request is not valid; sending it again will not help."""


class TooManyRequestsError(ApiError):
    """429: too many requests; wait before calling again."""


class ServerError(ApiError):
    """5xx: the service, or a proxy in front of it, failed."""


class UnexpectedReplyError(ApiError):
    """The API does not document this response: a redirect, a web page, or unexpected JSON."""
