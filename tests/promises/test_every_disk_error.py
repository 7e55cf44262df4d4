"""Whatever operation on a file fails, and how: only our own errors come out, and nothing is paid twice."""

import contextlib
import errno
import getpass
import io
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keyring
import keyring.core
import pytest
from PIL import Image

import astria_nb as anb
from astria_nb import cli
from astria_nb.errors import AstriaError, OutcomeUnknownError
from astria_nb.images import _resizing as resizing
from astria_nb.log import _default_path as default_path
from helpers.callback_senders import post
from helpers.failing_files import ERRORS, FailingFiles
from helpers.waiting import until

resource = pytest.importorskip("resource", reason="this system cannot limit the size of files")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks up open files in /proc")


@dataclass
class Desk:
    """A folder with photos, a log and a tune that is on record, and a client."""

    folder: Path
    sandbox: anb.Sandbox
    row: Any
    photos: list[Path]
    name: str

    @property
    def client(self) -> anb.Client:
        return self.sandbox.client()

    @property
    def log(self) -> anb.ExperimentLog:
        return anb.ExperimentLog(self.folder / "log.sqlite")

    def tune(self, **fields: Any) -> anb.Tune:
        return anb.Tune(pack=43, name="cat", title=self.name, images=self.photos, **fields)

    def tunes_created(self) -> int:
        return sum(len(request.tune_ids) for request in self.sandbox.ledger)

    def leftovers(self) -> list[Path]:
        """Return what only a call that has ended badly leaves behind, but for what its process still uses."""
        files = [path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file()]
        unfinished = ("tmp", ".astria-", ".runs.csv.")
        return [path for path in files if path.name.startswith(unfinished) and path.parts[0] != "tmp"]


def submit_first(desk: Desk) -> Any:
    return anb.submit(desk.tune(), desk.client, log=anb.ExperimentLog(desk.folder / "new.sqlite"))


def submit_smaller(desk: Desk) -> Any:
    return anb.submit(desk.tune(), desk.client, log=desk.log, max_side=512)


def submit_to_the_default_log(desk: Desk) -> Any:
    return anb.submit(desk.tune(), desk.client)


def submit_by_form(desk: Desk) -> Any:
    form = anb.TuneForm(desk.client, log=desk.log, draft="cats", pack=43, name="cat", title=desk.name)
    form.fill(images=desk.photos)
    anb.TuneForm(desk.client, log=desk.log, draft="cats")
    return form.submit()


def make_form_from_row(desk: Desk) -> Any:
    form = anb.TuneForm.from_row(desk.row, desk.client, log=desk.log)
    return form._repr_mimebundle_(), form.to_dict()


def drop_a_photo(desk: Desk) -> Any:
    zone = anb.TuneForm(desk.client, log=desk.log)._draft._images._zone
    size = 1000
    files = [{"id": "a", "name": "1.jpg", "size": size}]
    zone._on_message(zone, {"kind": "offer", "page": "p", "files": files}, [])
    content = b"\xff\xd8\xff" + bytes(size - 3)
    zone._on_message(zone, {"kind": "chunk", "id": "a", "offset": 0}, [content])
    zone.close()


def wait(desk: Desk) -> Any:
    row = anb.wait(desk.row, desk.client, until="prompts", poll=0.01, log=desk.log)
    return anb.prompts(row, desk.client), anb.gallery(row, desk.client), anb.expiring(row, desk.client)


def download(desk: Desk) -> Any:
    return anb.download(desk.row, desk.client, desk.folder / "out")


def read_the_log(desk: Desk) -> Any:
    log = desk.log
    for submission in log.frame()["submission"]:  # none if it seems not to be there
        log.diff(submission, submission)
    return log.events(), log.recover(desk.client, settle=0)


def export(desk: Desk) -> Any:
    return desk.log.export(desk.folder / "runs.csv")


def replay(desk: Desk) -> Any:
    return desk.log.replay(1, desk.client)


def receive_callbacks(desk: Desk) -> Any:
    with anb.Callbacks(desk.log, desk.client) as callbacks:
        post(callbacks.url, {"id": int(desk.row["id"][0])})
        return callbacks.fields(), callbacks.poll(), callbacks.wait(desk.row, timeout=0)


