"""What the snippets share: the address of a request, and its JSON body."""

from __future__ import annotations

import requests

from astria_nb.client._base_url import find_base_url
from astria_nb.client.snippets import _quoting as quoting
from astria_nb.tune import Tune, choose, parameters


def request_url(tune: Tune, base_url: str) -> str:
    """Return the address of a tune's request as `requests` encodes it, so that curl finds no pattern in it.

    Parameters
    ----------
    tune : Tune
    base_url : str

    Raises
    ------
    CredentialsError
        The address would expose a key.
    """
    return str(requests.Request("POST", f"{find_base_url(base_url)}/p/{tune.pack}/tunes").prepare().url)


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
        The tune has files, which JSON cannot carry.

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
