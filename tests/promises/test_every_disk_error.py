"""Whatever operation on a file fails, and how: only our own errors come out, and nothing is paid twice."""

import contextlib
import errno
import io
import itertools
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import astria_nb as anb
from astria_nb import cli
from astria_nb.errors import AstriaError, OutcomeUnknownError
from astria_nb.images import _resizing as resizing
from astria_nb.log import _default_path as default_path
from helpers.failing_files import ERRORS, FailingFiles

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks up open files in /proc")


@dataclass
class Desk:
    """A folder with photos, a log and a tune that is on record, and a client."""

    folder: Path
    client: anb.Client
    row: Any
    photos: list[Path]
    name: str

    @property
    def log(self) -> anb.ExperimentLog:
        return anb.ExperimentLog(self.folder / "log.sqlite")

    def tune(self, **fields: Any) -> anb.Tune:
        return anb.Tune(pack=43, name="cat", title=self.name, images=self.photos, **fields)


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
    ids = log.frame()["submission"]
    return log.events(), log.diff(ids[0], ids[0]), log.recover(desk.client, settle=0)


def export(desk: Desk) -> Any:
    return desk.log.export(desk.folder / "runs.csv")


def replay(desk: Desk) -> Any:
    return desk.log.replay(1, desk.client)


def receive_callbacks(desk: Desk) -> Any:
    with anb.Callbacks(desk.log, desk.client) as callbacks:
        return callbacks.fields()


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
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        cli.main(["log", "--log", str(desk.folder / "log.sqlite")])
        cli.main(["log", "export", str(desk.folder / "runs.csv"), "--log", str(desk.folder / "log.sqlite")])


CALLS: list[Callable[[Desk], Any]] = [
    *(submit_first, submit_smaller, submit_to_the_default_log, submit_by_form),
    *(make_form_from_row, drop_a_photo, wait, download, read_the_log, export, replay, receive_callbacks),
    *(inspect, start_a_sandbox, start_a_sandbox_with_data, print_the_log),
]
_names = itertools.count()


@pytest.fixture(scope="module")
def client() -> Iterator[anb.Client]:
    with anb.Sandbox(speed=60000) as sandbox:
        yield sandbox.client()


@pytest.fixture
def make_desk(client: anb.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Desk]:
    def make() -> Desk:
        name = f"desk-{next(_names)}"
        folder = tmp_path / name
        (folder / "tmp").mkdir(parents=True)
        monkeypatch.setattr(tempfile, "tempdir", str(folder / "tmp"))
        monkeypatch.setenv("ASTRIA_NB_LOG", "default.sqlite")
        monkeypatch.setattr(default_path, "_fixed", {})
        monkeypatch.setattr(resizing, "_cache", resizing._Cache())
        monkeypatch.chdir(folder)
        photos = [folder / f"{number}.jpg" for number in range(2)]
        for number, path in enumerate(photos):
            Image.new("RGB", (600, 640 + number), "teal").save(path)
        tune = anb.Tune(pack=43, name="cat", title=f"{name}, first", images=photos)
        log = anb.ExperimentLog(folder / "log.sqlite")
        row = anb.submit(tune, client, log=log)
        log.close()
        return Desk(folder, client, row, photos, name)

    return make


def points(made: list[str], call: int, most: int | None) -> Iterator[tuple[int, str, bool]]:
    """Yield which operation fails, with which error, and whether all later ones do."""
    if most is None:
        for number, name, stays in itertools.product(range(len(made)), ERRORS, (False, True)):
            yield number, name, stays
        return
    # The first of each kind, then some of the others in turn.
    first = [made.index(name) for name in dict.fromkeys(made)]
    others = [number for number in range(len(made)) if number not in first]
    chosen = [*first, *others[:: max(1, len(others) // most)]][:most]
    for turn, number in enumerate(chosen):
        yield number, ERRORS[(turn + call) % len(ERRORS)], bool((turn + call) % 2)


@pytest.mark.parametrize("most", [3, pytest.param(None, marks=pytest.mark.soak)])
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_only_our_errors_come_out_and_nothing_is_paid_twice(
    make_desk: Callable[[], Desk], call: Callable[[Desk], Any], most: int | None
) -> None:
    call(make_desk())  # imports what it needs
    recorded = make_desk()
    files = FailingFiles(recorded.folder)
    with files.in_place():
        call(recorded)
    assert files.made
    for number, name, stays in points(files.made, CALLS.index(call), most):
        desk = make_desk()
        failing = FailingFiles(desk.folder, number, getattr(errno, name), stays=stays)
        before = len(list(desk.client.tunes(title=desk.name)))
        context = f"{call.__name__}: {files.made[number]} number {number}, {name}, stays: {stays}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                with failing.in_place():
                    call(desk)
            except AstriaError:
                pass
            except Exception as error:
                raise AssertionError(context) from error
            created = len(list(desk.client.tunes(title=desk.name))) - before
            assert created <= 1, context
            if call.__name__.startswith("submit"):
                is_known = True
                try:
                    call(desk)
                except OutcomeUnknownError:  # sending it was on record, and that it failed could not be
                    is_known = False
                created = len(list(desk.client.tunes(title=desk.name))) - before
                assert created == is_known, context
