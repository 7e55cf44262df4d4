"""A tune as code for a reader: the request that `astria_nb.submit` sends, in the words of other programs."""

from __future__ import annotations

from urllib.parse import quote

import requests

from astria_nb.client.base_url import DEFAULT_BASE_URL, find_base_url
from astria_nb.client.snippets import javascript, quoting
from astria_nb.client.snippets.quoting import block, string
from astria_nb.images.image import Image
from astria_nb.tune.encoding import Encoding, choose, in_quotes, pairs, parameters
from astria_nb.tune.tune import Tune


def as_curl(tune: Tune, *, encoding: Encoding | None = None, base_url: str = DEFAULT_BASE_URL) -> str:
    r"""Return a command for bash or zsh, with curl 7.81 or newer.

    Parameters
    ----------
    tune : Tune
    encoding : {"multipart", "form", "json"}, optional
        Default: multipart for a tune with files, else JSON, as in `submit`.
    base_url : str
        The service's address. Default: Astria's own, wherever your client sends to.

    Returns
    -------
    str
        Code that reads the key from ``ASTRIA_API_KEY`` and the tune's files from their places when it is run,
        prints the answer, and fails when the service refuses.

    Raises
    ------
    TuneError
        When the encoding is unknown or cannot carry the tune's files.
    CredentialsError
        When the address would expose a key.

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = anb.Tune(pack=43, title="My cat", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> print(anb.as_curl(tune, encoding="form"))
    curl -X POST https://api.astria.ai/p/43/tunes \
      --fail-with-body \
      -H "Authorization: Bearer $ASTRIA_API_KEY" \
      --data-urlencode 'tune[title]=My cat' \
      --data-urlencode 'tune[name]=cat' \
      --data-urlencode 'tune[image_urls][]=https://example.com/1.jpg'
    """
    chosen = choose(tune, encoding)
    options = [
        f"curl -X POST {quoting.bash(_address(tune, base_url))}",
        "--fail-with-body",
        '-H "Authorization: Bearer $ASTRIA_API_KEY"',
    ]
    if chosen == "json":
        # What stands before a quoted end mark is left as it is, `!` and `'` included.
        options += [
            '-H "Content-Type: application/json"',
            f"--data-binary @- <<'JSON'\n{as_json(tune)}\nJSON",
        ]
    elif chosen == "form":
        words = (f"{quote(key, safe='[]')}={value}" for key, value in pairs(tune))
        options += [f"--data-urlencode {quoting.bash(word)}" for word in words]
    else:
        options += [_curl_text(key, value) for key, value in pairs(tune)]
        options += [_curl_file(image) for image in tune.images]
    return " \\\n  ".join(options)


def as_python(tune: Tune, *, encoding: Encoding | None = None, base_url: str = DEFAULT_BASE_URL) -> str:
    """Return a program for Python with ``requests``.

    Parameters
    ----------
    tune : Tune
    encoding, base_url
        As in `as_curl`.

    Returns
    -------
    str
        Code that does what that of `as_curl` does.

    Raises
    ------
    TuneError
        When the encoding is unknown or cannot carry the tune's files.
    CredentialsError
        When the address would expose a key.

    Examples
    --------
    >>> import astria_nb as anb
    >>> print(anb.as_python(anb.Tune(pack=43, tune_ids=[5], prompt_ids=[7]), encoding="form"))
    import os
    <BLANKLINE>
    import requests
    <BLANKLINE>
    response = requests.post(
        "https://api.astria.ai/p/43/tunes",
        headers={"Authorization": "Bearer " + os.environ["ASTRIA_API_KEY"]},
        data=[
            ("tune[tune_ids][]", "5"),
            ("tune[prompt_ids][]", "7"),
        ],
        allow_redirects=False,
    )
    print(response.text)
    response.raise_for_status()
    """
    chosen = choose(tune, encoding)
    if chosen == "json":
        content = [f"json={quoting.python({'tune': parameters(tune)})},"]
    elif chosen == "multipart" and not tune.images:
        rows = (f"({string(key)}, (None, {string(value)}))," for key, value in pairs(tune))
        content = ["# As files without a name: by `data` alone they would not be sent as multipart."]
        content.append(block("files=[", rows, "],", 4))
    else:
        rows = (f"({string(key)}, {string(value)})," for key, value in pairs(tune))
        content = [block("data=[", rows, "],", 4)]
    if tune.images:
        content.append(block("files=[", map(_python_file, tune.images), "],", 4))
    arguments = [
        f"{string(_address(tune, base_url))},",
        'headers={"Authorization": "Bearer " + os.environ["ASTRIA_API_KEY"]},',
        *content,
        "allow_redirects=False,",
    ]
    code = [
        "import os",
        *(["from pathlib import Path"] if tune.images else []),
        "",
        "import requests",
        "",
        block("response = requests.post(", arguments, ")", 4),
        "print(response.text)",
        "response.raise_for_status()",
    ]
    return "\n".join(code)


