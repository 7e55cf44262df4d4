"""A fault: what goes wrong, for which requests, and how often."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from fnmatch import fnmatchcase
from typing import Any, Literal, Self, get_args, get_origin

Status = Literal["401", "422", "429", "500", "502", "503", "504"]
Kind = Literal[Status, "reset", "slow", "drip", "truncated", "training", "prompt"]
_CREATING_ROUTES = {
    "training": ("POST */tunes",),
    "prompt": ("POST */tunes", "POST */prompts", "POST */duplicate", "POST /themes"),
}
"""Kind → the requests that can create something that fails later; these kinds affect no other requests."""


@dataclass(frozen=True)
class Fault:
    """A rule: what goes wrong, for which requests, and how often.

    Parameters
    ----------
    kind : str
        ``"401" "422" "429" "500" "502" "503" "504"``
            The answer has that status (astria-api, section 8). The body is read first.
        ``"reset"``
            The connection is cut with a TCP reset.
        ``"slow"``
            The request is carried out, and the answer is delayed.
        ``"drip"``
            The request is carried out, and the answer is sent one byte at a time.
        ``"truncated"``
            The request is carried out, and only half of the answer's body is sent.
        ``"training"``, ``"prompt"``
            The request is carried out and answered, and what it creates fails later: the tune's training, or
            prompts. Only requests that create tunes or prompts are affected.
    route : str, default "*"
        Shell pattern over ``"METHOD /path"``, without query, trailing slash and ``.json`` suffix, e.g.
        ``"POST /p/*/tunes"`` or ``"GET *"``. A star also matches slashes.
    count : int or None, default 1
        How many requests it affects; None for all.
    probability : float, default 1.0
        The probability that it affects a matching request.
    after : int, default 0
        How many matching requests to let pass first. Requests that an earlier fault affects are not counted.
    commit : {"no", "yes", "late"}
        For a status, and for a reset after the body: whether the request is carried out nevertheless. With
        ``"late"`` the client gets the fault at once, and the request is carried out `seconds` later.
    retry_after : str, optional
        For 429 and 503: the value of the header ``Retry-After``, valid or not.
    seconds : float, default 1.0
        For ``"slow"``: the delay of the answer; for ``"drip"``: the pause between two bytes; for
        ``commit="late"``: the delay of the request. Seconds of the wall clock.
    at : {"after", "before", "during", "reply"}
        For ``"reset"``, when to cut: after the body was read, before any answer; before the body is read;
        after half of the body (or all of it, if it has no Content-Length); after half of the answer.
    length : {"promised", "omitted"}
        For ``"truncated"``: whether Content-Length announces the whole body, or is omitted so that closing
        the connection looks like a regular end.
    number : int, default 1
        For ``"prompt"``: how many of the request's prompts fail, counted from the first.
    message : str
        For 401, 422, 429 and ``"prompt"``: the text of the error.

    Raises
    ------
    ValueError
        If a field has an invalid value, or does not apply to this kind.

    Examples
    --------
    >>> Fault("504", "POST /p/*/tunes", commit="yes").route
    'POST /p/*/tunes'
    >>> Fault("504", commit="maybe")
    Traceback (most recent call last):
        ...
    ValueError: commit: 'maybe' is not a choice; choose one of 'no', 'yes', 'late'
    """

    kind: Kind
    route: str = "*"
    count: int | None = 1
    probability: float = 1.0
    after: int = 0
    commit: Literal["no", "yes", "late"] = "no"
    retry_after: str | None = None
    seconds: float = 1.0
    at: Literal["after", "before", "during", "reply"] = "after"
    length: Literal["promised", "omitted"] = "promised"
    number: int = 1
    message: str = "the sandbox was told to fail"

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if get_origin(field.type) is Literal and value not in get_args(field.type):
                choices = ", ".join(map(repr, get_args(field.type)))
                raise ValueError(f"{field.name}: {value!r} is not a choice; choose one of {choices}")
        for name, (holds, rule) in _RULES.items():
            if not holds(value := getattr(self, name)):
                raise ValueError(f"{name}: {value!r} is not {rule}")
        self._check_use()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a fault from one line of text: the kind, then fields, separated by commas.

        Parameters
        ----------
        text : str
            E.g. ``"504,route=POST /p/*/tunes,commit=yes"``; ``count=all`` affects every request.

        Raises
        ------
        ValueError
            If there is no such field, or a field has an invalid value.

        Examples
        --------
        >>> Fault.parse("429,route=GET *,count=all,retry_after=Wed, 01 Jan 2031 00:00:00 GMT").retry_after
        'Wed, 01 Jan 2031 00:00:00 GMT'
        """
        # A comma belongs to a value unless a name and an equals sign follow it.
        kind, *settings = re.split(r",(?=\s*\w+\s*=)", text)
        values: dict[str, object] = {"kind": kind.strip()}
        for setting in settings:
            name, value = (part.strip() for part in setting.split("=", 1))
            if name not in _NAMES or name in values:
                problem = "is given twice" if name in values else "is not a field of a fault"
                raise ValueError(f"{name}: {problem}; choose from {', '.join(_NAMES[1:])}")
            values[name] = _parse_value(name, value)
        return cls(**values)  # type: ignore[arg-type]  # checked by __post_init__

    def matches(self, request: str) -> bool:
        """Return whether it can affect ``"METHOD /path"``."""
        routes = _CREATING_ROUTES.get(self.kind, ("*",))
        return fnmatchcase(request, self.route) and any(fnmatchcase(request, route) for route in routes)

    def _check_use(self) -> None:
        """Refuse fields that have no effect on this kind, since the caller expects an effect."""
        late = self.commit == "late"
        for name, kinds in _USES.items():
            value = getattr(self, name)
            if value != _DEFAULTS[name] and self.kind not in kinds and not (name == "seconds" and late):
                raise ValueError(
                    f"{name}: {value!r} has no effect on the kind {self.kind!r}; it is for {', '.join(kinds)}"
                    + (" and commit='late'" if name == "seconds" else "")
                )
        if self.commit != "no" and self.at != "after":
            raise ValueError(
                f"commit: {self.commit!r} is for a reset with at='after'; with at={self.at!r} "
                + ("the request is always carried out" if self.at == "reply" else "it cannot be carried out")
            )


