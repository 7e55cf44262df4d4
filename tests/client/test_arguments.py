"""An argument that the client cannot use is named before anything is sent."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import astria_nb as anb
from astria_nb.errors import AstriaError
from helpers.paths import SAMPLES
from helpers.scripted_server import ScriptedServer, reply

PHOTO = SAMPLES / "woman-1.jpg"
NOT_AN_IMAGE: list[Any] = [5, None, {"a": 1}, [PHOTO], iter([PHOTO]), object()]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        *(
            (
                lambda client, image=image: client.inspect(image, name="woman"),
                "images: .* is neither a path nor an image in memory; give the path of a file",
            )
            for image in NOT_AN_IMAGE
        ),
        (lambda client: client.inspect(PHOTO, name=5), "name: 5 is a number, not text"),
        (lambda client: client.inspect(PHOTO, name=None), "name: is missing"),
        (lambda client: client.inspect(PHOTO, name=" "), "name: is missing"),
        (lambda client: client.inspect("https://e.com/1.jpg", name=["woman"]), "name: "),
        (lambda client: client.inspect("https://e.com/\ud800.jpg", name="woman"), "image_urls: "),
        (
            lambda client: client.tunes(limit="x"),
            "limit: 'x' is not a valid number of records; give 0 or more",
        ),
        (lambda client: client.tunes(limit=-1), "limit: -1 is not a valid number of records"),
        (lambda client: client.tunes(limit=[5]), "limit: "),
        (lambda client: client.tunes(before_id="x"), "before_id: 'x' is not an id"),
        (lambda client: client.prompts(limit=-1), "limit: "),
        (lambda client: client.prompts(7, limit="x"), "limit: "),
        (lambda client: client.prompts(7, before_id=-3), "before_id: "),
        (lambda client: client.packs(gallery="x"), "gallery: 'x' is not a truth value"),
        (lambda client: client.packs(listed="no"), "listed: 'no' is not a truth value"),
        (lambda client: client.picture(5), "images: the picture 5 cannot be fetched"),
        (lambda client: client.picture(["https://e.com/1.jpg"]), "images: the picture .* cannot be fetched"),
    ],
)
def test_a_wrong_argument_is_named_and_nothing_is_asked(
    server: ScriptedServer, client: anb.Client, call: Callable[[anb.Client], Any], message: str
) -> None:
    with pytest.raises(AstriaError, match=f"^{message}"):
        call(client)
    assert server.requests == []


@pytest.mark.parametrize(("limit", "asked"), [(5, "5"), (np.int64(5), "5"), (5.0, "5"), (500, "120")])
def test_a_limit_is_asked_for(server: ScriptedServer, client: anb.Client, limit: Any, asked: str) -> None:
    server.on("GET", "/tunes", reply([]))
    tunes = client.tunes(limit=limit)
    assert isinstance(tunes, Iterator)
    assert list(tunes) == []
    assert server.requests[0].query == {"limit": asked}


def test_a_limit_of_none_at_all_asks_for_nothing(server: ScriptedServer, client: anb.Client) -> None:
    assert list(client.tunes(limit=0)) == []
    assert server.requests == []
