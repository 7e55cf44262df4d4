"""A tune as the body of a request in JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from astria_nb.client.snippets.quoting import block, data, string, template
from astria_nb.images.image import Image
from astria_nb.tune.encoding import Encoding, in_quotes, pairs, parameters
from astria_nb.tune.tune import Tune

_EXACT = 2**53 - 1  # the largest whole number that JavaScript tells from its neighbours


def body(tune: Tune, encoding: Encoding) -> tuple[str, str | None]:
    """Return the code that makes ``body``, and that of the media type where ``fetch`` does not know it.

    Examples
    --------
    >>> code, media_type = body(Tune(pack=43, tune_ids=[5]), "multipart")
    >>> print(code)
    const body = new FormData();
    body.append("tune[tune_ids][]", "5");
    """
    if encoding == "json":
        return _json(tune), '"application/json"'
    if encoding == "form":
        rows = (f"[{string(key)}, {string(value)}]," for key, value in pairs(tune))
        return block("const body = new URLSearchParams([", rows, "]);", 2), None
    if all(_keeps_lines(text) for pair in pairs(tune) for text in pair):
        return _form_data(tune), None
    return _parts(tune), '"multipart/form-data; boundary=" + boundary'


def _json(tune: Tune) -> str:
    fields = {"tune": parameters(tune)}
    if all(map(_survives, _leaves(fields))):
        return f"const body = JSON.stringify({data(fields)});"
    return f"// As text, since JavaScript would change some of it.\nconst body = {template(data(fields))};"


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _leaves(each)
    else:
        yield value


def _survives(leaf: Any) -> bool:
    """Tell whether a key or value comes out of an object as it went in."""
    return leaf != "__proto__" if isinstance(leaf, str) else abs(leaf) <= _EXACT


def _form_data(tune: Tune) -> str:
    code = [*_reader(tune), "const body = new FormData();"]
    code += [f"body.append({string(key)}, {string(value)});" for key, value in pairs(tune)]
    if tune.images:
        names = [image.filename for image in tune.images]
        append = 'body.append("tune[images][]", new Blob(chunks, { type }), name);'
        code += ["", *_files(tune.images, names, append)]
    return "\n".join(code)


def _keeps_lines(text: str) -> bool:
    """Tell whether a text survives in ``FormData``, which makes CR LF of every line break."""
    return re.sub(r"\r\n?|\n", "\r\n", text) == text


def _parts(tune: Tune) -> str:
    code = [
        *_reader(tune),
        "// Laid out by hand, since FormData would change the line breaks in this text.",
        'const boundary = "tune-" + Math.random().toString(36).slice(2);',
        "const parts = [];",
        'const append = (name, content, more = "") => {',
        r'  const head = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${more}`;',
        r'  parts.push(head + "\r\n\r\n", content, "\r\n");',
        "};",
        "",
        *(f"append({string(in_quotes(key))}, {string(value)});" for key, value in pairs(tune)),
    ]
    if tune.images:
        names = [in_quotes(image.filename) for image in tune.images]
        more = r'`; filename="${name}"\r\nContent-Type: ${type}`'
        append = f'append("tune[images][]", new Blob(chunks), {more});'
        code += ["", *_files(tune.images, names, append)]
    code += ["", r"const body = new Blob([...parts, `--${boundary}--\r\n`]);"]
    return "\n".join(code)


def _reader(tune: Tune) -> list[str]:
    return ['const { createReadStream } = await import("node:fs");', ""] if tune.images else []


def _files(images: tuple[Image, ...], names: list[str], append: str) -> list[str]:
    rows = (
        f"[{_path(image)}, {string(name)}, {string(image.media_type)}],"
        for image, name in zip(images, names, strict=True)
    )
    add = [
        "// In chunks, since fetch gives up on a piece that takes five minutes to send.",
        "const chunks = [];",
        "for await (const chunk of createReadStream(path)) chunks.push(chunk);",
        append,
    ]
    return [
        block("const images = [", rows, "];", 2),
        block("for (const [path, name, type] of images) {", add, "}", 2),
    ]


def _path(image: Image) -> str:
    path = str(image.path)
    if path == path.encode("utf-8", "replace").decode():
        return string(path)
    # Bytes that are no text: each as the character of its number.
    return f'Buffer.from({string(path.encode("utf-8", "surrogateescape").decode("latin-1"))}, "latin1")'
