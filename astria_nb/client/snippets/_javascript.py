"""A tune's request as a program for Node."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from astria_nb.client._base_url import DEFAULT_BASE_URL
from astria_nb.client.snippets._common import encoding_of, note_on_content, path_in_code, request_url
from astria_nb.client.snippets._quoting import block, data, string, template
from astria_nb.images import Image
from astria_nb.tune import Encoding, Tune, in_quotes, pairs, parameters

_MAX_SAFE_INTEGER = 2**53 - 1  # JavaScript rounds larger integers


def as_javascript(tune: Tune, *, encoding: Encoding | None = None, base_url: str = DEFAULT_BASE_URL) -> str:
    """Return the request of a tune as a program for Node 18 or newer, without further packages.

    Parameters
    ----------
    tune : Tune
    encoding : {"multipart", "form", "json"}, optional
        Default: multipart for a tune with files, else JSON, as in `submit`.
    base_url : str
        The service's address. Default: Astria's own, whatever your client uses.

    Returns
    -------
    str
        Code that reads the key from the environment variable ``ASTRIA_API_KEY`` and the tune's files from
        their paths when it runs, prints the answer, and fails if the service refuses.

    Raises
    ------
    TuneError
        This is not a tune, or the encoding is unknown or cannot carry its files.
    CredentialsError
        The address would expose a key.

    Examples
    --------
    >>> import astria_nb as anb
    >>> print(anb.as_javascript(anb.Tune(pack=43, tune_ids=[5], prompt_ids=[7]), encoding="form"))
    // Node 18 or newer
    async function createTune() {
      const body = new URLSearchParams([
        ["tune[tune_ids][]", "5"],
        ["tune[prompt_ids][]", "7"],
      ]);
    <BLANKLINE>
      const response = await fetch("https://api.astria.ai/p/43/tunes", {
        method: "POST",
        headers: {
          "Authorization": "Bearer " + process.env.ASTRIA_API_KEY,
        },
        body,
        redirect: "manual",
      });
      console.log(await response.text());
      if (!response.ok) throw new Error("HTTP status " + response.status);
    }
    <BLANKLINE>
    createTune();
    """
    body, media_type = _body(tune, encoding_of(tune, encoding))
    headers = ['"Authorization": "Bearer " + process.env.ASTRIA_API_KEY,']
    if media_type:
        headers.append(f'"Content-Type": {media_type},')
    options = ['method: "POST",', block("headers: {", headers, "},", 2), "body,", 'redirect: "manual",']
    code = [
        body,
        "",
        block(f"const response = await fetch({string(request_url(tune, base_url))}, {{", options, "});", 2),
        "console.log(await response.text());",
        'if (!response.ok) throw new Error("HTTP status " + response.status);',
    ]
    # A function runs in a script, in a module and when pasted; top-level await does not.
    function = block("async function createTune() {", code, "}", 2)
    return f"// Node 18 or newer\n{function}\n\ncreateTune();"


def _body(tune: Tune, encoding: Encoding) -> tuple[str, str | None]:
    """Return code that defines ``body``, and code for its media type unless ``fetch`` sets it."""
    if encoding == "json":
        return _json(tune), '"application/json"'
    if encoding == "form":
        rows = (f"[{string(key)}, {string(value)}]," for key, value in pairs(tune))
        return block("const body = new URLSearchParams([", rows, "]);", 2), None
    if all(_survives_form_data(text) for pair in pairs(tune) for text in pair):
        return _form_data(tune), None
    return _multipart(tune), '"multipart/form-data; boundary=" + boundary'


def _json(tune: Tune) -> str:
    fields = {"tune": parameters(tune)}
    if all(map(_survives_parsing, _leaves(fields))):
        return f"const body = JSON.stringify({data(fields)});"
    return f"// As text, since JavaScript would change some values.\nconst body = {template(data(fields))};"


def _leaves(value: Any) -> Iterator[Any]:
    """Yield the keys and the scalars of JSON data, at any depth."""
    if isinstance(value, dict):
        yield from value
    if isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from _leaves(child)
    else:
        yield value


def _survives_parsing(leaf: Any) -> bool:
    """Return whether JavaScript parses and prints a key or value without changing it."""
    return leaf != "__proto__" if isinstance(leaf, str) else abs(leaf) <= _MAX_SAFE_INTEGER


def _form_data(tune: Tune) -> str:
    code = [*_file_reader(tune), "const body = new FormData();"]
    code += [f"body.append({string(key)}, {string(value)});" for key, value in pairs(tune)]
    if tune.images:
        names = [image.filename for image in tune.images]
        append = 'body.append("tune[images][]", new Blob(chunks, { type }), name);'
        code += ["", *_file_loop(tune.images, names, append)]
    return "\n".join(code)


def _survives_form_data(text: str) -> bool:
    """Return whether ``FormData``, which turns every line break into CR LF, leaves a text unchanged."""
    return re.sub(r"\r\n?|\n", "\r\n", text) == text


def _multipart(tune: Tune) -> str:
    code = [
        *_file_reader(tune),
        "// Built without FormData, which would change the line breaks in this text.",
        'const boundary = "tune-" + Math.random().toString(36).slice(2);',
        "const parts = [];",
        'const append = (name, content, more = "") => {',
        r'  const head = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${more}`;',
        r'  parts.push(head + "\r\n\r\n", content, "\r\n");',
        "};",
        "",
        *(f"append({string(key)}, {string(value)});" for key, value in pairs(tune)),
    ]
    if tune.images:
        names = [in_quotes(image.filename) for image in tune.images]
        more = r'`; filename="${name}"\r\nContent-Type: ${type}`'
        append = f'append("tune[images][]", new Blob(chunks), {more});'
        code += ["", *_file_loop(tune.images, names, append)]
    code += ["", r"const body = new Blob([...parts, `--${boundary}--\r\n`]);"]
    return "\n".join(code)


def _file_reader(tune: Tune) -> list[str]:
    if not tune.images:
        return []
    note = note_on_content(tune.images, "//")
    return [*note, 'const { createReadStream } = await import("node:fs");', ""]


def _file_loop(images: tuple[Image, ...], names: list[str], append: str) -> list[str]:
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
    path = path_in_code(image)
    if path == path.encode("utf-8", "replace").decode():
        return string(path)
    # Not UTF-8: each byte becomes the character with its number.
    return f'Buffer.from({string(path.encode("utf-8", "surrogateescape").decode("latin-1"))}, "latin1")'
