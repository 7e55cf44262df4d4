"""The request for a tune, as it is recorded and compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from astria_nb.images import UNCHANGED, Image, Preprocessing, SentImage
from astria_nb.tune._encoding import parameters
from astria_nb.tune._signed_addresses import formerly_recorded, same_address, secret_names
from astria_nb.tune._tune import Tune
from astria_nb.tune.round_trips import same_line_ends
from astria_nb.utils.redaction import is_harmless, redact_json, redact_name, redact_text
from astria_nb.utils.service_address import one_spelling, recorded_service

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str)


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """A training image at the time of the request.

    Attributes
    ----------
    path : str
        Absolute path of its file, or the address that it was read from; empty if its content was in memory.
    filename : str
        The name that is sent.
    size : int
        Bytes that are sent; the size of the file until that is known.
    mtime_ns : int or None
        When the file was last written, in nanoseconds since 1970 (UTC); None if it could not be read.
    sha256 : str or None
        SHA-256 of the bytes that are sent, in hexadecimal; None until they were sent.
    """

    path: str
    filename: str
    size: int
    mtime_ns: int | None = None
    sha256: str | None = None

    @classmethod
    def from_image(cls, image: Image, sent: SentImage | None = None) -> ImageRecord:
        """Return the record of an image, with its name and size as they are sent; reads no content."""
        mtime_ns = None
        if image.copy is None:
            with suppress(OSError):  # the encoding reports files that cannot be sent
                mtime_ns = image.path.stat().st_mtime_ns
        source = image if sent is None else sent
        return cls(image.origin or "", source.filename, source.size, mtime_ns)

    def is_same(self, other: ImageRecord) -> bool:
        """Compare the content if both hashes are known, else name and size."""
        if self.sha256 and other.sha256:
            return self.sha256 == other.sha256
        return (self.filename, self.size) == (other.filename, other.size)

    def __str__(self) -> str:
        digest = f", sha256 {self.sha256[:12]}…" if self.sha256 else ""
        return f"{self.filename} ({self.size} bytes{digest})"


@dataclass(frozen=True)
class Request:
    """One run of a pack, as it is sent to one service.

    Attributes
    ----------
    service : str
        The service's base address, without a trailing slash.
    pack : int or str
        Id or slug.
    title : str or None
        None for a run on existing tunes.
    encoding : {"multipart", "form", "json"}
    parameters : mapping of str to object
        The values sent under ``tune``, as `astria_nb.tune._encoding.parameters` returns them.
    images : tuple of ImageRecord
    preprocessing : Preprocessing
        How the images were prepared. `UNCHANGED` for a request without images, and for records older than
        preprocessing.
    redacted : mapping of str to str
        The fields that were recorded without a secret (``image_urls``, ``callback``,
        ``prompt_attributes.callback``, …), each with a hash of a callback's full value, or of the values in
        ``image_urls`` that may name the pictures: enough to tell them from others, not to restore them. Empty
        for a request that was not read from a log.
    account : str or None
        The id of the account that sends it. None if unknown: it may be any account of the service.

    Examples
    --------
    >>> tune = Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> request = Request.from_tune(tune, "https://api.astria.ai", "json")
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
    account: str | None = None
    former_content: str | None = field(default=None, repr=False, compare=False)
    former_names: str | None = field(default=None, repr=False, compare=False)

    @classmethod
    def from_tune(
        cls,
        tune: Tune,
        service: str,
        encoding: str,
        *,
        pack: int | str | None = None,
        sent_images: Sequence[SentImage] = (),
        preprocessing: Preprocessing = UNCHANGED,
        account: str | None = None,
    ) -> Request:
        """Return the request for a tune; the content of its files is not read.

        Parameters
        ----------
        tune : Tune
        service, encoding : str
            As the attributes.
        pack : int or str, optional
            Default: the tune's own, which may be a slug.
        sent_images : sequence of SentImage, optional
            The tune's images as they are sent, in order. Default: the files as they are on disk.
        preprocessing : Preprocessing
            How `sent_images` were prepared.
        account : str, optional
            As the attribute.
        """
        sent = sent_images or (None,) * len(tune.images)
        images = (ImageRecord.from_image(*pair) for pair in zip(tune.images, sent, strict=True))
        return cls(
            service=one_spelling(service),
            account=account,
            pack=tune.pack if pack is None else pack,
            title=tune.title,
            encoding=encoding,
            parameters=parameters(tune),
            images=tuple(images),
            preprocessing=preprocessing if sent_images else UNCHANGED,
        )

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the meaning of the request, without the encoding and the files' paths.

        Preprocessing counts only through its effect on the images. The fingerprint of a recorded request is
        the original one, from before secrets were removed and before the content of its files was known.
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

    @cached_property
    def content_fingerprint(self) -> str:
        """SHA-256 of the content of the request, whatever its title.

        Title, callbacks, signatures in URLs, the names and the order of images do not count, nor do line ends
        and the encoding. Images count by the sizes that are sent: two requests with equal fingerprints are
        equal only if the content of their images is as well.
        """
        recorded = self.recorded()
        addresses = map(same_address, recorded.parameters.get("image_urls") or ())
        return recorded._content(sorted(addresses), recorded.redacted.get("image_urls", ""))

    @property
    def former_content_fingerprint(self) -> str:
        """The same as it was recorded when fewer parameters of addresses were known to be secret.

        Of a request that was read from a log, it is the `content_fingerprint`.
        """
        return self.recorded().former_content or self.content_fingerprint

    def _content(self, addresses: list[str], names: str) -> str:
        fields = {
            name: value
            for name, value in self.parameters.items()
            if name not in ("title", "callback", "prompts_callback")
        }
        for name in ("tune_ids", "prompt_ids"):
            fields[name] = sorted(fields.get(name) or ())
        fields["image_urls"] = addresses
        overrides = {
            key: str(value).lower() if isinstance(value, bool) else str(value)  # as a form sends them
            for key, value in fields.get("prompt_attributes", {}).items()
            if key != "callback"
        }
        sent = {
            "pack": self.pack,
            "parameters": {**fields, "prompt_attributes": overrides},
            "names": names,
            "sizes": sorted(image.size for image in self.images),
        }
        return hashlib.sha256(canonical(same_line_ends(sent)).encode()).hexdigest()

    def with_sha256(self, hashes: Sequence[str | None] | None) -> Request:
        """Return the request with the hashes of its images, which are known only once they were read."""
        if not hashes or len(hashes) != len(self.images):
            return self
        images = (
            replace(image, sha256=sha256 or image.sha256)
            for image, sha256 in zip(self.images, hashes, strict=True)
        )
        return replace(self, images=tuple(images))

    def recorded(self) -> Request:
        """Return the request as it may be written to disk, without secrets."""
        return self if self.recorded_fingerprint else self._recorded

    @cached_property
    def _recorded(self) -> Request:
        redacted, safe = dict(self.redacted), dict(self.parameters)
        if not is_harmless(canonical(safe)):
            safe = {name: _redact(name, value, redacted) for name, value in self.parameters.items()}
        images = tuple(
            replace(image, path=redact_name(image.path), filename=redact_name(image.filename))
            for image in self.images
        )
        if images != self.images:
            redacted.setdefault("images", "")
        pack = redact_name(self.pack) if isinstance(self.pack, str) else self.pack
        recorded = replace(
            self,
            service=recorded_service(self.service),
            pack=pack,
            parameters=safe,
            images=images,
            redacted=redacted,
            recorded_fingerprint=self.fingerprint,
        )
        if "image_urls" not in redacted:
            return recorded
        addresses, secrets = formerly_recorded(self.parameters.get("image_urls") or ())
        names = _digest(secrets) if secrets else ""
        return replace(recorded, former_content=recorded._content(addresses, names), former_names=names)


def canonical(value: Any) -> str:
    """Return ASCII JSON that is identical for equal values."""
    return _CANONICAL.encode(value)


def _redact(name: str, value: Any, redacted: dict[str, str]) -> Any:
    """Return a field without secrets, and record in `redacted` if there were any."""
    if isinstance(value, Mapping):
        return {redact_text(key): _redact(f"{name}.{key}", item, redacted) for key, item in value.items()}
    safe = redact_json(value, field=name.rpartition(".")[2])
    if safe != (list(value) if isinstance(value, tuple) else value):
        secrets = (
            secret_names(value) if name == "image_urls" else value if name.endswith("callback") else None
        )
        redacted.setdefault(redact_text(name), _digest(secrets) if secrets else "")
    return safe


def _digest(secrets: object) -> str:
    return hashlib.sha256(canonical(secrets).encode()).hexdigest()
