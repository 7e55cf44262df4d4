"""No redirect is followed, neither by requests that read nor by the paid one, wherever it leads."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb
from astria_nb.errors import OutcomeUnknownError, UnexpectedReplyError
from helpers.scripted_server import PACK, TUNE, ScriptedServer, reply

STATUSES = [300, 301, 302, 303, 304, 305, 306, 307, 308]
PLACES = ["/elsewhere", "{target}/elsewhere", "//{host}/elsewhere", "", "\x01rubbish", None]


@pytest.fixture
def target() -> Iterator[ScriptedServer]:
    with ScriptedServer().running() as running:
        yield running


def answer(status: int, place: str | None, target: ScriptedServer) -> Any:
    """Answer with a redirect whose body would pass for a success."""
    host = target.url.partition("//")[2]
    where = {} if place is None else {"Location": place.format(target=target.url, host=host)}
    return reply({**PACK, **TUNE}, status, body=b"" if status == 304 else None, **where)  # a 304 has no body


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("status", STATUSES)
def test_requests_that_read_do_not_follow_a_redirect(
    server: ScriptedServer, client: anb.Client, target: ScriptedServer, status: int, place: str | None
) -> None:
    server.on("GET", "/tunes/7", answer(status, place, target))
    server.on("GET", "/tunes", answer(status, place, target))
    server.on("GET", "/p/43", answer(status, place, target))
    for ask in (lambda: client.tune(7), lambda: list(client.tunes()), lambda: client.pack(43)):
        with pytest.raises(UnexpectedReplyError, match=f"redirect .{status}.*check base_url"):
            ask()
    assert [request.path for request in server.requests] == ["/tunes/7", "/tunes", "/p/43"]
    assert target.requests == []


@pytest.mark.parametrize("encoding", ["multipart", "form", "json"])
@pytest.mark.parametrize("status", STATUSES)
def test_the_paid_request_does_not_follow_a_redirect(
    server: ScriptedServer,
    client: anb.Client,
    target: ScriptedServer,
    tmp_path: Path,
    photos: list[Path],
    status: int,
    encoding: Any,
) -> None:
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    for number, place in enumerate(PLACES):
        server.on("POST", "/p/43/tunes", answer(status, place, target))
        source: Any = (
            {"images": photos} if encoding == "multipart" else {"image_urls": ["https://e.com/1.jpg"]}
        )
        tune = anb.Tune(pack=43, title=str(number), name="cat", **source)
        with pytest.raises(OutcomeUnknownError):
            anb.submit(tune, client, encoding=encoding, log=log)
    assert set(log.frame()["state"]) == {"needs_review"}  # a 303 means that it was done
    assert len(server.received("POST")) == len(PLACES)
    paths = {request.path for request in server.requests} - {"/users"}  # the balance, before an upload
    assert paths == {"/p/43", "/tunes", "/p/43/tunes"}
    assert target.requests == []
