"""What can go wrong, as types that a caller can tell apart."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend.

    Parameters
    ----------
    field : str
        The field at fault, by its name in the API (``"images"``) or in our own call (``"encoding"``).
    what : str
        What is wrong with it. Never holds a secret.
    hint : str
        The next step.
    """

    field: str
    what: str
    hint: str

    def __str__(self) -> str:
        return f"{self.field}: {self.what}; {self.hint}"


class AstriaError(Exception):
    """The base of every error that this package raises for its caller.

    Parameters
    ----------
    *problems : Problem
        Everything that is wrong, one or more.

    Examples
    --------
    >>> print(AstriaError(Problem("name", "is missing", "choose a class of the pack")))
    name: is missing; choose a class of the pack
    """

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong, in the order of the fields."""
        return self.args

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class TuneError(AstriaError, ValueError):
    """A tune cannot be sent as it is. Nothing was sent."""


class CredentialsError(AstriaError):
    """There is no usable API key, or the address would expose it. Nothing was sent."""


class LogError(AstriaError):
    """The experiment log cannot be opened, written or read. Field ``log``."""


class NotSentError(AstriaError):
    """The service was not reached, or not with a whole request. Nothing was created; trying again is safe."""


class CancelledError(AstriaError):
    """Its sender cancelled it before the whole request had left. Nothing was created."""


class OutcomeUnknownError(AstriaError):
    """A paid request left this machine whole and no readable answer came back.

    The tune may exist. Look for its title (``client.tunes(title=...)``) before sending it again.
    """


class ApiError(AstriaError):
    """The service answered with an error.

    Parameters
    ----------
    *problems : Problem
        What it complained of, a field each.
    status : int
        The HTTP status.
    retry_after : str or None
        The ``Retry-After`` header as it came (seconds or an HTTP date), where there was one.
    """

    def __init__(self, *problems: Problem, status: int = 0, retry_after: str | None = None) -> None:
        super().__init__(*problems)
        self.status = status
        self.retry_after = retry_after


class UnauthorizedError(ApiError):
    """401: the key was not accepted."""


class NotFoundError(ApiError):
    """404: there is no such pack, tune or prompt, or it is not yours."""


class RejectedError(ApiError):
    """400, 402, 403, 422 and other 4xx: the request is at fault, sending it again cannot help."""


class TooManyRequestsError(ApiError):
    """429: the service asks to be called less often."""


class ServerError(ApiError):
    """5xx: the service or something before it failed."""


class UnexpectedReplyError(ApiError):
    """A reply that the API does not document: a redirect, or a body that is not the promised JSON."""
