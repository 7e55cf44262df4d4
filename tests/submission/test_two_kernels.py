"""Two kernels, one log, the same titles at the same moment: one tune a title, and a word for the second."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking import BlockingKernelClient

import astria_nb as anb
from astria_nb.errors import OutcomeUnknownError, TuneError
from astria_nb.log import _machine as machine
from astria_nb.log import environment as log_environment
from astria_nb.tune import Request
from helpers.fault_cases import ROUTE
from helpers.forked_kernels import python
from helpers.kernels import kernel
from helpers.scripted_server import TUNE, Exchange, ScriptedServer, reply
from helpers.soak import sizes
from helpers.waiting import PATIENCE

RIVAL = """
import json, sys
import astria_nb as anb
from astria_nb.errors import AstriaError

url, key, path, titles = sys.argv[1:]
client, log = anb.Client(key, base_url=url), anb.ExperimentLog(path)

def submit(title):
    source = {"image_urls": ["https://example.com/1.jpg"], "prompt_ids": [797001]}
    try:
        row = anb.submit(anb.Tune(pack=797, title=title, name="cat", **source), client, log=log, settle=0.1)
    except AstriaError as error:
        return str(error)
    return int(row.loc[0, "id"])

for line in sys.stdin:
    print(json.dumps({title: submit(title) for title in titles.split()}), flush=True)
