"""The Content-Disposition of a part, read as Rack reads it."""

import re
from urllib.parse import unquote_to_bytes

_PARAMETER = re.compile(r'\s*([^=]*)=(?:"((?:\\.|[^"\\])*)"?[^;]*|([^;]*));?', re.DOTALL)
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")


def read(disposition: str) -> tuple[str | None, str | None]:
    r"""Return name and filename of a part; None for what is missing.

    Parameters
    ----------
    disposition : str
        The header's value.

    Notes
    -----
    In a name, backslash escapes are undone and percent escapes are not. In a filename, ``\"`` and percent
    escapes are undone, unless one of its ``%`` begins no escape, and folders are removed (astria-api,
    section 16).

    Examples
    --------
    >>> read(r'form-data; name="tune[a \"b\" %22]"; filename="my%20cat%22s.jpg"')
    ('tune[a "b" %22]', 'my cat"s.jpg')
    """
    values: dict[str, str] = {}
    for name, quoted, plain in _PARAMETER.findall(disposition.partition(";")[2]):
        name = "name" if name.lower() == "name" else name
        if name == "filename":
            values[name] = quoted.replace(r"\"", '"') or plain.strip()
        else:
            values[name] = re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL) or plain.strip()
    filename = values.get("filename")
    if (extended := values.get("filename*")) is not None:
        filename = extended.split("'", 2)[-1]
    return values.get("name"), None if filename is None else _file_name(filename)


def _file_name(text: str) -> str:
    if all(map(_ESCAPE.fullmatch, re.findall(r"%.?.?", text))):
        text = unquote_to_bytes(text).decode(errors="replace")
    return re.split(r"[/\\]", text.rstrip("/\\"))[-1]