class FileKeyring:
    """A keyring of the system, in a file of the working folder."""

    name = "file"

    @property
    def path(self) -> Path:
        return Path("keyring").absolute()

    def get_password(self, *_: str) -> str | None:
        return self.path.read_text()

    def set_password(self, *words: str) -> None:
        self.path.write_text(words[-1])

    def delete_password(self, *_: str) -> None:
        self.path.unlink()


def login(desk: Desk) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        for module in (keyring, keyring.core):
            patch.setattr(module, "get_keyring", FileKeyring)
        patch.setattr(getpass, "getpass", lambda _: desk.sandbox.api_key)
        with contextlib.redirect_stdout(io.StringIO()):
            client = anb.login(desk.sandbox.url)
        anb.Client(base_url=desk.sandbox.url).close()
    return client


def inspect(desk: Desk) -> Any:
    return desk.client.inspect(desk.photos[0], name="cat"), anb.as_python(desk.tune())


def start_a_sandbox(desk: Desk) -> Any:
    anb.Sandbox().start().stop()


def start_a_sandbox_with_data(desk: Desk) -> Any:
    try:
        sandbox = anb.Sandbox(data=desk.folder / "data")
    except ValueError as error:  # as for every option
        if not str(error).startswith("data: "):
            raise
        return
    try:
        sandbox.start()
    finally:
        sandbox.stop()


def print_the_log(desk: Desk) -> Any:
    run_command("log", "--log", str(desk.folder / "log.sqlite"))
    run_command("log", "export", str(desk.folder / "runs.csv"), "--log", str(desk.folder / "log.sqlite"))


def serve(desk: Desk) -> Any:
    run_command("sandbox")


def open_the_notebooks(desk: Desk) -> Any:
    run_command("lab", str(desk.folder / "notebooks"), "--no-browser")


