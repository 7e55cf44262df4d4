"""A tune's request as a Python program."""

from __future__ import annotations

from astria_nb.client._base_url import DEFAULT_BASE_URL
from astria_nb.client.snippets import _quoting as quoting
from astria_nb.client.snippets._common import encoding_of, note_on_content, path_in_code, request_url
from astria_nb.client.snippets._quoting import block, string
from astria_nb.images import Image
from astria_nb.tune import Encoding, Tune, pairs, parameters


def as_python(tune: Tune, *, encoding: Encoding | None = None, base_url: str = DEFAULT_BASE_URL) -> str:
    """Return the request of a tune as a Python program that uses ``requests``.

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
    body = _body_arguments(tune, encoding_of(tune, encoding))
    arguments = [
        f"{string(request_url(tune, base_url))},",
        'headers={"Authorization": "Bearer " + os.environ["ASTRIA_API_KEY"]},',
        *body,
        "allow_redirects=False,",
    ]
    code = [
        *note_on_content(tune.images, "#"),
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


def _body_arguments(tune: Tune, encoding: Encoding) -> list[str]:
    if encoding == "json":
        return [f"json={quoting.python({'tune': parameters(tune)})},"]
    if encoding == "multipart" and not tune.images:
        rows = (f"({string(key)}, (None, {string(value)}))," for key, value in pairs(tune))
        comment = "# As files without a name: with `data` alone they would not be sent as multipart."
        return [comment, block("files=[", rows, "],", 4)]
    rows = (f"({string(key)}, {string(value)})," for key, value in pairs(tune))
    arguments = [block("data=[", rows, "],", 4)]
    if tune.images:
        arguments.append(block("files=[", map(_file, tune.images), "],", 4))
    return arguments


def _file(image: Image) -> str:
    content = f"Path({string(path_in_code(image))}).read_bytes()"
    return f'("tune[images][]", ({string(image.filename)}, {content}, {string(image.media_type)})),'
