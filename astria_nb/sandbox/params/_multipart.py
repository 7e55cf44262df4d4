"""Multipart bodies: files go to the spool as they arrive, everything else is text."""

import codecs
import re
from collections.abc import Iterator
from typing import Protocol

from werkzeug.datastructures import Headers
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData, State

from astria_nb.sandbox._errors import Refusal, bad_request, over_limit, too_large
from astria_nb.sandbox.params import _disposition
from astria_nb.sandbox.params._limits import RequestLimits
from astria_nb.sandbox.uploads import Spool, Upload

_CHUNK = 256 * 1024
_MAX_HEAD = 2 * 2**20
_MAX_BOUNDARY = 200
# As in Rack; programs in Java write boundaries with "=" without quotes.
_BOUNDARY = re.compile(r'[;,].*boundary="?([^";,]+)', re.IGNORECASE | re.DOTALL)


class Readable(Protocol):
    """A body that is still arriving."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; empty at the end."""


def boundary_of(content_type: str) -> bytes:
    """Return the boundary that a Content-Type names; 400 if there is none."""
    named = _BOUNDARY.search(content_type)
    boundary = named[1].encode("utf-8", "surrogateescape") if named else b""
    if not 0 < len(boundary) <= _MAX_BOUNDARY:
        raise bad_request("the multipart Content-Type names no boundary; let the HTTP library write it")
    return boundary


def parts(
    body: Readable, boundary: bytes, spool: Spool, limits: RequestLimits
) -> Iterator[tuple[str, str | Upload]]:
    """Yield each part as a key and its value; a part with a filename is a file.

    Raises
    ------
    Refusal
        400 for a malformed body, 500 for more files, parts or text than Rails reads, once all has arrived.
    """
    count = file_count = text_size = 0
    events = _events(body, boundary)
    for event in events:
        if not isinstance(event, Field | File):
            continue
        key, filename = _names(event.headers, limits.max_disposition)
        count += 1
        file_count += filename is not None
        if count > limits.max_fields:
            raise too_large(f"more than {limits.max_fields} parts")
        if file_count > limits.max_files:
            raise _after_upload(body, f"more than {limits.max_files} files (see max_files)")
        if count > limits.max_parts:
            raise _after_upload(body, f"more than {limits.max_parts} parts (see max_parts)")
        if filename is None:
            pieces = []
            for piece in _content(events):
                text_size += len(piece)
                if text_size > limits.max_text:
                    text = f"more than {limits.max_text} bytes of text (see max_text)"
                    raise _after_upload(body, text)
                pieces.append(piece)
            codec = _codec(event.headers.get("Content-Type", ""))
            yield _decoded(key.encode(), codec), _decoded(b"".join(pieces), codec)
        elif filename:
            yield key, spool.save(filename, _content(events))
        else:  # a form in which no file was chosen
            for _ in _content(events):
                pass


def _events(body: Readable, boundary: bytes) -> Iterator[Event]:
    """Yield the decoder's events, up to the closing boundary."""
    decoder = MultipartDecoder(boundary)
    while True:
        try:
            event = decoder.next_event()
        except ValueError:  # includes text that is not UTF-8
            raise bad_request("the multipart body is malformed or incomplete") from None
        if isinstance(event, NeedData):
            decoder.receive_data(body.read(_CHUNK) or None)
            if decoder.state is State.PREAMBLE:
                _check_first_line(bytes(decoder.buffer), boundary)
            if len(decoder.buffer) > _MAX_HEAD:
                raise too_large("the headers of a part are too long")
            continue
        yield event
        if isinstance(event, Epilogue):
            return


def _check_first_line(start: bytes, boundary: bytes) -> None:
    """Refuse a first boundary that CR LF does not follow, as Rack does; the decoder takes any line end."""
    _, _, rest = start.partition(b"--" + boundary)
    if rest[:2] not in (b"", b"-", b"--", b"\r", b"\r\n"):
        raise bad_request("in a multipart body, CR LF must follow each boundary and each line of a header")


def _content(events: Iterator[Event]) -> Iterator[bytes]:
    for event in events:
        assert isinstance(event, Data)
        yield event.data
        if not event.more_data:
            return


def _names(headers: Headers, max_disposition: int) -> tuple[str, str | None]:
    """Return the key and the filename of a part; one that is too long is lost, as in Rack."""
    disposition = headers["Content-Disposition"]
    is_read = len(disposition.encode()) <= max_disposition
    name, filename = _disposition.read(disposition) if is_read else (None, None)
    return name or filename or f"{headers.get('Content-Type') or 'text/plain'}[]", filename


def _codec(content_type: str) -> str:
    """Return how a part's key and value are decoded: UTF-8, unless plain text names another charset."""
    media_type, _, details = content_type.partition(";")
    if media_type.strip() != "text/plain" or not details:
        return "utf-8"
    charset = parse_options_header(content_type)[1].get("charset", "utf-8")
    try:
        return codecs.lookup(charset).name
    except LookupError:
        raise bad_request(f"a part names the charset {charset}, which is not known") from None


def _decoded(text: bytes, codec: str) -> str:
    try:
        return text.decode(codec)
    except (LookupError, UnicodeDecodeError):  # a codec need not be one for text
        raise bad_request(f"a part is not valid {codec.upper()}") from None


def _after_upload(body: Readable, message: str) -> Refusal:
    """Read a body to its end, since a web server passes it on as a whole, and return the refusal."""
    while body.read(_CHUNK):
        pass
    return over_limit(message)
