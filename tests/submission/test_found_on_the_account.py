"""A title that the log does not know, as after `git clean`, is looked for before it is paid."""

import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.errors import OutcomeUnknownError, RejectedError, ServerError, TuneError
from helpers.scripted_server import TUNE, Exchange, ScriptedServer, reply
from helpers.waiting import PATIENCE

ROUTE = "POST /p/*/tunes"
URL = "https://example.com/1.jpg"


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(tune_fields="record") as running:
        yield running


def tune(title: str = "t", **fields: Any) -> anb.Tune:
    return anb.Tune(**{"pack": 797, "title": title, "name": "cat", "image_urls": [URL], **fields})


def posts(service: anb.Sandbox | ScriptedServer) -> int:
    received = service.requests if isinstance(service, ScriptedServer) else service.ledger
    return sum(request.method == "POST" for request in received)


def log_in(folder: Path) -> anb.ExperimentLog:
    folder.mkdir()
    return anb.ExperimentLog(folder / "log.sqlite")


def test_a_tune_that_no_log_knows_is_returned_with_a_warning_and_recorded(
    sandbox: anb.Sandbox, tmp_path: Path
) -> None:
    client = sandbox.client()
    first = anb.submit(tune(), client, log=log_in(tmp_path / "a"))
    log = log_in(tmp_path / "b")
    warned = (
        rf"the title 't' is on your account already: tune {first['id'][0]}, made on \d{{4}}-\d\d-\d\d at "
        r"\d\d:\d\d UTC\. Nothing was sent; .* Give another title to train again"
    )
    with pytest.warns(UserWarning, match=warned) as caught:
        row = anb.submit(tune(), client, log=log)
    assert caught[0].filename == __file__
    assert posts(sandbox) == 1
    assert row["id"].tolist() == first["id"].tolist()
    assert row.loc[0, ["title", "name", "pack"]].tolist() == ["t", "cat", 797]
    assert row.dtypes.equals(first.dtypes)
    assert log.frame()[["id", "state"]].to_numpy().tolist() == [[first["id"][0], "adopted"]]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        again = anb.submit(tune(), client, log=log)
    assert caught == []
    assert again["id"].tolist() == first["id"].tolist()


def test_a_usual_submission_asks_for_the_pack_and_the_newest_tunes_only(
    sandbox: anb.Sandbox, tmp_path: Path
) -> None:
    client, log = sandbox.client(), log_in(tmp_path / "a")
    for title in ("t", "tt"):
        anb.submit(tune(title), client, log=log)
    calls = [(request.method, request.path) for request in sandbox.ledger]
    assert calls == [("GET", "/p/797"), *[("GET", "/tunes"), ("POST", "/p/797/tunes")] * 2]


@pytest.mark.parametrize(
    ("changed", "why"),
    [({"name": "dog"}, "is of the class 'cat'"), ({"pack": 43}, "was made from pack 797")],
)
def test_a_title_that_the_account_has_for_something_else_is_refused(
    sandbox: anb.Sandbox, tmp_path: Path, changed: dict[str, Any], why: str
) -> None:
    client, log = sandbox.client(), log_in(tmp_path / "b")
    anb.submit(tune(), client, log=log_in(tmp_path / "a"))
    with pytest.raises(TuneError, match=rf"title: 't' is taken by tune \d+ .*{why}; give another") as caught:
        anb.submit(tune(**changed), client, log=log)
    assert caught.value.problems[0].kind == "conflict"
    assert posts(sandbox) == 1
    assert log.frame().empty


def test_a_part_of_a_title_and_another_spelling_are_other_titles(
    sandbox: anb.Sandbox, tmp_path: Path
) -> None:
    client = sandbox.client()
    for title in ("my cat", "My Cat", "my cat 2", "my"):
        anb.submit(tune(title), client, log=anb.ExperimentLog(tmp_path / f"{title!r}.sqlite"))
    assert posts(sandbox) == 4


def test_a_title_that_was_refused_or_resolved_is_found_if_it_exists_all_the_same(
    sandbox: anb.Sandbox, tmp_path: Path
) -> None:
    client, log = sandbox.client(), log_in(tmp_path / "a")
    sandbox.fail("422", ROUTE)
    with pytest.raises(RejectedError):
        anb.submit(tune("refused"), client, log=log)
    sandbox.fail("504", ROUTE)
    with pytest.raises(OutcomeUnknownError, match=r"Log\(.*\)\.resolve\(2\)"):
        anb.submit(tune("resolved"), client, log=log, settle=0)
    log.resolve(2)
    for title in ("refused", "resolved"):
        anb.submit(tune(title), client, log=log_in(tmp_path / title))  # by somebody else
        with pytest.warns(UserWarning, match="is on your account already"):
            anb.submit(tune(title), client, log=log)
    assert posts(sandbox) == 4
    assert log.frame()["state"].tolist() == ["adopted", "adopted"]


