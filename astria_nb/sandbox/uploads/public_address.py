"""Which addresses belong to the public internet, and which to somebody's own network."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_UNICAST_6 = ip_network("2000::/3")  # all of IPv6 that is given out; NAT64, mapped and local ones lie outside
# Not told from public ones by every version of `ipaddress`.
_NOT_PUBLIC = tuple(
    ip_network(network)
    for network in (
        "192.88.99.0/24",  # relays of 6to4
        "2001::/23",  # protocols, Teredo among them, which holds an IPv4 address
        "2002::/16",  # 6to4, which holds one too
        "2001:db8::/32",
        "3fff::/20",  # documentation
    )
)


def is_public(address: str) -> bool:
    """Tell whether an address is one that everybody on the internet would reach the same host by.

    Parameters
    ----------
    address : str
        An IPv4 or IPv6 address as the resolver writes it. Anything else is not public.

    Examples
    --------
    >>> [is_public(one) for one in ("93.184.215.14", "2606:4700::1111")]
    [True, True]
    >>> [is_public(one) for one in ("10.0.0.1", "169.254.169.254", "::ffff:93.184.215.14", "fe80::1%eth0")]
    [False, False, False, False]
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if any(ip in network for network in _NOT_PUBLIC):
        return False
    if isinstance(ip, IPv4Address):
        return ip.is_global and not (ip.is_multicast or ip.is_reserved)
    return _is_public_6(ip)


def _is_public_6(ip: IPv6Address) -> bool:
    return ip in _UNICAST_6 and ip.is_global and ip.scope_id is None
