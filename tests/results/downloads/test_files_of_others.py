"""A download loses nothing that lies in its folder: files and lines of others, pictures that have moved."""

import json
from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb
from astria_nb.errors import AstriaError
from helpers.disks import as_nobody
from helpers.picture_host import (
    ROW,
    a_picture,
    asked,
    check,
    image,
    manifest,
    prompt,
    prompts,
    statuses,
    ten,
)
from helpers.scripted_server import ScriptedServer, reply


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def write_manifest(folder: Path, lines: list[dict[str, Any]]) -> None:
    (folder / "manifest.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))


# Files


@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_retouched_picture_is_kept_and_the_original_saved_beside_it(
    server: ScriptedServer, client: anb.Client, out: Path, is_recorded: bool
) -> None:
    pictures = ten(server)
    anb.download(ROW, client, out)
    (out / "3-1.jpg").write_bytes(a_picture(333))
    if not is_recorded:
        (out / "manifest.jsonl").unlink()
    frame = anb.download(ROW, client, out)
    row = frame.iloc[2]
    assert (out / "3-1.jpg").read_bytes() == a_picture(333)
    assert (out / "3-1_2.jpg").read_bytes() == pictures[2]
    assert (row["status"], Path(row["file"]).name) == ("saved", "3-1_2.jpg")
    assert row["problem"] == "3-1.jpg is a different file, and was kept"
    assert frame["problem"].drop(index=2).isna().all()
    before = asked(server)
    assert statuses(anb.download(ROW, client, out)) == {"there": 10}
    assert asked(server) == before


def test_a_changed_file_whose_original_has_expired_is_named(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    ten(server)
    anb.download(ROW, client, out)
    record = (out / "manifest.jsonl").read_bytes()
    (out / "3-1.jpg").write_bytes(a_picture(333))
    server.on("GET", "/3", reply({}, 404))
    frame = anb.download(ROW, client, out)
    assert statuses(frame) == {"there": 9, "failed": 1}
    words = "3-1.jpg lacks its end, or was changed after it was saved; it was kept"
    assert frame["problem"].iloc[2].endswith(words)
    assert (out / "3-1.jpg").read_bytes() == a_picture(333)
    assert (out / "manifest.jsonl").read_bytes() == record


def test_several_files_of_others_are_kept(server: ScriptedServer, client: anb.Client, out: Path) -> None:
    ten(server)
    names = ("3-1.jpg", "3-1_2.jpg")
    for name in names:
        (out / name).write_text(f"mine: {name}")
    assert Path(anb.download(ROW, client, out)["file"].iloc[2]).name == "3-1_3.jpg"
    assert [(out / name).read_text() for name in names] == [f"mine: {name}" for name in names]
    assert statuses(anb.download(ROW, client, out)) == {"there": 10}


# The manifest


def test_lines_of_others_are_kept(server: ScriptedServer, client: anb.Client, out: Path) -> None:
    ten(server)
    own = b'{"audio_filepath": "a.wav",   "mine": 1}'
    (out / "manifest.jsonl").write_bytes(own)  # without an end of line
    assert statuses(anb.download(ROW, client, out)) == {"saved": 10}
    lines = (out / "manifest.jsonl").read_bytes().splitlines()
    assert lines[0] == own
    assert [json.loads(line)["prompt_id"] for line in lines[1:]] == [*range(1, 11)]
    assert statuses(anb.download(ROW, client, out)) == {"there": 10}


def test_fields_that_others_add_are_kept(server: ScriptedServer, client: anb.Client, out: Path) -> None:
    ten(server)
    anb.download(ROW, client, out)
    rated = [{**line, "rating": line["prompt_id"]} for line in manifest(out)]
    write_manifest(out, rated)
    (out / "3-1.jpg").unlink()
    assert statuses(anb.download(ROW, client, out)) == {"there": 9, "saved": 1}
    assert check(out) == rated


def test_a_line_of_an_archive_is_dropped_once_its_picture_is_there(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    ten(server)
    anb.download(ROW, client, out)
    lines = manifest(out)
    lacking = {name: lines[2][name] for name in ("prompt_id", "number", "tune_id", "text", "url")}
    gone = {"tune_id": 6, "problem": "the service no longer has this tune"}
    write_manifest(out, [*lines[:2], *lines[3:], {**lacking, "problem": "status 503"}, gone])
    anb.download(ROW, client, out)
    assert manifest(out) == [gone, *lines]


def test_a_manifest_that_may_not_be_read_is_not_replaced(server: ScriptedServer, client: anb.Client) -> None:
    ten(server)
    with as_nobody() as folder:
        (folder / "manifest.jsonl").write_text("mine")
        (folder / "manifest.jsonl").chmod(0)
        with pytest.raises(AstriaError, match=r"^folder: .*manifest.jsonl cannot be read"):
            anb.download(ROW, client, folder)
        (folder / "manifest.jsonl").chmod(0o600)
        assert (folder / "manifest.jsonl").read_text() == "mine"


# Addresses that change


def test_what_moved_and_cannot_be_fetched_stays_there(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    ten(server)
    anb.download(ROW, client, out)
    record = (out / "manifest.jsonl").read_bytes()
    for number in range(1, 11):
        server.on("GET", f"/moved/{number}", reply({}, 404))
    prompts(server, *(prompt(number, f"{server.url}/moved/{number}") for number in range(1, 11)))
    frame = anb.download(ROW, client, out)
    assert statuses(frame) == {"there": 10}
    assert frame["problem"].str.contains(r"^kept from its former address, .*\(status 404\)").all()
    assert [Path(file).name for file in frame["file"]] == [f"{number}-1.jpg" for number in range(1, 11)]
    assert (out / "manifest.jsonl").read_bytes() == record


def test_another_picture_that_cannot_be_fetched_is_not_there(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    ten(server)
    anb.download(ROW, client, out)
    record = (out / "manifest.jsonl").read_bytes()
    server.on("GET", "/another", reply({}, 404))
    prompts(server, *(prompt(number, f"{server.url}/another") for number in range(1, 11)))
    frame = anb.download(ROW, client, out)
    assert statuses(frame) == {"failed": 10}
    assert frame["file"].isna().all()
    assert (out / "manifest.jsonl").read_bytes() == record


def test_a_picture_that_moved_is_recorded_under_its_new_address(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    pictures = ten(server)
    anb.download(ROW, client, out)
    server.on("GET", "/moved", image(pictures[0]))
    prompts(server, prompt(1, f"{server.url}/moved"))
    for status in ("saved", "there"):
        assert statuses(anb.download(ROW, client, out)) == {status: 1}
    assert check(out)[0]["url"] == f"{server.url}/moved"
    assert len(manifest(out)) == 10


def test_another_picture_at_the_same_place_is_saved_beside_the_first(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    pictures = ten(server)
    prompts(server, prompt(1, f"{server.url}/1"))
    anb.download(ROW, client, out)
    prompts(server, prompt(1, f"{server.url}/2"))
    for status in ("saved", "there"):
        frame = anb.download(ROW, client, out)
        assert statuses(frame) == {status: 1}
        assert Path(frame["file"].iloc[0]).name == "1-1_2.jpg"
    assert [(out / name).read_bytes() for name in ("1-1.jpg", "1-1_2.jpg")] == pictures[:2]
    assert [entry["url"] for entry in check(out)] == [f"{server.url}/1", f"{server.url}/2"]


def test_a_list_that_gets_shorter_loses_no_picture(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    pictures = ten(server)
    first, second, third, fourth = (f"{server.url}/{number}" for number in (1, 2, 3, 4))
    prompts(server, prompt(5, first, second, third))
    anb.download(ROW, client, out)
    before = asked(server)
    prompts(server, prompt(5, second, third))
    frame = anb.download(ROW, client, out)
    assert statuses(frame) == {"there": 2}
    assert [Path(file).name for file in frame["file"]] == ["5-2.jpg", "5-3.jpg"]
    assert asked(server) == before
    prompts(server, prompt(5, second, third, fourth))
    frame = anb.download(ROW, client, out)
    assert frame["status"].tolist() == ["there", "there", "saved"]
    assert [Path(file).read_bytes() for file in frame["file"]] == pictures[1:4]
    assert len(check(out)) == 4


def test_a_picture_that_is_listed_elsewhere_does_not_stand_for_one_that_failed(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    ten(server)
    server.on("GET", "/4", reply({}, 404))
    prompts(server, prompt(5, f"{server.url}/1"))
    anb.download(ROW, client, out)
    prompts(server, prompt(5, f"{server.url}/4", f"{server.url}/1"))
    assert anb.download(ROW, client, out)["status"].tolist() == ["failed", "there"]


def test_pictures_whose_addresses_differ_by_a_secret_are_all_saved(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    ten(server)
    prompts(server, prompt(5, f"{server.url}/1?token=a", f"{server.url}/1?token=b"))
    for status in ("saved", "there"):
        frame = anb.download(ROW, client, out)
        assert statuses(frame) == {status: 2}
        assert [Path(file).name for file in frame["file"]] == ["5-1.jpg", "5-2.jpg"]
