"""Sealed rows: the frame is the same as without segments."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from astria_nb.log import Log
from astria_nb.log._segments import _put, read
from helpers.clock import Clock
from helpers.soak import sizes
from helpers.submissions import REPLY, SERVICE, a_request, everything_on_disk

Step = tuple[str, int, Any]
LATER = "2026-01-03T00:00:00.000Z"
# Fields of a later API version: their type is that of the values so far.
NEWS = st.sampled_from(
    [
        *({"sparkle": value} for value in (1, 2**53 + 1, 2**70, 0.5, 2.0, "x", True, None, [1])),
        *({"shined_at": value} for value in ("2026-01-01T12:00:00Z", "2026-01-01", "soon", None)),
    ]
)
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.tuples(
        st.sampled_from(["done", "adopted", "rejected", "needs_review", "poll", "frame", "prune"]),
        st.integers(0, 5),
        NEWS,
    ),
    max_size=16,
)


def sealed(*values: Any) -> list[Step]:
    """Return the steps after which tunes with these values are in a segment, if they are alike."""
    return [*(("done", number, {"sparkle": value}) for number, value in enumerate(values)), ("frame", 0, {})]


@pytest.fixture
def sealing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Set how many rows make a segment."""

    def every(rows: int) -> None:
        monkeypatch.setattr("astria_nb.log._segments.ROWS", rows)

    every(2)
    return every


def trained(log: Log, number: int, **reply: Any) -> None:
    submission = log.change(log.plan(a_request(f"t{number}")), "sending")
    log.change(submission, "done", reply={**REPLY, "id": number, "title": f"t{number}", **reply})


def segments(log: Log) -> int:
    with log._database.store.reading() as connection:
        return len(connection.execute("SELECT id FROM segment").fetchall())


def test_what_is_sealed_is_shown_as_it_was(tmp_path: Path, sealing: Callable[[int], None]) -> None:
    log = Log(tmp_path / "log.sqlite")
    for number in range(1, 8):
        trained(log, number)
    assert segments(log) >= 2
    assert log.frame()["id"].tolist() == [1, 2, 3, 4, 5, 6, 7]


def test_segments_of_an_earlier_version_are_built_again(
    tmp_path: Path, sealing: Callable[[int], None]
) -> None:
    log = Log(tmp_path / "log.sqlite")
    for number in range(1, 6):
        submission = log.change(log.plan(a_request(f"t{number}", account="7")), "sending")
        log.change(submission, "done", reply={**REPLY, "id": number, "title": f"t{number}"})
    frame = log.frame()
    with log._database.store.writing() as connection:
        for number, table in read(connection).items():
            connection.execute("DELETE FROM segment WHERE id = ?", (number,))
            _put(connection, number, table.drop_columns("account"))
    log.close()
    later = Log(log.path).frame()
    pd.testing.assert_frame_equal(later, frame)
    assert later["account"].tolist() == ["7"] * 5


def test_a_sealed_row_that_changes_is_shown_as_it_is(tmp_path: Path, sealing: Callable[[int], None]) -> None:
    log = Log(tmp_path / "log.sqlite")
    for number in range(1, 5):
        trained(log, number)
    assert segments(log)
    for at in ("2026-01-02T00:00:00.000Z", "2026-01-03T00:00:00.000Z"):
        log.record_event(
            "poll", service=SERVICE, tune_id=1, reply={"id": 1, "trained_at": at, "updated_at": at}
        )
        frame = log.frame()
        assert frame["id"].tolist() == [1, 2, 3, 4]
        assert frame["trained_at"].tolist()[0] == pd.Timestamp(at)
        assert frame["status"].tolist() == ["trained", "queued", "queued", "queued"]


