"""Parse the body of a request, whatever its encoding, into a tree of parameters."""

from collections.abc import Iterator
from typing import Protocol

from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from astria_nb.sandbox._errors import bad_request, too_large
from astria_nb.sandbox.params._tree import Params, files, from_json, from_pairs, from_query
from astria_nb.sandbox.uploads import Spool, Upload

_CHUNK = 256 * 1024
_MAX_TEXT = 16 * 2**20
"""Most bytes of a body, or of the plain fields of a multipart body, that are held in memory."""


class Readable(Protocol):
    """A body that is still arriving."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; empty at the end."""


def read_params(body: Readable, content_type: str, spool: Spool, max_fields: int) -> Params:
    """Read a body to its end.

    Parameters
    ----------
    body : Readable
        The body.
    content_type : str
        The request's Content-Type header.
    spool : Spool
        Where files are stored.
    max_fields : int
        Largest number of fields, parts or values to accept.

    Raises
    ------
    Refusal
        400 for a body that does not match its Content-Type, 413 for one that exceeds a limit.
    """
    media_type, details = parse_options_header(content_type)
    if media_type == "multipart/form-data":
        boundary = details.get("boundary", "").encode("utf-8", "surrogateescape")
        if not 0 < len(boundary) <= 200:
            raise bad_request("the multipart Content-Type names no boundary; let the HTTP library write it")
        return _from_multipart(body, boundary, spool, max_fields)
    if media_type == "application/x-www-form-urlencoded":
        return from_query(_read_all(body), max_fields)
    if media_type == "application/json":
        return from_json(_read_all(body), max_fields)
    raise bad_request(
        "send the parameters as multipart/form-data, application/x-www-form-urlencoded or application/json; "
        f"Content-Type is {content_type or 'missing'}"
    )


def discard(params: Params) -> None:
    """Remove the files of a request that created nothing."""
    for upload in files(params):
        upload.path.unlink(missing_ok=True)


def _read_all(body: Readable) -> bytes:
    pieces, size = [], 0
    while piece := body.read(_CHUNK):
        size += len(piece)
        if size > _MAX_TEXT:
            raise too_large(f"a body without files is limited to {_MAX_TEXT} bytes")
        pieces.append(piece)
    return b"".join(pieces)


def _from_multipart(body: Readable, boundary: bytes, spool: Spool, max_fields: int) -> Params:
    pairs: list[tuple[str, str | Upload]] = []
    try:
        for pair in _parts(_events(body, boundary), spool):
            pairs.append(pair)
            if len(pairs) > max_fields:
                raise too_large(f"more than {max_fields} parts")
        return from_pairs(pairs, max_fields)
    except BaseException:
        for upload in [value for _, value in pairs if isinstance(value, Upload)]:
            upload.path.unlink(missing_ok=True)
        raise


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
            if len(decoder.buffer) > 8 * _CHUNK:
                raise too_large("the headers of a part are too long")
            continue
        yield event
        if isinstance(event, Epilogue):
            return


def _parts(events: Iterator[Event], spool: Spool) -> Iterator[tuple[str, str | Upload]]:
    """Yield each part as a key and its value; a part with a filename is a file."""
    text_size = 0
    for event in events:
        if not isinstance(event, Field | File):
            continue
        if event.name is None:
            raise bad_request("a part of the multipart body has no name")
        name = _unescape(event.name)
        if isinstance(event, File):
            yield name, spool.save(_unescape(event.filename), _content(events))
            continue
        pieces = []
        for piece in _content(events):
            text_size += len(piece)
            if text_size > _MAX_TEXT:
                raise too_large(f"fields that are not files are limited to {_MAX_TEXT} bytes in all")
            pieces.append(piece)
        try:
            yield name, b"".join(pieces).decode()
        except UnicodeDecodeError:
            raise bad_request(f"{name}: the value is not valid UTF-8") from None


def _content(events: Iterator[Event]) -> Iterator[bytes]:
    for event in events:
        assert isinstance(event, Data)
        yield event.data
        if not event.more_data:
            return


def _unescape(text: str) -> str:
    """Undo the three escapes of the WHATWG form encoding; any other `%` is part of the name."""
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
