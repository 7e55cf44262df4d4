"""Submitting: what is asked first, what is sent once, and the row that comes back."""

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.errors import NotFoundError, OutcomeUnknownError, RejectedError, TuneError, UnauthorizedError
from astria_nb.rows import tune_frame
from helpers.body_parsers import parameters
from helpers.scripted_server import KEY, PACK, TUNE, ScriptedServer, hang_up, reply

URLS: dict[str, Any] = {"image_urls": ["https://e.com/1.jpg"]}


def tune(**fields: Any) -> anb.Tune:
    return anb.Tune(**{"pack": 43, "title": "t", "name": "cat", **fields})


def calls(server: ScriptedServer) -> list[str]:
    return [f"{request.method} {request.path}" for request in server.requests]


def test_the_pack_is_asked_first_and_the_tune_is_sent_once(
    server: ScriptedServer, client: anb.Client
) -> None:
    anb.submit(tune(**URLS), client)
    assert calls(server) == ["GET /p/43", "GET /tunes", "POST /p/43/tunes"]


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (reply(PACK), TuneError, "name: 'person' is not a class of pack 43; choose one of man, cat"),
        (reply({"error": "Not Found"}, 404), NotFoundError, "pack: 43 is not known to"),
        (
            reply({"error": "no"}, 401),
            UnauthorizedError,
            r"api_key: sd_…1234 was refused \(no\); check the key",
        ),
    ],
    ids=["wrong class", "unknown pack", "wrong key"],
)
def test_what_is_wrong_is_found_before_anything_is_paid_for(
    server: ScriptedServer,
    client: anb.Client,
    answer: Any,
    kind: type[Exception],
    message: str,
    photos: list[Path],
) -> None:
    server.on("GET", "/p/43", answer)
    with pytest.raises(kind, match=message):
        anb.submit(tune(name="person", images=photos), client)
    assert server.received("POST") == []


def test_a_pack_that_names_no_classes_takes_any(server: ScriptedServer, client: anb.Client) -> None:
    server.on("GET", "/p/43", reply({"id": 43}))
    assert anb.submit(tune(name="person", **URLS), client).loc[0, "id"] == 7


@pytest.mark.parametrize("encoding", ["multipart", "form", "json"])
def test_each_encoding_gives_a_row_that_names_it(
    server: ScriptedServer, client: anb.Client, encoding: Any
) -> None:
    row = anb.submit(tune(**URLS), client, encoding=encoding)
    assert row.dtypes.equals(tune_frame([]).dtypes)
    (record,) = row.to_dict("records")
    wanted = {"id": 7, "title": "t", "name": "cat", "pack": 43, "status": "queued", "encoding": encoding}
    assert {key: record[key] for key in wanted} == wanted
    assert record["created_at"] == pd.Timestamp("2026-01-01T12:00:00Z")
    (request,) = server.received("POST")
    sent = parameters(request.headers["Content-Type"], request.body)
    assert sent == {"tune": {"title": "t", "name": "cat", **URLS}}


def test_the_row_of_an_upload_holds_the_hash_of_each_file(
    server: ScriptedServer, client: anb.Client, photos: list[Path]
) -> None:
    row = anb.submit(tune(images=photos), client)
    assert row.loc[0, "encoding"] == "multipart"
    assert list(row.loc[0, "image_sha256"]) == [
        hashlib.sha256(path.read_bytes()).hexdigest() for path in photos
    ]


def test_a_pack_given_by_its_slug_is_in_the_row_by_its_id(server: ScriptedServer, client: anb.Client) -> None:
    server.on("GET", "/p/headshots", reply(PACK))
    server.on("POST", "/p/headshots/tunes", reply(TUNE, 201))
    assert anb.submit(tune(pack="headshots", **URLS), client).loc[0, "pack"] == 43


def test_the_service_is_believed_where_it_says_something_else(
    server: ScriptedServer, client: anb.Client
) -> None:
    server.on("POST", "/p/43/tunes", reply([{**TUNE, "title": "theirs", "model_type": "lora"}], 201))
    row = anb.submit(tune(**URLS), client)
    assert row.loc[0, ["title", "model_type"]].tolist() == ["theirs", "lora"]