def test_a_sealed_tune_expires_when_its_time_comes(
    tmp_path: Path, sealing: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    clock.install(monkeypatch)
    log, soon = Log(tmp_path / "log.sqlite"), clock.wall() + timedelta(seconds=1)
    for number in (1, 2):
        times = dict.fromkeys(("created_at", "trained_at", "expires_at"), soon.isoformat())
        trained(log, number, **times)
    assert log.frame()["status"].tolist() == ["trained", "trained"]
    assert segments(log)
    clock.now += 2
    assert log.frame()["status"].tolist() == ["expired", "expired"]


def test_what_is_pruned_is_in_no_segment_either(tmp_path: Path, sealing: Callable[[int], None]) -> None:
    sealing(3)
    log = Log(tmp_path / "log.sqlite")
    for number in range(1, 4):
        trained(log, number, name=f"canary {number}")
    log.frame()
    assert segments(log) == 1
    assert log.prune(datetime.now(UTC)) == 3
    assert segments(log) == 0
    trained(log, 4)
    assert log.frame()["id"].tolist() == [4]


def test_a_field_that_only_pruned_tunes_had_is_no_column(
    tmp_path: Path, sealing: Callable[[int], None]
) -> None:
    sealing(3)
    log = Log(tmp_path / "log.sqlite")
    trained(log, 1, project="secret")
    moment = datetime.now(UTC)
    for number in (2, 3, 4):
        trained(log, number)
    assert "project" in log.frame()
    log.prune(moment)
    assert "project" not in log.frame()
    with log._database.store.reading() as connection:
        (kept,) = read(connection).values()
    assert "project" not in kept.column_names
    copy = Log(tmp_path / "copy.sqlite")
    log.copy_to(copy)
    pd.testing.assert_frame_equal(copy.frame(), log.frame())
    copy.close()


def test_a_few_rows_have_the_types_of_all_after_a_sealed_one_has_changed(
    tmp_path: Path, sealing: Callable[[int], None]
) -> None:
    log = Log(tmp_path / "log.sqlite")
    trained(log, 1, sparkle="x")
    trained(log, 2)
    trained(log, 3, sparkle=7)
    log.tag([1, 3], "liked")
    for _ in range(2):
        log.frame()
    assert log.frame(tag="liked", columns=["sparkle"])["sparkle"].tolist() == ["x", "7"]
    later = {"id": 1, "updated_at": "2099-01-02T12:00:00.000Z", "sparkle": 5}
    log.record_event("poll", service=SERVICE, tune_id=1, reply=later)
    assert log.frame(tag="liked", columns=["sparkle"])["sparkle"].tolist() == [5, 7]
    log.frame()
    trained(log, 4, sparkle=0.5)
    assert log.frame(tag="liked", columns=["sparkle"])["sparkle"].tolist() == [5.0, 7.0]
    pd.testing.assert_frame_equal(log.frame(tag="liked"), log.frame().iloc[[0, 2]].reset_index(drop=True))


def test_segments_do_not_grow_with_every_look(tmp_path: Path, sealing: Callable[[int], None]) -> None:
    log = Log(tmp_path / "log.sqlite")
    trained(log, 1)
    trained(log, 2)
    for hour in range(20):
        at = f"2026-01-02T{hour:02}:00:00.000Z"
        for number in (1, 2):
            log.record_event("poll", service=SERVICE, tune_id=number, reply={"id": number, "updated_at": at})
        assert log.frame()["updated_at"].tolist() == [pd.Timestamp(at)] * 2
    assert segments(log) <= 2


def test_a_log_that_cannot_be_written_is_read_all_the_same(
    tmp_path: Path, sealing: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    sealing(100)
    log = Log(tmp_path / "log.sqlite")
    for number in range(1, 5):
        trained(log, number)
    sealing(2)
    monkeypatch.setattr(log._database.store, "_may_write", False)
    assert log.frame()["id"].tolist() == [1, 2, 3, 4]
    assert segments(log) == 0


def test_an_older_file_is_sealed_too(tmp_path: Path, sealing: Callable[[int], None]) -> None:
    import sqlite3

    sealing(100)
    log = Log(tmp_path / "log.sqlite")
    for number in range(1, 5):
        trained(log, number)
    log.close()
    with closing(sqlite3.connect(log.path)) as file, file:
        for statement in (
            "DROP INDEX submission_not_sealed", "DROP INDEX submission_in_segment",
            "ALTER TABLE submission DROP COLUMN sealed",
            "DROP TABLE segment", "PRAGMA user_version = 1",
        ):  # fmt: skip
            file.execute(statement)
    file.close()
    sealing(2)
    assert log.frame()["id"].tolist() == [1, 2, 3, 4]
    assert segments(log) == 2
    assert b"submission_not_sealed" in everything_on_disk(log.path)


@pytest.mark.slow
@sizes(4, 200)
def test_no_frame_tells_what_is_sealed(tmp_path_factory: pytest.TempPathFactory, size: int) -> None:
    @settings(max_examples=size, deadline=None)
    @given(steps=STEPS)
    @example([("done", number, {"sparkle": value}) for number, value in enumerate((1, "x", 0.5, 1))])
    @example([*sealed(1, "x"), ("poll", 1, {"sparkle": 2})])
    @example([*sealed(1, 0.5), ("poll", 1, {"sparkle": 2})])
    @example(sealed(2**70, 1, "x"))
    @example([("done", number, {"sparkle": value}) for number, value in enumerate((2**53 + 1, 2**70, 0.5))])
    @example(
        [
            ("done", 0, {"\ud800": "x"}),
            ("done", 1, {"?": 1}),
            ("frame", 0, {}),
            ("poll", 0, {"\ud800": None}),
        ]
    )
    @example([*sealed(2**53 + 1, 1), *sealed(0.5, 0.25), ("done", 4, {"sparkle": 3})])
    @example([*sealed(1 - 2**53, 1), ("poll", 1, {"sparkle": 0.5})])
    @example(
        [("done", 0, {}), ("done", 1, {"sparkle": 1}), ("frame", 0, {}), ("poll", 0, {"shined_at": "soon"})]
    )
    def check(steps: list[Step]) -> None:
        folder = tmp_path_factory.mktemp("logs")
        first, *frames = (
            _frame_of(steps, folder, rows, dense) for rows, dense in ((2, 1), (2, 3), (10**6, 3))
        )
        for frame in frames:
            pd.testing.assert_frame_equal(first, frame)

    check()


def _frame_of(steps: list[Step], folder: Path, rows: int, dense: int) -> pd.DataFrame:
    """Return the frame of a log with segments of some size, without the times at which it was written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("astria_nb.log._segments.ROWS", rows)
        patch.setattr("astria_nb.log._frame_contents._DENSE", dense)
        log = Log(folder / f"{rows} {dense}.sqlite")
        _play(log, steps)
        frame = log.frame()
        _check_parts(log, frame)
        log.close()
    return frame.drop(columns="planned_at")


def _check_parts(log: Log, frame: pd.DataFrame) -> None:
    """Check that some rows and columns are as they are in the whole frame, and again when less is read."""
    columns = [name for name in reversed(frame.columns) if name != "status"]  # it needs the clock of all rows
    for position in (0, len(frame) // 2):
        if frame.empty:
            return
        since = frame["planned_at"].iloc[position].to_pydatetime()
        expected = frame[frame["planned_at"] >= since].reset_index(drop=True)
        for names in (None, columns, ["title", "id"]):
            part = log.frame(since=since, columns=names)
            pd.testing.assert_frame_equal(part, expected if names is None else expected[names])
    pd.testing.assert_frame_equal(log.frame(columns=["status"]), frame[["status"]])


def test_a_few_rows_of_a_long_log_are_read_without_the_others(
    tmp_path: Path, sealing: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("astria_nb.log._frame_contents._DENSE", 1)
    sealing(4)
    log = Log(tmp_path / "log.sqlite")
    for number in range(1, 18):
        trained(log, number)
    log.frame()  # seals
    frame = log.frame()
    log.tag(8, "liked")
    with log._database.store.writing() as connection:
        # What is read of these would be dropped, and built again.
        connection.execute("UPDATE segment SET arrow = zeroblob(length(arrow)) WHERE id NOT IN (2, 4)")
    recent = log.frame(columns=["id", "tags"], since=frame["planned_at"].iloc[14].to_pydatetime())
    assert recent["id"].tolist() == [15, 16, 17]
    tagged = log.frame(columns=["id", "tags"], tag="liked")
    assert [*map(list, tagged["tags"])] == [["liked"]]
    assert tagged["id"].tolist() == [8]
    trained(log, 18)
    log.record_event("poll", service=SERVICE, tune_id=8, reply={"id": 8, "updated_at": LATER, "name": "tom"})
    assert log.frame(columns=["name"], tag="liked")["name"].tolist() == ["tom"]
    with log._database.store.reading() as connection:
        assert len(read(connection)) == 2
    assert log.frame()["id"].tolist() == [*range(1, 19)]


def _play(log: Log, steps: list[Step]) -> None:
    for number, (what, about, news) in enumerate(steps):
        at = f"2026-01-02T00:00:{number:02}.000Z"
        if what == "poll":
            reply = {"id": about, "trained_at": at, "updated_at": at, **news}
            log.record_event("poll", service=SERVICE, tune_id=about, reply=reply)
        elif what == "prune":
            log.prune(datetime.now(UTC))
        elif what == "frame":
            log.frame()
        elif log.find(SERVICE, f"t{about}") is None:
            sent = log.change(log.plan(a_request(f"t{about}")), "sending")
            reply = (
                {**REPLY, "id": about, "title": f"t{about}", **news} if what in ("done", "adopted") else None
            )
            log.change(sent, what, reply=reply)
