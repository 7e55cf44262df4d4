"""Rows know where they were made: no function asks one service for the tunes of another."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.errors import TuneError
from astria_nb.results.frames import origin_of, tunes_of
from helpers.scripted_server import KEY, TUNE, ScriptedServer, reply

URL = "https://example.com/1.jpg"
USES: dict[str, Callable[[Any, anb.Client], object]] = {
    "wait": lambda rows, client: anb.wait(rows, client, poll=0),
    "prompts": anb.prompts,
    "download": lambda rows, client: anb.download(rows, client, "pictures"),
    "gallery": lambda rows, client: anb.gallery(rows, client).stop(),
    "expiring": anb.expiring,
    "image_counts": anb.image_counts,
    "keep_longer": lambda rows, client: anb.keep_longer(rows, client, auto_extend=False),
    "callbacks": lambda rows, client: anb.Callbacks(client=client).wait(rows, timeout=0),
}


def submitted(client: anb.Client, title: str = "t", pack: int = 43, name: str = "cat") -> pd.DataFrame:
    return anb.submit(anb.Tune(pack=pack, title=title, name=name, image_urls=[URL]), client)


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[tuple[anb.Client, anb.Client]]:
    with anb.Sandbox(deterministic=True) as first, anb.Sandbox(deterministic=True) as second:
        yield first.client(), second.client()


@pytest.mark.parametrize("use", USES.values(), ids=list(USES))
def test_rows_of_another_sandbox_are_refused(
    sandboxes: tuple[anb.Client, anb.Client], use: Callable[..., object], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    own, other = sandboxes
    row = submitted(own, str(tmp_path))
    submitted(other, str(tmp_path), pack=260, name="man")  # under the same id
    message = rf"^frame: tune {row.loc[0, 'id']} was made at {own.base_url}, and this client asks "
    message += (
        rf"{other.base_url}; pass the client of that sandbox; if it is gone, submit again; if it is the"
    )
    for rows in (row, row.iloc[0], anb.rows.flat(row)):
        with pytest.raises(TuneError, match=message):
            use(rows, other)
    use(row, own)
    use(row.drop(columns="service"), other)


def test_a_forgotten_client_is_another_service_too(
    sandboxes: tuple[anb.Client, anb.Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    own, other = sandboxes
    row = submitted(own, "forgotten")
    monkeypatch.setenv("ASTRIA_API_KEY", KEY)
    monkeypatch.setenv("ASTRIA_BASE_URL", other.base_url)
    with pytest.raises(TuneError, match="was made at"):
        anb.wait(row)


def test_rows_of_several_services_say_how_to_select_those_of_the_client(
    sandboxes: tuple[anb.Client, anb.Client],
) -> None:
    own, other = sandboxes
    rows = pd.concat([submitted(own, "a"), submitted(other, "b"), submitted(other, "c")], ignore_index=True)
    with pytest.raises(
        TuneError, match=r"^frame: 2 tunes were made at .*; select this client's: rows"
    ) as caught:
        anb.prompts(rows, own)
    selection = caught.value.problems[0].hint.partition(": ")[2]
    assert len(anb.prompts(eval(selection, {"rows": rows}), own)) == 8


def test_each_way_to_a_row_says_where_it_was_made(
    sandboxes: tuple[anb.Client, anb.Client], tmp_path: Path
) -> None:
    client, log = sandboxes[0], anb.ExperimentLog(tmp_path / "log.sqlite")
    tune = anb.Tune(pack=43, title="ways", name="cat", image_urls=[URL])
    row = anb.submit(tune, client, log=log)
    run = anb.submit(anb.Tune(pack=797, tune_ids=[row.loc[0, "id"]]), client, log=log)
    again = anb.submit(tune, client, log=log)
    found = anb.submit(tune, client, log=anb.ExperimentLog(tmp_path / "another.sqlite"))
    waited = anb.wait(pd.concat([row, run]), client, poll=0)
    from_ids = anb.wait(row["id"].tolist(), client, poll=0)
    form = anb.TuneForm(client, log=log, pack=43, name="cat", title="ways", image_urls=[URL])
    assert form.row is not None
    frames = [
        row,
        run,
        again,
        found,
        waited,
        from_ids,
        form.row,
        log.frame(),
        anb.expiring(client=client, days=99),
    ]
    frames += [anb.prompts(waited, client), anb.keep_longer([row.loc[0, "id"]], client)]
    assert {service for frame in frames for service in frame["service"]} == {origin_of(client)["service"]}
    form.close()


def test_accounts_of_one_service_are_told_apart(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = anb.Client(KEY, base_url=server.url)
    own, other = (anb.rows.tune_frame([{**TUNE, "service": server.url, "account": name}]) for name in "78")
    assert len(tunes_of(pd.concat([own, other]), client)) == 2  # the account of a sandbox is not asked for
    monkeypatch.setattr(anb.Client, "account", "7")
    assert len(tunes_of(own, client)) == len(tunes_of([7], client)) == 1
    message = r"tune \d+ was made by account 8, and this client has the key of account 7; pass a client with"
    with pytest.raises(TuneError, match=message):
        anb.wait(pd.concat([own, other]), client)


@pytest.mark.parametrize(
    "service",
    [
        "http://LOCALHOST:{port}/",
        "http://localhost:{port} sd_…{end}",
        "http://127.0.0.1:{port} sd_â€¦{end}",  # read in a spreadsheet's encoding
        "http://127.0.0.1:{port}",
        None,
        "",
    ],
)
def test_another_spelling_is_no_other_service(server: ScriptedServer, service: str | None) -> None:
    client = anb.Client(KEY, base_url=server.url)
    named = service and service.format(port=server.url.rpartition(":")[2], end=KEY[-4:])
    server.on("GET", f"/tunes/{TUNE['id']}/prompts", reply([]))
    assert anb.prompts(anb.rows.tune_frame([{**TUNE, "service": named}]), client).empty


def test_another_sandbox_at_the_same_address_is_another_service(server: ScriptedServer) -> None:
    client = anb.Client(KEY, base_url=server.url)
    row = anb.rows.tune_frame([{**TUNE, "service": f"{server.url} sd_…zzzz"}])
    with pytest.raises(TuneError, match="was made at another sandbox that had the address http"):
        anb.wait(row, client)


def test_a_sandbox_that_was_started_again_with_its_data_has_its_tunes(tmp_path: Path) -> None:
    with anb.Sandbox(data=tmp_path) as sandbox:
        row = submitted(sandbox.client())
    with anb.Sandbox(data=tmp_path) as sandbox:
        client = sandbox.client()
        with pytest.raises(TuneError, match=r"if it is the same one, pass rows\.drop\(columns='service'\)$"):
            anb.prompts(row, client)
        assert len(anb.prompts(row.drop(columns="service"), client)) == 8


def test_a_rehearsal_is_not_priced_as_the_real_thing(sandboxes: tuple[anb.Client, anb.Client]) -> None:
    own, other = sandboxes
    rows = pd.concat([submitted(own, "mine"), submitted(other, "rehearsal")], ignore_index=True)
    assert anb.costs(rows, own).get_title() == "about $1.98 for 1 tune; cost of 1 more unknown"


def test_a_form_starts_from_a_rehearsal_with_all_that_its_log_has(
    sandboxes: tuple[anb.Client, anb.Client], tmp_path: Path, photos: list[Path]
) -> None:
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    tune = anb.Tune(pack=43, title="rehearsed", name="cat", images=photos)
    row = anb.submit(tune, sandboxes[0], log=log)
    form = anb.TuneForm.from_row(row, sandboxes[1], log=log)
    assert form.to_dict()["images"] == [str(path) for path in photos]
    form.close()
