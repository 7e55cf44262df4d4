"""The title of web pages that gateways, proxies and sign-ins return in place of the service's answer."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from html.parser import HTMLParser

from astria_nb.client._api_key import ApiKey
from astria_nb.errors import printable

_MAX_READ, _MAX_TITLE = 2**14, 120  # bytes of a page, and characters of its title

# How a page begins, after comments; some services answer with a fragment such as "<p>ok". The pattern does
# not backtrack, which would take far too long.
_PAGE = re.compile(
    r"\s*+(?:<!--(?>.*?-->)\s*+)*+<"
    r"(?:\?xml|!doctype|html|head|title|body|meta|link|style|script|center|table|h1)\b",
    re.I | re.S,
)
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.I)
_HIDDEN = ("script", "style", "noscript", "template")


def page_title(headers: Mapping[str, str], content: bytes, key: ApiKey) -> str | None:
    r"""Return the title of a web page, or its first words; None if a body is not a page.

    Parameters
    ----------
    headers : mapping of str to str
        The headers of the answer; case-insensitive.
    content : bytes
    key : ApiKey
        Redacted in case the page repeats it.

    Returns
    -------
    str or None
        One line; empty if the page has no words.

    Examples
    --------
    >>> key = ApiKey("sd_not_a_real_key")
    >>> page_title({}, b"<html><title>502 Bad\n Gateway</title><h1>nginx</h1></html>", key)
    '502 Bad Gateway'
    >>> page_title({"Content-Type": "text/plain"}, b"HTTP Token: Access denied.", key) is None
    True
    """
    # Redacted before it is cut or parsed, which could leave a part of the key, and afterwards: it may be
    # escaped.
    text = key.redact(_decoded(headers.get("Content-Type") or "", content[: 2 * _MAX_READ]))[:_MAX_READ]
    if not _PAGE.match(text):  # whatever its Content-Type
        return None
    reader = _TitleReader()
    reader.feed(text)  # not closed: an unfinished element is not a title
    line = printable(" ".join(key.redact(reader.best()).split()))
    return line if len(line) <= _MAX_TITLE else f"{line[: _MAX_TITLE - 1]}…"


def _decoded(content_type: str, content: bytes) -> str:
    named = _CHARSET.search(content_type) or _CHARSET.search(content[:1024].decode("latin-1"))
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    try:
        return content.decode(named[1] if named else "utf-8", "replace").lstrip("\ufeff")
    except (LookupError, UnicodeError):
        return content.decode("utf-8", "replace")


class _TitleReader(HTMLParser):
    """Collects the words of the first title, of the first heading, and of everything else."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._words: dict[str, str] = {"title": "", "h1": "", "": ""}
        self._inside = ""
        self._hidden = ""

    def parse_html_declaration(self, i: int) -> int:
        """Skip what begins like a marked section; the base class raises if it is not one."""
        if self.rawdata.startswith("<![", i):
            return self.parse_bogus_comment(i)
        return super().parse_html_declaration(i)

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002  the base class's
        if tag in _HIDDEN and not self._hidden:
            self._hidden = tag
        elif tag in ("title", "h1") and not self._words[tag].strip():
            self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._hidden:
            self._hidden = ""
        elif tag == self._inside:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._words[self._inside] += f"{data} " if self._inside != "title" else data

    def best(self) -> str:
        """Return the most informative words of a page."""
        return next(filter(str.strip, self._words.values()), "")
