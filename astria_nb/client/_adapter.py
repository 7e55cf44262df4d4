"""The adapter of a session: its connections keep the deadline, and a forked child opens its own."""

from __future__ import annotations

import os
import weakref
from functools import cache
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection

from astria_nb.client._connection import DeadlineConnection, DirectConnection
from astria_nb.client._network_settings import check_certificates, check_proxy


class ApiAdapter(HTTPAdapter):
    """Opens connections that keep the deadline, directly or through a proxy."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        _adapters.add(self)

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        """Send a request, after checking that its proxy and the trusted certificates are usable."""
        url = request.url or ""
        proxies = options.get("proxies")
        if proxies and (proxy := select_proxy(url, proxies)):
            check_proxy(url, proxy)
        if url.lower().startswith("https:"):
            check_certificates()
        return super().send(request, **options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        _use_deadlines(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        is_new = proxy not in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **options)
        if is_new:
            _use_deadlines(manager)
        return manager


_adapters: weakref.WeakSet[ApiAdapter] = weakref.WeakSet()
_of_parent: list[object] = []


def _leave_connections_to_parent() -> None:
    """Let a forked child open its own connections: on a shared one, each might read the other's answers."""
    for adapter in list(_adapters):
        # Kept, not closed: a thread that the child does not have may hold their locks.
        _of_parent.append((adapter.poolmanager, adapter.proxy_manager))
        state = adapter.__getstate__()  # without the connections
        adapter.__setstate__(state)  # type: ignore[attr-defined]  # missing from the stubs


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_connections_to_parent)


def _use_deadlines(manager: PoolManager) -> None:
    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _pool_with_deadlines(pool) for scheme, pool in pools.items()}


@cache
def _pool_with_deadlines(pool: Any) -> Any:
    # A SOCKS proxy has its own way to open a connection.
    is_direct = pool.ConnectionCls._new_conn is HTTPConnection._new_conn
    base = DirectConnection if is_direct else DeadlineConnection
    connection = type("Connection", (base, pool.ConnectionCls), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})
