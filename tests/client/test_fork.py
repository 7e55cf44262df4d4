"""A forked child shares no connection with its parent: each might read the answers of the other."""

import os
import warnings

import pytest

import astria_nb as anb
from helpers.scripted_server import PACK, Exchange, ScriptedServer, reply

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def fork() -> int:
    with warnings.catch_warnings():  # of the server's threads, which run in this process
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def test_a_child_opens_connections_of_its_own(server: ScriptedServer, client: anb.Client) -> None:
    ports: list[int] = []

    def answer(exchange: Exchange) -> bool:
        ports.append(exchange.socket.getpeername()[1])
        return reply(PACK)(exchange)

    server.on("GET", "/p/43", answer)
    client.pack(43)
    child = fork()
    if child == 0:
        try:
            client.pack(43)
            os._exit(0)
        except BaseException:  # noqa: BLE001  a child must not go on with the tests
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    client.pack(43)
    first, of_child, second = ports
    assert first == second != of_child
