"""A 422 is never sent again, whatever its body is, and always has a reason that can be read."""

import dataclasses
import json
import random
from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb
from astria_nb.errors import RejectedError
from helpers.error_checks import assert_readable
from helpers.scripted_server import KEY, ScriptedServer, reply
from helpers.soak import sizes

SHAPES: list[Any] = [
    {"title": ["can't be blank"]},
    {"base": ["You have no balance"], "name": ["is not included in the list", "is too short"]},
    {"errors": {"title": ["has already been taken"]}},
    {"errors": ["title can't be blank"]},
    {"error": "could not download https://example.com/1.jpg"},
    {"message": "Prompt is not using a fine-tuned model"},
    {"status": 422, "error": None},
    {"error": {"code": 1, "detail": [{"loc": ["tune", "images"], "msg": None}]}},
    {"title": None}, {"title": []}, {"title": [None]}, {"": [""]}, {" ": [" "]}, {}, [], [[]], [None],
    ["first", "second"], [{"title": ["no"]}], "only text", "", " \n\t", 0, -1, 1e308, True, False, None,
    {"title": [{"nested": {"deeper": ["no"]}}]}, {"a" * 10_000: ["b" * 100_000]},
    {"title": "a text where a list should be"}, {"base": "Zo\xeb \U0001f408 \u202e reversed"},
]  # fmt: skip
RAW: list[tuple[bytes, dict[str, str]]] = [
    (b"", {}),
    (b"", {"Content_Type": ""}),
    (b"<html><body><h1>422</h1><script>1</script></body></html>", {"Content_Type": "text/html"}),
    (b'{"title": ["is taken"]}', {"Content_Type": "text/html"}),
    (b"<html>", {"Content_Type": "application/json"}),
    (b'{"title": ["is ta', {}),
    (b"\xff\xfe\x00", {"Content_Type": "application/octet-stream"}),
    (b"\x1f\x8b\x08broken", {"Content_Encoding": "gzip"}),
    (b"\xef\xbb\xbf{}", {}),
    ('{"title": ["é"]}'.encode("utf-16"), {}),
    (b"[" * 100_000, {}),
    (b'{"a":' * 5000 + b"1" + b"}" * 5000, {}),
    (b'{"title": ["\\ud800"]}', {}),
    (b'{"title": NaN, "n": 1' + b"0" * 5000 + b"}", {}),
    (b"x" * 2_000_000, {"Content_Type": "text/plain"}),
    (b'{"error": "' + b"y" * 2_000_000 + b'"}', {}),
    (b"\r\n\r\nHTTP/1.1 201 Created\r\n\r\n", {}),
]  # fmt: skip
LETTERS = "abc \n\t\0\"\\'<>&é\U0001f408\u202e\ud800"


def bodies(number: int) -> list[tuple[bytes, dict[str, str]]]:
    """Return so many bodies with their headers, no two alike."""
    chance = random.Random(422)
    distinct = dict.fromkeys((content, tuple(headers.items())) for content, headers in RAW)
    distinct |= dict.fromkeys((json.dumps(shape).encode(), ()) for shape in SHAPES)
    while len(distinct) < number:
        content = json.dumps(some_json(chance, 4)).encode()
        if chance.random() < 0.2:
            content = chance.randbytes(chance.randrange(40))
        elif chance.random() < 0.2:
            content = content[: chance.randrange(len(content) + 1)]
        kind = chance.choice(["application/json", "text/html", "application/octet-stream"])
        distinct[content, (("Content_Type", kind),)] = None
    return [(content, dict(headers)) for content, headers in list(distinct)[:number]]


def some_json(chance: random.Random, depth: int) -> Any:
    kind = chance.choice(
        ["text", "number", "word", "list", "map", "map"] if depth else ["text", "number", "word"]
    )
    if kind == "text":
        return "".join(chance.choices(LETTERS, k=chance.randrange(12)))
    if kind == "number":
        return chance.choice([0, -1, 1.5, 2**70, float("nan"), float("inf")])
    if kind == "word":
        return chance.choice([None, True, False])
    size = range(chance.randrange(4))
    if kind == "list":
        return [some_json(chance, depth - 1) for _ in size]
    keys = ["title", "name", "base", "error", "errors", "message", "", "tune", "é", "a b"]
    return {chance.choice(keys): some_json(chance, depth - 1) for _ in size}


@sizes(40, 1000)
def test_a_refused_tune_is_sent_once_and_its_reason_can_be_read(
    server: ScriptedServer, client: anb.Client, tmp_path: Path, size: int
) -> None:
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    for number, (content, headers) in enumerate(bodies(size)):
        server.on("POST", "/p/43/tunes", reply(body=content, status=422, **headers))
        tune = anb.Tune(pack=43, title=str(number), name="cat", image_urls=["https://e.com/1.jpg"])
        with pytest.raises(RejectedError) as caught:
            anb.submit(tune, client, log=log)
        assert_readable(caught.value, KEY)
        assert caught.value.status == 422
    assert len(server.received("POST")) == size
    assert log.frame()["state"].tolist() == ["rejected"] * size


def test_a_refused_photo_is_named_as_its_reader_names_it(
    server: ScriptedServer, client: anb.Client, photos: list[Path]
) -> None:
    own = [path.rename(path.with_name(f"Anna {path.name}")) for path in photos]
    refusal = {"images": ["2.jpg is too dark", "12.jpg is not there", "3.jpg: 4.jpg looks the same"]}
    server.on("POST", "/p/43/tunes", reply(refusal, 422))
    expected = (
        "2.jpg (your 'Anna 2.jpg') is too dark, 12.jpg is not there, "
        "3.jpg (your 'Anna 3.jpg'): 4.jpg (your 'Anna 4.jpg') looks the same"
    )
    tune = anb.Tune(pack=43, title="t", name="cat", images=own)
    with pytest.raises(RejectedError) as caught:
        anb.submit(tune, client)
    assert caught.value.problems[0].what == expected
    rows = anb.submit_many([dataclasses.replace(tune, title="u")], client)
    assert expected in rows["error"].item()
    with pytest.raises(RejectedError) as caught:
        anb.TuneForm(client, pack=43, title="v", name="cat", images=own).submit()
    assert caught.value.problems[0].what == expected
