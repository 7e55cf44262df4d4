"""What the log asks of the operating system, as psutil answers it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from astria_nb.log import _machine as machine

STAT = Path(f"/proc/{os.getpid()}/stat")


class Mount(NamedTuple):
    mountpoint: str
    fstype: str
    opts: str = "rw"


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    """Return a process that runs until it is killed."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.skipif(not STAT.exists(), reason="only Linux tells a start in ticks since boot")
def test_a_start_is_the_ticks_that_existing_logs_hold() -> None:
    ticks = STAT.read_text().rpartition(")")[2].split()[19]
    assert machine.process_started(os.getpid()) == ticks


def test_a_process_runs_until_it_ends(sleeper: "subprocess.Popen[bytes]") -> None:
    started = machine.process_started(sleeper.pid)
    assert started not in (None, machine.ENDED)
    assert machine.is_running(sleeper.pid, started) is True
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # a zombie, which still has its id
    assert machine.is_running(sleeper.pid, started) is False
    sleeper.wait()
    assert machine.is_running(sleeper.pid, started) is False
    assert machine.process_started(sleeper.pid) == machine.ENDED


def test_a_reused_id_is_another_process() -> None:
    assert machine.is_running(os.getpid(), "1") is False


def test_without_a_start_nothing_is_known() -> None:
    assert machine.is_running(os.getpid(), None) is None


@pytest.mark.parametrize("started", ["1.5", "Sun Nov 29 01:44:31 2026"])
def test_where_a_start_depends_on_the_clock_a_different_one_proves_nothing(
    started: str, monkeypatch: pytest.MonkeyPatch, sleeper: "subprocess.Popen[bytes]"
) -> None:
    monkeypatch.setattr(psutil, "LINUX", False)
    assert machine.is_running(sleeper.pid, machine.process_started(sleeper.pid)) is True
    assert machine.is_running(sleeper.pid, started) is None
    sleeper.kill()
    sleeper.wait()
    assert machine.is_running(sleeper.pid, started) is False


def test_a_clock_that_is_set_meanwhile_does_not_change_a_start(monkeypatch: pytest.MonkeyPatch) -> None:
    started = machine.process_started(os.getpid())
    boot, calls = psutil.boot_time(), iter(range(100))
    monkeypatch.setattr(psutil, "boot_time", lambda: boot - (3600 if next(calls) == 0 else 0))
    assert machine.process_started(os.getpid()) == started


@pytest.mark.parametrize(
    ("answer", "expected"), [(PermissionError, None), (ProcessLookupError, False)], ids=["hidden", "gone"]
)
def test_a_process_that_proc_hides_is_not_taken_for_gone(
    answer: type[OSError], expected: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lookup(pid: int) -> psutil.Process:  # as under hidepid=2, where psutil finds no such process
        raise psutil.NoSuchProcess(pid)

    def kill(*_: int) -> None:
        raise answer

    monkeypatch.setattr(psutil, "Process", lookup)
    monkeypatch.setattr(os, "kill", kill)
    assert machine.is_running(4711, "1") is expected


@pytest.mark.parametrize("error", [psutil.AccessDenied(1), OSError("no /proc"), RuntimeError("no btime")])
def test_a_process_that_cannot_be_looked_up_is_unknown(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lookup(_: int) -> psutil.Process:
        raise error

    monkeypatch.setattr(psutil, "Process", lookup)
    assert machine.is_running(os.getpid(), "1") is None


MOUNTS = [
    Mount("/", "ext4"),
    Mount("/home", "nfs4"),
    Mount("/home/me/local", "xfs"),
    Mount("/content/my drive", "fuse.drive"),
    Mount("/windows", "fuseblk"),
    Mount("/mnt/share", "cifs"),
]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/tmp/log.sqlite", False), ("/home/me/log.sqlite", True), ("/home/me/local/log.sqlite", False),
        ("/homework/log.sqlite", False), ("/content/my drive/log.sqlite", True), ("/windows/log", False),
        ("/mnt/share/a/b/log.sqlite", True),
    ],
)  # fmt: skip
def test_a_network_disk_is_known_by_its_mount(path: str, expected: bool) -> None:
    assert machine.on_network(Path(path), MOUNTS) is expected


def test_of_two_mounts_at_one_place_the_later_one_counts() -> None:
    assert machine.on_network(Path("/home/log"), [*MOUNTS, Mount("/home", "ext4")]) is False


@pytest.mark.parametrize(
    ("mount", "expected"),
    [
        (Mount("C:\\", "NTFS", "rw,fixed"), False), (Mount("Z:\\", "NTFS", "rw,remote"), True),
        (Mount("/Volumes/x", "smbfs"), True), (Mount("/Volumes/x", "afpfs"), True),
        (Mount("/Volumes/x", "macfuse"), True), (Mount("/Volumes/x", "apfs"), False),
    ],
)  # fmt: skip
def test_windows_and_macos_are_understood(
    mount: Mount, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    separator = "\\" if ":" in mount.mountpoint else "/"
    path = f"{mount.mountpoint.rstrip(separator)}{separator}folder{separator}log.sqlite"
    monkeypatch.setattr(os.path, "realpath", lambda _: path)
    assert machine.on_network(Path(path), [mount]) is expected


def test_a_windows_share_is_a_network_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "realpath", lambda _: "\\\\server\\share\\log.sqlite")
    assert machine.on_network(Path("log.sqlite"), MOUNTS) is True


def test_a_disk_of_which_nothing_is_known_counts_as_remote(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: bool) -> None:
        raise FileNotFoundError("/etc/mtab")

    monkeypatch.setattr(psutil, "disk_partitions", fail)
    assert machine.on_network(Path("/tmp/log.sqlite")) is True


def test_the_mounts_of_this_machine_include_this_folder(tmp_path: Path) -> None:
    assert any(os.path.realpath(tmp_path).startswith(mount.mountpoint) for mount in machine._mounts())


def test_the_uptime_grows_and_is_of_this_boot() -> None:
    before, after = machine.uptime(), machine.uptime()
    assert before is None or (after is not None and 0 < before <= after)
