"""A frame in, a frame out: each row is sent once, and says what became of it."""

import io
import os
import sqlite3
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import astria_nb as anb
from astria_nb.errors import AstriaError, BatchError, NotSentError, OutcomeUnknownError, Problem
from astria_nb.submission.batch import _patience
from astria_nb.submission.batch._check import BatchCheck
from astria_nb.submission.batch._pace import Pace
from astria_nb.submission.batch._remarks import problem_with_total
from astria_nb.submission.batch._stop import BatchStop
from astria_nb.tune import Request
from benchmarks.services import serving
from helpers.batches import ROUTE, frame, posts
from helpers.processes import elsewhere
from helpers.waiting import until


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(tune_fields="record") as running:
        yield running


@pytest.fixture
def log(tmp_path: Path) -> Iterator[anb.ExperimentLog]:
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    yield log
    log.close()


def test_rows_come_back_in_order_with_the_index_of_the_frame(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    tunes = frame(30).set_axis([f"label {row}" for row in range(30)])
    tunes.loc["label 3", "characteristics.eye_color"] = "green"
    rows = anb.submit_many(tunes, sandbox.client(), log=log)
    assert list(rows.index) == list(tunes.index)
    assert list(rows["title"]) == [f"batch-k{row}" for row in range(30)]
    assert set(rows["state"]) == {"done"}
    assert rows["error"].isna().all()
    assert list(rows["submission"]) == [*map(int, rows["submission"])]
    assert set(rows["id"]) == {id_ for request in sandbox.ledger for id_ in request.tune_ids}
    single = anb.submit(
        anb.Tune(pack=797, title="one", name="cat", image_urls=["https://example.com/1.jpg"]),
        sandbox.client(),
        log=log,
    )
    assert rows.drop(columns=["submission", "state", "planned_at", "error"]).dtypes.equals(single.dtypes)
    request = log.get(int(rows.loc["label 3", "submission"])).request
    assert request.parameters["characteristics"] == {"eye_color": "green"}
    sandbox.advance(3600)
    assert not anb.wait(rows, sandbox.client(), log=log)["trained_at"].isna().any()


def test_the_same_call_sends_nothing_twice_and_returns_the_same_rows(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    first = anb.submit_many(frame(12), sandbox.client(), log=log)
    again = anb.submit_many(frame(12), sandbox.client(), log=log)
    pd.testing.assert_frame_equal(first, again)
    more = anb.submit_many(frame(14), sandbox.client(), log=log)
    assert list(more["id"][:12]) == list(first["id"])
    assert posts(sandbox) == 14


def test_a_log_that_was_lost_costs_nothing(sandbox: anb.Sandbox, tmp_path: Path) -> None:
    client = sandbox.client()
    with closing(anb.ExperimentLog(tmp_path / "a.sqlite")) as log:
        first = anb.submit_many(frame(8), client, log=log)
    with closing(anb.ExperimentLog(tmp_path / "b.sqlite")) as log:
        again = anb.submit_many(frame(8), client, log=log)
    assert (posts(sandbox), set(again["state"])) == (8, {"adopted"})
    assert list(again["id"]) == list(first["id"])


@pytest.mark.parametrize("column", ["key", "title"])
@pytest.mark.parametrize("name", ["NA", "None", "null", "nan", "N/A"])
def test_a_name_that_a_file_reader_takes_for_missing_is_told_and_the_advice_works(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, column: str, name: str
) -> None:
    """Such a row had a title from its values, and was paid again."""
    client, tunes = sandbox.client(), frame(2).drop(columns="key").assign(**{column: ["DE", name]})
    content = tunes.to_csv(index=False)
    first = anb.submit_many(tunes, client, log=log)
    with pytest.raises(BatchError) as caught:
        anb.submit_many(pd.read_csv(io.StringIO(content)), client, log=log)
    ((row, field, message),) = caught.value.frame[["row", "field", "message"]].itertuples(index=False)
    what, advice = message.split("; ", 1)
    assert (row, field, what) == (1, column, "is missing, and other rows have one")
    options = eval(f"dict({advice.split('read it with ')[1]})")
    again = anb.submit_many(pd.read_csv(io.StringIO(content), **options), client, log=log)
    assert again["id"].tolist() == first["id"].tolist()
    skipped = anb.submit_many(pd.read_csv(io.StringIO(content)), client, log=log, skip_invalid=True)
    assert skipped["state"].tolist() == ["done", "invalid"]
    assert posts(sandbox) == 2


@pytest.mark.parametrize("is_log_kept", [True, False])
def test_rows_that_were_sent_without_a_key_need_none_beside_others(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, tmp_path: Path, is_log_kept: bool
) -> None:
    client, tunes = sandbox.client(), frame(2).drop(columns="key")
    first = anb.submit_many(tunes, client, log=log)
    more = pd.concat([tunes, tunes.iloc[:1].assign(key="again")], ignore_index=True)
    with closing(log if is_log_kept else anb.ExperimentLog(tmp_path / "b.sqlite")) as used:
        rows = anb.submit_many(more, client, log=used)
    assert rows["id"].tolist()[:2] == first["id"].tolist()
    assert posts(sandbox) == 3


SIGNED = "https://example.com/1.jpg?e=1767225600&token=AK:{}"
FORMER_TITLE = "batch-43-cat-2168bd2ef7d4d31f2750fa34"  # of the first, while `e` was no time of a signature


def signed_again(number: int) -> dict[str, Any]:
    return {"pack": 43, "name": "cat", "image_urls": [SIGNED.format(number or "sig")]}


def test_addresses_that_are_signed_again_are_not_paid_again(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    rows = [anb.submit_many([signed_again(number)], sandbox.client(), log=log) for number in (1, 2)]
    assert rows[0]["id"].tolist() == rows[1]["id"].tolist()
    assert posts(sandbox) == 1


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("v5.airtableusercontent.com/v3/u/1/1/1767225600000/aa/bb", "Airtable"),
        ("uc0f-1.dl.dropboxusercontent.com/cd/0/get/aa/file", "Dropbox"),
        ("lh3.googleusercontent.com/pw/aa", "Google Photos"),
    ],
)
def test_a_row_without_a_name_whose_address_does_not_stay_is_remarked_on(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, host: str, site: str
) -> None:
    tune = {"pack": 43, "name": "cat", "image_urls": [f"https://{host}"]}
    with pytest.warns(UserWarning, match=f"{site} gives another address each time.*give it a key or title"):
        anb.submit_many([tune], sandbox.client(), log=log)
    anb.submit_many(
        [{**tune, "key": "a"}], sandbox.client(), log=log, once=True
    )  # a warning would be an error


@pytest.mark.parametrize("is_log_kept", [True, False])
def test_a_row_that_was_sent_before_its_signature_was_known_keeps_its_title(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, tmp_path: Path, is_log_kept: bool
) -> None:
    client, tunes = sandbox.client(), [signed_again(0), {**signed_again(0), "name": "man"}]
    anb.submit(anb.Tune(**signed_again(0), title=FORMER_TITLE), client, log=log)
    with closing(log if is_log_kept else anb.ExperimentLog(tmp_path / "b.sqlite")) as used:
        rows = anb.submit_many(tunes, client, log=used)
        again = anb.submit_many(tunes, client, log=used)
    assert rows["title"].tolist()[0] == FORMER_TITLE
    assert rows["id"].tolist() == again["id"].tolist()
    assert posts(sandbox) == 2


def test_a_request_that_was_recorded_with_its_secret_is_found_under_another_title(
    sandbox: anb.Sandbox, tmp_path: Path
) -> None:
    client, fields = sandbox.client(), {**signed_again(0), "image_urls": ["https://x.org/1.jpg?rlkey=a1"]}
    with closing(anb.ExperimentLog(tmp_path / "log.sqlite")) as log:
        tune = anb.Tune(**fields, title="a")
        first = anb.submit(tune, client, log=log)
    request = Request.from_tune(tune, client.service, "json", account=client.account)
    with closing(sqlite3.connect(tmp_path / "log.sqlite")) as file, file:
        file.execute(
            "UPDATE submission SET content_fingerprint = ?, checksum = NULL",
            [request.former_content_fingerprint],
        )
    with closing(anb.ExperimentLog(tmp_path / "log.sqlite")) as log:
        again = anb.submit(anb.Tune(**fields, title="b"), client, log=log, once=True)
        rows = anb.submit_many([{**fields, "key": "c"}], client, log=log, once=True)
    assert first["id"].tolist() == again["id"].tolist() == rows["id"].tolist()


def test_nothing_is_sent_if_a_row_is_wrong_and_all_problems_are_listed(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    names = ["cat", None, "dragon", "cat", "cat"]
    tunes = frame(5, name=names, pack=[797, 797, 797, 999_999, 797]).set_axis([*"abcde"])
    tunes.at["e", "image_urls"], tunes.at["e", "name"] = ["not a url"], "dragon"
    with pytest.raises(BatchError, match=r"row b, name: is missing") as caught:
        anb.submit_many(tunes, sandbox.client(), log=log)
    problems = [["b", "name"], ["c", "name"], ["d", "pack"], ["e", "image_urls"], ["e", "name"]]
    assert caught.value.frame[["row", "field"]].to_numpy().tolist() == problems
    labels = pd.MultiIndex.from_product([["x"], [1, 2]])
    with pytest.raises(BatchError, match=r"row \('x', 2\), name: is missing"):
        anb.submit_many(frame(2, name=["cat", None]).set_axis(labels), sandbox.client(), log=log)
    sandbox.fail("401", "GET /p/*")
    with pytest.raises(BatchError, match=r"row b, name: is missing"):  # although no pack can be asked for
        anb.submit_many(tunes, sandbox.client(), log=log)
    tunes = tunes.drop(["b", "e"])
    with pytest.raises(BatchError, match=r"row c, name: 'dragon' is not a class of pack 797") as caught:
        anb.submit_many(tunes, sandbox.client(), log=log)
    assert caught.value.frame[["row", "field"]].to_numpy().tolist() == [["c", "name"], ["d", "pack"]]
    assert (posts(sandbox), len(log.frame())) == (0, 0)
    rows = anb.submit_many(tunes, sandbox.client(), log=log, skip_invalid=True)
    assert list(rows["state"]) == ["done", "invalid", "invalid"]
    assert "is not a class" in rows.loc["c", "error"]
    assert rows["title"].notna().all()
    assert posts(sandbox) == 1


def test_files_are_checked_before_anything_is_sent(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, photos: list[Path], tmp_path: Path
) -> None:
    text = tmp_path / "notes.jpg"
    text.write_text("no picture")
    tunes = pd.DataFrame({"pack": 797, "name": "cat", "images": [photos[:2], [photos[2], text], photos[3:]]})
    with pytest.raises(BatchError, match=r"row 1, images: 'notes\.jpg'"):
        anb.submit_many(tunes, sandbox.client(), log=log)
    assert posts(sandbox) == 0
    many = pd.DataFrame({"pack": 797, "name": "cat", "images": [photos[:1] * 127, photos[:1] * 128]})
    with pytest.raises(BatchError, match=r"^row 1, images: 128 files are too many.*addresses as image_urls"):
        anb.submit_many(many, sandbox.client(), log=log)
    assert posts(sandbox) == 0
    rows = anb.submit_many(tunes.drop(1), sandbox.client(), log=log)
    assert [len(images) for images in rows["orig_images"]] == [2, 1]
    of_key = pd.DataFrame({"key": ["k"], "pack": 797, "name": "cat", "images": [photos[:2]]})
    anb.submit_many(of_key, sandbox.client(), log=log)
    of_key.at[0, "images"] = photos[:1]
    with pytest.raises(BatchError, match=r"'batch-k' was submitted before with other fields: images; give"):
        anb.submit_many(of_key, sandbox.client(), log=log)


def test_the_limit_is_for_the_whole_batch(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    client, price = sandbox.client(), sandbox.client().pack(797).price_mc("cat") or 0
    with pytest.raises(BatchError, match=r"max_cost: is \$1\.00, and this batch costs about \$"):
        anb.submit_many(frame(5), client, log=log, max_cost=1)
    assert posts(sandbox) == 0
    exact = 5 * price / 100_000
    with pytest.raises(BatchError, match=r"is \$9\.89999, and this batch costs about \$9\.90; raise it"):
        anb.submit_many(frame(5), client, log=log, max_cost=exact - 0.00001)
    rows = anb.submit_many(frame(5), client, log=log, max_cost=exact, max_workers=5)
    assert set(rows["state"]) == {"done"}
    # What was paid before does not count again.
    again = anb.submit_many(frame(6), client, log=log, max_cost=price / 100_000)
    assert set(again["state"]) == {"done"}
    assert posts(sandbox) == 6


def test_a_limit_is_kept_to_the_millicent() -> None:
    for total in range(1000, 2_000_000, 1000):  # of which floats in dollars are sometimes a little less
        checked = BatchCheck(prices={0: total})
        assert problem_with_total(checked, total / 100_000) is None
        assert problem_with_total(checked, (total - 1) / 100_000) is not None


@pytest.mark.parametrize("more", [0, 4])  # of many rows, the log is asked at once
def test_what_the_log_has_against_a_row_is_told_before_anything_is_sent(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, more: int
) -> None:
    anb.submit_many(frame(3), sandbox.client(), log=log)
    changed = frame(5 + more, name=["cat", "dog", "cat", "cat", "cat", *["cat"] * more])
    changed.loc[4, "key"] = "sd_0123456789abcdef0123456789abcdef"
    unchanged = "give a fresh title, or submit it unchanged"
    with pytest.raises(BatchError) as caught:
        anb.submit_many(changed, sandbox.client(), log=log)
    assert str(caught.value).splitlines() == [
        f"row 1, title: 'batch-k1' was submitted before with other fields: name; {unchanged}",
        "row 4, title: holds what looks like a key or a password; choose another one",
    ]
    assert posts(sandbox) == 3
    rows = anb.submit_many(changed, sandbox.client(), log=log, skip_invalid=True)
    assert rows["state"].tolist() == ["done", "invalid", "done", "done", "invalid", *["done"] * more]
    assert posts(sandbox) == 4 + more


def test_an_address_that_shows_no_photo_is_remarked_on_once_for_all_rows(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    page, photo = ["https://drive.google.com/file/d/abc123/view"], ["https://example.com/1.jpg"]
    with pytest.warns(UserWarning, match=r"is a page of Google Drive.*\(in 2 rows\)$") as caught:
        anb.submit_many(frame(3, image_urls=[page, photo, page]), sandbox.client(), log=log)
    assert (len(caught), posts(sandbox)) == (1, 3)


def test_an_account_that_has_too_little_is_not_sent_each_row(log: anb.ExperimentLog) -> None:
    with anb.Sandbox(balance_mc=1_000_000) as poor:  # five cost 990,000
        rows = anb.submit_many(frame(60), poor.client(), log=log, max_workers=2)
        assert posts(poor) <= 5 + 4  # what two workers had in hand
    assert rows["state"].value_counts()["done"] == 5
    assert (
        rows["error"]
        .iloc[-1]
        .startswith("tune: was not sent: it would fail like another row (not enough balance")
    )


def test_a_tune_that_is_deleted_is_not_passed_over_in_silence(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    rows = anb.submit_many(frame(2), sandbox.client(), log=log)
    log.record_event(
        "poll",
        submission=log.get(int(rows["submission"][0])),
        reply={"id": int(rows["id"][0]), "status": "deleted"},
    )
    with pytest.warns(
        UserWarning, match="^1 row belongs to a tune which is deleted: nothing was sent. Give another"
    ):
        again = anb.submit_many(frame(2), sandbox.client(), log=log)
    assert (again["status"][0], posts(sandbox)) == ("deleted", 2)


def test_a_service_that_charges_more_than_it_said_is_stopped_by_the_limit(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, price = sandbox.client(), sandbox.client().pack(797).price_mc("cat") or 0
    create = anb.Client.create_tune
    monkeypatch.setattr(anb.Client, "create_tune", lambda *a: {**create(*a), "cost_mc": 2 * price})
    rows = anb.submit_many(frame(6), client, log=log, max_cost=6 * price / 100_000, max_workers=1)
    assert set(rows["state"]) == {"done", "not_sent"}
    assert rows["error"].iloc[-1].startswith("max_cost: is $")
    assert posts(sandbox) <= 4  # one was on its way when the price of the third came


def test_a_row_that_is_refused_says_why_and_the_others_go_on(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    sandbox.fail("422", ROUTE, count=2, after=3)
    rows = anb.submit_many(frame(8), sandbox.client(), log=log)
    assert sorted(rows["state"]) == ["done"] * 6 + ["rejected"] * 2
    refused = rows[rows["state"] == "rejected"]
    assert refused["id"].isna().all()
    assert refused["error"].notna().all()
    again = anb.submit_many(frame(8), sandbox.client(), log=log)
    assert set(again["state"]) == {"done"}
    assert posts(sandbox) == 10


def test_the_first_error_stops_the_batch_if_asked_to(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    sandbox.fail("422", ROUTE, after=2)
    with pytest.raises(AstriaError):
        anb.submit_many(frame(40), sandbox.client(), log=log, on_error="raise", max_workers=2)
    assert 3 <= posts(sandbox) <= 20
    rows = anb.submit_many(frame(40), sandbox.client(), log=log, on_error="raise")
    assert set(rows["state"]) == {"done"}
    assert len({id_ for request in sandbox.ledger for id_ in request.tune_ids}) == 40


@pytest.mark.parametrize("fault", [("504", "yes"), ("reset", "yes")], ids=str)
def test_a_lost_answer_that_was_found_is_no_error(
    fault: tuple[str, str], sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    sandbox.fail(fault[0], ROUTE, commit=fault[1], after=2)
    rows = anb.submit_many(frame(12), sandbox.client(), log=log, on_error="raise", max_workers=2, settle=0.3)
    assert rows["state"].value_counts().to_dict() == {"done": 11, "adopted": 1}
    assert posts(sandbox) == 12


def test_a_lost_answer_that_was_not_found_stops_the_batch(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    sandbox.fail("504", ROUTE, commit="no", after=2)
    with pytest.raises(OutcomeUnknownError, match="not on the account"):
        anb.submit_many(frame(40), sandbox.client(), log=log, on_error="raise", max_workers=2, settle=0.3)
    assert posts(sandbox) <= 8


def test_a_batch_that_was_left_half_sent_raises(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever stopped it: a caller that gets no error takes all rows for sent."""
    monkeypatch.setattr(BatchStop, "go_on", lambda self: bool(self.set()))
    sandbox.fail("504", ROUTE, commit="yes", after=2)
    with pytest.raises(AstriaError, match="was not sent: the batch was stopped; run the batch again"):
        anb.submit_many(frame(40), sandbox.client(), log=log, on_error="raise", max_workers=2, settle=0.3)


def test_tunes_that_only_the_account_had_are_named(sandbox: anb.Sandbox, tmp_path: Path) -> None:
    """Each customer has a notebook and a log; the same keys are those of other people's photos."""
    client, said = sandbox.client(), []
    for customer in ("anna", "berta"):
        with closing(anb.ExperimentLog(tmp_path / f"{customer}.sqlite")) as log:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                rows = anb.submit_many(frame(5), client, log=log)
                anb.submit_many(frame(5), client, log=log)  # which the log knows by now
            said.append([str(warning.message) for warning in caught])
    assert set(rows["state"]) == {"adopted"}
    assert posts(sandbox) == 5
    assert said[0] == []
    (message,) = said[1]
    assert message.startswith(
        "5 rows are tunes that were on your account already, under the same title: tune "
    )
    assert sum(f"tune {id_}, made on 20" in message for id_ in rows["id"]) == 3
    assert ", and 2 more. Nothing was sent for them. To train again, " in message


def test_rows_that_are_not_sent_wait_for_no_rate(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    anb.submit_many(frame(30), sandbox.client(), log=log)
    started = time.monotonic()
    rows = anb.submit_many(frame(31), sandbox.client(), log=log, rate=0.1)
    assert time.monotonic() - started < 60  # not 300
    assert set(rows["state"]) == {"done"}
    assert posts(sandbox) == 31


def test_what_another_call_sends_is_waited_for_only_as_long_as_it_takes(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    sandbox.fail("slow", ROUTE, count=None, seconds=0.5)
    client, started = sandbox.client(), time.monotonic()
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(anb.submit_many, frame(12), client, log=log, settle=120.0) for _ in range(3)]
        states = [set(call.result()["state"]) for call in calls]
    assert time.monotonic() - started < 60  # not 120
    assert states == [{"done"}] * 3
    assert posts(sandbox) == 12


def test_a_call_does_not_send_in_the_pool_that_it_runs_in(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(anb.submit_many, frame(2), sandbox.client(), log=log, executor=pool)
        with pytest.raises(AstriaError, match="executor: is the pool that this call runs in; give another"):
            call.result(60)
    assert posts(sandbox) == 0


def test_infinity_is_no_limit_of_cost(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    rows = anb.submit_many(
        frame(2), sandbox.client(), log=log, max_cost=float("inf"), max_workers=np.int64(2)
    )
    assert set(rows["state"]) == {"done"}


def _by_csv(table: pd.DataFrame, **options: Any) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(table.to_csv(index=False)), **options)


def _by_open_file(table: pd.DataFrame) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(table.to_csv(index=False), newline=None))  # as `open` translates line ends


def _by_json(table: pd.DataFrame) -> pd.DataFrame:
    return pd.read_json(io.StringIO(table.to_json(orient="records", date_format="iso")))


def _by_sql(table: pd.DataFrame) -> pd.DataFrame:
    with closing(sqlite3.connect(":memory:")) as connection:
        table.to_sql("tunes", connection, index=False)
        return pd.read_sql("SELECT * FROM tunes", connection)


FILES = (_by_csv, partial(_by_csv, dtype=str), _by_open_file, _by_json, _by_sql)


@pytest.mark.parametrize("file", FILES, ids=["CSV", "CSV as text", "open CSV", "JSON", "SQL"])
def test_a_table_that_was_saved_and_read_is_not_paid_again(
    file: Callable[[pd.DataFrame], pd.DataFrame], sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    table = pd.DataFrame(
        {
            "pack": 797,
            "name": "cat",
            "image_urls": [f"https://example.com/{number}.jpg" for number in range(2)],
            "brief": ["at sea\r\nat noon", "at sea"],
            "prompt_attributes.use_lpw": [True, False],
            "prompt_attributes.hires_fix": [True, None],
            "prompt_attributes.of_tomorrow": [True, False],
            "prompt_attributes.denoising_strength": [0.5, 0.7],
            "prompt_attributes.cfg_scale": [1 / 3, 2.5],
            "prompt_attributes.style": ["1", "2"],
            "prompt_attributes.seed": [5, None],
            "prompt_attributes.weather": ["rain\r\nsnow", "hail"],
            "characteristics.age": ["30 yo", "31 yo"],
            "characteristics.hair": ["red\r\nand long", "grey"],
            "characteristics.day": [pd.Timestamp("2026-01-01 10:00"), pd.Timestamp("2026-01-02 11:30:00.5")],
        }
    )
    rows = anb.submit_many(table, sandbox.client(), log=log)
    again = anb.submit_many(file(table), sandbox.client(), log=log)
    assert again["error"].isna().all()
    assert list(again["id"]) == list(rows["id"])
    assert posts(sandbox) == 2


def test_lost_answers_are_looked_for_at_once(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    sandbox.fail("504", ROUTE, commit="yes", count=20)
    sandbox.fail("504", ROUTE, commit="no", count=2)
    said: list[str] = []
    # With one worker, it is certain which rows are lost when the others are held back.
    options: dict[str, Any] = {"max_workers": 1, "say": lambda _fraction, text: said.append(text)}
    rows = anb.submit_many(frame(30), sandbox.client(), log=log, settle=0.3, **options)
    states = rows["state"].value_counts().to_dict()
    assert states == {"adopted": 20, "done": 8, "needs_review": 2}
    assert said[-1].startswith("28 of 30 done · 2 failed")
    reads = [request for request in sandbox.ledger if request.method == "GET"]
    # The pack, the account before, and its two pages a few times, not for each of the 22.
    assert len(reads) <= 12
    assert len({id_ for request in sandbox.ledger for id_ in request.tune_ids}) == 28
    assert rows["id"].nunique() == 28
    doubtful = rows[rows["state"] == "needs_review"]
    for number, error in zip(doubtful["submission"], doubtful["error"], strict=True):
        assert error.endswith(f"say so with anb.{log!r}.resolve({number})")
    log.resolve(doubtful)
    already = len(sandbox.ledger)
    again = anb.submit_many(frame(30), sandbox.client(), log=log)
    # The pack and the account: 28 tunes may be one of several pages, and the next one is empty.
    assert [request.method for request in sandbox.ledger][already:] == ["GET"] * 3 + ["POST"] * 2
    assert again["id"].notna().all()
    assert len({id_ for request in sandbox.ledger for id_ in request.tune_ids}) == 30


def test_an_account_that_recognises_titles_gets_what_was_lost_again(tmp_path: Path) -> None:
    with (
        anb.Sandbox(tune_fields="record", idempotent=True) as sandbox,
        closing(anb.ExperimentLog(tmp_path / "log.sqlite")) as log,
    ):
        sandbox.fail("504", ROUTE, commit="no", count=3)
        said: list[str] = []
        options: dict[str, Any] = {"settle": 0, "say": lambda _fraction, text: said.append(text)}
        rows = anb.submit_many(frame(10), sandbox.client(), log=log, idempotent=True, **options)
        assert set(rows["state"]) <= {"done", "adopted"}
        assert said[-1].startswith("10 of 10 done · $")
        assert rows["id"].nunique() == 10


def test_a_throttled_service_gets_everything_once(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    sandbox.fail("429", ROUTE, count=5, after=4, retry_after="0")
    rows = anb.submit_many(frame(20), sandbox.client(), log=log, max_workers=4)
    assert set(rows["state"]) == {"done"}
    assert (posts(sandbox), rows["id"].nunique()) == (25, 20)


def test_all_workers_hold_back_together_and_recover() -> None:
    pace = Pace()
    for _ in range(10):
        pace.start()
    assert pace.wait_seconds() <= 0
    pace.slow_down(0.2)
    reduced = pace.rate
    assert reduced is not None
    pace.slow_down(0.2)  # of one that was under way at that time
    assert pace.rate == reduced
    assert 0.1 < pace.wait_seconds() <= 0.2
    for _ in range(200):
        pace.succeed()
    assert pace.rate is None
    slow = Pace(100.0)
    slow.start()
    assert 0 < slow.wait_seconds() <= 0.01


def test_a_rate_is_kept(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    started = time.monotonic()
    anb.submit_many(frame(6), sandbox.client(), log=log, rate=20)
    assert time.monotonic() - started >= 5 / 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("is_made", [True, False])
def test_what_its_process_left_open_is_settled_first(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, *, is_made: bool
) -> None:
    create = anb.Client.create_tune

    def die(*arguments: Any) -> Any:
        if is_made:
            create(*arguments)
        os._exit(9)

    if (child := os.fork()) == 0:
        anb.Client.create_tune = die  # type: ignore[method-assign]
        anb.submit_many(frame(1), sandbox.client(), log=log)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    rows = anb.submit_many(frame(1), sandbox.client(), log=log, settle=0)
    assert list(rows["state"]) == ["adopted" if is_made else "needs_review"]
    assert posts(sandbox) == int(is_made)


def test_an_interrupt_lets_what_is_under_way_end_and_the_next_call_goes_on(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    sandbox.fail("slow", ROUTE, count=None, seconds=0.2)

    def interrupt(_fraction: float, text: str) -> None:
        if "under way" in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        anb.submit_many(frame(40), sandbox.client(), log=log, max_workers=4, say=interrupt)
    sent = posts(sandbox)
    assert 0 < sent <= 8
    states = log.frame()["state"].value_counts().to_dict()
    assert states.pop("done") == sent
    assert states.keys() <= {"not_sent"}  # what was recorded, and had no turn
    sandbox.heal()
    rows = anb.submit_many(frame(40), sandbox.client(), log=log)
    assert (posts(sandbox), rows["id"].nunique()) == (40, 40)


def test_equal_requests_are_announced_once_and_returned_if_asked_to(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    first = anb.submit_many(frame(4), sandbox.client(), log=log)
    others = frame(5, key=[f"other {row}" for row in range(5)])
    returned = anb.submit_many(others.head(4), sandbox.client(), log=log, once=True)
    assert list(returned["id"]) == list(first["id"])
    with pytest.warns(
        UserWarning, match="4 of these requests were sent before under another title"
    ) as caught:
        rows = anb.submit_many(others, sandbox.client(), log=log)
    assert len(caught) == 1
    assert rows["id"].nunique() == 5
    assert posts(sandbox) == 9


def test_rows_that_are_equal_on_purpose_are_not_announced_when_the_batch_goes_on(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    equal = frame(6, image_urls=[["https://example.com/1.jpg"]] * 6)
    sandbox.fail("401", ROUTE, after=2)
    stopped = anb.submit_many(equal, sandbox.client(), log=log, max_workers=1)
    assert set(stopped["state"]) == {"done", "rejected", "not_sent"}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rows = anb.submit_many(equal, sandbox.client(), log=log)
    assert (rows["id"].nunique(), caught) == (6, [])


def test_an_older_equal_request_is_announced_when_a_batch_of_equal_rows_goes_on(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    address = [["https://example.com/1.jpg"]]
    anb.submit_many(frame(1, key=["before"], image_urls=address), sandbox.client(), log=log)
    equal = frame(6, image_urls=address * 6)
    sandbox.fail("401", ROUTE, after=2)
    with pytest.warns(UserWarning, match="6 of these requests were sent before"):
        stopped = anb.submit_many(equal, sandbox.client(), log=log, max_workers=1)
    left = sum(stopped["state"] != "done")
    assert 0 < left < 6
    with pytest.warns(UserWarning, match=f"{left} of these requests were sent before"):
        anb.submit_many(equal, sandbox.client(), log=log)


def test_runs_on_one_tune_are_not_taken_for_each_other(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    client, tune_id = sandbox.client(), int(anb.submit_many(frame(1), sandbox.client(), log=log)["id"][0])
    runs = pd.DataFrame({"pack": 797, "tune_ids": [[tune_id]] * 4, "brief": [*"abcd"]})
    sandbox.fail("504", ROUTE, commit="no", after=1)
    sandbox.fail("slow", ROUTE, count=None, seconds=0.05)
    rows = anb.submit_many(runs, client, log=log, settle=0)
    assert rows["state"].tolist() == ["done", "needs_review", "done", "done"]
    made = [number for numbers in rows["prompt_ids"].dropna() for number in numbers]
    assert len(made) == len(set(made)) == 3 * 8
    again = anb.submit_many(
        runs, client, log=log, settle=0
    )  # its prompts are looked for among those of others
    assert again["state"].tolist() == rows["state"].tolist()
    log.resolve(again[again["state"] == "needs_review"])
    complete = anb.submit_many(runs, client, log=log)
    assert set(complete["state"]) == {"done"}
    log.tag(complete.drop(columns="submission").iloc[[1]], "good")
    tagged = log.frame().set_index("submission")["tags"][complete["submission"][1]]
    assert list(tagged) == ["good"]


def test_prompts_that_may_be_of_either_of_two_runs_count_for_both(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, create = sandbox.client(), anb.Client.create_tune
    tune_id = int(anb.submit_many(frame(1), client, log=log)["id"][0])
    before = [prompt["id"] for prompt in client.prompts(tune_id)]
    run = anb.Tune(pack=797, tune_ids=[tune_id], title="of another kernel")
    request = Request.from_tune(run, client.service, "json", pack=797, account=client.account)
    other = log.plan(request, max(before), sending=True)

    def lose(*arguments: Any) -> Any:  # while the other one takes its prompts for its own
        create(*arguments)
        numbers = [prompt["id"] for prompt in client.prompts(tune_id) if prompt["id"] not in before]
        log.change(other, "done", reply={**other.own_fields, "prompt_ids": numbers})
        raise OutcomeUnknownError(Problem("title", "is lost", "look for it"))

    monkeypatch.setattr(anb.Client, "create_tune", lose)
    rows = anb.submit_many([{"pack": 797, "tune_ids": tune_id, "brief": "b"}], client, log=log, settle=0)
    assert (rows["state"][0], len(rows["prompt_ids"][0])) == ("adopted", 8)


def _states_where_files_are_few(url: str, folder: Path) -> set[str]:
    """Send more photos at once than this process may have files open, and return the states of the rows."""
    import resource

    photos = [folder / f"{number}.png" for number in range(10)]
    for number, photo in enumerate(photos):
        Image.new("RGB", (64, 64 + number)).save(photo)
    rows = frame(10).drop(columns="image_urls").assign(images=[[*map(str, photos)]] * 10)
    allowed = len(os.listdir("/dev/fd")) + 70  # noqa: PTH208
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with (
        closing(anb.ExperimentLog(folder / "log.sqlite")) as log,
        closing(anb.Client("sd_tests", base_url=url)) as client,
    ):
        return {*anb.submit_many(rows, client, log=log, say=lambda *_: None)["state"]}


@pytest.mark.skipif(os.name == "nt", reason="Windows allows thousands of open files")
def test_a_batch_keeps_no_more_files_open_than_it_may(tmp_path: Path) -> None:
    with serving("service.py", 0.1) as url:
        assert elsewhere(_states_where_files_are_few, url, tmp_path) == {"done"}


def test_threads_of_the_caller_are_an_executor(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    with ThreadPoolExecutor(3) as threads:
        rows = anb.submit_many(frame(9), sandbox.client(), log=log, executor=threads)
    assert (set(rows["state"]), posts(sandbox)) == ({"done"}, 9)


def test_an_executor_that_is_shut_down_sends_nothing_and_loses_nothing(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    threads = ThreadPoolExecutor(3)
    threads.shutdown()
    rows = anb.submit_many(frame(5), sandbox.client(), log=log, executor=threads)
    assert (set(rows["state"]), posts(sandbox)) == ({"not_sent"}, 0)
    assert rows["error"].notna().all()


def test_two_batches_of_the_same_rows_at_once_pay_once(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = list(
            pool.map(lambda _: anb.submit_many(frame(25), sandbox.client(), log=log, settle=0.5), "ab")
        )
    assert posts(sandbox) == 25
    complete = anb.submit_many(frame(25), sandbox.client(), log=log)
    assert complete["id"].nunique() == 25
    for rows in both:
        known = rows["id"].notna()
        assert list(rows.loc[known, "id"]) == list(complete.loc[known, "id"])


def test_an_empty_frame_gives_an_empty_frame(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    rows = anb.submit_many(frame(0), sandbox.client(), log=log)
    assert len(rows) == 0
    assert {"id", "state", "error", "submission"} <= {*rows.columns}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_workers": 0}, "max_workers: 0 is not a number of workers; give a number from 1 to 256"),
        ({"on_error": "ignore"}, "on_error: 'ignore' is not known; choose 'collect' or 'raise'"),
        ({"rate": -1}, "rate"),
        ({"ignore": 5}, "ignore: 5 is not a list of columns; give the names of your own columns in a list"),
        ({"executor": 7}, "executor"),
    ],
)
def test_arguments_are_checked_before_anything_is_read(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(AstriaError, match=message):
        anb.submit_many(frame(2), sandbox.client(), log=log, **arguments)
    assert posts(sandbox) == 0


def test_progress_is_told_with_price_and_counts(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    texts = list[str]()
    anb.submit_many(frame(6), sandbox.client(), log=log, say=lambda _, text: texts.append(text))
    assert any(text.startswith("6 tunes · about $") for text in texts)
    assert texts[-1].startswith("6 of 6 done · $")


def test_a_connection_that_fails_for_a_moment_costs_no_row(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, failures = anb.Client.create_tune, iter(range(5))

    def fail_first(*arguments: Any) -> Any:
        if next(failures, None) is not None:
            raise NotSentError(Problem("base_url", "cannot be reached", "try again"))
        return create(*arguments)

    monkeypatch.setattr(anb.Client, "create_tune", fail_first)
    rows = anb.submit_many(frame(12), sandbox.client(), log=log)
    assert (set(rows["state"]), posts(sandbox)) == ({"done"}, 12)


def test_an_outage_ends_the_batch_and_the_same_call_goes_on(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise NotSentError(Problem("base_url", "cannot be reached", "try again"))

    with monkeypatch.context() as patch:
        patch.setattr(anb.Client, "create_tune", fail)
        patch.setattr(_patience, "_OUTAGE_SECONDS", 0.5)
        rows = anb.submit_many(frame(40), sandbox.client(), log=log, max_workers=2)
    assert (set(rows["state"]), posts(sandbox)) == ({"not_sent"}, 0)
    assert rows["error"].str.contains("cannot be reached").all()
    rows = anb.submit_many(frame(40), sandbox.client(), log=log)
    assert (set(rows["state"]), posts(sandbox)) == ({"done"}, 40)


def test_a_key_that_is_refused_is_not_tried_for_each_row(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    sandbox.fail("401", ROUTE, count=None)
    rows = anb.submit_many(frame(60), sandbox.client(), log=log, max_workers=2)
    assert posts(sandbox) <= 8
    assert set(rows["state"]) <= {"rejected", "not_sent"}
    assert rows["error"].iloc[-1].startswith("tune: was not sent: it would fail like another row (")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_row_that_another_process_is_sending_is_not_called_unsent(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, tmp_path: Path
) -> None:
    started, may_end = tmp_path / "started", tmp_path / "may end"
    if (child := os.fork()) == 0:
        anb.Client.create_tune = lambda *_: started.touch() or until(may_end.exists)  # type: ignore[method-assign]
        with suppress(BaseException):
            anb.submit_many(frame(1), sandbox.client(), log=log)
        os._exit(0)
    until(started.exists)
    rows = anb.submit_many(frame(2), sandbox.client(), log=log, settle=0.2)
    may_end.touch()
    os.waitpid(child, 0)
    assert list(rows["state"]) == ["sending", "done"]
    assert "is being submitted by another" in rows["error"][0]
    assert posts(sandbox) == 1


def test_once_looks_for_an_earlier_request_whose_answer_was_lost(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    sandbox.fail("504", ROUTE, commit="yes")
    first = anb.submit_many(frame(1), sandbox.client(), log=log, settle=0)
    sandbox.fail("504", ROUTE, commit="no")
    second = anb.submit_many(frame(2).tail(1), sandbox.client(), log=log, settle=0)
    assert [*first["state"], *second["state"]] == ["adopted", "needs_review"]
    renamed = frame(2, key=["other 0", "other 1"])
    rows = anb.submit_many(renamed, sandbox.client(), log=log, settle=0, once=True)
    assert list(rows["state"]) == ["adopted", "needs_review"]
    assert rows["id"][0] == first["id"][0]
    assert posts(sandbox) == 2
