"""A key made to be found, in a notebook as it is saved: outputs, widgets, the log and the files beside it."""

import io
import json
import os
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pyarrow.parquet as pq
import pytest
from nbclient import NotebookClient
from PIL import Image

from helpers.canary import CANARY, leaks_in
from helpers.scripted_server import PACK, TUNE, Answer, Exchange, ScriptedServer, hang_up, reply
from helpers.waiting import PATIENCE

HOOK, SIGNED = "h00kS3cr3t", "s1gn3dS3cr3t"
CALLBACK = f"https://me:{HOOK}@example.com/hook?user={HOOK}&secret={HOOK}"
PRESIGNED = (
    f"https://b.s3.amazonaws.com/1.jpg?X-Amz-Date=1&X-Amz-Credential={SIGNED}&X-Amz-Signature={SIGNED}"
)
WHEN = ("before", "after")
KEEP = "import glob, shutil; [shutil.copy(file, '{}-' + file) for file in glob.glob('log.sqlite*')]"
CELLS = [
    """
    %colors nocolor
    %xmode Verbose
    import http.client, logging, os, sys
    import astria_nb as anb
    logging.basicConfig(level=logging.DEBUG)
    http.client.HTTPConnection.debuglevel = 1
    client, log = anb.Client(), anb.ExperimentLog("log.sqlite")
    form = anb.TuneForm(client, log=log)
    form""",
    """
    hook = os.environ["HOOK"]
    form.fill(
        pack=43, name="cat", title="first", image_urls=[os.environ["PRESIGNED"]], callback=hook,
        prompts_callback=hook, prompt_attributes={"callback": hook},
    )
    form""",
    "form.submit()",
    "form.rows, form.tune, form.problems, vars(form)",
    "form.fill(title='second'); form.submit()  # is refused",
    "form.fill(title='third'); anb.submit(form.tune, client, log=log, settle=0)  # its answer is lost",
    "form.fill(title='fourth'); anb.submit(form.tune, client, log=log, settle=0)  # and this one's too",
    "row = anb.wait(form.row, client); row",
    "anb.prompts(row, client)",
    "client.tune(7), client.pack(43), list(client.tunes())",
    "anb.gallery(row, client)",
    "log.frame(), log.events(), log.diff(1, 2), log.recover(client), log.get(1)",
    "print(log.frame().to_csv(), log.events().to_json(), file=sys.stderr); print(row.to_dict(), form)",
    "log.export('runs.parquet'), log.export('runs.csv')",
    KEEP.format(WHEN[0]),
    """
    callbacks = {"callback": hook, "prompts_callback": hook, "prompt_attributes": {"callback": hook}}
    log.replay(1, client, image_urls=[os.environ["PRESIGNED"]], **callbacks)""",
    """
    import datetime
    log.prune(datetime.datetime.now(datetime.UTC)), log.frame()""",
    "log.export('after.parquet'), log.export('after.csv')",
    KEEP.format(WHEN[1]),
    "%history -o",
    "log.close(); _, __, ___, Out",
]


REFUSED = 4
ECHO = {"note": f"Bearer {CANARY}", "headers": {"seen": CANARY}, CANARY: 1, "said": [[CANARY], f"<{CANARY}>"]}
NOW = "2026-01-01T12:00:00.000Z"


class Service:
    """Repeats the key in every answer, refuses one tune and loses its answer to two."""

    def __init__(self, server: ScriptedServer) -> None:
        self.tunes: list[dict[str, Any]] = []
        self._make: Iterator[Answer] = iter(
            [
                self.last_tune(201),
                reply(ECHO | {"title": [CANARY]}, 422),
                reply(ECHO, 504),
                hang_up,
                self.last_tune(201),
            ]
        )
        picture = Image.new("RGB", (8, 8))
        content = io.BytesIO()
        picture.save(content, "JPEG")
        server.on("GET", "/p/43", reply({**PACK, **ECHO}))
        server.on("POST", "/p/43/tunes", self.make)
        server.on("GET", "/tunes", self.list)
        server.on("GET", "/tunes/7", lambda exchange: reply(self.tunes[0])(exchange))
        prompt = {"id": 5, "text": "a cat", "images": [f"{server.url}/1.jpg"], "created_at": NOW, **ECHO}
        server.on("GET", "/tunes/7/prompts", reply([prompt]), reply([]))
        server.on("GET", "/1.jpg", reply(body=content.getvalue(), Content_Type="image/jpeg"))

    def last_tune(self, status: int) -> Answer:
        return lambda exchange: reply(self.tunes[-1], status)(exchange)

    def make(self, exchange: Exchange) -> bool:
        exchange.read()
        fields = json.loads(exchange.request.body)["tune"]
        number = 7 + len(self.tunes)
        self.tunes.append(
            {
                **TUNE,
                **fields,
                "id": number,
                "orig_images": [PRESIGNED],
                "trained_at": NOW,
                "created_at": NOW,
                **ECHO,
            }
        )
        exchange.read = lambda max_bytes=None: None  # type: ignore[method-assign]  # it was read
        return next(self._make)(exchange)

    def list(self, exchange: Exchange) -> bool:
        before = int(exchange.request.query.get("before_id", 10**9))
        return reply([tune for tune in reversed(self.tunes) if tune["id"] < before])(exchange)


