"""The client: one account on the service."""

from __future__ import annotations

from astria_nb.client._packs import PackMethods
from astria_nb.client._pictures import PictureMethods
from astria_nb.client._prompts import PromptMethods
from astria_nb.client._tunes import TuneMethods


class Client(PackMethods, TuneMethods, PromptMethods, PictureMethods):
    """Your account on the service.

    Parameters
    ----------
    api_key : str or ApiKey, optional
        Default: the environment variable ``ASTRIA_API_KEY``, else Colab's secret of that name, else the key
        that `astria_nb.login` stored for this address.
    base_url : str, optional
        Must be HTTPS or on this machine, except with the key of a sandbox, which gives access to nothing
        else. Default: the environment variable ``ASTRIA_BASE_URL``, else Astria's own address.
    timeout : float
        Time limit of each call in seconds, up to a day. `create_tune` has its own limit: ten minutes, and
        more for a large upload.

    Raises
    ------
    CredentialsError
        No API key was found, or the address would expose it.
    AstriaError
        The timeout is out of range.

    Notes
    -----
    Every method raises an `ApiError` if the answer is an error (`UnauthorizedError`, `NotFoundError`,
    `RejectedError`, `TooManyRequestsError`, `ServerError`), an `UnexpectedReplyError` if the answer does not
    come from the API, and a `NotSentError` if the service cannot be reached. Redirects are not followed.
    Requests that only read are retried a few times if that can help (no connection, no answer, 408, 425, 429,
    500, 502, 503, 504, a truncated answer), after the wait that the service asks for. A request that creates
    a tune is sent only once, as is an image for `inspect`. A client may be used from several threads.

    Examples
    --------
    >>> import astria_nb as anb
    >>> with anb.Sandbox() as sandbox:
    ...     sandbox.client().pack(260).title
    'Corporate Headshots'
    """
