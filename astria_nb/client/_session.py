"""The session of a client: it prepares requests, with the key and the settings of the network."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import requests
from requests.auth import AuthBase
from requests.hooks import default_hooks

from astria_nb.client._adapter import ApiAdapter
from astria_nb.client._api_key import ApiKey
from astria_nb.client._network_settings import bundle_variable, is_on_this_machine


def new_session(key: ApiKey | None) -> ApiSession:
    """Return a session whose requests keep the current deadline and send a key, if there is one.

    Parameters
    ----------
    key : ApiKey or None
    """
    session = ApiSession(_Auth(key))
    session.headers["Accept"] = "application/json"
    session.headers["User-Agent"] = "astria_nb"
    for scheme in ("https://", "http://"):
        session.mount(scheme, ApiAdapter(max_retries=0, pool_maxsize=16))
    return session


def address_of(base_url: str) -> str:
    """Return an address as requests writes it, with the letters of its host in ASCII."""
    return (requests.Request("GET", base_url).prepare().url or "").rstrip("/")


class _Auth(AuthBase):
    """Sets the key on each request. With an auth object, requests does not replace it from ``~/.netrc``."""

    def __init__(self, key: ApiKey | None) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key is not None:
            # The object, which hides the key; only the connection turns it into a header.
            request.headers["Authorization"] = self._key  # type: ignore[assignment]
        return request


class ApiSession(requests.Session):
    """A session for the few kinds of requests of the API, which it prepares faster than requests does."""

    def __init__(self, auth: _Auth) -> None:
        super().__init__()
        self.auth: _Auth = auth

    def call(self, method: str, url: str, headers: Mapping[str, str], body: Any = None) -> requests.Response:
        """Send a request to the API, and return its response, which is not read yet; no redirect is followed.

        requests' own preparation covers every kind of request, and takes as long as sending one.

        Parameters
        ----------
        method : str
        url : str
            As requests writes addresses: see `address_of`.
        headers : mapping of str to str
            Besides those of `new_session`.
        body : bytes or Body, optional
            Not empty.
        """
        request = requests.PreparedRequest()
        request.method, request.url, request.body, request.hooks = method, url, body, default_hooks()
        request.prepare_headers({**self.headers, **headers})
        request.prepare_content_length(body)
        if len(self.cookies):
            request.prepare_cookies(self.cookies)
        settings = self.merge_environment_settings(url, {}, stream=True, verify=None, cert=None)
        return self.send(self.auth(request), allow_redirects=False, **settings)

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Return a request with what `new_session` has set.

        requests merges everything that a session can have, which takes longer than the rest.
        """
        prepared = requests.PreparedRequest()
        prepared.prepare(
            method=request.method,
            url=request.url,
            headers={**self.headers, **request.headers},
            data=request.data,
            params=request.params,
            auth=self.auth,
            cookies=self.cookies,
        )
        return prepared

    def rebuild_auth(self, prepared_request: object, response: object) -> None:
        """Do nothing: requests would add the entry of ``~/.netrc`` for the host of a redirect."""

    def resolve_redirects(self, *args: Any, yield_requests: bool = False, **options: Any) -> Iterator[Any]:
        """Yield the responses to the redirects that are followed.

        requests prepares the next request even if it follows none, and raises if the address is not valid.
        """
        return iter(()) if yield_requests else super().resolve_redirects(*args, **options)

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Return what the environment sets: no proxy to this machine, and OpenSSL's file of certificates."""
        if is_on_this_machine(str(url)):  # looking for proxies takes longer than the rest of a request
            settings: Any = {"proxies": {}, "stream": stream, "verify": self.verify, "cert": cert}
        else:
            settings = super().merge_environment_settings(url, proxies, stream, verify, cert)
        if self.verify is not True:
            settings["verify"] = self.verify  # requests would prefer the environment's
        elif variable := bundle_variable():
            settings["verify"] = os.environ[variable]
        return settings

    def rebuild_proxies(self, prepared_request: requests.PreparedRequest, proxies: Any) -> Any:
        """Return the proxies for a redirect, none for one to this machine."""
        if is_on_this_machine(prepared_request.url or ""):
            prepared_request.headers.pop("Proxy-Authorization", None)
            return {}
        return super().rebuild_proxies(prepared_request, proxies)  # type: ignore[no-untyped-call]
