"""Text and data as literals of bash, curl, Python, JavaScript and JSON, with invisible characters escaped."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\", "'": r"\'"}
_NEEDS_NO_QUOTES = re.compile(r'[\w/.][^;,"\\\s]*')


def bash(text: str) -> str:
    r"""Return text as one word of bash or zsh.

    Examples
    --------
    >>> print(bash("man"), bash("it's $5!"), bash("one\ntwo"))
    man 'it'\''s $5!' $'one\ntwo'
    """
    if shlex.quote(text) == text:
        return text
    if text.isprintable():
        return "'" + text.replace("'", r"'\''") + "'"
    return "$'" + "".join(map(_in_dollar_quotes, text)) + "'"


def curl(text: str) -> str:
    r"""Return text quoted for curl's ``-F``, where ``;`` and ``,`` end a value and ``@`` begins a path.

    Examples
    --------
    >>> print(curl("/photos/1.jpg"), curl('/photos/a;"b".jpg'))
    /photos/1.jpg "/photos/a;\"b\".jpg"
    """
    if _NEEDS_NO_QUOTES.fullmatch(text):
        return text
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'


def string(text: str) -> str:
    r"""Return text as a literal that is the same in Python, JavaScript and JSON.

    Examples
    --------
    >>> print(string('a "b"\n🐈'))
    "a \"b\"\n🐈"
    """
    return _visible(json.dumps(text, ensure_ascii=False))


def data(value: Any) -> str:
    """Return data as indented JSON, which is also a JavaScript literal.

    Examples
    --------
    >>> print(data({"tune_ids": [5, 6], "auto_extend": True}))
    {
      "tune_ids": [5, 6],
      "auto_extend": true
    }
    """
    return _indented(value, step=2, trailing="", write_bool=json.dumps)


def python(value: Any) -> str:
    """Return data as an indented Python literal.

    Examples
    --------
    >>> print(python({"tune_ids": [5, 6], "auto_extend": True}))
    {
        "tune_ids": [5, 6],
        "auto_extend": True,
    }
    """
    return _indented(value, step=4, trailing=",", write_bool=str)


def template(text: str) -> str:
    """Return text as a JavaScript template literal with its line breaks."""
    return "`" + re.sub(r"[\\`]|\$(?={)", r"\\\g<0>", text) + "`"


def block(start: str, items: Iterable[str], end: str, step: int) -> str:
    """Return code with lines indented between a first and a last line.

    Parameters
    ----------
    start : str
    items : iterable of str
        Each may have several lines.
    end : str
    step : int
        Spaces of indentation.

    Examples
    --------
    >>> print(block("f(", ["a,", "b,"], ")", 2))
    f(
      a,
      b,
    )
    """
    inner = "\n".join(items)
    return "\n".join([start, *((" " * step + line) if line else "" for line in inner.split("\n")), end])


def _indented(value: Any, *, step: int, trailing: str, write_bool: Callable[[bool], str]) -> str:
    """Return data with `step` spaces of indentation per level and `trailing` after the last item."""
    write = partial(_indented, step=step, trailing=trailing, write_bool=write_bool)
    if isinstance(value, str):
        return string(value)
    if isinstance(value, bool):
        return write_bool(value)
    if isinstance(value, dict):
        items = [f"{string(key)}: {write(item)}" for key, item in value.items()]
        return block("{", [",\n".join(items) + trailing], "}", step)
    if isinstance(value, list):
        items = [write(item) for item in value]
        if not any(isinstance(item, str) for item in value):
            return f"[{', '.join(items)}]"
        return block("[", [",\n".join(items) + trailing], "]", step)
    return json.dumps(value)


def _in_dollar_quotes(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    # As bytes, which are the same in every locale; those of a path may not be UTF-8.
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


def _visible(code: str) -> str:
    """Escape invisible characters, such as marks that reverse the direction of text."""
    # Above 0xFFFF the three languages have different escapes, but all accept the character itself.
    return "".join(
        character if character.isprintable() or character > "\uffff" else f"\\u{ord(character):04x}"
        for character in code
    )