def run_command(*arguments: str) -> None:
    """Run a command that ends as soon as it serves. In place of JupyterLab, a program does nothing."""

    def stop_at_once(_: int, handler: Any) -> None:
        if callable(handler):
            handler()

    def start(command: list[str], cwd: Path, **_: Any) -> subprocess.Popen[bytes]:
        os.stat(cwd)  # noqa: PTH116  as the system does
        return popen([sys.executable, "-S", "-c", ""])

    output, popen = io.StringIO(), subprocess.Popen
    with (
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(signal, "signal", stop_at_once)
        patch.setattr(subprocess, "Popen", start)
        cli.main(arguments)


CALLS: list[Callable[[Desk], Any]] = [
    *(submit_first, submit_smaller, submit_to_the_default_log, submit_by_form),
    *(make_form_from_row, drop_a_photo, wait, download, read_the_log, export, replay, receive_callbacks),
    *(inspect, login, start_a_sandbox, start_a_sandbox_with_data, print_the_log, serve, open_the_notebooks),
]
NEEDS_OWN_PHOTOS = (make_form_from_row, replay)  # the log has their absolute paths
_names = itertools.count()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(speed=60000) as running:
        yield running


@pytest.fixture(scope="module")
def first_desk(sandbox: anb.Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Return the desk that others are copies of, with pictures of which one is missing."""
    desk = set_up(Desk(tmp_path_factory.mktemp("desk"), sandbox, None, [], "desk"))
    row = anb.wait(desk.row, desk.client, until="prompts", poll=0.01, log=desk.log)
    files = anb.download(row, desk.client, desk.folder / "out")
    Path(files["file"][0]).unlink()
    return desk


def set_up(desk: Desk) -> Desk:
    desk.photos = [desk.folder / f"{number}.jpg" for number in range(2)]
    for number, path in enumerate(desk.photos):
        Image.new("RGB", (600, 640 + number), "teal").save(path)
    tune = anb.Tune(pack=43, name="cat", title=f"{desk.name}, first", images=desk.photos)
    log = desk.log
    desk.row = anb.submit(tune, desk.client, log=log)
    log.close()
    return desk


@pytest.fixture
def make_desk(
    first_desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[Desk], Any]], Desk]:
    def make(call: Callable[[Desk], Any]) -> Desk:
        name = f"desk-{next(_names)}"
        folder = tmp_path / name
        (folder / "tmp").mkdir(parents=True)
        monkeypatch.setattr(tempfile, "tempdir", str(folder / "tmp"))
        monkeypatch.setenv("ASTRIA_NB_LOG", "default.sqlite")
        monkeypatch.setattr(default_path, "_fixed", {})
        monkeypatch.setattr(resizing, "_cache", resizing._Cache())
        monkeypatch.chdir(folder)
        if call in NEEDS_OWN_PHOTOS:
            return set_up(replace(first_desk, folder=folder, name=name))
        shutil.copytree(first_desk.folder, folder, dirs_exist_ok=True)
        photos = [folder / path.name for path in first_desk.photos]
        return replace(first_desk, folder=folder, photos=photos, name=name)

    return make


def points(made: list[str], call: int, most: int | None) -> Iterator[tuple[int, str, bool]]:
    """Yield which operation fails, with which error, and whether all later ones do."""
    if most is None:
        for number, name, stays in itertools.product(range(len(made)), ERRORS, (False, True)):
            yield number, name, stays
        return
    # Other kinds for each call: in turn the last operation of a kind, and all from its first on.
    kinds = list(dict.fromkeys(made))
    last = {name: number for number, name in enumerate(made)}
    for turn in range(call * most, call * most + min(most, len(kinds))):
        kind, stays = kinds[turn % len(kinds)], bool(turn % 2)
        yield made.index(kind) if stays else last[kind], ERRORS[turn % len(ERRORS)], stays


# A form that is not closed may just be writing its draft.
def expect_no_leftovers(desk: Desk) -> None:
    until(lambda: desk.leftovers() == [])


def remove(folder: Path) -> None:
    until(lambda: shutil.rmtree(folder, ignore_errors=True) or not folder.exists())


@pytest.mark.slow
@pytest.mark.parametrize("most", [3, pytest.param(None, marks=pytest.mark.soak)])
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_only_our_errors_come_out_and_nothing_is_paid_twice(
    make_desk: Callable[[Any], Desk], call: Callable[[Desk], Any], most: int | None
) -> None:
    recorded = make_desk(call)
    files = FailingFiles(recorded.folder)
    with files.in_place():
        call(recorded)
    assert files.made
    expect_no_leftovers(recorded)
    for number, name, stays in points(files.made, CALLS.index(call), most):
        desk = make_desk(call)
        failing = FailingFiles(desk.folder, number, getattr(errno, name), stays=stays)
        context = f"{call.__name__}: {files.made[number]} number {number}, {name}, stays: {stays}"
        check(call, desk, failing.in_place(), context)
        if not stays and files.made[number] not in ("unlink", "rmdir", "scandir", "listdir"):
            expect_no_leftovers(desk)
        remove(desk.folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    "sizes", [[0, 4096, 65536], pytest.param([*range(0, 200_000, 3000)], marks=pytest.mark.soak)]
)
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_where_files_cannot_grow_only_our_errors_come_out_and_nothing_is_paid_twice(
    make_desk: Callable[[Any], Desk], call: Callable[[Desk], Any], sizes: list[int]
) -> None:
    for size in sizes if len(sizes) > 3 else [sizes[CALLS.index(call) % len(sizes)]]:
        desk = make_desk(call)
        check(call, desk, no_file_above(size), f"{call.__name__}: {size} bytes")
        expect_no_leftovers(desk)


@contextlib.contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, as on a full disk or with a quota."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def check(
    call: Callable[[Desk], Any], desk: Desk, fault: contextlib.AbstractContextManager[None], context: str
) -> None:
    """Make a call under a fault, and again without it."""
    before = desk.tunes_created()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with fault:
                call(desk)
        except AstriaError:
            pass
        except Exception as error:
            raise AssertionError(context) from error
        assert desk.tunes_created() - before <= 1, context
        if call.__name__.startswith("submit"):
            is_known = True
            try:
                call(desk)
            except OutcomeUnknownError:  # sending it was on record, and that it failed could not be
                is_known = False
            assert desk.tunes_created() - before == is_known, context
