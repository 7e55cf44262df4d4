"""The account's balance, in sight before anything is sent."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

import astria_nb as anb
from astria_nb.errors import RejectedError
from astria_nb.tune import Pack, estimate, problem_with_balance
from helpers.form_widgets import button, messages
from helpers.scripted_server import KEY, ScriptedServer, reply
from helpers.waiting import until

FIELDS = {"pack": 260, "name": "woman", "title": "t"}


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(deterministic=True, balance_mc=500_000) as running:
        yield running


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    Image.new("RGB", (600, 600), "teal").save(tmp_path / "a.jpg")
    return tmp_path / "a.jpg"


def test_the_form_shows_the_balance_and_what_a_tune_took_of_it(sandbox: anb.Sandbox, photo: Path) -> None:
    form = anb.TuneForm(sandbox.client(), **FIELDS, images=[photo])
    until(lambda: "practice balance $5" in messages(form))
    assert "The balance" not in messages(form)
    form.submit()
    until(lambda: "practice balance $1.40" in messages(form))
    assert "this run costs" not in messages(form)  # it is paid
    form.new_title()
    assert "but the balance is $1.40, and this run costs about $3.60" in messages(form)
    assert "The balance is $1.40, and this run costs about $3.60; start the sandbox with a" in messages(form)
    assert not button(form, "Submit").disabled  # the service decides
    form.fill(branch="fast")
    assert "The balance" not in messages(form)


def test_the_balance_is_compared_with_the_whole_list_and_the_draft(tmp_path: Path) -> None:
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    with anb.Sandbox(balance_mc=500_000) as sandbox:
        form = anb.TuneForm(sandbox.client(), log=log, draft="list", pack=797, name="cat")
        until(lambda: "practice balance $5" in messages(form))
        for title in "AB":
            form.fill(title=title, image_urls=[f"https://example.com/{title}.jpg"])
            button(form, "Add to the list").click()
        assert "The balance" not in messages(form)  # it is enough for both
        form.fill(title="C", image_urls=["https://example.com/C.jpg"])
        too_low = "the balance is $5.00, and these 3 runs cost about $5.94"
        assert f"Ready to submit, but {too_low}" in messages(form)
        button(form, "Add to the list").click()
        assert f"Ready to submit, but {too_low}" in messages(form)
        assert "or it may refuse some of them after the upload" in messages(form)
        assert not button(form, "Submit 3").disabled
        again = anb.TuneForm(sandbox.client(), log=log, draft="list")
        until(lambda: too_low in messages(again))
        again._list.remove(again._list.tunes[0])
        assert "The balance" not in messages(again)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({}, "these 2 runs cost about $3.96"),
        ({"branch": "fast"}, "1 of these 2 runs costs about $1.98"),
        ({"prompt_attributes": {"num_images": 2}}, "1 of these 2 runs costs about $1.98"),  # at most
    ],
)
def test_what_has_no_certain_price_is_not_held_against_the_balance(fields, what: str) -> None:
    pack = Pack.from_json({"id": 797, "costs": {"cat": {"cost": 198}}})
    certain, other = (
        anb.Tune(pack=797, name="cat", title=title, image_urls=["https://example.com/1.jpg"], **more)
        for title, more in {"a": {}, "b": fields}.items()
    )
    runs = [(tune, estimate(tune, pack)) for tune in (certain, other)]
    problem = problem_with_balance(runs, 1.0, is_sandbox=False)
    assert str(problem) == (
        f"balance: is $1.00, and {what}; add credit to the account, or the service may refuse some of them "
        "after the upload"
    )


def test_a_balance_is_rounded_down_so_that_it_does_not_look_enough(photo: Path) -> None:
    with anb.Sandbox(deterministic=True, balance_mc=359_999) as sandbox:
        form = anb.TuneForm(sandbox.client(), **FIELDS, images=[photo])
        until(lambda: "practice balance $3.59" in messages(form))
        until(lambda: "The balance is $3.59, and this run costs about $3.60" in messages(form))


def test_on_an_account_the_hint_is_to_add_credit(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("astria_nb.form._review.is_sandbox", lambda client: False)
    with anb.Sandbox(deterministic=True, balance_mc=100_000) as sandbox:
        form = anb.TuneForm(sandbox.client(), **FIELDS, images=[photo])
        until(lambda: "The balance is $1.00, and this run costs about $3.60; add credit" in messages(form))


def test_submit_says_before_the_upload_that_the_balance_is_too_low(photo: Path) -> None:
    tune = anb.Tune(**FIELDS, images=[photo])
    with anb.Sandbox(balance_mc=100_000) as sandbox:
        with (
            pytest.warns(UserWarning, match=r"balance: is \$1\.00, and this run costs about \$3\.60; start"),
            pytest.raises(RejectedError, match="not enough balance"),
        ):
            anb.submit(tune, sandbox.client())
        with pytest.raises(UserWarning, match="balance"):  # where warnings are errors, nothing is sent
            anb.submit(tune, sandbox.client())
        assert [request.method for request in sandbox.ledger].count("POST") == 1


@pytest.mark.parametrize(
    ("account", "balance"),
    [
        ({"id": 5, "usd_balance_mc": 331_000}, 3.31),
        ({"id": 5, "usd_balance_mc": 0, "payer": {"id": 6, "self": False, "usd_balance_mc": 200_000}}, 2.0),
        ({"id": 5, "usd_balance_mc": 0, "payer": {"id": 6}}, None),
        ({"id": 5, "usd_balance_mc": "much"}, None),
        ({"id": 5}, None),
        ([], None),
    ],
)
def test_the_balance_is_that_of_whoever_pays(
    server: ScriptedServer, account: object, balance: float | None
) -> None:
    server.on("GET", "/users", reply(account))
    assert anb.Client(KEY, base_url=server.url).balance() == balance


def test_a_service_that_does_not_tell_the_balance_is_no_hindrance(
    server: ScriptedServer, photo: Path, recwarn: pytest.WarningsRecorder
) -> None:
    server.on("GET", "/users", reply({"error": "no"}, 403))
    anb.submit(anb.Tune(pack=43, name="cat", title="t", images=[photo]), anb.Client(KEY, base_url=server.url))
    assert not [warning for warning in recwarn if "balance" in str(warning.message)]