def test_a_run_on_existing_tunes_gives_the_prompts_that_it_made(
    server: ScriptedServer, client: anb.Client
) -> None:
    def page(*ids: int) -> Any:
        return reply([{"id": prompt_id} for prompt_id in ids])

    server.on("GET", "/tunes/5/prompts", page(20, 10), page(41, 40, 20), page())
    server.on("GET", "/tunes/6/prompts", page(), page(42, 40), page())
    server.on("POST", "/p/43/tunes", reply({"status": 201, "message": "Prompts created"}, 201))
    row = anb.submit(anb.Tune(pack=43, tune_ids=[5, 6]), client)
    assert row.dtypes.equals(tune_frame([]).dtypes)
    assert row[["id", "status"]].isna().all(axis=None)
    assert list(row.loc[0, "tune_ids"]) == [5, 6]
    assert list(row.loc[0, "prompt_ids"]) == [40, 41, 42]
    before = calls(server).index("POST /p/43/tunes")
    assert set(calls(server)[:before]) == {"GET /p/43", "GET /tunes/5/prompts", "GET /tunes/6/prompts"}


def test_a_run_on_a_tune_that_is_not_there_costs_nothing(server: ScriptedServer, client: anb.Client) -> None:
    with pytest.raises(NotFoundError):
        anb.submit(anb.Tune(pack=43, tune_ids=[5]), client)
    assert server.received("POST") == []


def test_a_file_that_vanished_is_said_before_anything_is_sent(
    server: ScriptedServer, client: anb.Client, photos: list[Path]
) -> None:
    complete = tune(images=photos)
    photos[1].unlink()
    with pytest.raises(TuneError, match=r"images: '2\.jpg' no longer exists; put it back"):
        anb.submit(complete, client)
    assert server.requests == []


def test_files_as_json_are_refused_before_anything_is_sent(
    server: ScriptedServer, client: anb.Client, photos: list[Path]
) -> None:
    with pytest.raises(TuneError, match="encoding: 'json' cannot carry image files"):
        anb.submit(tune(images=photos), client, encoding="json")
    assert server.requests == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply({"title": ["is taken"]}, 422), RejectedError),
        (reply({}, 504), OutcomeUnknownError),
        (hang_up, OutcomeUnknownError),
    ],
    ids=["422", "504", "hung up"],
)
def test_a_failed_tune_is_not_sent_again(
    server: ScriptedServer, client: anb.Client, answer: Any, kind: type[Exception]
) -> None:
    server.on("POST", "/p/43/tunes", answer)
    with pytest.raises(kind):
        anb.submit(tune(**URLS), client)
    assert len(server.received("POST")) == 1


def test_the_caller_is_told_how_far_the_upload_is(
    server: ScriptedServer, client: anb.Client, photos: list[Path]
) -> None:
    reports: list[tuple[int, int]] = []
    anb.submit(tune(images=photos), client, on_sent=lambda *report: reports.append(report))
    size = len(server.received("POST")[0].body)
    assert reports[-1] == (size, size)
    assert reports == sorted(set(reports))


def test_an_object_that_can_submit_itself_does_so(client: anb.Client) -> None:
    class Form:
        def submit(self, client: anb.Client | None = None, *, encoding: Any = None) -> pd.DataFrame:
            return pd.DataFrame({"client": [client], "encoding": [encoding]})

    row = anb.submit(Form(), client, encoding="form")
    assert row.loc[0].tolist() == [client, "form"]


def test_without_a_client_your_account_is_used(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASTRIA_API_KEY", KEY)
    monkeypatch.setenv("ASTRIA_BASE_URL", server.url)
    assert anb.submit(tune(**URLS)).loc[0, "id"] == 7
    assert len(server.received("POST")) == 1


def test_a_title_that_was_sent_with_blanks_around_it_is_the_same_title(
    server: ScriptedServer, client: anb.Client
) -> None:
    server.on("GET", "/tunes", reply([{**TUNE, "title": " t "}]))
    with pytest.warns(UserWarning, match="is on your account already: tune 7"):
        row = anb.submit(tune(title="t\n", **URLS), client)
    assert row["id"].tolist() == [7]
    assert server.received("POST") == []