_NAMES = tuple(field.name for field in fields(Fault))
_DEFAULTS = {field.name: field.default for field in fields(Fault) if field.default is not MISSING}
_USES = {
    "commit": (*get_args(Status), "reset"),
    "retry_after": ("429", "503"),
    "seconds": ("slow", "drip"),
    "at": ("reset",),
    "length": ("truncated",),
    "number": ("prompt",),
    "message": ("401", "422", "429", "prompt"),
}


def _is_integer(value: object, minimum: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= minimum


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_header(value: object) -> bool:
    """Return whether a value can be sent as a header: text in Latin-1, on one line."""
    return isinstance(value, str) and all(character.isprintable() and character < "Ā" for character in value)


_RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "route": (
        lambda value: isinstance(value, str) and bool(value.strip()),
        "a pattern; write 'METHOD /path' or '*'",
    ),
    "count": (
        lambda value: value is None or _is_integer(value, 1),
        "a whole number above 0, or None for all",
    ),
    "probability": (lambda value: _is_number(value) and 0 < value <= 1, "a number above 0, at most 1"),
    "after": (lambda value: _is_integer(value, 0), "a whole number, 0 or more"),
    "retry_after": (
        lambda value: value is None or _is_header(value),
        "text that fits on one header line, in Latin-1",
    ),
    "seconds": (
        lambda value: _is_number(value) and 0 <= value <= 86_400,
        "a number of seconds from 0 to 86400",
    ),
    "number": (lambda value: _is_integer(value, 1), "a whole number above 0"),
    "message": (lambda value: isinstance(value, str) and bool(value.strip()), "text"),
}


def _parse_value(name: str, text: str) -> object:
    """Convert one field's text; if that fails it stays text, which the field's own rule then refuses."""
    if name == "count" and text == "all":
        return None
    kind = {"count": int, "after": int, "number": int, "probability": float, "seconds": float}.get(name, str)
    try:
        return kind(text)
    except ValueError:
        return text
