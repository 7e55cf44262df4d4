"""Disks that misbehave as those of clusters and hubs do."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

fcntl = pytest.importorskip("fcntl", reason="Windows has locks of another kind")

NO_LOCKS = ["ENOSYS", "ENOLCK", "EOPNOTSUPP"]
"""What a disk answers that cannot lock files: Lustre without flock, NFS without its lock daemon, others."""

WITHOUT_LOCKS = """
import errno, fcntl, os
def refuse(*_): raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
fcntl.flock = refuse
"""
"""A program's first lines: no disk can lock files."""


def without_locks(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let no disk lock files."""
    code = getattr(errno, name)

    def refuse(*_: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)


NOBODY = 65534


@contextmanager
def as_nobody() -> Iterator[Path]:
    """Act as a user without root's rights, and give a folder of that user."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if os.geteuid() != 0:
            yield folder
            return
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
        try:
            yield folder
        finally:
            os.seteuid(0)
            folder.chmod(0o700)
