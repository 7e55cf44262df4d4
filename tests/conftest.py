"""What the tests of the client half share."""

import atexit
import itertools
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from PIL import Image
from xdist.scheduler import LoadFileScheduling

import astria_nb as anb
from astria_nb.client import _account_id
from astria_nb.client import retry as client_retry
from astria_nb.log._idle import WhenIdle
from astria_nb.log._schema import TABLES
from astria_nb.results.downloads import _auto_extend
from astria_nb.submission import _settle_time as settle_time
from astria_nb.utils import background
from helpers import forked_kernels, postgres_server
from helpers.scripted_server import KEY, PACK, TUNE, ScriptedServer, reply
from helpers.waiting import PATIENCE, until

# Doctests and the kernels of notebooks take their environment from here: no test writes into the checkout.
_LOGS = tempfile.mkdtemp(prefix="astria-nb-logs-")
atexit.register(shutil.rmtree, _LOGS, ignore_errors=True)
os.environ["ASTRIA_NB_LOG"] = os.path.join(_LOGS, "log.sqlite")  # noqa: PTH118

# Needs the extra `mutation`, and has no tests: pytest would import it to look for some.
collect_ignore = ["tools/mutants.py"]

_NUMBERS = itertools.count()

# Hundreds of kernels and programs import the package: as for a user, only the first of them compiles it.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# They also import pandas, a tenth sooner without threads of numpy's, which nothing here needs.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two for each core: they often wait for browsers, servers and clocks. At most 4."""
    return min(4, 2 * (os.cpu_count() or 1))  # a container may name the cores of its host


def pytest_configure(config: pytest.Config) -> None:
    """Have kernels forked, where that is safe, those of the tutorials as well."""
    if sys.platform == "linux":
        if not hasattr(config, "workerinput"):  # once for all workers
            config.add_cleanup(forked_kernels.start(Path(_LOGS)))
        config.option.nbval_current_env, config.option.nbval_kernel_name = False, "python3"


class _Scheduling(LoadFileScheduling):
    """Gives each worker whole files, and one of them all that need JupyterLab, so that it starts once."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/browser" if nodeid.startswith("tests/browser/") else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Scheduling | None:
    return _Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


# A generated example may take as long as a busy machine needs.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty folder.

    pytest's own fixture reads the names of all folders before each test, and keeps a link to the latest one.
    """
    name = re.sub(r"\W", "_", request.node.name)[:30]
    path = tmp_path_factory.getbasetemp() / f"{name}_{next(_NUMBERS)}"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture(autouse=True)
def _own_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRIA_NB_LOG", str(tmp_path / "astria_log.sqlite"))
    # Tests that are about one of these waits say how long it is.
    for module in (settle_time, _auto_extend):
        monkeypatch.setattr(module, "SETTLE_SECONDS", 0.0)
    # A port, and with it an address, may be used again.
    for memory in ("_remembered", "_ask_again_at"):
        monkeypatch.setattr(_account_id, memory, {})


# No test finds, or leaves, a key in the keyring of the one who runs it; programs that tests start included.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"


@pytest.fixture(autouse=True)
def _sigint_interrupts() -> Iterator[None]:
    """Let SIGINT interrupt a test and the programs that it starts.

    A shell starts programs in the background with SIGINT ignored, and their children inherit that.
    """
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry without a pause, as often as ever."""
    monkeypatch.setattr(client_retry, "_sleep", lambda seconds: None)


@pytest.fixture(autouse=True)
def _nothing_goes_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no thread of a test work during the next one, with a service, a log and patches of another."""
    stops: list[threading.Event] = []
    logs: list[WhenIdle] = []
    work: list[Future[Any]] = []
    before = set(threading.enumerate())
    start_until_exit, touch = background.start_until_exit, WhenIdle.touch

    def started_until_exit(watch: Callable[..., Any], *args: Any, stop: threading.Event) -> None:
        stops.append(stop)
        start_until_exit(watch, *args, stop=stop)

    def touched(idle: WhenIdle) -> None:
        logs.append(idle)
        touch(idle)

    def noting(start: Callable[..., Future[Any]]) -> Callable[..., Future[Any]]:
        def started(*args: Any) -> Future[Any]:
            work.append(start(*args))
            return work[-1]

        return started

    monkeypatch.setattr(background, "start_until_exit", started_until_exit)
    monkeypatch.setattr(WhenIdle, "touch", touched)
    for name in ("start", "start_fetch", "start_urgent_fetch", "start_cpu_bound"):
        monkeypatch.setattr(background, name, noting(getattr(background, name)))
    yield
    for stop in stops:
        stop.set()
    for log in logs:
        log.stop()
    wait(work, PATIENCE)
    until(lambda: not [thread for thread in threading.enumerate() if _is_at_work(thread, before)])


def _is_at_work(thread: threading.Thread, before: set[threading.Thread]) -> bool:
    """Return whether a thread of the package is new, and none of a pool, which idles."""
    is_ours = thread.name.startswith(("astria_nb watch", "astria_nb-inspect", "astria_nb name resolution"))
    return is_ours and thread not in before


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """Return a service on which pack 43 can be run and whose lists are empty."""
    with ScriptedServer().running() as running:
        running.on("GET", "/p/43", reply(PACK))
        running.on("POST", "/p/43/tunes", reply(TUNE, 201))
        running.on("GET", "/tunes", reply([]))
        yield running


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[anb.Client]:
    found = anb.Client(KEY, base_url=server.url)
    yield found
    found.close()


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.jpg" for number in (1, 2, 3, 4)]
    for number, path in enumerate(paths):
        Image.new("RGB", (64, 64 + number), "teal").save(path)
    return paths


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a database on a real server of PostgreSQL; all workers share the server."""
    folder = tmp_path_factory.getbasetemp()
    return postgres_server.shared(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)


@pytest.fixture(scope="session")
def _database_of_worker(postgres: str) -> str:
    with psycopg.connect(postgres, autocommit=True) as connection:
        name = f"log_{uuid.uuid4().hex}"
        connection.execute(f"CREATE DATABASE {name}".encode())
    log = anb.ExperimentLog(postgres.replace("/postgres?", f"/{name}?"))
    log.find("https://api.astria.ai", "t")  # makes the tables
    log.close()
    return str(log.path)


@pytest.fixture
def server_address(_database_of_worker: str) -> str:
    """Return the address of a log without submissions."""
    with psycopg.connect(_database_of_worker, autocommit=True) as connection:
        tables = ", ".join(f"astria_nb.{table.name}" for table in TABLES)
        connection.execute(f"TRUNCATE {tables} RESTART IDENTITY".encode())
    return _database_of_worker
