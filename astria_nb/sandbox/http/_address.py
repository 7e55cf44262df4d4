"""Where a sandbox may listen, and which Host headers it accepts."""

import socket
from collections.abc import Iterable
from ipaddress import ip_address


def check_host(host: str) -> None:
    """Check that `host` is an IP address, or a name for loopback addresses only.

    To open the sandbox to other machines, its address has to be written out.

    Parameters
    ----------
    host : str
        The address or name to bind.

    Raises
    ------
    ValueError
        If it is a name that is not of this machine alone.
    """
    try:
        ip_address(host)
        return
    except ValueError:
        pass
    try:
        addresses = {str(info[4][0]) for info in socket.getaddrinfo(host, None)} if host else set()
    except OSError:
        addresses = set()
    if not addresses or not all(ip_address(address).is_loopback for address in addresses):
        raise ValueError(
            f"host: {host[:80]!r} is not a loopback address; to open the sandbox to other machines, "
            "give the IP address to bind"
        )


def netloc(host: str, port: int) -> str:
    """Return host and port to connect to; for a wildcard address, those of loopback.

    Examples
    --------
    >>> netloc("0.0.0.0", 8000), netloc("::1", 8000)
    ('127.0.0.1:8000', '[::1]:8000')
    """
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound here
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def allowed_hosts(host: str, port: int, further: Iterable[str]) -> set[str]:
    """Return the ``Host`` headers to accept."""
    own = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    return own | {netloc(host, port)} | set(further)
