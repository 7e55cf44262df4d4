"""Code that the snippets share: the address of a request, and its JSON body."""

from __future__ import annotations

import os
from collections.abc import Sequence

import requests

from astria_nb.client._api_key import SANDBOX_PREFIX
from astria_nb.client._base_url import check_encrypted, find_base_url
from astria_nb.client._credentials import KEY_VARIABLE
from astria_nb.client.snippets import _quoting as quoting
from astria_nb.errors import Problem, TuneError, printable
from astria_nb.images import Image
from astria_nb.tune import Encoding, Tune, choose, parameters
from astria_nb.utils.formatting import short


def encoding_of(tune: object, encoding: Encoding | None) -> Encoding:
    """Return the encoding of a tune's request: the given one if it can carry the tune, or the best one.

    Parameters
    ----------
    tune : Tune
    encoding : {"multipart", "form", "json"}, optional

    Raises
    ------
    TuneError
        This is not a tune, or the encoding is unknown or cannot carry its files.
    """
    if not isinstance(tune, Tune):
        hint = "give anb.Tune(…), or form.tune of a form that is complete"
        raise TuneError(Problem("tune", f"{short(tune)} is not a tune", hint))
    return choose(tune, encoding)


def request_url(tune: Tune, base_url: str) -> str:
    """Return the address of a tune's request as `requests` encodes it, so that curl sees no pattern in it.

    Parameters
    ----------
    tune : Tune
    base_url : str

    Raises
    ------
    CredentialsError
        The address would expose the key that the code reads from the environment.
    """
    url = find_base_url(base_url)
    check_encrypted(url, is_sandbox_key=(os.environ.get(KEY_VARIABLE) or "").startswith(SANDBOX_PREFIX))
    return str(requests.Request("POST", f"{url}/p/{tune.pack}/tunes").prepare().url)


def path_in_code(image: Image) -> str:
    """Return the path that code reads an image from; only its name if it is not a file on this machine."""
    return str(image.path) if image.copy is None else image.filename


def note_on_content(images: Sequence[Image], mark: str) -> list[str]:
    """Return a comment that says which files have to be saved before the code can be run.

    Parameters
    ----------
    images : sequence of Image
    mark : str
        The characters that begin a comment.
    """
    copies = [image for image in images if image.copy is not None]
    names = ", ".join(printable(image.filename) for image in copies)
    from_address = all(image.copy is not None and image.copy.address for image in copies)
    where = "at the addresses of the tune's images" if from_address else "in memory"
    return [f"{mark} Save to this folder first, since this was {where}: {names}"] if copies else []


def as_json(tune: Tune) -> str:
    """Return the JSON body of a tune's request, indented.

    Parameters
    ----------
    tune : Tune

    Returns
    -------
    str

    Raises
    ------
    TuneError
        This is not a tune, or a tune with files, which JSON cannot carry.

    Examples
    --------
    >>> print(as_json(Tune(pack=43, tune_ids=[5])))
    {
      "tune": {
        "tune_ids": [5]
      }
    }
    """
    encoding_of(tune, "json")
    return quoting.data({"tune": parameters(tune)})
