"""A tune as one of the three bodies that the API takes (astria-api, section 5)."""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from io import FileIO
from typing import Any, Literal, get_args
from urllib.parse import urlencode

from astria_nb.errors import Problem, TuneError
from astria_nb.images import Image
from astria_nb.tune import Tune

Encoding = Literal["multipart", "form", "json"]
OnSent = Callable[[int, int], None]
"""Is told the bytes sent so far and the bytes in all."""

_BLOCK = 2**20  # measured: smaller blocks cost calls, larger ones only memory
_NETWORK = 500e6  # bytes a second, faster than what a photo travels on


def encode(tune: Tune, encoding: Encoding | None = None, on_sent: OnSent | None = None) -> Body:
    """Return the body that creates a tune.

    Parameters
    ----------
    tune : Tune
    encoding : {"multipart", "form", "json"}, optional
        By default multipart for a tune with files, else JSON.
    on_sent : callable, optional
        Called with (bytes sent, bytes in all) after each block, from the sending thread.

    Raises
    ------
    TuneError
        When the encoding is unknown or cannot carry the tune's files, or a file vanished or changed.

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
    parts = _parts(boundary, pairs(tune), tune.images)
    return Body(chosen, f"multipart/form-data; boundary={boundary}", parts, on_sent)


def choose(tune: Tune, encoding: Encoding | None = None) -> Encoding:
    """Return the encoding to send a tune in: the given one if it can carry it, else the default.

    Raises
    ------
    TuneError
        When it is unknown, or cannot carry the tune's files.
    """
    chosen = encoding or ("multipart" if tune.images else "json")
    if chosen not in get_args(Encoding):
        raise TuneError(Problem("encoding", f"{chosen!r} is not known", "choose multipart, form or json"))
    if tune.images and chosen != "multipart":
        raise TuneError(
            Problem(
                "encoding",
                f"{chosen!r} cannot carry image files",
                "choose 'multipart', or give addresses as image_urls instead of images",
            )
        )
    return chosen


def parameters(tune: Tune) -> dict[str, Any]:
    """Return what goes under ``tune`` but for the files: in the documented order, without empty fields."""
    fields = {
        "title": tune.title,
        "name": tune.name,
        "image_urls": list(tune.image_urls),
        "callback": tune.callback,
        "characteristics": tune.characteristics,
        "prompt_attributes": tune.prompt_attributes,
        "prompts_callback": tune.prompts_callback,
        "tune_ids": list(tune.tune_ids),
        "prompt_ids": list(tune.prompt_ids),
        "preset": tune.preset,
        "auto_extend": tune.auto_extend,
        "branch": tune.branch,
    }
    return {key: value for key, value in fields.items() if value not in (None, [], {})}


def pairs(tune: Tune) -> list[tuple[str, str]]:
    """Return the parameters as the fields of a form, such as ``("tune[tune_ids][]", "5")``."""
    return list(_flatten("tune", parameters(tune)))


class _File:
    """A file being sent, and its hash in the making."""

    def __init__(self, name: str, file: FileIO) -> None:
        self.name = name
        self.size = os.fstat(file.fileno()).st_size
        self._file = file
        self._digest, self._hashed = hashlib.sha256(), 0

    def blocks(self, buffer: memoryview) -> Iterator[memoryview]:
        """Yield the content, each block in the same buffer."""
        done = 0
        self._file.seek(0)  # it may have been hashed before
        while done < self.size:
            try:
                count = self._file.readinto(buffer[: min(self.size - done, len(buffer))])
            except OSError:  # else it would pass for a fault of the network
                count = 0
            if not count:
                what = f"{self.name!r} could not be read to its end"
                raise TuneError(Problem("images", what, "check it and submit again"))
            started = time.perf_counter()
            yield buffer[:count]
            # The system still sends what it took: on a network, hashing costs no time. A line that takes
            # blocks faster than this is this machine's own, and the hash is made up for when it is asked for.
            if self._hashed == done and count < _NETWORK * (time.perf_counter() - started):
                self._hash(buffer[:count])
            done += count

    def sha256(self) -> str | None:
        """Return the hash; None where the disk fails, for the tune may be paid for by then."""
        buffer = memoryview(bytearray(min(_BLOCK, self.size - self._hashed)))
        with suppress(OSError, ValueError):  # a ValueError is that the file was closed
            if buffer:
                self._file.seek(self._hashed)
            while left := self.size - self._hashed:
                count = self._file.readinto(buffer[:left])
                if not count:
                    break
                self._hash(buffer[:count])
        return self._digest.hexdigest() if self._hashed == self.size else None

    def _hash(self, block: memoryview) -> None:
        self._digest.update(block)
        self._hashed += len(block)


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
    image_sha256 : list of (str or None)
        The hash of each file in order, in hexadecimal; None for one that could not be read to its end. On a
        network they are made while the files are sent; what is missing is made up for when they are read.
    """

    def __init__(
        self, encoding: Encoding, content_type: str, parts: list[bytes | Image], on_sent: OnSent | None = None
    ) -> None:
        self.encoding = encoding
        self.content_type = content_type
        self.sent = self.given = 0
        self._on_sent = on_sent
        self._open_files = ExitStack()
        self._files: list[_File] = []
        self._parts: list[bytes | _File] = []
        with ExitStack() as undo:
            undo.callback(self.close)
            # Every file is opened before the first byte goes out: one that vanishes later can still be read.
            for part in parts:
                self._parts.append(part if isinstance(part, bytes) else self._open(part))
            undo.pop_all()
        self._length = sum(len(part) if isinstance(part, bytes) else part.size for part in self._parts)

    @property
    def image_sha256(self) -> list[str | None]:  # noqa: D102  told with the class
        return [file.sha256() for file in self._files]

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
        buffer = memoryview(bytearray(_BLOCK))
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
        self._open_files.close()
        self._parts = []

    def _open(self, image: Image) -> _File:
        try:
            file = self._open_files.enter_context(image.path.open("rb", buffering=0))
        except FileNotFoundError:
            reason = "is no longer there"
        except OSError as error:
            reason = f"cannot be read ({error.strerror})"
        else:
            self._files.append(_File(image.filename, file))
            return self._files[-1]
        raise TuneError(Problem("images", f"{image.filename!r} {reason}", "put it back, or take it out"))


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


def _parts(boundary: str, pairs: list[tuple[str, str]], images: tuple[Image, ...]) -> list[bytes | Image]:
    """Lay out a multipart body, small parts joined so that they leave in few packets."""
    parts: list[bytes | Image] = []
    text = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{in_quotes(key)}"\r\n\r\n{value}\r\n'
        for key, value in pairs
    )
    for image in images:
        text += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="tune[images][]"; '
            f'filename="{in_quotes(image.filename)}"\r\nContent-Type: {image.media_type}\r\n\r\n'
        )
        parts += [text.encode(), image]
        text = "\r\n"
    return [*parts, f"{text}--{boundary}--\r\n".encode()]


def in_quotes(name: str) -> str:
    """Write a name as it stands between quotes in the head of a part, as browsers and curl do (WHATWG)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
