"""Where uploads are stored, and that none outlives the sandbox that received it."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from astria_nb.sandbox.uploads import Spool
from helpers.disks import NO_LOCKS, without_locks

PHOTO = b"\xff\xd8\xffa face"
HOLD_A_PHOTO = f"""
import sys
from astria_nb.sandbox.uploads._spool import Spool
spool = Spool()
print(spool.save("1.jpg", [{PHOTO!r}]).path.parent, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temp directory of this test's own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


Process = subprocess.Popen[str]


@pytest.fixture
def other_process(temp: Path) -> Iterator[Callable[[], tuple[Process, Path]]]:
    """Starts a process that holds a photo, and says in which folder."""
    started: list[Process] = []

    def start() -> tuple[Process, Path]:
        env = {**os.environ, "TMPDIR": str(temp), "TEMP": str(temp), "TMP": str(temp)}
        command = [sys.executable, "-c", HOLD_A_PHOTO]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=env)
        started.append(process)
        assert process.stdout
        return process, Path(process.stdout.readline().strip())

    yield start
    for process in started:
        process.kill()
        process.communicate()


Start = Callable[[], tuple[Process, Path]]


def test_what_a_killed_process_left_is_removed_by_the_next(other_process: Start, temp: Path) -> None:
    process, folder = other_process()
    process.kill()
    process.wait()
    assert (folder / "00000001").read_bytes() == PHOTO
    Spool().close()
    assert list(temp.iterdir()) == []


def test_the_folder_of_a_living_process_stays(other_process: Start) -> None:
    _, folder = other_process()
    here = Spool()
    Spool().close()
    assert (folder / "00000001").read_bytes() == PHOTO
    here.save("1.jpg", [PHOTO])
    here.close()


def test_the_folder_of_a_living_process_stays_while_locks_fail(
    other_process: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, folder = other_process()
    without_locks(monkeypatch, "ENOLCK")
    Spool().close()
    assert (folder / "00000001").read_bytes() == PHOTO


def test_a_process_that_ends_removes_its_own(other_process: Start, temp: Path) -> None:
    process, _ = other_process()
    process.communicate("")
    assert (process.returncode, list(temp.iterdir())) == (0, [])


@pytest.mark.slow
def test_many_may_start_at_once_beside_killed_ones(other_process: Start, temp: Path) -> None:
    killed = [other_process() for _ in range(3)]
    for process, _ in killed:
        process.kill()
        process.wait()
    wrong: list[BaseException] = []

    def start_and_stop() -> None:
        try:
            for _ in range(20):
                spool = Spool()
                assert spool.save("1.jpg", [PHOTO]).path.read_bytes() == PHOTO
                spool.close()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test shows it
            wrong.append(error)

    threads = [threading.Thread(target=start_and_stop) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert list(temp.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_forked_child_removes_nothing_of_its_parents(temp: Path) -> None:
    code = """
import os, sys
from astria_nb.sandbox.uploads._spool import Spool
spool = Spool()
upload = spool.save("1.jpg", [b"x"])
if child := os.fork():
    os.waitpid(child, 0)
    print(upload.path.exists())
"""
    env = {**os.environ, "TMPDIR": str(temp)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
    assert list(temp.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither owners nor modes")
def test_only_the_owner_can_read_a_spool(temp: Path) -> None:
    spool = Spool()
    upload = spool.save("1.jpg", [PHOTO])
    assert upload.path.parent.stat().st_mode & 0o777 == 0o700
    assert upload.path.stat().st_mode & 0o777 == 0o600
    spool.close()


def abandoned(folder: Path, mode: int = 0o700) -> Path:
    """Make a folder as a killed process leaves it."""
    folder.mkdir(mode)
    folder.chmod(mode)
    (folder / ".lock").touch()
    (folder / "00000001").write_bytes(PHOTO)
    return folder


def test_a_folder_that_is_not_a_spools_stays(temp: Path) -> None:
    elsewhere = abandoned(temp / "photos")
    (temp / "astria-sandbox-link").symlink_to(elsewhere)
    unlocked = abandoned(temp / "astria-sandbox-without-lock")
    (unlocked / ".lock").unlink()
    (unlocked / ".lock").symlink_to(elsewhere / ".lock")
    shared = abandoned(temp / "astria-sandbox-shared", 0o755)
    (temp / "astria-sandbox-file").write_bytes(PHOTO)
    Spool().close()
    for folder in (elsewhere, unlocked, shared):
        assert (folder / "00000001").read_bytes() == PHOTO, folder
    assert (temp / "astria-sandbox-file").exists()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows has no owners")
def test_a_folder_of_another_user_stays(temp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = abandoned(temp / "astria-sandbox-theirs")
    with monkeypatch.context() as patch:
        patch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
        Spool().close()
    assert folder.exists()
    Spool().close()
    assert not folder.exists()


def test_a_link_within_is_removed_and_not_followed(temp: Path) -> None:
    photos = temp / "photos"
    photos.mkdir()
    (photos / "1.jpg").write_bytes(PHOTO)
    folder = abandoned(temp / "astria-sandbox-killed")
    (folder / "link").symlink_to(photos)
    Spool().close()
    assert not folder.exists()
    assert (photos / "1.jpg").read_bytes() == PHOTO


def test_a_given_folder_is_kept_and_numbering_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "uploads"
    spool = Spool(folder)
    first = spool.save("1.jpg", [PHOTO])
    (folder / "0000000a").write_bytes(b"kept")
    (folder / "notes.txt").touch()
    spool.close()
    again = Spool(folder)
    assert again.save("2.jpg", [PHOTO]).path.name == "0000000b"
    again.close()
    assert first.path.read_bytes() == PHOTO


def test_a_given_folder_is_used_by_one_spool_at_a_time(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with pytest.raises(OSError, match="in use by another sandbox"):
        Spool(tmp_path)
    spool.close()
    Spool(tmp_path).close()


@pytest.mark.parametrize("name", NO_LOCKS)
def test_a_disk_without_locks_is_used_as_any_other(
    temp: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with monkeypatch.context() as patch:
        without_locks(patch, name)
        kept, first, second = Spool(temp / "kept"), Spool(), Spool()
        with pytest.raises(OSError, match="in use by another sandbox"):
            Spool(temp / "kept")
    third = Spool()  # of another machine, say, which has locks
    for spool in (first, second, third):
        assert spool.save("1.jpg", [PHOTO]).path.read_bytes() == PHOTO
        spool.close()
    kept.close()
    assert list(temp.iterdir()) == [temp / "kept"]
    Spool(temp / "kept").close()


def test_closing_twice_or_without_the_folder_is_not_an_error(temp: Path) -> None:
    spool = Spool()
    upload = spool.save("1.jpg", [PHOTO])
    upload.path.unlink()
    (upload.path.parent / ".lock").unlink()
    upload.path.parent.rmdir()
    spool.close()
    spool.close()
