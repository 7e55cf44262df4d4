"""Where a sandbox may listen, and the names that it answers to."""

import socket
from collections.abc import Iterable
from ipaddress import ip_address


def check_host(host: str) -> None:
    """Let a name stand for loopback only: other machines get in through an address written out.

    Raises
    ------
    ValueError
        If they could get in through a name.
    """
    try:
        ip_address(host)
        return
    except ValueError:
        pass
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None)} if host else set()
    except OSError:
        found = set()
    if not found or not all(ip_address(address).is_loopback for address in found):
        raise ValueError(
            f"host: {host[:80]!r} is not a loopback address; to open the sandbox to other machines, "
            "give the IP address to bind"
        )


def netloc(host: str, port: int) -> str:
    """Return the address to connect to; that of every interface is none.

    Examples
    --------
    >>> netloc("0.0.0.0", 8000), netloc("::1", 8000)
    ('127.0.0.1:8000', '[::1]:8000')
    """
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound here
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def allowed_hosts(host: str, port: int, further: Iterable[str]) -> set[str]:
    """Return the ``Host`` headers to answer to."""
    own = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    return own | {netloc(host, port)} | set(further)
