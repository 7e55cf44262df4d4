"""A fault on request: what goes wrong, for whom, how often."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from fnmatch import fnmatchcase
from typing import Any, Literal, Self, get_args, get_origin

Status = Literal["401", "422", "429", "500", "502", "503", "504"]
Kind = Literal[Status, "reset", "slow", "drip", "truncated", "training", "prompt"]
_MAKERS = {"training": ("POST */tunes",), "prompt": ("POST */tunes", "POST */prompts")}
"""What can make something that fails later; other requests are not struck by these kinds."""


@dataclass(frozen=True)
class Fault:
    """A rule: what goes wrong, for which requests, how often.

    Parameters
    ----------
    kind : str
        ``"401" "422" "429" "500" "502" "503" "504"``
            The answer is that status, in the shape of `astria-api.md` section 8. The body is read first.
        ``"reset"``
            The connection is cut with a TCP reset.
        ``"slow"``
            The request is carried out, and the answer waits.
        ``"drip"``
            The request is carried out, and the answer comes one byte at a time.
        ``"truncated"``
            The request is carried out, and half of the answer's body is sent.
        ``"training"``, ``"prompt"``
            The request is carried out and answered, and what it makes fails later: the tune's training, or
            prompts. Only requests that can make such a thing are struck.
    route : str, default "*"
        Shell pattern over ``"METHOD /path"``, without query, trailing slash and ``.json`` suffix, e.g.
        ``"POST /p/*/tunes"`` or ``"GET *"``. A star matches slashes too.
    count : int or None, default 1
        How many requests it strikes; None for all.
    probability : float, default 1.0
        How likely it strikes each request that it could.
    after : int, default 0
        How many requests that it could strike pass before. One that an earlier rule strikes is not counted.
    commit : {"no", "yes", "late"}
        Of a status and of a reset after the body: whether the request is carried out all the same. With
        ``"late"`` the client gets the fault at once, and the request is carried out `seconds` later.
    retry_after : str, optional
        Of 429 and 503: the text of the header ``Retry-After``, valid or not.
    seconds : float, default 1.0
        Of ``"slow"``: how long the answer waits; of ``"drip"``: the pause between two bytes; of
        ``commit="late"``: how long until the request is carried out. Seconds of the wall clock.
    at : {"after", "before", "during", "reply"}
        Of ``"reset"``: when the body was read and nothing answered; before the body is read; when half of the
        body was read (all, if its length is not told); when half of the answer was sent.
    length : {"promised", "omitted"}
        Of ``"truncated"``: whether Content-Length promises the whole body, or is left out so that the hang-up
        looks like the end.
    number : int, default 1
        Of ``"prompt"``: how many of the prompts that a request makes fail, from the first on.
    message : str
        Of 401, 422, 429 and ``"prompt"``: the text of the error.

    Raises
    ------
    ValueError
        If a field has a value that it cannot take, or says nothing to this kind.

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
        """Read a fault from one line of text: the kind, then fields with commas in between.

        Parameters
        ----------
        text : str
            E.g. ``"504,route=POST /p/*/tunes,commit=yes"``; ``count=all`` strikes every request.

        Raises
        ------
        ValueError
            If there is no such field, or a value that it cannot take.

        Examples
        --------
        >>> Fault.parse("429,route=GET *,count=all,retry_after=Wed, 01 Jan 2031 00:00:00 GMT").retry_after
        'Wed, 01 Jan 2031 00:00:00 GMT'
        """
        # A comma belongs to a value unless a name and an equals sign follow it.
        kind, *settings = re.split(r",(?=\s*\w+\s*=)", text)
        given: dict[str, object] = {"kind": kind.strip()}
        for setting in settings:
            name, value = (part.strip() for part in setting.split("=", 1))
            if name not in _NAMES or name in given:
                problem = "is given twice" if name in given else "is not a field of a fault"
                raise ValueError(f"{name}: {problem}; choose from {', '.join(_NAMES[1:])}")
            given[name] = _read(name, value)
        return cls(**given)  # type: ignore[arg-type]  # checked by __post_init__

    def matches(self, request: str) -> bool:
        """Tell whether it could strike ``"METHOD /path"``."""
        makers = _MAKERS.get(self.kind, ("*",))
        return fnmatchcase(request, self.route) and any(fnmatchcase(request, maker) for maker in makers)

    def _check_use(self) -> None:
        """Refuse what says nothing to this kind, for whoever wrote it meant something."""
        late = self.commit == "late"
        for name, kinds in _USES.items():
            value = getattr(self, name)
            if value != _DEFAULTS[name] and self.kind not in kinds and not (name == "seconds" and late):
                raise ValueError(
                    f"{name}: {value!r} says nothing to the kind {self.kind!r}; it is for {', '.join(kinds)}"
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


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _real(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_header(value: object) -> bool:
    """Tell whether a text can be sent as a header: Latin-1, on one line."""
    return isinstance(value, str) and all(character.isprintable() and character < "Ā" for character in value)


_RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "route": (
        lambda value: isinstance(value, str) and bool(value.strip()),
        "a pattern; write 'METHOD /path' or '*'",
    ),
    "count": (lambda value: value is None or _whole(value, 1), "a whole number above 0, or None for all"),
    "probability": (lambda value: _real(value) and 0 < value <= 1, "a number above 0, at most 1"),
    "after": (lambda value: _whole(value, 0), "a whole number, 0 or more"),
    "retry_after": (lambda value: value is None or _is_header(value), "text that fits on a header's line"),
    "seconds": (lambda value: _real(value) and 0 <= value <= 86_400, "a number of seconds from 0 to 86400"),
    "number": (lambda value: _whole(value, 1), "a whole number above 0"),
    "message": (lambda value: isinstance(value, str) and bool(value.strip()), "text"),
}


def _read(name: str, text: str) -> object:
    """Read one field's text; what is no number stays text, for the field's own rule to refuse."""
    if name == "count" and text == "all":
        return None
    kind = {"count": int, "after": int, "number": int, "probability": float, "seconds": float}.get(name, str)
    try:
        return kind(text)
    except ValueError:
        return text
