"""A tune as one of the three bodies that the API takes (astria-api, section 5)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Literal, get_args
from urllib.parse import urlencode

from astria_nb.errors import Problem, TuneError
from astria_nb.images.preprocessing import Preprocessing
from astria_nb.images.upload import BLOCK, SentImage, open_all
from astria_nb.tune.tune import FIELDS, Tune
from astria_nb.utils.formatting import short

Encoding = Literal["multipart", "form", "json"]
OnSent = Callable[[int, int], None]
"""Is told the bytes sent so far and the bytes in all."""
_DEFAULT = Preprocessing()


def encode(
    tune: Tune,
    encoding: Encoding | None = None,
    on_sent: OnSent | None = None,
    preprocessing: Preprocessing = _DEFAULT,
) -> Body:
    """Return the body that creates a tune.

    Parameters
    ----------
    tune : Tune
    encoding : {"multipart", "form", "json"}, optional
        By default multipart for a tune with files, else JSON.
    on_sent : callable, optional
        Called with (bytes sent, bytes in all) after each block, from the sending thread.
    preprocessing : Preprocessing
        What is done to the tune's files. Default: their metadata is left out.

    Raises
    ------
    TuneError
        When the encoding is unknown or cannot carry the tune's files, a file vanished or changed, or cannot
        be treated so.

    Examples
    --------
    >>> tune = Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> body = encode(tune, "form")
    >>> body.content_type
    'application/x-www-form-urlencoded'
    >>> b"".join(bytes(block) for block in body)
    b'tune%5Btitle%5D=t&tune%5Bname%5D=cat&tune%5Bimage_urls%5D%5B%5D=https%3A%2F%2Fexample.com%2F1.jpg'
    """
    chosen = choose(tune, encoding)
    if chosen == "json":
        text = json.dumps({"tune": parameters(tune)}, ensure_ascii=False, separators=(",", ":"))
        return Body(chosen, "application/json", [text.encode()], on_sent)
    if chosen == "form":
        return Body(chosen, "application/x-www-form-urlencoded", [urlencode(pairs(tune)).encode()], on_sent)
    boundary = uuid.uuid4().hex
    parts = _parts(boundary, pairs(tune), open_all(tune.images, preprocessing))
    return Body(chosen, f"multipart/form-data; boundary={boundary}", parts, on_sent)


def choose(tune: Tune, encoding: Encoding | None = None) -> Encoding:
    """Return the encoding to send a tune in: the given one if it can carry it, else the default.

    Raises
    ------
    TuneError
        When it is unknown, or cannot carry the tune's files.
    """
    if encoding is not None and (not isinstance(encoding, str) or encoding not in get_args(Encoding)):
        what = f"{short(encoding)} is not known"
        raise TuneError(Problem("encoding", what, "choose multipart, form or json"))
    chosen = encoding or ("multipart" if tune.images else "json")
    if tune.images and chosen != "multipart":
        raise TuneError(
            Problem(
                "encoding",
                f"{chosen!r} cannot carry image files",
                "choose 'multipart', or give addresses as image_urls instead of images",
            )
        )
    return chosen


def encode_look(name: str, *, url: str | None = None, file: tuple[str, bytes] | None = None) -> Body:
    """Return the body that asks what is on an image: a JPEG under a filename, or one at an address."""
    boundary = uuid.uuid4().hex
    text, content = _field(boundary, "name", name), b""
    if url is not None:
        text += _field(boundary, "file_url", url)
    if file is not None:
        text += _head_of_file(boundary, "file", file[0], "image/jpeg")
        content = file[1] + b"\r\n"
    whole = text.encode() + content + f"--{boundary}--\r\n".encode()
    return Body("multipart", f"multipart/form-data; boundary={boundary}", [whole])


def parameters(tune: Tune) -> dict[str, Any]:
    """Return what is sent under ``tune`` as text: every field but the files, empty ones left out."""
    values = {
        name: getattr(tune, name)
        for name, spec in FIELDS.items()
        if spec.is_parameter and getattr(tune, name) != spec.empty
    }
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def pairs(tune: Tune) -> list[tuple[str, str]]:
    """Return the parameters as the fields of a form, such as ``("tune[tune_ids][]", "5")``."""
    return list(_flatten("tune", parameters(tune)))


class Body:
    """A request body that is read once, block by block, and never lies in memory whole.

    It holds its files open until it is closed, at best by ``with``.

    Attributes
    ----------
    encoding : str
        ``multipart``, ``form`` or ``json``.
    content_type : str
        For the header of that name.
    sent : int
        Bytes handed over so far. What is below ``len(body)`` after a failure never reached the service whole.
    given : int
        Bytes given to the connection so far. After an interrupt, what is below ``len(body)`` never reached
        the service whole; of the rest nobody knows, for the last block may have left unnoticed.
    images : list of SentImage
    image_sha256 : list of (str or None)
        The hash of what is sent of each file in order, in hexadecimal; None for one that could not be read to
        its end. On a network they are made while the files are sent; what is missing is made up for when
        they are read.
    """

    def __init__(
        self,
        encoding: Encoding,
        content_type: str,
        parts: list[bytes | SentImage],
        on_sent: OnSent | None = None,
    ) -> None:
        self.encoding = encoding
        self.content_type = content_type
        self.sent = self.given = 0
        self._on_sent = on_sent
        self._parts = parts
        self.images = [part for part in parts if isinstance(part, SentImage)]
        self._length = sum(len(part) if isinstance(part, bytes) else part.size for part in parts)

    @property
    def image_sha256(self) -> list[str | None]:  # noqa: D102  told with the class
        return [image.sha256() for image in self.images]

    def __len__(self) -> int:
        return self._length

    @property
    def is_spent(self) -> bool:
        """Whether it was read, or closed: each sending needs a body of its own."""
        return not self._parts

    def __iter__(self) -> Iterator[bytes | memoryview]:
        if self.is_spent:
            raise RuntimeError("a body is sent once; encode the tune again")
        parts, self._parts = self._parts, []
        buffer = memoryview(bytearray(BLOCK))
        for part in parts:
            for block in [part] if isinstance(part, bytes) else part.blocks(buffer):
                self.given += len(block)
                yield block
                # Control comes back only when the block went out.
                self.sent += len(block)
                if self._on_sent is not None:
                    self._on_sent(self.sent, self._length)

    def __enter__(self) -> Body:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files; a hash that is missing by then stays so."""
        for image in self.images:
            image.close()
        self._parts = []


