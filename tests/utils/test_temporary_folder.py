"""Temporary folders: private, removed with their process, and safe from others that are running."""

import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from astria_nb.utils import temporary_folder
from astria_nb.utils.temporary_folder import TemporaryFolder
from helpers.disks import NO_LOCKS, WITHOUT_LOCKS, without_locks

CREATE = """
import os, signal, sys
from astria_nb.utils import temporary_folder
from astria_nb.utils.temporary_folder import TemporaryFolder
folder = TemporaryFolder()
(folder.path / "1.jpg").write_bytes(b"a photo")
"""
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows cannot fork")


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where temporary folders are created."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def run(disk: Path, program: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program that creates a folder with a file in it."""
    command = [sys.executable, "-W", "ignore", "-c", before + CREATE + program]
    return subprocess.run(
        command, env={**os.environ, "TMPDIR": str(disk), "TEMP": str(disk)}, capture_output=True, text=True
    )


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")
def test_only_this_user_can_open_it(disk: Path) -> None:
    folder = TemporaryFolder()
    assert [stat.S_IMODE(path.stat().st_mode) for path in disk.rglob("*") if path.is_dir()] == [0o700, 0o700]
    assert stat.S_IMODE(next(disk.rglob(".lock")).stat().st_mode) == 0o600
    folder.close()


def test_folders_of_one_process_do_not_remove_each_other(disk: Path) -> None:
    folders = [TemporaryFolder() for _ in range(3)]
    assert all(folder.path.is_dir() for folder in folders)
    for folder in folders:
        folder.close()
    assert list(disk.iterdir()) == []


def test_closing_it_twice_does_nothing(disk: Path) -> None:
    folder = TemporaryFolder()
    folder.close()
    folder.close()
    assert list(disk.iterdir()) == []


def test_it_is_removed_when_the_program_exits_or_raises(disk: Path) -> None:
    for program in ("", "sys.exit(1)", "1 / 0"):
        run(disk, program)
        assert list(disk.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_the_folder_of_a_killed_process_is_removed_by_the_next(disk: Path) -> None:
    assert run(disk, "os.kill(os.getpid(), signal.SIGKILL)").returncode == -signal.SIGKILL
    (abandoned,) = disk.iterdir()
    folder = TemporaryFolder()
    assert not abandoned.exists()
    folder.close()


@pytest.mark.parametrize("name", NO_LOCKS)
def test_a_disk_without_locks_is_used_as_any_other(
    disk: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    without_locks(monkeypatch, name)
    folders = [TemporaryFolder() for _ in range(2)]
    monkeypatch.undo()
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    folders.append(TemporaryFolder())  # of another machine, say, which has locks
    assert all(folder.path.is_dir() for folder in folders)
    for folder in folders:
        folder.close()
    assert list(disk.iterdir()) == []


def test_a_living_folder_stays_while_locks_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    living = TemporaryFolder()
    without_locks(monkeypatch, "ENOLCK")
    TemporaryFolder().close()
    assert living.path.is_dir()
    living.close()


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_on_a_disk_without_locks_a_killed_process_is_known_by_its_id(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork_and_kill = "if os.fork(): os.wait(); os.kill(os.getpid(), signal.SIGKILL)\nfolder.close()"
    assert run(disk, fork_and_kill, WITHOUT_LOCKS).returncode == -signal.SIGKILL
    (abandoned,) = disk.iterdir()
    without_locks(monkeypatch, "ENOLCK")
    TemporaryFolder().close()
    assert not abandoned.exists()


@needs_fork
def test_a_forked_child_neither_removes_nor_unlocks_the_folder_of_its_parent(disk: Path) -> None:
    program = """
import gc, subprocess
child = os.fork()
if child == 0:
    folder.close()
    del folder
    gc.collect()
    sys.exit()
os.waitpid(child, 0)
subprocess.run([sys.executable, "-W", "ignore", "-c",
    "from astria_nb.utils.temporary_folder import TemporaryFolder; TemporaryFolder()"], check=True)
print((folder.path / "1.jpg").exists())
"""
    done = run(disk, program)
    assert done.stdout == "True\n", done.stderr
    assert list(disk.iterdir()) == []


@needs_fork
def test_a_folder_that_others_could_have_made_is_left_alone(disk: Path) -> None:
    shared, elsewhere = disk / "astria-nb-shared", disk / "elsewhere"
    (shared / "files").mkdir(parents=True)
    shared.chmod(0o755)
    (elsewhere / "files").mkdir(parents=True)
    elsewhere.chmod(0o700)
    (disk / "astria-nb-link").symlink_to(elsewhere)
    TemporaryFolder().close()
    assert (shared / "files").is_dir()
    assert (elsewhere / "files").is_dir()


@pytest.mark.parametrize("method", ["_lock", "mkdir"])
def test_a_folder_that_cannot_be_made_leaves_nothing(
    disk: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(temporary_folder if method == "_lock" else Path, method, fail)
    with pytest.raises(OSError, match="Read-only"):
        TemporaryFolder()
    assert list(disk.iterdir()) == []


def test_closing_it_on_a_disk_that_is_gone_raises_nothing(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = TemporaryFolder()
    (folder.path / "more").mkdir()

    def fail(*_: object) -> None:
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", fail)
        folder.close()
