"""Downloaded pictures: complete, once, and in the manifest."""

import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.errors import ApiError, AstriaError, NotFoundError, TuneError, UnauthorizedError
from helpers.picture_host import (
    ROW,
    TRAINED,
    TUNE_ID,
    a_list,
    a_picture,
    asked,
    check,
    image,
    prompt,
    prompts,
    statuses,
    ten,
)
from helpers.scripted_server import KEY, Answer, Exchange, ScriptedServer, reply
from helpers.waiting import PATIENCE


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_every_picture_is_a_file_and_in_the_manifest(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    pictures = ten(server)
    frame = anb.download(ROW, client, out)
    assert statuses(frame) == {"saved": 10}
    assert [Path(file).read_bytes() for file in frame["file"]] == pictures
    record = check(out)
    assert record[9] == {
        "prompt_id": 10, "number": 1, "tune_id": TUNE_ID, "text": "prompt 10", "url": f"{server.url}/10",
        "file": "10-1.jpg", "bytes": len(pictures[9]), "sha256": frame["sha256"].iloc[9],
    }  # fmt: skip
    assert (frame["expires_at"] == ROW["expires_at"].iloc[0]).all()


def test_existing_files_are_not_requested_again(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    ten(server)
    first, before = anb.download(ROW, client, out), asked(server)
    second = anb.download(ROW, client, out)
    assert asked(server) == before
    assert statuses(second) == {"there": 10}
    columns = ["file", "bytes", "sha256", "url", "prompt_id"]
    assert first[columns].equals(second[columns])
    assert first.dtypes.equals(second.dtypes)


@pytest.mark.parametrize("damage", ["removed", "shorter", "empty", "a link to the same"])
def test_a_damaged_file_is_downloaded_again(
    server: ScriptedServer, client: anb.Client, out: Path, tmp_path: Path, damage: str
) -> None:
    pictures = ten(server)
    anb.download(ROW, client, out)
    file = out / "3-1.jpg"
    if damage in ("removed", "a link to the same"):
        file.rename(tmp_path / "elsewhere.jpg")
    if damage == "a link to the same":
        file.symlink_to(tmp_path / "elsewhere.jpg")
    if damage in ("shorter", "empty"):
        file.write_bytes(pictures[2][:-1] if damage == "shorter" else b"")
    del server.requests[:]
    assert statuses(anb.download(ROW, client, out)) == {"there": 9, "saved": 1}
    assert asked(server) == ["/3"]
    assert file.read_bytes() == pictures[2]
    assert not file.is_symlink()
    check(out)


def test_a_file_without_an_entry_is_downloaded_again(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    ten(server)
    anb.download(ROW, client, out)
    (out / "manifest.jsonl").unlink()
    assert statuses(anb.download(ROW, client, out)) == {"saved": 10}
    check(out)


def test_the_entries_of_other_tunes_stay(server: ScriptedServer, client: anb.Client, out: Path) -> None:
    ten(server)
    anb.download(ROW, client, out)
    server.on("GET", "/77", image(a_picture(77)))
    a_list(server, "/tunes/8/prompts", prompt(77, f"{server.url}/77", tune_id=8))
    frame = anb.download(anb.rows.tune_frame([{**TRAINED, "id": 8}]), client, out)
    assert frame["tune_id"].tolist() == [8]
    assert len(check(out)) == 11


def test_a_prompt_with_several_pictures_has_several_files(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    for number in (1, 2, 3):
        server.on("GET", f"/{number}", image(a_picture(number)))
    prompts(server, prompt(5, *(f"{server.url}/{number}" for number in (1, 2, 3))))
    frame = anb.download(ROW, client, out)
    assert [Path(file).name for file in frame["file"]] == ["5-1.jpg", "5-2.jpg", "5-3.jpg"]
    assert frame["number"].tolist() == [1, 2, 3]


def test_a_prompt_without_text_has_none_in_the_manifest(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    server.on("GET", "/1", image(a_picture(1)))
    prompts(server, prompt(1, f"{server.url}/1", text=None))
    anb.download(ROW, client, out)
    assert check(out)[0]["text"] == ""


def test_prompts_that_are_pending_or_failed_have_no_row_yet(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    server.on("GET", "/1", image(a_picture(1)))
    prompts(server, prompt(1, f"{server.url}/1"), prompt(2), prompt(3, user_error="not allowed"))
    assert anb.download(ROW, client, out)["prompt_id"].tolist() == [1]


def test_no_pictures_are_an_empty_frame_of_the_same_types(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    prompts(server)
    none = anb.download(ROW, client, out)
    ten(server)
    some = anb.download(ROW, client, out)
    assert len(none) == len(anb.download(ROW.iloc[:0], client, out)) == 0
    assert none.dtypes.equals(some.dtypes)


@pytest.mark.parametrize(
    ("content_type", "content", "name"),
    [
        ("image/png", a_picture(1), "1-1.png"),  # what the service says goes before what it looks like
        ("image/webp; charset=binary", b"RIFF\x10\x00\x00\x00WEBPVP8 ........", "1-1.webp"),
        ("binary/octet-stream", b"\x89PNG\r\n\x1a\n....IEND\xaeB`\x82", "1-1.png"),
        ("", a_picture(1), "1-1.jpg"),
        ("IMAGE/JPEG", b"\x00\x00\x00\x20ftypavif........", "1-1.jpg"),
        ("image/../../x", b"\x00\x00\x00\x20ftypmp42........", "1-1.mp4"),
    ],
)
def test_a_files_suffix_is_that_of_its_type(
    server: ScriptedServer, client: anb.Client, out: Path, content_type: str, content: bytes, name: str
) -> None:
    server.on("GET", "/1", image(content, content_type))
    prompts(server, prompt(1, f"{server.url}/1"))
    anb.download(ROW, client, out)
    assert [entry["file"] for entry in check(out)] == [name]


def test_the_key_is_not_sent_to_the_pictures_host(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    ten(server)
    anb.download(ROW, client, out)
    keys = {request.path: request.headers["Authorization"] for request in server.requests}
    assert {keys[f"/{number}"] for number in range(1, 11)} == {None}
    assert keys[f"/tunes/{TUNE_ID}/prompts"] == f"Bearer {KEY}"


SIGNED = "{url}/1?X-Amz-Signature={secret}&X-Amz-Date={secret}&Expires={day}&v=1"


def test_a_signature_is_used_and_not_written_down(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    server.on("GET", "/1", image(a_picture(1)))
    server.on("GET", "/2", reply({}, 404))
    frames = []
    for day, secret in enumerate(("s3cret-one", "s3cret-two")):
        url = SIGNED.format(url=server.url, secret=secret, day=day)
        prompts(server, prompt(1, url), prompt(2, url.replace("/1?", "/2?"), text=f"like {url}"))
        frames.append(anb.download(ROW, client, out))
    assert [request.query["X-Amz-Signature"] for request in server.received("GET", "/1")] == ["s3cret-one"]
    assert frames[1]["status"].tolist() == ["there", "failed"]
    assert b"s3cret" not in (out / "manifest.jsonl").read_bytes()
    assert "s3cret" not in "".join(frame.to_csv() for frame in frames)


def test_a_loras_pictures_have_its_own_id(server: ScriptedServer, client: anb.Client, out: Path) -> None:
    server.on("GET", "/1", image(a_picture(1)))
    base = 1504944
    prompts(
        server,
        prompt(1, f"{server.url}/1", tune_id=base, text=f"<lora:{TUNE_ID}:1> ohwx woman"),
        prompt(2, f"{server.url}/1", tune_id=base, text="a cat", tunes=[{"id": TUNE_ID, "title": "t"}]),
    )
    assert anb.download(ROW, client, out)["tune_id"].tolist() == [TUNE_ID, TUNE_ID]


def test_an_expiry_that_a_row_lacks_is_fetched_from_the_service(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    ten(server)
    server.on("GET", f"/tunes/{TUNE_ID}", reply(TRAINED))
    young = anb.rows.tune_frame([{**TRAINED, "trained_at": None, "expires_at": None}])
    assert (anb.download(young, client, out)["expires_at"] == ROW["expires_at"].iloc[0]).all()


@pytest.mark.parametrize("is_known", [True, False])
def test_of_many_tunes_one_that_is_gone_is_reported(
    server: ScriptedServer, client: anb.Client, out: Path, is_known: bool
) -> None:
    ten(server)
    both = pd.concat([anb.rows.tune_frame([{**TRAINED, "id": 6}]), ROW], ignore_index=True)
    if is_known:
        both.loc[0, "status"] = "deleted"
    frame = anb.download(both, client, out)
    assert statuses(frame) == {"saved": 10, "failed": 1}
    lost = frame[frame["status"] == "failed"].iloc[0]
    assert (lost["tune_id"], lost["problem"]) == (6, "the service no longer has this tune")
    with pytest.raises(NotFoundError):
        anb.download(both.iloc[:1], client, out)


@pytest.mark.parametrize("answer", [reply({"error": "no"}, 422), reply({"a": 1}), reply(status=501)])
def test_a_tune_whose_prompts_cannot_be_listed_does_not_keep_back_the_others(
    server: ScriptedServer, client: anb.Client, out: Path, answer: Answer
) -> None:
    ten(server)
    server.on("GET", "/tunes/6/prompts", answer)
    both = pd.concat([anb.rows.tune_frame([{**TRAINED, "id": 6}]), ROW], ignore_index=True)
    frame = anb.download(both, client, out)
    assert statuses(frame) == {"saved": 10, "failed": 1}
    failed = frame[frame["status"] == "failed"].iloc[0]
    assert failed["tune_id"] == 6
    assert "asked for the prompts of tune 6" in failed["problem"]
    for call in (lambda: anb.prompts(both, client), lambda: anb.download(both.iloc[:1], client, out)):
        with pytest.raises(ApiError, match="asked for the prompts of tune 6"):
            call()


def test_a_service_that_fails_for_one_tune_after_the_other_is_not_asked_for_all(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    ids = range(20, 29)
    for tune_id in ids:
        server.on("GET", f"/tunes/{tune_id}/prompts", reply(status=501))
    with pytest.raises(ApiError, match="asked for the prompts of tune 22"):
        anb.download(anb.rows.tune_frame([{**TRAINED, "id": tune_id} for tune_id in ids]), client, out)
    assert len(server.requests) == 3


def test_a_refused_key_ends_the_download_at_once(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    ten(server)
    server.on("GET", "/tunes/6/prompts", reply({}, 401))
    both = pd.concat([anb.rows.tune_frame([{**TRAINED, "id": 6}]), ROW], ignore_index=True)
    with pytest.raises(UnauthorizedError):
        anb.download(both, client, out)


def test_a_sandboxs_pictures_come_with_their_expiry(out: Path) -> None:
    tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    with anb.Sandbox(deterministic=True) as sandbox:
        client = sandbox.client()
        row = anb.wait(anb.submit(tune, client), client, until="prompts", poll=0)
        frame = anb.download(row, client, out)
        sandbox.advance(31 * 86400)
        again = anb.download(row, client, out)
    assert statuses(frame) == {"saved": 8}
    assert frame["expires_at"].tolist() == [row["expires_at"].iloc[0]] * 8
    assert statuses(again) == {"there": 8}


@pytest.mark.parametrize("max_workers", [0, 65, "many", None])
def test_an_invalid_number_of_workers_is_reported(client: anb.Client, out: Path, max_workers: Any) -> None:
    with pytest.raises(AstriaError, match=r"max_workers: .*choose from 1 to 64"):
        anb.download(ROW, client, out, max_workers=max_workers)


def test_a_frame_without_tunes_is_refused(client: anb.Client, out: Path) -> None:
    with pytest.raises(TuneError, match="frame: "):
        anb.download("7 days", client, out)


def test_several_pictures_are_downloaded_at_a_time(
    server: ScriptedServer, client: anb.Client, out: Path
) -> None:
    all_are_requested = threading.Barrier(10, timeout=PATIENCE)

    def together(then: Answer) -> Answer:
        def answer(exchange: Exchange) -> bool:
            all_are_requested.wait()
            return then(exchange)

        return answer

    for number, picture in enumerate(ten(server), 1):
        server.on("GET", f"/{number}", together(image(picture)))
    assert statuses(anb.download(ROW, client, out, max_workers=10)) == {"saved": 10}
