"""Access control: only programs that know the sandbox's key, and no web pages of other sites."""

import hmac
from collections.abc import Iterable
from urllib.parse import urlsplit

from astria_nb.sandbox._errors import forbidden, unauthorized

OWN_PREFIX = "sd_sandbox_"


class Guard:
    """Checks the key, the Host and the Origin of requests.

    Parameters
    ----------
    api_key : str
        The key of this run.
    hosts : iterable of str
        The ``Host`` headers to accept, port included.
    origins : iterable of str
        The origins of other sites whose web pages may call the API.
    """

    def __init__(self, api_key: str, hosts: Iterable[str], origins: Iterable[str] = ()) -> None:
        self._api_key = api_key
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origin.lower() for origin in origins)

    def check_host(self, host: str | None) -> None:
        """Refuse requests to other hosts, as web pages make them by DNS rebinding (403)."""
        if host is None or host.lower() not in self._hosts:
            raise forbidden("this Host is not one of the sandbox's own addresses (see allowed_hosts)")

    def check_origin(self, origin: str | None) -> None:
        """Refuse requests from web pages of other sites (403)."""
        if origin is None or self.allows(origin):
            return
        parts = urlsplit(origin)
        if parts.scheme != "http" or parts.netloc.lower() not in self._hosts:
            raise forbidden("requests from web pages of other sites are refused (see allowed_origins)")

    def allows(self, origin: str | None) -> bool:
        """Return whether an origin is one of another site whose web pages may call the API."""
        return origin is not None and origin.lower() in self._origins

    def check_key(self, authorization: str | None) -> None:
        """Refuse a request without this run's key (401)."""
        scheme, _, key = (authorization or "").partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not key:
            raise unauthorized("send the sandbox's key as 'Authorization: Bearer sd_sandbox_...'")
        if hmac.compare_digest(key.encode("utf-8", "surrogatepass"), self._api_key.encode()):
            return
        if key.startswith("sd_") and not key.startswith(OWN_PREFIX):
            raise unauthorized(
                "this looks like the key of a real account; never send that to a sandbox, "
                "use the sandbox's own key"
            )
        raise unauthorized("this is not the key of this sandbox; each run has its own")