def a_notebook() -> nbformat.NotebookNode:
    cells = [nbformat.v4.new_code_cell(textwrap.dedent(cell).strip()) for cell in CELLS]
    return nbformat.v4.new_notebook(cells=cells)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a notebook that was run and saved with its widgets, with all files it wrote."""
    folder = tmp_path_factory.mktemp("saved")
    (folder / "ipython").mkdir()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ASTRIA_")}
    book = a_notebook()
    runner = NotebookClient(
        book, kernel_name="python3", timeout=PATIENCE, allow_errors=True, store_widget_state=True,
        resources={"metadata": {"path": str(folder)}},
    )  # fmt: skip
    with ScriptedServer().running() as server, (folder / "kernel.log").open("wb") as output:
        Service(server)
        environment = {
            **inherited, "ASTRIA_API_KEY": CANARY, "ASTRIA_BASE_URL": server.url, "HOOK": CALLBACK,
            "PRESIGNED": PRESIGNED, "IPYTHONDIR": str(folder / "ipython"),
        }  # fmt: skip
        runner.execute(env=environment, stdout=output, stderr=output)
        assert all(
            request.headers["Authorization"] == f"Bearer {CANARY}" for request in server.received("POST")
        )
    nbformat.write(book, folder / "saved.ipynb")
    return folder


@pytest.fixture(scope="module")
def book(saved: Path) -> nbformat.NotebookNode:
    return nbformat.read(saved / "saved.ipynb", 4)


def texts(data: Any) -> Iterator[str]:
    """Yield every text in JSON data."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from texts(key)
            yield from texts(value)
    elif isinstance(data, list):
        for value in data:
            yield from texts(value)


def test_every_cell_did_what_it_says(book: nbformat.NotebookNode) -> None:
    errors = {
        number: output.ename
        for number, cell in enumerate(book.cells)
        for output in cell.outputs
        if output.output_type == "error"
    }
    assert errors == {REFUSED: "RejectedError"}
    output = "".join(texts([cell.outputs for cell in book.cells]))
    assert "DEBUG:urllib3" in output
    assert output.count("adopted") >= 2


def test_the_widgets_were_saved(book: nbformat.NotebookNode) -> None:
    state = book.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    values = list(texts([model["state"] for model in state.values()]))
    assert any("Train a tune" in text for text in values)
    assert any("<table" in text and "first" in text for text in values)  # the row of what was submitted
    assert any(
        text.startswith("https://") and "/hook?user=…" in text for text in values
    )  # without its secret
    assert not any(HOOK in text for text in values)


def test_no_key_is_saved_in_a_notebook(saved: Path, book: nbformat.NotebookNode) -> None:
    assert leaks_in((saved / "saved.ipynb").read_bytes()) == []
    assert [text for text in texts(book) if leaks_in(text)] == []


def test_no_other_file_holds_a_secret(saved: Path) -> None:
    files = {path.name: path.read_bytes() for path in saved.rglob("*") if path.is_file()}
    assert {"log.sqlite", "runs.csv", "after.csv", "runs.parquet", "after.parquet", "kernel.log"} <= set(
        files
    )
    assert {f"{when}-log.sqlite{part}" for when in WHEN for part in ("", "-wal", "-shm")} <= set(files)
    # Compressed, nothing would be found.
    for name in ("runs.parquet", "after.parquet"):
        files[f"{name}, read"] = json.dumps(pq.read_table(saved / name).to_pylist(), default=str).encode()
    assert b"first" in files["runs.parquet, read"]
    del files["saved.ipynb"]  # holds what was filled into the form
    assert [name for name, content in files.items() if leaks_in(content)] == []
    for secret in (HOOK, SIGNED):
        assert [name for name, content in files.items() if secret.encode() in content] == []
