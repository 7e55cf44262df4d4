"""The log's file is deleted, moved, replaced or copied while it is open: no record is lost."""

import os
import shutil
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

import astria_nb as anb
from astria_nb.errors import LogError
from astria_nb.log import Log
from helpers.forked_kernels import python
from helpers.processes import elsewhere
from helpers.submissions import REPLY, SERVICE, a_request, frame_titles
from helpers.waiting import until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows does not let go of files that are open")
FIELDS = {"pack": 43, "name": "cat", "image_urls": ["https://example.com/1.jpg"]}


@pytest.fixture(params=["local disk", "network disk"])
def path(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if request.param == "network disk":
        monkeypatch.setattr("astria_nb.log._connections.on_network", lambda _: True)
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder / "log.sqlite"


@pytest.fixture
def log(path: Path) -> Iterator[Log]:
    """A log with one tune that is paid for and one that is being sent."""
    log = Log(path)
    paid = log.plan(a_request("paid"), sending=True)
    log.change(paid, "done", reply={**REPLY, "id": 7, "title": "paid"})
    log.plan(a_request("sending"), sending=True)
    yield log
    log.close()


def companions(path: Path) -> list[Path]:
    return [file for file in path.parent.iterdir() if file.name.startswith(f"{path.name}-")]


def delete_all(path: Path) -> None:
    for file in [path, *companions(path)]:
        file.unlink()


def move(path: Path) -> None:
    path.rename(path.with_name("moved.sqlite"))


def move_all(path: Path) -> None:
    for file in [path, *companions(path)]:
        file.rename(path.with_name(file.name.replace("log", "moved")))


def move_folder_away_and_make_it_again(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))
    path.parent.mkdir()


GONE = [Path.unlink, delete_all, move, move_all, move_folder_away_and_make_it_again]


def titles(path: Path) -> list[str]:
    """Return what another process finds in the file that has the name."""
    in_file: list[str] = elsewhere(frame_titles, path)
    return in_file


def copied_alone(path: Path) -> list[str]:
    """Return the titles in a copy of the main file without its companions."""
    copy = path.parent.parent / "copy.sqlite"
    shutil.copyfile(path, copy)
    try:
        with closing(sqlite3.connect(f"file:{copy}?immutable=1", uri=True)) as connection:
            rows = connection.execute("SELECT title FROM submission ORDER BY id").fetchall()
    except sqlite3.DatabaseError:  # not even the tables are in it yet, or it was being written
        return []
    finally:
        copy.unlink()
    return [title for (title,) in rows]


