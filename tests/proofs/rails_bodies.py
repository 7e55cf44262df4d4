"""Bodies, queries and types of requests, generated: keys are well-formed, values are anything.

Left out is what Rack 2 and Rack 3 read differently: a ``;`` in a query; a key with ``; name=`` in a multipart
body; a key with a line break in a list of objects; a key of more than 32 names; both forms of a filename.
"""

import json
from dataclasses import dataclass
from random import Random
from urllib.parse import quote, quote_plus

FIELDS = (
    "title", "name", "image_urls", "images", "callback", "characteristics", "prompt_attributes", "tune_ids",
    "prompts_attributes", "auto_extend", "steps",
)  # fmt: skip
KEYS = (
    "eye_color",
    "0",
    "1",
    "2024",
    "007",
    "é",
    "🐈 猫",
    "a b",
    " a",
    "a=b",
    "a&b",
    "a+b",
    "100%",
    "a%20b",
    "a.b",
    "'",
)
IN_FORMS = ('a"b', "a\\b", "a;b", "a\nb", "a\r\nb", "; name=x")
QUOTED = ((r"a\"b", 'a"b'), (r"a\\b", "a\\b"), ("a%22b", "a%22b"), (r"\a", "a"))
TEXTS = (
    "", " ", "a", "man", "0", "4.0", " 12 ", "false", "OFF", "Zoë 猫 🐈", "100%", "%41", "+", "a+b c",
    "a&b=c;d", '"q"', "[]", "a\r\nb", "\\", "\u2028", "{}", '{"eye_color": "blue"}', "e\u0301",
    "x" * 3000, "--b", "\ufeff",
)  # fmt: skip
NUMBERS = (0, -1, 1, 4.0, 2.5, 1e20, 1e-7, 2**31, 2**63, 10**25, -0.0, 1e400)
FILENAMES = (
    "1.jpg", "Zoë 猫.jpg", "a%20b.jpg", "100%.jpg", "a%22b.jpg", r"a\"b.jpg", r"C:\me\a.jpg", "me/a.jpg",
    "a+b.jpg", "a;b.jpg", "%41%zz", "a%2Fb.jpg", ".jpg", "a b.tar.gz",
)  # fmt: skip
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
CHARSETS = (
    "", "", "", "\r\nContent-Type: text/plain", "\r\nContent-Type: text/plain; charset=UTF-8",
    '\r\nContent-Type: text/plain; charset="ISO-8859-1"',
    "\r\nContent-Type: application/octet-stream; charset=x",
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    """A request as both readers get it."""

    content_type: str | None
    body: bytes
    query: bytes = b""
    wrapper: str | None = "tune"
    method: str = "POST"


def request(rng: Random) -> Request:
    """Return a request with a form, a multipart body or JSON."""
    wrapper = rng.choice(("tune", "tune", "tune", "tune", "prompt", None))
    body, content_type = rng.choice((_form, _form, _multipart, _multipart, _json, _json))(rng, wrapper)
    method = "PATCH" if rng.random() < 0.05 else "POST"
    if rng.random() < 0.03:
        content_type = rng.choice(("text/plain", "application/pdf", "text/x-json"))
    query = _urlencoded(rng, _pairs(rng, wrapper, 2), raw=False) if rng.random() < 0.2 else b""
    return Request(content_type, body, query.replace(b";", b"%3B"), wrapper, method)


def _path(rng: Random, wrapper: str | None, keys: tuple[str, ...]) -> list[str]:
    """Return the names of a key; an empty one appends."""
    field, key = rng.choice(FIELDS), rng.choice(keys)
    tails: tuple[list[str], ...] = (
        [], [], [""], [""], [key], [key], [rng.choice(keys), key], ["", key], ["", key, ""], [key, ""],
        ["0", key], ["", key, rng.choice(keys)],
    )  # fmt: skip
    tail = rng.choice(tails)
    if tail[:1] == [""]:
        tail = [name.replace("\r", "").replace("\n", "") for name in tail]
    top = [wrapper] if wrapper and rng.random() < 0.95 else []
    return [*top, field if top or rng.random() < 0.5 else rng.choice(("name", "file", "x")), *tail]


def _pairs(
    rng: Random, wrapper: str | None, most: int, keys: tuple[str, ...] = KEYS
) -> list[tuple[list[str], str]]:
    pairs = [(_path(rng, wrapper, keys), rng.choice(TEXTS)) for _ in range(rng.randint(0, most))]
    if (
        pairs and rng.random() < 0.5
    ):  # the same key again, or one of another shape; an empty value may be null
        path, _ = rng.choice(pairs)
        other = rng.choice(
            (path, path, path[: rng.randint(1, len(path))], [*path, rng.choice(keys)], [*path, ""])
        )
        if other.count("") < 2 or other == path:
            pairs.append((other, rng.choice(TEXTS)))
            if rng.random() < 0.5:
                pairs.insert(0, (path, ""))
    return pairs


def _key(path: list[str]) -> str:
    return path[0] + "".join(f"[{name}]" for name in path[1:])


def _form(rng: Random, wrapper: str | None) -> tuple[bytes, str | None]:
    body = _urlencoded(rng, _pairs(rng, wrapper, 8, KEYS + IN_FORMS), raw=rng.random() < 0.4)
    if rng.random() < 0.04:
        body += rng.choice((b"%", b"&a=%zz", b"&a=%ff", b"\0", b"&", b"&&=x&y", b"; a=b"))
    kinds = (FORM, FORM, FORM, FORM.upper(), f"{FORM}; charset=ISO-8859-1", f"{FORM};charset=utf-8", None)
    return body, rng.choice(kinds)


def _urlencoded(rng: Random, pairs: list[tuple[list[str], str]], *, raw: bool) -> bytes:
    """Write pairs with every escape, or with those only that have to be."""
    written = []
    for path, value in pairs:
        safe = (
            "".join(map(chr, range(0x20, 0x7F))).translate(dict.fromkeys(map(ord, "%&+=[] "))) if raw else ""
        )
        escape = rng.choice((quote_plus, quote))
        names = [_escaped(name, escape, safe, raw) for name in path]
        brackets = rng.choice(("[]", "[]", "%5B %5D", "%5b %5d"))
        left, right = brackets.split() if " " in brackets else brackets
        key = names[0] + "".join(f"{left}{name}{right}" for name in names[1:])
        written.append(
            key if value == "" and rng.random() < 0.5 else f"{key}={_escaped(value, escape, safe, raw)}"
        )
    return rng.choice(("&", "&", "& ")).join(written).encode()


def _escaped(text: str, escape: object, safe: str, raw: bool) -> str:
    if not raw:
        return escape(text, safe="")  # type: ignore[operator, no-any-return]
    return "".join(char if ord(char) > 0x7F else quote(char, safe=safe) for char in text)


def _multipart(rng: Random, wrapper: str | None) -> tuple[bytes, str | None]:
    parts = []
    for path, value in _pairs(rng, wrapper, 8):
        name = _key(path)
        if rng.random() < 0.2 and len(path) > 1 and path[-1]:
            name = _key([*path[:-1], rng.choice(QUOTED)[0]])
        header = rng.choice(("Content-Disposition", "Content-Disposition", "content-disposition"))
        head = f'{header}: form-data; name="{name}"'
        if rng.random() < 0.3:
            head += f'; filename="{rng.choice((*FILENAMES, "", ""))}"'
            head += rng.choice(("", "\r\nContent-Type: image/jpeg"))
        else:
            head += rng.choice(CHARSETS)
        content = value.encode("utf-8" if "8859" not in head else "latin-1", "replace")
        parts.append(b"--bound\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n")
    body = b"".join([b"preamble\r\n"] * (rng.random() < 0.05) + parts) + b"--bound--\r\n"
    if rng.random() < 0.03:
        body = body[: rng.randint(0, len(body))]
    kinds = ("multipart/form-data; boundary=bound",) * 3 + (
        'Multipart/Form-Data; Boundary="bound"',
        "multipart/mixed; boundary=bound",
    )
    return body, rng.choice(kinds)


def _json(rng: Random, wrapper: str | None) -> tuple[bytes, str | None]:
    fields = {rng.choice(FIELDS): _value(rng, 3) for _ in range(rng.randint(0, 6))}
    tree: object = {wrapper: fields} if wrapper and rng.random() < 0.7 else fields
    if rng.random() < 0.05:
        tree = rng.choice(
            ([fields], None, "tune", {"tune": []}, {"tune": None}, {"tune": "x"}, {"tune": [fields]})
        )
    text = json.dumps(tree, ensure_ascii=rng.random() < 0.5, allow_nan=False, default=str).replace(
        "1e999", "1e400"
    )
    if rng.random() < 0.1:
        text = text.replace('{"', '{"tune": {"title": "first"}, "', 1)
    if rng.random() < 0.04:
        text = rng.choice(
            ("", " ", "{", '{"tune": NaN}', "\ufeff" + text, text + "x", '{"tune": {"title": "\\ud800"}}')
        )
    kinds = (
        JSON,
        JSON,
        "Application/JSON",
        f"{JSON}; charset=utf-8",
        f"{JSON};charset=UTF-16",
        "text/x-json",
    )
    return text.encode(), rng.choice(kinds)


def _value(rng: Random, depth: int) -> object:
    kind = rng.random()
    if depth and kind < 0.2:
        return [None if rng.random() < 0.2 else _value(rng, depth - 1) for _ in range(rng.randint(0, 3))]
    if depth and kind < 0.4:
        return {rng.choice(KEYS + IN_FORMS): _value(rng, depth - 1) for _ in range(rng.randint(0, 3))}
    number = rng.choice(NUMBERS)
    return rng.choice((None, True, False, 1e308 if number == 1e400 else number, *TEXTS))
