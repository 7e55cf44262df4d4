"""A tune in each of the three encodings that the API accepts (astria-api, section 5)."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, get_args
from urllib.parse import urlencode

from astria_nb.errors import Problem, TuneError
from astria_nb.images import Preprocessing, SentImage, open_all, own_names_of, sent_names
from astria_nb.tune._body import Body, Encoding, OnSent
from astria_nb.tune._limits import beyond_limits, keys_changed_by_multipart
from astria_nb.tune._tune import FIELDS, Tune
from astria_nb.utils.formatting import short
from astria_nb.utils.progress import ReportProgress
from astria_nb.utils.remedies import Remedy

_DEFAULT = Preprocessing()
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encode(
    tune: Tune,
    encoding: Encoding | None = None,
    on_sent: OnSent | None = None,
    preprocessing: Preprocessing = _DEFAULT,
    report: ReportProgress | None = None,
) -> Body:
    """Return the request body that creates a tune.

    Parameters
    ----------
    tune : Tune
    encoding : {"multipart", "form", "json"}, optional
        Default: multipart for a tune with files, else JSON.
    on_sent : callable, optional
        Called with (bytes sent, bytes in all) after each block, from the sending thread.
    preprocessing : Preprocessing
        How the files are prepared. Default: their metadata is removed.
    report : callable, optional
        Called with a fraction from 0 to 1 and a text, if preparing takes long.

    Raises
    ------
    TuneError
        The encoding is unknown or cannot carry files, or a file was removed, was changed, or cannot be
        prepared.

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
        text = _COMPACT.encode({"tune": parameters(tune)})
        return Body(chosen, "application/json", [text.encode()], on_sent)
    fields = pairs(tune)
    if chosen == "form":
        form = urlencode(fields).encode()
        excess = beyond_limits(chosen, fields, len(form), 0)
        return Body(chosen, "application/x-www-form-urlencoded", [form], on_sent, excess)
    boundary = uuid.uuid4().hex
    images = open_all(tune.images, preprocessing, report)
    names, own_names = [image.filename for image in images], dict[str, str]()
    if not preprocessing.keep_metadata:
        photos = [image.opened() for image in tune.images]
        names = sent_names(photos, [image.media_type for image in images])
        own_names = own_names_of(photos, names)
    parts = _parts(boundary, fields, images, names)
    size = sum(len(part) for part in parts if isinstance(part, bytes))
    excess = beyond_limits(chosen, fields, size, len(tune.images))
    return Body(chosen, f"multipart/form-data; boundary={boundary}", parts, on_sent, excess, own_names)


def choose(tune: Tune, encoding: Encoding | None = None) -> Encoding:
    """Return the encoding to use for a tune: the requested one, or the default.

    Raises
    ------
    TuneError
        It is unknown, or cannot carry the tune's files or the keys of its maps.
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
                f"choose 'multipart', or give addresses {Remedy.AS_URLS_INSTEAD}",
            )
        )
    if chosen == "multipart" and (lost := [*keys_changed_by_multipart(vars(tune), Remedy.CHOOSE_JSON)]):
        raise TuneError(*lost)
    return chosen


def encode_inspection(
    name: str, *, url: str | None = None, file: tuple[str, bytes] | None = None, own_name: str = ""
) -> Body:
    """Return the body that inspects an image: the content of a JPEG with its filename, or a URL."""
    boundary = uuid.uuid4().hex
    text, content = _field(boundary, "name", name), b""
    if url is not None:
        text += _field(boundary, "file_url", url)
    own_names = dict[str, str]()
    if file is not None:
        text += _head_of_file(boundary, "file", file[0], "image/jpeg")
        content = file[1] + b"\r\n"
        own_names = {file[0]: own_name} if own_name not in ("", file[0]) else own_names
    data = text.encode() + content + f"--{boundary}--\r\n".encode()
    return Body("multipart", f"multipart/form-data; boundary={boundary}", [data], own_names=own_names)


def parameters(tune: Tune) -> dict[str, Any]:
    """Return the values sent under ``tune`` as text: every field except files, without empty ones."""
    values = {
        name: getattr(tune, name)
        for name, spec in FIELDS.items()
        if spec.is_parameter and getattr(tune, name) != spec.empty
    }
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def pairs(tune: Tune) -> list[tuple[str, str]]:
    """Return the parameters as form fields, such as ``("tune[tune_ids][]", "5")``."""
    return list(_flatten("tune", parameters(tune)))


def _flatten(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Write nested fields as Rails reads them: ``tune[characteristics][eye_color]``, ``tune[tune_ids][]``."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _flatten(f"{key}[{name}]", item)
    elif isinstance(value, list):
        for item in value:
            yield from _flatten(f"{key}[]", item)
    elif isinstance(value, bool):
        yield key, "true" if value else "false"  # Rails reads "False" as true
    elif isinstance(value, float):
        yield key, format(Decimal(repr(value)), "f")  # an integer column would read "1e+20" as 1
    else:
        yield key, str(value)


def _parts(
    boundary: str, pairs: list[tuple[str, str]], images: list[SentImage], names: list[str]
) -> list[bytes | SentImage]:
    """Return the parts of a multipart body; small parts are joined, to be sent in few packets."""
    parts: list[bytes | SentImage] = []
    text = "".join(_field(boundary, *pair) for pair in pairs)
    for image, name in zip(images, names, strict=True):
        text += _head_of_file(boundary, "tune[images][]", name, image.media_type)
        parts += [text.encode(), image]
        text = "\r\n"
    return [*parts, f"{text}--{boundary}--\r\n".encode()]


def _field(boundary: str, key: str, value: str) -> str:
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'


def _head_of_file(boundary: str, key: str, filename: str, media_type: str) -> str:
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"; '
        f'filename="{in_quotes(filename)}"\r\nContent-Type: {media_type}\r\n\r\n'
    )


def in_quotes(filename: str) -> str:
    r"""Escape a file's name for a part's Content-Disposition header, as browsers and curl do (WHATWG).

    Rack 2 would take the text after ``; name=`` as the name of the part, so that semicolon is escaped as
    well; Rails undoes percent escapes in the names of files (astria-api, section 16).

    Examples
    --------
    >>> in_quotes('a "b".jpg'), in_quotes("a; name=b.jpg")
    ('a %22b%22.jpg', 'a%3B name=b.jpg')
    """
    name = filename.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    return re.sub(r";(?=\s*name=)", "%3B", name, flags=re.IGNORECASE)
