"""Queries to the operating system: whether a process is running, its age, and whether a disk is remote.

psutil is imported where it is used: opening a form must not wait for it.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ENDED = "ended"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

# Prefixes of the names of network file systems.
_NETWORK = (
    *("nfs", "cifs", "smb", "9p", "afs", "afpfs", "ncp", "davfs", "webdav"),
    *("ceph", "lustre", "gpfs", "beegfs", "gluster", "ocfs", "gfs"),
    *("vboxsf", "virtiofs", "drvfs"),  # folders shared with a virtual machine's host
)
_FUSE = ("fuse", "macfuse", "osxfuse")
_LOCAL_FUSE = ("fuseblk", "fuse.fuse-overlayfs")


def place() -> str:
    """Return an identifier of this machine, its current boot and this container.

    A process id identifies a process only within one place. The boot is only known on Linux: a boot time,
    such as psutil's, changes with the wall clock.
    """
    try:
        boot = _BOOT_ID.read_text().strip()
    except OSError:
        boot = ""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return f"{platform.node()} {boot} {namespace}".strip()


def uptime() -> float | None:
    """Return the seconds since this machine's last boot, including suspend; None if unknown.

    The difference of two values with the same `place` is the time between them, even if the clock was
    changed.
    """
    # On other systems `place` is the same after a reboot, so two values cannot be compared.
    if not os.path.exists(_BOOT_ID):  # noqa: PTH110  pathlib raises if /proc is closed
        return None
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def is_running(pid: int, started: str | None) -> bool | None:
    """Return whether a process of this place is still running; None if that is unknown.

    Parameters
    ----------
    pid : int
    started : str or None
        The earlier result of `process_started` for it: process ids are reused.

    Returns
    -------
    bool or None
    """
    import psutil

    current = None if started is None else process_started(pid)
    if current is None or current == ENDED:
        return None if current is None else False
    if current == started:
        return True
    # On other systems psutil's value changes with the clock, so a different one does not prove a reused id.
    return False if psutil.LINUX else None


def process_started(pid: int) -> str | None:
    """Return the start time of a process, `ENDED` for one that has ended, or None if unknown.

    In clock ticks since boot on Linux, which changes of the wall clock do not affect; in seconds since 1970
    on other systems.
    """
    import psutil

    try:
        if psutil.Process(pid).status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return ENDED
        return _ticks_since_boot(pid) if psutil.LINUX else repr(psutil.Process(pid).create_time())
    except psutil.ZombieProcess:
        return ENDED
    except psutil.NoSuchProcess:
        return None if _exists(pid) else ENDED
    except (psutil.Error, OSError, RuntimeError, ValueError, OverflowError):
        return None


def _ticks_since_boot(pid: int) -> str:
    import psutil

    boot, checked = -1.0, psutil.boot_time()
    while boot != checked:  # the clock, and with it psutil's boot time, may be set in between
        boot = checked
        created = psutil.Process(pid).create_time()
        checked = psutil.boot_time()
    return str(round((created - boot) * os.sysconf("SC_CLK_TCK")))


def _exists(pid: int) -> bool:
    """Return whether there is a process that /proc, mounted with hidepid, does not list."""
    if os.name != "posix":  # on Windows, signal 0 would end the process
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def on_network(path: Path, mounts: Iterable[Any] | None = None) -> bool:
    """Return whether a file is on a network file system, or True if that is unknown.

    Parameters
    ----------
    path : Path
    mounts : iterable, optional
        Objects with ``mountpoint``, ``fstype`` and ``opts``, later mounts last. Default: those of psutil.

    Returns
    -------
    bool
    """
    real = os.path.realpath(path)
    if real.startswith("\\\\"):  # a Windows share
        return True
    fstype, options, depth = "", "", -1
    for mount in _mounts() if mounts is None else mounts:
        point = mount.mountpoint.rstrip("/\\")
        # With two mounts at one place, the later one is on top.
        if (real == point or real.startswith((f"{point}/", f"{point}\\"))) and len(point) >= depth:
            fstype, options, depth = mount.fstype.lower(), mount.opts, len(point)
    if depth < 0 or fstype.startswith(_NETWORK) or "remote" in options.split(","):
        return True
    return fstype.startswith(_FUSE) and fstype not in _LOCAL_FUSE


def _mounts() -> list[Any]:
    import psutil

    try:
        return list(psutil.disk_partitions(all=True))
    except (psutil.Error, OSError, RuntimeError):
        return []