def as_javascript(tune: Tune, *, encoding: Encoding | None = None, base_url: str = DEFAULT_BASE_URL) -> str:
    """Return a program for Node 18 or newer, which needs no package.

    Parameters
    ----------
    tune : Tune
    encoding, base_url
        As in `as_curl`.

    Returns
    -------
    str
        Code that does what that of `as_curl` does.

    Raises
    ------
    TuneError
        When the encoding is unknown or cannot carry the tune's files.
    CredentialsError
        When the address would expose a key.

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
    body, media_type = javascript.body(tune, choose(tune, encoding))
    headers = ['"Authorization": "Bearer " + process.env.ASTRIA_API_KEY,']
    if media_type:
        headers.append(f'"Content-Type": {media_type},')
    options = ['method: "POST",', block("headers: {", headers, "},", 2), "body,", 'redirect: "manual",']
    code = [
        body,
        "",
        block(f"const response = await fetch({string(_address(tune, base_url))}, {{", options, "});", 2),
        "console.log(await response.text());",
        'if (!response.ok) throw new Error("HTTP status " + response.status);',
    ]
    # In a function it runs as a script, as a module and when pasted, whichever the reader has.
    function = block("async function createTune() {", code, "}", 2)
    return f"// Node 18 or newer\n{function}\n\ncreateTune();"


def as_json(tune: Tune) -> str:
    """Return the JSON body, indented.

    Raises
    ------
    TuneError
        When the tune has files, which JSON cannot carry.

    Examples
    --------
    >>> print(as_json(Tune(pack=43, tune_ids=[5])))
    {
      "tune": {
        "tune_ids": [5]
      }
    }
    """
    choose(tune, "json")
    return quoting.data({"tune": parameters(tune)})


def _address(tune: Tune, base_url: str) -> str:
    # As the client's library writes it: with what curl would take for a pattern percent-encoded.
    return str(requests.Request("POST", f"{find_base_url(base_url)}/p/{tune.pack}/tunes").prepare().url)


def _curl_text(key: str, value: str) -> str:
    if "=" not in key:
        return f"--form-string {quoting.bash(f'{key}={value}')}"
    # curl would end the name there; in a header of its own it is left alone.
    header = f'Content-Disposition: form-data; name="{in_quotes(key)}"'
    return f"-F {quoting.bash(f'field={quoting.curl(value)};headers={quoting.curl(header)}')}"


def _curl_file(image: Image) -> str:
    path = str(image.path)
    word = f"tune[images][]=@{quoting.curl(path)};type={image.media_type}"
    if image.filename != image.path.name:  # else curl takes it from the path
        word += f";filename={quoting.curl(image.filename)}"
    return f"-F {quoting.bash(word)}"


def _python_file(image: Image) -> str:
    content = f"Path({string(str(image.path))}).read_bytes()"
    return f'("tune[images][]", ({string(image.filename)}, {content}, {string(image.media_type)})),'