def assert_intact(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("lose", GONE)
def test_a_log_that_lost_its_name_gets_it_back_and_nothing_is_planned_before_that_is_told(
    log: Log, path: Path, lose: Callable[[Path], None]
) -> None:
    lose(path)
    with pytest.raises(LogError, match=r"deleted or moved while .* written again .*submit again"):
        log.plan(a_request("next"))
    assert log.find(SERVICE, "next") is None
    log.plan(a_request("next"))
    assert_intact(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert titles(path) == ["paid", "sending", "next"]


@pytest.mark.parametrize("lose", GONE)
def test_what_is_written_after_that_is_in_the_file(
    log: Log, path: Path, lose: Callable[[Path], None]
) -> None:
    sending = log.find(SERVICE, "sending")
    assert sending is not None
    lose(path)
    with pytest.warns(UserWarning, match="was deleted or moved while it was open"):
        log.change(sending, "done", reply={**REPLY, "id": 8, "title": "sending"})
    log.close()
    assert Log(path).frame()["id"].tolist() == [7, 8]


def test_a_frame_says_that_the_file_was_written_again(log: Log, path: Path) -> None:
    delete_all(path)
    with pytest.warns(UserWarning, match="was deleted or moved while it was open"):
        assert log.frame()["title"].tolist() == ["paid", "sending"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        log.frame()
    log.plan(a_request("next"))


def test_a_submission_is_refused_with_nothing_sent(tmp_path: Path) -> None:
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    with anb.Sandbox() as sandbox:
        client = sandbox.client()
        anb.submit(anb.Tune(title="a", **FIELDS), client, log=log)
        delete_all(log.path)
        with pytest.raises(LogError, match="nothing was sent; submit again to continue"):
            anb.submit(anb.Tune(title="b", **FIELDS), client, log=log)
        assert len(list(client.tunes())) == 1
        anb.submit(anb.Tune(title="b", **FIELDS), client, log=log)
        anb.submit(anb.Tune(title="a", **FIELDS), client, log=log)
        assert len(list(client.tunes())) == 2


def test_a_log_without_its_folder_refuses_until_there_is_one_again(log: Log, path: Path) -> None:
    shutil.rmtree(path.parent)
    for use in (lambda: log.plan(a_request("next")), log.frame):
        with pytest.raises(LogError, match=r"cannot be written again .*this kernel still holds all of it"):
            use()
    path.parent.mkdir()
    with pytest.warns(UserWarning, match="was written again"):
        assert log.frame()["title"].tolist() == ["paid", "sending"]


def replace_by_a_log(path: Path) -> None:
    other = Log(path.with_name("other.sqlite"))
    other.plan(a_request("other"))
    other.close()
    other.path.replace(path)


def replace_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_by_text(path: Path) -> None:
    path.unlink()
    path.write_text("id,title\n" * 100)


@pytest.mark.parametrize("replace", [replace_by_a_log, replace_by_a_folder, replace_by_text])
def test_a_log_that_was_replaced_is_kept_beside_the_other_file(
    log: Log, path: Path, replace: Callable[[Path], None]
) -> None:
    replace(path)
    kept = (
        r"saved as 'log\.kept-1\.sqlite' .*call anb\.ExperimentLog\('.*kept-1\.sqlite'\)\.recover\(\) first"
    )
    with pytest.raises(LogError, match=rf"' was replaced by another file .*{kept}"):
        log.plan(a_request("next"))
    assert titles(path.with_name("log.kept-1.sqlite")) == ["paid", "sending"]
    if replace is not replace_by_a_log:
        with pytest.raises(LogError):
            log.plan(a_request("next"))
        return
    log.plan(a_request("next"))
    assert titles(path) == ["other", "next"]


def test_what_was_being_sent_when_the_file_was_replaced_is_kept(
    log: Log, path: Path, request: pytest.FixtureRequest
) -> None:
    sending = log.find(SERVICE, "sending")
    assert sending is not None
    replace_by_a_log(path)
    with pytest.raises(LogError, match="saved as"):
        log.change(sending, "done", reply={**REPLY, "id": 8, "title": "sending"})
    kept = Log(path.with_name("log.kept-1.sqlite")).frame()
    assert kept["title"].tolist() == ["paid", "sending"]
    if "network" not in request.node.name:  # there, SQLite writes to no file that lost its name
        assert kept["id"].tolist() == [7, 8]


def test_a_copy_with_the_same_content_in_its_place_is_used_without_a_word(log: Log, path: Path) -> None:
    copy = path.with_name("copy.sqlite")
    until(lambda: copied_alone(path) == ["paid", "sending"])
    shutil.copyfile(path, copy)
    copy.replace(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        log.plan(a_request("next"))
    log.close()
    assert titles(path) == ["paid", "sending", "next"]


def test_an_older_copy_over_the_file_is_noticed(log: Log, path: Path) -> None:
    older = path.with_name("older.sqlite")
    until(lambda: copied_alone(path) == ["paid", "sending"])
    shutil.copyfile(path, older)
    log.plan(a_request("newer"))
    until(lambda: copied_alone(path) == ["paid", "sending", "newer"])
    log._database.store._idle.stop()  # returns when the checkpoint is done
    shutil.copyfile(older, path)
    with pytest.raises(LogError, match="overwritten with an older state"):
        log.plan(a_request("next"))
    log.plan(a_request("next"))
    assert titles(path) == ["paid", "sending", "next"]


@pytest.mark.parametrize("which", [["-wal"], ["-shm"], ["-wal", "-shm"]])
def test_companion_files_that_were_deleted_cost_nothing(tmp_path: Path, which: list[str]) -> None:
    log, second = Log(tmp_path / "log.sqlite"), Log(tmp_path / "log.sqlite")
    log.plan(a_request("a"))
    second.plan(a_request("b"))
    for name in which:
        Path(f"{log.path}{name}").unlink()
    log.plan(a_request("c"))
    second.plan(a_request("d"))
    assert titles(log.path) == ["a", "b", "c", "d"]
    assert_intact(log.path)


ON_DEMAND = """
import sys
from astria_nb.log import Log
from helpers.submissions import a_request
log = Log(sys.argv[1])
for line in sys.stdin:
    print(log.plan(a_request(line.strip())).title, flush=True)
"""


def test_companion_files_that_were_deleted_under_two_processes_cost_nothing(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.sqlite")
    log.plan(a_request("a"))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [*python(), "-c", ON_DEMAND, log.path],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    ) as other:  # fmt: skip
        assert other.stdin is not None
        assert other.stdout is not None

        def plan_there(title: str) -> str:
            other.stdin.write(f"{title}\n")  # type: ignore[union-attr]
            other.stdin.flush()  # type: ignore[union-attr]
            return other.stdout.readline().strip()  # type: ignore[union-attr]

        assert plan_there("b") == "b"
        for companion in companions(log.path):
            companion.unlink()
        log.plan(a_request("c"))
        assert plan_there("d") == "d"
        log.plan(a_request("e"))
        assert log.frame()["title"].tolist() == ["a", "b", "c", "d", "e"]
    log.close()
    assert titles(log.path) == ["a", "b", "c", "d", "e"]
    assert [file.name for file in tmp_path.iterdir()] == ["log.sqlite"]


def test_a_log_behind_a_link_is_treated_alike(log: Log, path: Path) -> None:
    link = path.with_name("link.sqlite")
    link.symlink_to(path)
    linked = Log(link)
    linked.plan(a_request("linked"))
    linked.plan(a_request("again"))
    assert titles(path) == ["paid", "sending", "linked", "again"]


def test_a_log_that_was_left_without_its_main_file_is_not_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    wal = Path(f"{path}-wal")
    wal.write_bytes(b"\x37\x7f\x06\x82" * 1000)
    with pytest.raises(LogError, match=r"is missing, but 'log.sqlite-wal' is there.*put it back; to start"):
        Log(path).plan(a_request())
    wal.unlink()
    Log(path).plan(a_request())


# Copies of the main file alone


def test_a_copy_of_the_main_file_is_complete_soon_after_the_last_write(log: Log, path: Path) -> None:
    until(lambda: copied_alone(path) == ["paid", "sending"])
    until(lambda: not sum(file.stat().st_size for file in companions(path) if "wal" in file.name))


WRITES_AND_EXITS = """
import multiprocessing, sys, threading, time
from astria_nb.log import Log
from astria_nb.log._connections import Connections
from helpers.submissions import a_request

def write(path):
    global log  # open until the exit
    log = Log(path)
    log.plan(a_request("a"))

def slowly(connections):
    held = connections.held()
    has_begun.set()
    time.sleep(0.3)
    held.execute("SELECT 1")
    print("still open")
    return move(connections)

child = multiprocessing.get_context("fork").Process(target=write, args=[sys.argv[1]])
child.start()
child.join()
has_begun, move, Connections.checkpoint = threading.Event(), Connections.checkpoint, slowly
write(sys.argv[2])
has_begun.wait()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_at_exit_all_of_it_is_in_the_main_file_and_nothing_is_closed_that_is_in_use(tmp_path: Path) -> None:
    paths = [tmp_path / who / "log.sqlite" for who in ("child", "program")]
    for path in paths:
        path.parent.mkdir()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    program = [*python(), "-c", WRITES_AND_EXITS, *paths]
    done = subprocess.run(program, check=True, env=environment, stdout=subprocess.PIPE, text=True)
    assert done.stdout == "still open\n"
    for path in paths:
        assert companions(path) == []
        assert copied_alone(path) == ["a"]


def test_a_checkpoint_that_is_running_at_exit_is_waited_for(tmp_path: Path) -> None:
    """SQLite may crash if its connection is closed meanwhile."""
    path = tmp_path / "runs" / "log.sqlite"
    path.parent.mkdir()
    code = """if True:
        import sys, threading, time
        from astria_nb.log import Log, _connections as connections, _sqlite as store
        from helpers.submissions import a_request
        has_begun, checkpoint = threading.Event(), connections.Connections.checkpoint

        def slowly(ours):
            print("begins", flush=True)
            has_begun.set()
            time.sleep(0.5)
            is_complete = checkpoint(ours)
            print("ends", flush=True)
            return is_complete

        connections.Connections.checkpoint, store._IDLE_SECONDS = slowly, 0.0
        log = Log(sys.argv[1])
        log.plan(a_request("a"))
        has_begun.clear()
        log.plan(a_request("b"))
        has_begun.wait()
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([*python(), "-c", code, path], capture_output=True, text=True, env=environment)
    assert done.stdout.count("begins") == done.stdout.count("ends") > 0
    assert (done.stderr, done.returncode) == ("", 0)
    assert companions(path) == []
    assert copied_alone(path) == ["a", "b"]


def test_another_process_that_reads_keeps_no_copy_from_being_complete(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "log.sqlite"
    path.parent.mkdir()
    log = Log(path)
    log.plan(a_request("a"))
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM submission").fetchall()
    log.plan(a_request("b"))
    reader.execute("COMMIT")
    until(lambda: copied_alone(path) == ["a", "b"])
    reader.close()
