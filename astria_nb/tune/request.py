"""What was asked of the service, as it is remembered and compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from astria_nb.images.image import Image
from astria_nb.images.preprocessing import UNCHANGED, Preprocessing
from astria_nb.images.upload import SentImage
from astria_nb.tune.encoding import parameters
from astria_nb.tune.tune import Tune
from astria_nb.utils.redaction import redact_json, redact_name, redact_text


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """A picture that is trained with, as it was when the request was made.

    Attributes
    ----------
    path : str
        Where its file lay, absolute.
    filename : str
        The name that the service is told.
    size : int
        Bytes that are sent; of the file, where the request does not know that yet.
    mtime_ns : int or None
        When the file was last written, nanoseconds since 1970; None where the disk did not tell.
    sha256 : str or None
        Of what is sent, in hexadecimal; known once it was.
    """

    path: str
    filename: str
    size: int
    mtime_ns: int | None = None
    sha256: str | None = None

    @classmethod
    def of(cls, image: Image) -> ImageRecord:
        """Return the record of an image, without reading its content."""
        try:
            mtime_ns = image.path.stat().st_mtime_ns
        except OSError:  # whether it can be sent is for the encoding to say
            mtime_ns = None
        return cls(str(image.path), image.filename, image.size, mtime_ns)

    def is_same(self, other: ImageRecord) -> bool:
        """Tell whether two are one picture: by content where it is known of both, else by name and size."""
        if self.sha256 and other.sha256:
            return self.sha256 == other.sha256
        return (self.filename, self.size) == (other.filename, other.size)

    def __str__(self) -> str:
        known = f", sha256 {self.sha256[:12]}…" if self.sha256 else ""
        return f"{self.filename} ({self.size} bytes{known})"


@dataclass(frozen=True, slots=True)
class Request:
    """One run of a pack, as it is asked of one service.

    Attributes
    ----------
    service : str
        The service's address, without a trailing slash.
    pack : int or str
        Id or slug.
    title : str or None
        None for a run on existing tunes.
    encoding : str
        ``multipart``, ``form`` or ``json``.
    parameters : mapping
        What goes under ``tune``, as `astria_nb.tune.encoding.parameters` returns it.
    images : tuple of ImageRecord
    preprocessing : Preprocessing
        What was done to the images. Of a request without any, and of one that was recorded before there were
        treatments, that is nothing.
    redacted : mapping
        The fields that lost something when the request was recorded (``image_urls``, ``callback``,
        ``prompt_attributes.callback``, …), each with a hash of a callback's whole value: enough to tell
        another one from it, not to restore it. Empty for a request that was not read from a log.

    Examples
    --------
    >>> tune = Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> request = Request.of(tune, "https://api.astria.ai", "json")
    >>> request.title, request.fingerprint[:8]
    ('t', 'b54e4206')
    """

    service: str
    pack: int | str
    title: str | None
    encoding: str
    parameters: Mapping[str, Any]
    images: tuple[ImageRecord, ...] = ()
    preprocessing: Preprocessing = UNCHANGED
    redacted: Mapping[str, str] = field(default_factory=dict)
    recorded_fingerprint: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, tune: Tune, service: str, encoding: str) -> Request:
        """Return the request that a tune is; the content of its files is not read."""
        images = tuple(map(ImageRecord.of, tune.images))
        return cls(service.rstrip("/"), tune.pack, tune.title, encoding, parameters(tune), images)

    def as_sent(self, images: Sequence[SentImage], preprocessing: Preprocessing) -> Request:
        """Return the request with its images as they are sent, in their order."""
        if not images:
            return self
        records = (
            replace(record, filename=image.filename, size=image.size)
            for record, image in zip(self.images, images, strict=True)
        )
        return replace(self, images=tuple(records), preprocessing=preprocessing)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what is sent and means something: not of the encoding, nor of where files lie.

        A preprocessing counts by what it makes of the images.

        Of a recorded request it is the one that it had before anything was taken out of it, and before the
        content of its files was known.
        """
        if self.recorded_fingerprint:
            return self.recorded_fingerprint
        images = [
            {
                key: value
                for key in ("filename", "size", "sha256")
                if (value := getattr(image, key)) is not None
            }
            for image in self.images
        ]
        sent = {"pack": self.pack, "parameters": self.parameters, "images": images}
        return hashlib.sha256(canonical(sent).encode()).hexdigest()

    def with_sha256(self, known: Sequence[str | None] | None) -> Request:
        """Return the request with the content of its files known, in the order of the images."""
        if not known or len(known) != len(self.images):
            return self
        images = (
            replace(image, sha256=sha256 or image.sha256)
            for image, sha256 in zip(self.images, known, strict=True)
        )
        return replace(self, images=tuple(images))

    def recorded(self) -> Request:
        """Return the request as it may be written to disk."""
        redacted = dict(self.redacted)
        kept = {key: _redact(key, value, redacted) for key, value in self.parameters.items()}
        images = tuple(
            replace(image, path=redact_name(image.path), filename=redact_name(image.filename))
            for image in self.images
        )
        if images != self.images:
            redacted.setdefault("images", "")
        pack = redact_name(self.pack) if isinstance(self.pack, str) else self.pack
        return replace(
            self,
            service=redact_text(self.service),
            pack=pack,
            parameters=kept,
            images=images,
            redacted=redacted,
            recorded_fingerprint=self.fingerprint,
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in which two requests differ; a side that lacks it is None."""

    field: str
    a: Any
    b: Any


def differences(a: Request, b: Request) -> list[Difference]:
    """Return where two requests ask for something else.

    Signatures in the addresses of images do not count, nor do the order of the images, the encoding and the
    service. Characteristics and prompt attributes are compared key by key, callbacks with all their values.

    Parameters
    ----------
    a, b : Request
        Recorded or not.

    Examples
    --------
    >>> a = Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> b = Tune(pack=43, title="t", name="dog", image_urls=["https://example.com/1.jpg"])
    >>> differences(*(Request.of(tune, "https://api.astria.ai", "json") for tune in (a, b)))
    [Difference(field='name', a='cat', b='dog')]
    """
    return list(_differences(a.recorded(), b.recorded()))


def canonical(value: Any) -> str:
    """Return JSON that is the same for the same value, in plain ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


def _redact(field: str, value: Any, redacted: dict[str, str]) -> Any:
    """Return what is kept of a field, and note there what is not."""
    if isinstance(value, Mapping):
        return {redact_text(key): _redact(f"{field}.{key}", each, redacted) for key, each in value.items()}
    kept = redact_json(value, field=field.rpartition(".")[2])
    if kept != (list(value) if isinstance(value, tuple) else value):
        is_callback = field.endswith("callback")
        digest = hashlib.sha256(canonical(value).encode()).hexdigest() if is_callback else ""
        redacted.setdefault(redact_text(field), digest)
    return kept


def _differences(a: Request, b: Request) -> Iterator[Difference]:
    if a.pack != b.pack:
        yield Difference("pack", a.pack, b.pack)
    fields_a, fields_b = dict(_flat(a.parameters)), dict(_flat(b.parameters))
    for key in dict.fromkeys([*fields_a, *fields_b]):
        one, other = fields_a.get(key), fields_b.get(key)
        if one != other or type(one) is not type(other):
            yield Difference(key, one, other)
        elif a.redacted.get(key, "") != b.redacted.get(key, ""):
            yield Difference(key, one, f"{other} (other values)")
    only_a, only_b = list(a.images), []
    for image in b.images:
        found = next((each for each in only_a if image.is_same(each)), None)
        if found is None:
            only_b.append(image)
        else:
            only_a.remove(found)
    for number in range(max(len(only_a), len(only_b))):
        yield Difference(
            "images", *(str(only[number]) if number < len(only) else None for only in (only_a, only_b))
        )


def _flat(parameters: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in parameters.items():
        if isinstance(value, Mapping):
            yield from ((f"{key}.{name}", each) for name, each in value.items())
        else:
            yield key, list(value) if isinstance(value, tuple) else value