"""
FAULTS: list[dict[str, Any]] = [
    {"kind": "504", "commit": "yes"},
    {"kind": "504"},
    {"kind": "reset", "at": "reply"},
    {"kind": "truncated"},
    {"kind": "429", "retry_after": "0"},
    {"kind": "slow", "seconds": 0.1},
]
URLS = ["https://example.com/1.jpg"]
TITLES = [f"t{number}" for number in range(20)]


@contextmanager
def rivals(*arguments: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Run two processes that submit every title each time they are told to."""
    two = [
        subprocess.Popen(
            [*python(), "-c", RIVAL, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    try:
        yield two
    finally:
        for process in two:
            process.communicate(timeout=PATIENCE)


def both(two: list[subprocess.Popen[str]]) -> list[dict[str, int | str]]:
    """Let both submit at once, and return what each got: a tune's id or an error for each title."""
    for process in two:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [json.loads(process.stdout.readline()) for process in two if process.stdout is not None]


def tunes_by_title(sandbox: anb.Sandbox) -> dict[str, list[int]]:
    """Return the ids of the tunes of each title, according to the ledger."""
    tune_ids: dict[str, list[int]] = {}
    for request in sandbox.received():
        assert request.params is not None
        tune_ids.setdefault(str(request.params["title"]), []).extend(request.tune_ids)
    return tune_ids


@sizes(1, 20)
def test_two_processes_make_one_tune_of_a_title(tmp_path: Path, size: int) -> None:
    elsewhere = 0
    for number in range(size):
        path = tmp_path / f"{number}.sqlite"  # which both are the first to open
        with anb.Sandbox() as sandbox:
            with rivals(sandbox.url, sandbox.api_key, str(path), " ".join(TITLES)) as two:
                for fault in FAULTS:
                    kind = fault["kind"]
                    rule = {key: value for key, value in fault.items() if key != "kind"}
                    sandbox.fail(kind, ROUTE, count=None, probability=0.2, **rule)
                first = both(two)
                sandbox.heal()
                second = both(two)
            tunes = tunes_by_title(sandbox)
        assert {len(ids) for ids in tunes.values()} == {1}
        frame = anb.ExperimentLog(path).frame()
        states = dict(zip(frame["title"], frame["state"], strict=True))
        assert set(states) == set(TITLES)
        assert {title for title, state in states.items() if state in ("done", "adopted")} == set(tunes)
        for title in TITLES:
            for attempt in (first, second):
                for outcomes in attempt:
                    outcome = outcomes[title]
                    lost = "title: its outcome is unknown" in str(outcome)
                    rival = f"title: {title!r} is being submitted by another kernel" in str(outcome)
                    elsewhere += rival
                    assert outcome in tunes.get(title, ()) or lost or (rival and attempt is first)
            if title in tunes:
                assert [outcomes[title] for outcomes in second] == tunes[title] * 2
    assert elsewhere  # they did meet


def test_who_is_overtaken_while_it_looks_is_told_so(
    server: ScriptedServer, client: anb.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, tune = (
        anb.ExperimentLog(tmp_path / "log.sqlite"),
        anb.Tune(pack=43, title="t", name="cat", image_urls=URLS),
    )
    request = Request.from_tune(tune, client.service, "json")
    monkeypatch.setattr(log_environment, "_sessions", {})
    log.plan(request)  # by a process that ended before it sent anything
    log_environment._sessions.clear()
    monkeypatch.setattr(machine, "is_running", lambda *_: False)

    def overtaken(exchange: Exchange) -> bool:
        log.plan(request)
        return reply([])(exchange)

    server.on("GET", "/tunes", overtaken, reply([]))
    with pytest.raises(TuneError, match="'t' is being submitted by another kernel or thread; wait"):
        anb.submit(tune, client, log=log, settle=120)
    assert server.received("POST") == []


@pytest.mark.skipif(os.name == "nt", reason="a link needs a right of its own there")
@pytest.mark.parametrize("other_name", ["linked/log.sqlite", "linked.sqlite", "runs/../runs/log.sqlite"])
def test_a_tune_under_way_is_known_by_each_name_of_its_log(
    server: ScriptedServer, client: anb.Client, tmp_path: Path, other_name: str
) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "linked").symlink_to("runs")
    (tmp_path / "linked.sqlite").symlink_to("runs/log.sqlite")
    log, same = (anb.ExperimentLog(tmp_path / name) for name in ("runs/log.sqlite", other_name))
    tune = anb.Tune(pack=43, title="t", name="cat", image_urls=URLS)
    refusals = []

    def submitted_again(exchange: Exchange) -> bool:
        with pytest.raises(TuneError) as raised:
            anb.submit(tune, client, log=same, settle=0, idempotent=True)
        refusals.append(str(raised.value))
        return reply(TUNE, 201)(exchange)

    server.on("POST", "/p/43/tunes", submitted_again)
    anb.submit(tune, client, log=log)
    assert ["is being submitted by another kernel or thread" in refusal for refusal in refusals] == [True]
    assert len(server.received("POST")) == 1
    same.close()
    log.close()


def test_a_look_that_is_overtaken_shows_what_the_other_one_found(
    server: ScriptedServer, client: anb.Client, tmp_path: Path
) -> None:
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    for title in "ab":
        tune = anb.Tune(pack=43, title=title, name="cat", image_urls=URLS)
        server.on("POST", "/p/43/tunes", reply({}, 504))
        with pytest.raises(OutcomeUnknownError):
            anb.submit(tune, client, log=log, settle=60, timeout=50)
    lost = log.unsettled(client.service, client.account)
    made = [{**TUNE, "id": number, "title": title} for number, title in ((7, "a"), (8, "b"))]

    def overtaken(exchange: Exchange) -> bool:  # by another kernel, which has found the first
        log.change(lost[0], "adopted", tune_id=7, reply=made[0])
        return reply(made)(exchange)

    server.on("GET", "/tunes", overtaken, reply([]))
    assert log.recover(client, settle=0)["id"].tolist() == [7, 8]
    assert log.frame()["state"].tolist() == ["adopted", "adopted"]


def results(two: list[BlockingKernelClient], code: str) -> list[Any]:
    """Run a cell in both kernels at once, and return each form's tune id or error."""
    expressions = {"id": "int(form.row['id'].iloc[0])"}
    message_ids = [kernel.execute(code, user_expressions=expressions) for kernel in two]
    return [
        _result(kernel.get_shell_msg, message_id) for kernel, message_id in zip(two, message_ids, strict=True)
    ]


def _result(next_message: Callable[..., Any], message_id: str) -> Any:
    while (message := next_message(timeout=PATIENCE))["parent_header"]["msg_id"] != message_id:
        pass
    content = message["content"]
    if content["status"] == "error":
        return f"{content['ename']}: {content['evalue']}"
    expression = content["user_expressions"]["id"]
    return int(expression["data"]["text/plain"]) if expression["status"] == "ok" else None


def test_a_form_in_each_of_two_kernels_makes_one_tune(tmp_path: Path) -> None:
    fields = "pack=797, name='cat', title='one', image_urls=['https://example.com/1.jpg']"
    with anb.Sandbox() as sandbox, ExitStack() as stack:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ASTRIA_")}
        environment = {
            **inherited, "IPYTHONDIR": str(tmp_path), "ASTRIA_NB_LOG": str(tmp_path / "log.sqlite"),
            "ASTRIA_SANDBOX_URL": sandbox.url, "ASTRIA_SANDBOX_KEY": sandbox.api_key,
        }  # fmt: skip
        two = [kernel(stack, environment) for _ in range(2)]
        for client in two:
            client.wait_for_ready(timeout=PATIENCE)
        created = results(two, f"import astria_nb as anb; form = anb.TuneForm({fields})")
        assert created == [None, None]
        sandbox.fail("slow", ROUTE, seconds=1.0)
        first = results(two, "row = form.submit()")
        second = results(two, "row = form.submit()")
        assert len(tunes_by_title(sandbox)["one"]) == 1
    refused = (
        "TuneError: title: 'one' is being submitted by another kernel or thread; wait until it is done, then "
        "submit it again to get its row"
    )
    (tune_id,) = tunes_by_title(sandbox)["one"]
    assert sorted(map(str, first)) in ([str(tune_id)] * 2, [str(tune_id), refused])
    assert second == [tune_id, tune_id]
