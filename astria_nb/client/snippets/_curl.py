"""A tune's request as a command for curl."""

from __future__ import annotations

from urllib.parse import quote

from astria_nb.client._base_url import DEFAULT_BASE_URL
from astria_nb.client.snippets import _quoting as quoting
from astria_nb.client.snippets._common import as_json, encoding_of, note_on_content, path_in_code, request_url
from astria_nb.images import Image
from astria_nb.tune import Encoding, Tune, pairs


def as_curl(tune: Tune, *, encoding: Encoding | None = None, base_url: str = DEFAULT_BASE_URL) -> str:
    r"""Return the request of a tune as a command for bash or zsh, with curl 7.81 or newer.

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
    >>> tune = anb.Tune(pack=43, title="My cat", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> print(anb.as_curl(tune, encoding="form"))
    curl -X POST https://api.astria.ai/p/43/tunes \
      --fail-with-body \
      -H "Authorization: Bearer $ASTRIA_API_KEY" \
      --data-urlencode 'tune[title]=My cat' \
      --data-urlencode 'tune[name]=cat' \
      --data-urlencode 'tune[image_urls][]=https://example.com/1.jpg'
    """
    encoding = encoding_of(tune, encoding)
    options = [
        f"curl -X POST {quoting.bash(request_url(tune, base_url))}",
        "--fail-with-body",
        '-H "Authorization: Bearer $ASTRIA_API_KEY"',
    ]
    if encoding == "json":
        # A here-document with a quoted delimiter is taken literally, `!` and `'` included.
        options += [
            '-H "Content-Type: application/json"',
            f"--data-binary @- <<'JSON'\n{as_json(tune)}\nJSON",
        ]
    elif encoding == "form":
        words = (f"{quote(key, safe='[]')}={value}" for key, value in pairs(tune))
        options += [f"--data-urlencode {quoting.bash(word)}" for word in words]
    else:
        options += [_text_option(key, value) for key, value in pairs(tune)]
        options += [_file_option(image) for image in tune.images]
    return "\n".join([*note_on_content(tune.images, "#"), " \\\n  ".join(options)])


def _text_option(key: str, value: str) -> str:
    if "=" not in key:
        return f"--form-string {quoting.bash(f'{key}={value}')}"
    # curl would end the name at "="; a separate header is used unchanged.
    header = f'Content-Disposition: form-data; name="{key}"'
    return f"-F {quoting.bash(f'field={quoting.curl(value)};headers={quoting.curl(header)}')}"


def _file_option(image: Image) -> str:
    path = path_in_code(image)
    word = f"tune[images][]=@{quoting.curl(path)};type={image.media_type}"
    if image.filename != image.path.name:  # otherwise curl takes it from the path
        word += f";filename={quoting.curl(image.filename)}"
    return f"-F {quoting.bash(word)}"
