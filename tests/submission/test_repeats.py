"""The same photos, pack and class under another title: announced, or with once=True not paid again."""

import re
import shutil
import threading
import warnings
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import astria_nb as anb
from astria_nb.errors import AstriaError, OutcomeUnknownError, TuneError
from astria_nb.images import SentImage
from astria_nb.log import Log

ROUTE = "POST /p/*/tunes"
URLS = ["https://example.com/1.jpg", "https://example.com/2.jpg"]
AGAIN = r"the same request was sent \d+ s ago as tune \d+, about \$1\.98; sending it again"


@pytest.fixture
def log(tmp_path: Path) -> anb.ExperimentLog:
    return anb.ExperimentLog(tmp_path / "log.sqlite")


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox() as running:
        yield running


def tune(title: str, photos: list[Path] | None = None, **fields: Any) -> anb.Tune:
    source = {"images": photos} if photos else {"image_urls": URLS}
    return anb.Tune(**{"pack": 797, "title": title, "name": "cat", **source, **fields})


def posts(sandbox: anb.Sandbox) -> int:
    return sum(request.method == "POST" for request in sandbox.ledger)


def announced(tune: anb.Tune, sandbox: anb.Sandbox, log: anb.ExperimentLog, **options: Any) -> list[str]:
    """Submit a tune and return the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        anb.submit(tune, sandbox.client(), log=log, **options)
    assert all(warning.filename == __file__ for warning in caught)
    return [str(warning.message) for warning in caught]


def test_a_repeat_is_announced_and_sent(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, photos: list[Path]
) -> None:
    assert announced(tune("a", photos), sandbox, log) == []
    for title in ("b", "c"):
        (text,) = announced(tune(title, photos), sandbox, log)
        assert re.match(AGAIN, text)
        assert text.endswith("as a new one. To get the row of the earlier one, pass once=True")
    assert posts(sandbox) == 3


def test_once_returns_the_row_of_the_latest(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, photos: list[Path], tmp_path: Path
) -> None:
    first = anb.submit(tune("a", photos), sandbox.client(), log=log)
    for number, photo in enumerate(photos):  # names, order and encoding do not matter
        shutil.copy(photo, tmp_path / f"copy-{number}.jpg")
    copies = sorted(tmp_path.glob("copy-*.jpg"), reverse=True)
    hook = "https://example.com/hook?id=1"
    row = anb.submit(tune("b", copies, callback=hook), sandbox.client(), log=log, once=True)
    assert row.loc[0, ["id", "title"]].tolist() == first.loc[0, ["id", "title"]].tolist()
    assert posts(sandbox) == 1
    assert log.frame()["title"].tolist() == ["a"]


def test_the_photos_of_an_older_request_are_recognised_behind_those_of_a_later_one(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, photos: list[Path]
) -> None:
    anb.submit(tune("a", photos), sandbox.client(), log=log)
    data = photos[0].read_bytes()
    photos[0].write_bytes(data[:-3] + bytes([data[-3] ^ 1]) + data[-2:])  # of the same size
    anb.submit(tune("b", photos), sandbox.client(), log=log)
    photos[0].write_bytes(data)
    row = anb.submit(tune("c", photos), sandbox.client(), log=log, once=True)
    assert row["title"].tolist() == ["a"]
    assert posts(sandbox) == 2


@pytest.mark.parametrize("loss", ["deleted", "failed"])
def test_a_tune_that_was_lost_is_named_so_and_a_whole_one_comes_first(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, loss: str
) -> None:
    client = sandbox.client()
    if loss == "failed":
        sandbox.fail("training")
    lost = anb.submit(tune("a"), client, log=log)
    if loss == "deleted":
        client.delete_tune(lost.loc[0, "id"], log=log)
    else:
        anb.wait(lost, client, poll=0.01, log=log)
    name = f"tune {lost.loc[0, 'id']}, {'which is deleted' if loss == 'deleted' else 'whose training failed'}"
    for title, options, hint in (
        ("a", {}, "Give another title to train again"),
        ("b", {"once": True}, "Without once=True, it is sent again"),
    ):
        (text,) = announced(tune(title), sandbox, log, **options)
        assert text == f"nothing was sent: this is the row of {name}. {hint}"
    (text,) = announced(tune("b"), sandbox, log)
    assert name in text
    client.delete_tune(anb.submit(tune("c"), client, log=log).loc[0, "id"], log=log)
    assert announced(tune("d"), sandbox, log, once=True) == []
    assert anb.submit(tune("d"), client, log=log, once=True).loc[0, "title"] == "b"


@pytest.mark.parametrize("encoding", ["form", "json"])
def test_addresses_are_compared_in_any_encoding_and_order(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, encoding: Any
) -> None:
    anb.submit(tune("a"), sandbox.client(), log=log, encoding="multipart")
    again = tune("b", image_urls=URLS[::-1])
    row = anb.submit(again, sandbox.client(), log=log, encoding=encoding, once=True)
    assert row["title"].tolist() == ["a"]
    assert posts(sandbox) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "dog"}, {"pack": 43}, {"image_urls": URLS[:1]}, {"brief": "at sea"},
        {"characteristics": {"title": "king"}}, {"prompt_ids": [797001]},
    ],
)  # fmt: skip
def test_another_request_is_no_repeat(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, changed: dict[str, Any]
) -> None:
    anb.submit(tune("a"), sandbox.client(), log=log)
    assert announced(tune("b", **changed), sandbox, log, once=True) == []
    assert posts(sandbox) == 2


def test_photos_of_equal_name_and_size_but_other_content_are_no_repeat(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, photos: list[Path]
) -> None:
    anb.submit(tune("a", photos), sandbox.client(), log=log)
    data = photos[3].read_bytes()
    photos[3].write_bytes(data[:-3] + bytes([data[-3] ^ 1]) + data[-2:])
    assert announced(tune("b", photos), sandbox, log, once=True) == []
    assert posts(sandbox) == 2
    first, second = log.frame()["image_sha256"]
    assert list(first)[:3] == list(second)[:3]
    assert list(first)[3] != list(second)[3]


def test_files_are_hashed_before_sending_only_for_a_candidate(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    sha256 = SentImage.sha256

    def counted(image: SentImage) -> str | None:
        if not posts(sandbox):
            read.append(image.filename)
        return sha256(image)

    monkeypatch.setattr(SentImage, "sha256", counted)
    anb.submit(tune("a", photos), sandbox.client(), log=log)
    assert read == []


def test_a_service_of_its_own_has_no_repeats(log: anb.ExperimentLog, photos: list[Path]) -> None:
    for _ in range(2):
        with anb.Sandbox() as service:
            assert announced(tune("a", photos), service, log, once=True) == []


def test_what_was_refused_is_no_repeat(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    sandbox.fail("422", ROUTE)
    with pytest.raises(AstriaError):
        anb.submit(tune("a"), sandbox.client(), log=log)
    assert announced(tune("b"), sandbox, log) == []


@pytest.mark.parametrize("is_killed", [False, True])
def test_once_looks_for_a_lost_one_first(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, photos: list[Path], is_killed: bool
) -> None:
    client = sandbox.client()
    sandbox.fail("504", ROUTE, commit="yes")
    with pytest.raises(OutcomeUnknownError):
        anb.submit(tune("a", photos), client, log=log, settle=60, timeout=50)
    if is_killed:  # a process that was killed has recorded no hashes
        _forget_hashes(log)
    row = anb.submit(tune("b", photos), client, log=log, once=True, settle=0)
    assert row["title"].tolist() == ["a"]
    assert posts(sandbox) == 1


def test_a_lost_one_is_announced_as_unknown_and_once_keeps_it_unpaid(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    sandbox.fail("504", ROUTE)
    with pytest.raises(OutcomeUnknownError):
        anb.submit(tune("a"), sandbox.client(), log=log, settle=0)
    with pytest.raises(OutcomeUnknownError, match=r"Log\(.*\)\.resolve\(1\)"):
        anb.submit(tune("b"), sandbox.client(), log=log, settle=0, once=True)
    (text,) = announced(tune("b"), sandbox, log)
    assert "s ago, its outcome is not known yet, about $1.98; sending it again" in text
    assert posts(sandbox) == 2


def test_a_run_without_a_title_is_announced_or_returned(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    client = sandbox.client()
    (tune_id,) = anb.submit(tune("a"), client, log=log)["id"]
    run = anb.Tune(pack=797, tune_ids=[tune_id], prompt_ids=[797001])
    first = anb.submit(run, client, log=log)
    again = anb.submit(run, client, log=log, once=True)
    assert list(again.loc[0, "prompt_ids"]) == list(first.loc[0, "prompt_ids"])
    assert posts(sandbox) == 2
    (text,) = announced(run, sandbox, log)
    assert "s ago and made 1 prompt, at most $1.98; sending it again" in text
    assert posts(sandbox) == 3


def test_a_replay_is_no_repeat(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    anb.submit(tune("a"), sandbox.client(), log=log)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        log.replay(1, sandbox.client())
    assert caught == []
    assert posts(sandbox) == 2


def test_a_replay_remarks_once_on_an_address(sandbox: anb.Sandbox, log: anb.ExperimentLog) -> None:
    page = "https://drive.google.com/file/d/abc123/view"
    with pytest.warns(UserWarning, match="is a page of Google Drive"):
        anb.submit(anb.Tune(pack=43, title="t", name="cat", image_urls=[page]), sandbox.client(), log=log)
    with pytest.warns(UserWarning, match="is a page of Google Drive") as remarks:
        log.replay(1, sandbox.client())
    assert len(remarks) == 1


@pytest.mark.parametrize("is_found_meanwhile", [False, True])
def test_a_replay_whose_answer_was_lost_is_looked_for_by_the_next(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, is_found_meanwhile: bool
) -> None:
    client = sandbox.client()
    anb.submit(tune("a"), client, log=log)
    sandbox.fail("504", ROUTE, commit="yes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("astria_nb.submission._settle_time.SETTLE_SECONDS", 4000.0)  # more than the timeout
        with pytest.raises(OutcomeUnknownError):
            log.replay(1, client)
    if is_found_meanwhile:
        assert len(announced(tune("b"), sandbox, log)) == 1
        assert log.frame()["state"].tolist() == ["done", "adopted", "done"]
    found = r"about \$1\.98, and its answer was lost\. Nothing was sent; this is its row"
    with pytest.warns(UserWarning, match=found):
        row = log.replay(1, client)
    assert posts(sandbox) == 2 + is_found_meanwhile
    assert row["title"].tolist() == log.frame()["title"].tolist()[1:2]
    log.replay(1, client)  # on purpose: it was seen
    assert posts(sandbox) == 3 + is_found_meanwhile


def test_a_replay_that_is_nowhere_to_be_found_is_not_sent_again_until_its_owner_says_so(
    sandbox: anb.Sandbox, log: anb.ExperimentLog
) -> None:
    client = sandbox.client()
    anb.submit(tune("a"), client, log=log)
    sandbox.fail("504", ROUTE)
    for _ in range(2):
        with pytest.raises(OutcomeUnknownError, match=r"Log\(.*\)\.resolve\(2\)"):
            log.replay(1, client)
    log.resolve(2)
    log.replay(1, client)
    assert posts(sandbox) == 3


@pytest.mark.parametrize("is_run", [False, True])
def test_of_two_threads_with_once_one_pays(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, monkeypatch: pytest.MonkeyPatch, is_run: bool
) -> None:
    client = sandbox.client()
    (tune_id,) = anb.submit(tune("base", image_urls=URLS[:1]), client, log=log)["id"]
    both = threading.Barrier(2)
    planned = Log.plan

    def together(self: Log, *args: Any, **options: Any) -> Any:
        both.wait(timeout=20)  # both have compared before one of them records its intent
        return planned(self, *args, **options)

    monkeypatch.setattr(Log, "plan", together)
    outcomes: list[str] = []

    def submit(title: str) -> None:
        mine = anb.Tune(pack=797, tune_ids=[tune_id], prompt_ids=[797001]) if is_run else tune(title)
        try:
            anb.submit(mine, client, log=log, once=True)
        except TuneError as error:
            outcomes.append(str(error))
        else:
            outcomes.append("a row")

    threads = [threading.Thread(target=submit, args=[title]) for title in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert posts(sandbox) == 2
    assert "a row" in outcomes
    assert all(outcome == "a row" or "is being submitted by another" in outcome for outcome in outcomes)


def test_where_warnings_are_errors_it_is_shown_and_goes_on(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, caplog: pytest.LogCaptureFixture
) -> None:
    anb.submit(tune("a"), sandbox.client(), log=log)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        anb.submit(tune("b"), sandbox.client(), log=log)
    assert "the same request was sent" in caplog.text
    assert posts(sandbox) == 2


def test_the_clock_may_have_been_set_back(
    sandbox: anb.Sandbox, log: anb.ExperimentLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Earlier(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime(2020, 1, 1, tzinfo=UTC)

    anb.submit(tune("a"), sandbox.client(), log=log)
    monkeypatch.setattr("astria_nb.submission._repeats.datetime", Earlier)
    assert "was sent 0 s ago" in announced(tune("b"), sandbox, log)[0]


def test_once_is_a_switch(sandbox: anb.Sandbox) -> None:
    with pytest.raises(AstriaError, match="once: 'yes' is not a truth value"):
        anb.submit(tune("a"), sandbox.client(), once="yes")  # type: ignore[arg-type]


def _forget_hashes(log: anb.ExperimentLog) -> None:
    import sqlite3

    with closing(sqlite3.connect(log.path)) as connection, connection:
        connection.execute("UPDATE submission SET image_sha256 = NULL, checksum = NULL")
    connection.close()
