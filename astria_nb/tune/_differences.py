"""The differences between two requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from astria_nb.tune._request import Request
from astria_nb.tune._signed_addresses import same_address
from astria_nb.tune.round_trips import same_line_ends
from astria_nb.utils.redaction import redact_text


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in which two requests differ; None on the side that does not have it."""

    field: str
    a: Any
    b: Any


def differences(a: Request, b: Request) -> list[Difference]:
    """Return the fields in which two requests ask for something different.

    Ignored are signatures in image URLs, the order of images and ids, line ends, the encoding and the
    service. Characteristics and prompt attributes are compared key by key, callbacks with their full values.

    Parameters
    ----------
    a, b : Request
        Recorded or not.

    Examples
    --------
    >>> from astria_nb.tune._tune import Tune
    >>> a = Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> b = Tune(pack=43, title="t", name="dog", image_urls=["https://example.com/1.jpg"])
    >>> differences(*(Request.from_tune(tune, "https://api.astria.ai", "json") for tune in (a, b)))
    [Difference(field='name', a='cat', b='dog')]
    """
    a, b = a.recorded(), b.recorded()
    return [*_field_differences(a, b), *_image_differences(a, b)]


def _field_differences(a: Request, b: Request) -> Iterator[Difference]:
    if a.pack != b.pack:
        yield Difference("pack", a.pack, b.pack)
    fields_a, fields_b = dict(_flat(a.parameters)), dict(_flat(b.parameters))
    for name in dict.fromkeys([*fields_a, *fields_b]):
        value_a, value_b = fields_a.get(name), fields_b.get(name)
        if _comparable(value_a) != _comparable(value_b) or _kind(value_a) is not _kind(value_b):
            yield Difference(name, value_a, value_b)
        elif _has_other_secrets(name, a, b):
            yield Difference(name, value_a, f"{value_b} (other values)")


def _comparable(value: Any) -> Any:
    """Return a value in a comparable form: lists hold ids or addresses of pictures."""
    if isinstance(value, str):  # one of the two may be recorded with what counts as a secret since
        return same_line_ends(redact_text(value))
    if not isinstance(value, list):
        return same_line_ends(value)
    return sorted((same_address(item) if isinstance(item, str) else item for item in value), key=str)


def _has_other_secrets(name: str, a: Request, b: Request) -> bool:
    of_a, of_b = a.redacted.get(name, ""), b.redacted.get(name, "")
    if name == "image_urls":  # older records have no hash of them, or a hash of fewer values
        return "" not in (of_a, of_b) and of_a not in (of_b, b.former_names) and of_b != a.former_names
    return of_a != of_b


def _kind(value: object) -> type:
    """Return the type of a value; whole floats and whole numbers are the same for the service."""
    return float if type(value) is int else type(value)


def _image_differences(a: Request, b: Request) -> Iterator[Difference]:
    only_a, only_b = list(a.images), []
    for image in b.images:
        match = next((candidate for candidate in only_a if image.is_same(candidate)), None)
        if match is None:
            only_b.append(image)
        else:
            only_a.remove(match)
    for number in range(max(len(only_a), len(only_b))):
        sides = (str(images[number]) if number < len(images) else None for images in (only_a, only_b))
        yield Difference("images", *sides)


def _flat(parameters: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in parameters.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{same_line_ends(key)}", item) for key, item in value.items())
        else:
            yield name, list(value) if isinstance(value, tuple) else value
