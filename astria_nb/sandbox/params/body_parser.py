"""The parameters of a request, whatever its encoding: body and query as one tree."""

from collections.abc import Iterable
from dataclasses import dataclass

from astria_nb.sandbox._errors import bad_request, too_large
from astria_nb.sandbox.params._limits import RequestLimits
from astria_nb.sandbox.params._multipart import Readable, boundary_of, parts
from astria_nb.sandbox.params._tree import Params, files, from_form, from_json, from_pairs
from astria_nb.sandbox.params._wrapping import wrapped
from astria_nb.sandbox.uploads import Spool, Upload

_CHUNK = 256 * 1024
_JSON = ("application/json", "text/x-json", "application/jsonrequest")
_MULTIPART = ("multipart/form-data", "multipart/mixed", "multipart/related")


@dataclass(frozen=True)
class Incoming:
    """A request whose body is still to be read.

    Attributes
    ----------
    body : Readable
        The body.
    content_type : str
        The Content-Type header; empty if there is none.
    query : bytes
        The query string.
    method : str
        The HTTP method.
    """

    body: Readable
    content_type: str = ""
    query: bytes = b""
    method: str = "POST"

    @property
    def media_type(self) -> str:
        """The Content-Type without its details, in lower case."""
        return self.content_type.replace(",", ";").partition(";")[0].strip().lower()


def read_params(request: Incoming, spool: Spool, limits: RequestLimits, wrapper: str | None = None) -> Params:
    """Read a body to its end, and return its parameters and those of the query.

    Parameters
    ----------
    request : Incoming
        The request.
    spool : Spool
        Where files are stored.
    limits : RequestLimits
        How much to accept.
    wrapper : str, optional
        The name under which JSON without it is wrapped.

    Raises
    ------
    Refusal
        400 for a body that does not match its Content-Type, 413 or 500 for one that exceeds a limit.

    Notes
    -----
    A POST without a Content-Type is a form; a body of any other type is not read. A parameter of the query
    replaces that of the body (astria-api, section 16).
    """
    uploads: list[Upload] = []
    try:
        body = _read_body(request, spool, limits, uploads)
        params = body | (from_form(request.query, limits) if request.query else {})
    except BaseException:
        _remove(uploads)
        raise
    if wrapper and request.media_type in _JSON and wrapper not in params:
        params[wrapper] = wrapped(body, wrapper)
    if uploads:
        read = set(files(params))
        _remove(upload for upload in uploads if upload not in read)
    return params


def discard(params: Params) -> None:
    """Remove the files of a request that created nothing."""
    _remove(files(params))


def _read_body(request: Incoming, spool: Spool, limits: RequestLimits, uploads: list[Upload]) -> Params:
    """Return the parameters of the body; its files are added to `uploads` as they arrive."""
    media_type = request.media_type
    if media_type in _MULTIPART:
        boundary = boundary_of(request.content_type)
        pairs: list[tuple[str, str | Upload | None]] = []
        for key, value in parts(request.body, boundary, spool, limits):
            pairs.append((key, value))
            if isinstance(value, Upload):
                uploads.append(value)
        return from_pairs(pairs, limits.max_form_depth)
    if media_type in _JSON:
        content = _read_all(request.body, limits.max_text)
        if len(content) > limits.max_text:
            raise too_large(f"a JSON body is limited to {limits.max_text} bytes (see max_text)")
        return from_json(content, limits) if content else {}
    if media_type == "application/x-www-form-urlencoded" or (not media_type and request.method == "POST"):
        form = _read_all(request.body, limits.max_form)
        return from_form(form.removesuffix(b"\0"), limits)  # as Rack, for a browser that appended one
    if request.query:
        return {}
    raise bad_request(
        "send the parameters as multipart/form-data, application/x-www-form-urlencoded or application/json; "
        f"Content-Type is {request.content_type or 'missing'}"
    )


def _read_all(body: Readable, limit: int) -> bytes:
    """Read a body to its end; what follows the first byte beyond the limit is dropped."""
    pieces, space_left = [], limit + 1
    while piece := body.read(_CHUNK):
        pieces.append(piece[:space_left])
        space_left -= len(pieces[-1])
    return b"".join(pieces)


def _remove(uploads: Iterable[Upload]) -> None:
    for upload in uploads:
        upload.path.unlink(missing_ok=True)