def test_a_log_that_is_deleted_between_two_runs_of_a_cell(sandbox: anb.Sandbox, tmp_path: Path) -> None:
    client, path = sandbox.client(), tmp_path / "log.sqlite"
    for _ in range(3):
        log = anb.ExperimentLog(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            anb.submit(tune(), client, log=log)
        log.close()
        path.unlink()
    assert posts(sandbox) == 1


class LargeAccount:
    """The list of tunes of a large account, as a service may answer it: a page has at most `size` tunes."""

    def __init__(self, tunes: list[dict[str, Any]], *, filters: bool, size: int = 120) -> None:
        self.tunes, self.filters, self.size = tunes, filters, size

    def __call__(self, exchange: Exchange) -> bool:
        query = exchange.request.query
        title = query.get("title", "") if self.filters else ""
        before = int(query.get("before_id", 10**9))
        # As a database does: a backslash is an escape, and no form of a letter matches another one.
        part = title.replace("\\", "")
        page = [one for one in self.tunes if part in one["title"] and one["id"] < before]
        return reply(page[: min(int(query["limit"]), self.size)])(exchange)


def entries(number: int) -> list[dict[str, Any]]:
    return [{**TUNE, "id": 1000 - count, "title": f"t{count}"} for count in range(number)]


@pytest.mark.parametrize("filters", [True, False])
def test_an_old_tune_of_a_large_account_is_found(
    server: ScriptedServer, client: anb.Client, filters: bool
) -> None:
    old = {**TUNE, "id": 5, "title": "t"}
    server.on("GET", "/tunes", LargeAccount([*entries(300), old], filters=filters))
    with pytest.warns(UserWarning, match="tune 5, made on 2026-01-01 at 12:00 UTC"):
        row = anb.submit(tune(pack=43), client)
    assert row["id"].tolist() == [5]
    assert posts(server) == 0


@pytest.mark.parametrize("size", [20, 33, 50, 100, 119])
def test_a_service_may_give_shorter_pages(server: ScriptedServer, client: anb.Client, size: int) -> None:
    server.on("GET", "/tunes", LargeAccount([*entries(110), {**TUNE, "id": 5}], filters=True, size=size))
    with pytest.warns(UserWarning, match="tune 5, made on"):
        anb.submit(tune(pack=43), client)
    assert posts(server) == 0


def test_an_old_tune_is_found_among_many_whose_titles_contain_its_own(
    server: ScriptedServer, client: anb.Client
) -> None:
    server.on("GET", "/tunes", LargeAccount([*entries(900), {**TUNE, "id": 5}], filters=True))
    with pytest.warns(UserWarning, match="tune 5, made on"):
        anb.submit(tune(pack=43), client)
    assert posts(server) == 0


@pytest.mark.parametrize(
    ("title", "stored"),
    [
        ("a\\b", "a\\b"), ("Zoe\u0308", "Zo\u00eb"), ("a\nb", "a\r\nb"), ("cats & dogs", "cats &amp; dogs"),
        ("\U0001f431", "\U0001f431"), ("100%_a/b..", "100%_a/b.."), ("L" * 9000, "L" * 9000),
    ],
)  # fmt: skip
def test_a_title_is_found_however_the_service_stores_and_filters_it(
    server: ScriptedServer, client: anb.Client, tmp_path: Path, title: str, stored: str
) -> None:
    old = {**TUNE, "id": 5, "title": stored}
    for tunes in ([old], [*entries(300), old]):
        server.on("GET", "/tunes", LargeAccount(tunes, filters=True))
        with pytest.warns(UserWarning, match="tune 5, made on"):
            anb.submit(tune(title, pack=43), client, log=anb.ExperimentLog(tmp_path / f"{len(tunes)}.sqlite"))
    assert posts(server) == 0


def test_a_tune_without_a_title_has_no_title(server: ScriptedServer, client: anb.Client) -> None:
    server.on("GET", "/tunes", reply([{**TUNE, "title": None}]))
    anb.submit(tune("None", pack=43), client)
    assert posts(server) == 1


def test_the_search_of_a_large_account_ends(server: ScriptedServer, client: anb.Client) -> None:
    server.on("GET", "/tunes", LargeAccount(entries(900), filters=False))
    anb.submit(tune("new", pack=43), client)
    assert sum(request.path == "/tunes" for request in server.received("GET")) == 6


def test_a_small_account_is_listed_to_its_end_once(server: ScriptedServer, client: anb.Client) -> None:
    server.on("GET", "/tunes", LargeAccount(entries(119), filters=True))
    counts = []
    for title in ("new", "newer"):
        anb.submit(tune(title, pack=43), client)
        counts.append(sum(request.path == "/tunes" for request in server.received("GET")))
    assert counts == [2, 3]
    assert not any("title" in request.query for request in server.received("GET"))


def test_an_account_of_a_few_tunes_takes_one_request(server: ScriptedServer, client: anb.Client) -> None:
    server.on("GET", "/tunes", LargeAccount(entries(19), filters=True))
    anb.submit(tune("new", pack=43), client)
    assert sum(request.path == "/tunes" for request in server.received("GET")) == 1


class HidingAccount(LargeAccount):
    """An account that leaves a record out of each page: limited first, and filtered after."""

    def __call__(self, exchange: Exchange) -> bool:
        query = exchange.request.query
        before = int(query.get("before_id", 10**9))
        page = [one for one in self.tunes if one["id"] < before and query.get("title", "") in one["title"]]
        return reply(page[: int(query["limit"])][1 if len(page) > 1 else 0 :])(exchange)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_page_that_lacks_a_record_is_not_the_last(
    server: ScriptedServer, client: anb.Client, tmp_path: Path, count: int
) -> None:
    old = [{**TUNE, "id": 5 + number, "title": f"old {number}"} for number in range(count, 0, -1)]
    server.on("GET", "/tunes", HidingAccount([*entries(800), *old, {**TUNE, "id": 4}], filters=True))
    frame = pd.DataFrame([vars(tune(one["title"], pack=43)) for one in old])
    with pytest.warns(UserWarning, match="on your account already"):
        assert anb.submit_many(frame, client)["state"].tolist() == ["adopted"] * count
    with pytest.warns(UserWarning, match="on your account already"):
        anb.submit(tune("old 1", pack=43), client, log=log_in(tmp_path / "b"))
    assert posts(server) == 0


@pytest.mark.parametrize("status", [400, 404, 414, 500])
def test_where_the_filter_is_refused_the_newest_are_listed(
    server: ScriptedServer, client: anb.Client, status: int
) -> None:
    account = LargeAccount([*entries(300), {**TUNE, "id": 5}], filters=False)

    def listed(exchange: Exchange) -> bool:
        is_filtered = "title" in exchange.request.query
        return (reply({"error": "unknown parameter"}, status) if is_filtered else account)(exchange)

    server.on("GET", "/tunes", listed)
    with pytest.warns(UserWarning, match="tune 5, made on"):
        anb.submit(tune(pack=43), client)
    anb.submit(tune("new", pack=43), client)
    assert posts(server) == 1


def test_nothing_is_sent_if_the_account_cannot_be_searched(
    server: ScriptedServer, client: anb.Client
) -> None:
    server.on("GET", "/tunes", reply(entries(120)), reply({}, 500))
    with pytest.raises(ServerError):
        anb.submit(tune("new", pack=43), client)
    assert posts(server) == 0


def test_what_the_account_does_not_show_is_no_contradiction(
    server: ScriptedServer, client: anb.Client
) -> None:
    server.on("GET", "/tunes", reply([{"id": 5, "title": "t", "name": None, "created_at": "soon"}]))
    with pytest.warns(UserWarning, match=r"tune 5\. Nothing was sent"):
        assert anb.submit(tune(pack=43), client)["id"].tolist() == [5]


def test_of_two_tunes_with_one_title_the_fitting_one_is_taken(
    server: ScriptedServer, client: anb.Client
) -> None:
    two = [{**TUNE, "id": 6, "name": "dog"}, {**TUNE, "id": 5}]
    server.on("GET", "/tunes", reply(two))
    with pytest.warns(UserWarning, match="tune 5"):
        assert anb.submit(tune(pack=43), client)["id"].tolist() == [5]


def test_a_form_says_that_the_title_is_on_the_account(sandbox: anb.Sandbox, tmp_path: Path) -> None:
    client = sandbox.client()
    anb.submit(tune(), client, log=log_in(tmp_path / "a"))
    fields: dict[str, Any] = {"pack": 797, "title": "t", "name": "cat", "image_urls": [URL]}
    form = anb.TuneForm(client, log=log_in(tmp_path / "b"), **fields)
    with pytest.warns(UserWarning, match="The title 't' is on your account already"):
        form.submit()
    form._panel.training.stop()
    assert "The title &#39;t&#39; is on your account already: tune" in form._panel.upload._message.value
    assert posts(sandbox) == 1


def test_a_title_that_another_thread_takes_meanwhile_is_sent_once(
    server: ScriptedServer, client: anb.Client, tmp_path: Path
) -> None:
    log = log_in(tmp_path / "a")
    both, made = threading.Barrier(2, timeout=PATIENCE), {**TUNE, "id": 5}

    def listed(exchange: Exchange) -> bool:
        both.wait()  # both threads look before one of them records what it saw
        return reply([made])(exchange)

    server.on("GET", "/tunes", listed, listed)
    outcomes: list[object] = []

    def submit() -> None:
        try:
            outcomes.append(anb.submit(tune(pack=43), client, log=log)["id"].tolist())
        except TuneError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=submit) for _ in range(2)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [5] in outcomes
    assert all(outcome == [5] or "is being submitted by another" in str(outcome) for outcome in outcomes)
    assert log.frame()["state"].tolist() == ["adopted"]
    assert posts(server) == 0