def _flatten(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Write nested fields as Rails reads them: ``tune[characteristics][eye_color]``, ``tune[tune_ids][]``."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _flatten(f"{key}[{name}]", each)
    elif isinstance(value, list):
        for each in value:
            yield from _flatten(f"{key}[]", each)
    elif isinstance(value, bool):
        yield key, "true" if value else "false"  # Rails takes "False" for true
    else:
        yield key, str(value)


def _parts(boundary: str, pairs: list[tuple[str, str]], images: list[SentImage]) -> list[bytes | SentImage]:
    """Lay out a multipart body, small parts joined so that they leave in few packets."""
    parts: list[bytes | SentImage] = []
    text = "".join(_field(boundary, *pair) for pair in pairs)
    for image in images:
        text += _head_of_file(boundary, "tune[images][]", image.filename, image.media_type)
        parts += [text.encode(), image]
        text = "\r\n"
    return [*parts, f"{text}--{boundary}--\r\n".encode()]


def _field(boundary: str, key: str, value: str) -> str:
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{in_quotes(key)}"\r\n\r\n{value}\r\n'


def _head_of_file(boundary: str, key: str, filename: str, media_type: str) -> str:
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{in_quotes(key)}"; '
        f'filename="{in_quotes(filename)}"\r\nContent-Type: {media_type}\r\n\r\n'
    )


def in_quotes(name: str) -> str:
    """Write a name as it stands between quotes in the head of a part, as browsers and curl do (WHATWG)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
