"""Text and data as code of bash, curl, Python, JavaScript and JSON: any text, and so that it is seen."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\", "'": r"\'"}
_PLAIN_IN_CURL = re.compile(r'[\w/.][^;,"\\\s]*')


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
    r"""Return text as curl reads it in ``-F``, where ``;`` and ``,`` end a word and ``@`` begins a file.

    Examples
    --------
    >>> print(curl("/photos/1.jpg"), curl('/photos/a;"b".jpg'))
    /photos/1.jpg "/photos/a;\"b\".jpg"
    """
    if _PLAIN_IN_CURL.fullmatch(text):
        return text
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'


def string(text: str) -> str:
    r"""Return text as a literal that Python, JavaScript and JSON read alike.

    Examples
    --------
    >>> print(string('a "b"\n🐈'))
    "a \"b\"\n🐈"
    """
    return _visible(json.dumps(text, ensure_ascii=False))


def data(value: Any) -> str:
    """Return plain data as indented JSON, which is a literal of JavaScript too.

    Examples
    --------
    >>> print(data({"tune_ids": [5, 6], "auto_extend": True}))
    {
      "tune_ids": [5, 6],
      "auto_extend": true
    }
    """
    return _laid_out(value, step=2, last="", truth=json.dumps)


def python(value: Any) -> str:
    """Return plain data as an indented literal of Python.

    Examples
    --------
    >>> print(python({"tune_ids": [5, 6], "auto_extend": True}))
    {
        "tune_ids": [5, 6],
        "auto_extend": True,
    }
    """
    return _laid_out(value, step=4, last=",", truth=str)


def template(text: str) -> str:
    """Return text as a template literal of JavaScript, its lines as they are."""
    return "`" + re.sub(r"[\\`]|\$(?={)", r"\\\g<0>", text) + "`"


def block(start: str, items: Iterable[str], end: str, step: int) -> str:
    """Return code with items between its first and its last line, moved to the right by a step.

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


def _laid_out(value: Any, *, step: int, last: str, truth: Callable[[bool], str]) -> str:
    """Lay out data: spaces to a level, what follows a last item, and how truth values are written."""
    inner = partial(_laid_out, step=step, last=last, truth=truth)
    if isinstance(value, str):
        return string(value)
    if isinstance(value, bool):
        return truth(value)
    if isinstance(value, dict):
        items = [f"{string(key)}: {inner(each)}" for key, each in value.items()]
        return block("{", [",\n".join(items) + last], "}", step)
    if isinstance(value, list):
        items = [inner(each) for each in value]
        if not any(isinstance(each, str) for each in value):
            return f"[{', '.join(items)}]"
        return block("[", [",\n".join(items) + last], "]", step)
    return json.dumps(value)


def _in_dollar_quotes(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if character.isprintable():
        return character
    # By bytes, which mean the same in every locale; in a path they need not be UTF-8.
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


def _visible(code: str) -> str:
    """Escape what cannot be seen, such as marks that reverse the direction of text."""
    # Above 0xFFFF the three languages escape in three ways; as it is they read it alike.
    return "".join(each if each.isprintable() or each > "\uffff" else f"\\u{ord(each):04x}" for each in code)
