"""The address under which other machines reach this one."""

import socket

import pytest


def own_address() -> str:
    """Return an address of this machine that is not loopback; without a network, the test is skipped."""
    addresses = [str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation; nothing is sent
            addresses.append(probe.getsockname()[0])
        except OSError:
            pass
    for address in addresses:
        if not address.startswith(("127.", "0.")):
            return address
    pytest.skip("this machine has no network")
