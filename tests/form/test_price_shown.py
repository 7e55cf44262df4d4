"""A form does not pay more than the price that it has shown."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import ipywidgets as widgets
import pytest

import astria_nb as anb
from astria_nb.errors import TuneError
from astria_nb.submission import PACK_MAX_AGE_SECONDS
from astria_nb.tune import Pack
from helpers.batches import posts
from helpers.form_widgets import descendants, messages
from helpers.waiting import until

URL = "https://example.com/1.jpg"
NOW = r"costs \$36.00 now, and cost \$3.60 when its price was shown; submit it again to pay this price"


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(tune_fields="record") as running:
        yield running


@pytest.fixture
def make(
    sandbox: anb.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., anb.TuneForm]]:
    monkeypatch.setattr("astria_nb.form._tune_form.is_sandbox", lambda _: False)
    log, forms = anb.ExperimentLog(tmp_path / "log.sqlite"), list[anb.TuneForm]()

    def make(**options: float) -> anb.TuneForm:
        form = anb.TuneForm(sandbox.client(), log=log, pack=260, name="woman", title="t", **options)
        forms.append(form)
        form.fill(image_urls=[URL])
        until(lambda: form.valid)
        return form

    yield make
    for form in forms:
        form._panel.training.stop()
    log.close()


def raise_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the service ask ten times as much as it did."""
    fetch = anb.Client.pack

    def pack(client: anb.Client, pack_id: int | str) -> Pack:
        pack = fetch(client, pack_id)
        return replace(
            pack, classes=tuple(replace(one, price_mc=10 * (one.price_mc or 0)) for one in pack.classes)
        )

    monkeypatch.setattr(anb.Client, "pack", pack)


def submit_button(form: anb.TuneForm) -> widgets.Button:
    return next(
        one
        for one in descendants(form)
        if isinstance(one, widgets.Button) and one.description.startswith("Submit")
    )


def looks_at_the_pack(sandbox: anb.Sandbox) -> int:
    return sum(request.path == "/p/260" for request in sandbox.ledger)


def test_a_price_that_rose_is_shown_and_paid_by_the_next_submit_only(
    make: Callable[..., anb.TuneForm], sandbox: anb.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = make()
    assert submit_button(form).description == "Submit · about $3.60"
    form._draft.pack._fetched_at -= PACK_MAX_AGE_SECONDS + 1
    raise_prices(monkeypatch)
    with pytest.raises(TuneError, match=f"pack: {NOW}"):
        form.submit()
    assert posts(sandbox) == 0
    assert submit_button(form).description == "Submit · about $36.00"
    assert "$36.00 now" in messages(form)
    looks = looks_at_the_pack(sandbox)
    submit_button(form).click()
    until(lambda: form.row is not None and form.status != "sending")
    assert (posts(sandbox), looks_at_the_pack(sandbox)) == (1, looks), "it was fetched just now"


def test_a_limit_is_kept_by_the_price_of_the_moment(
    make: Callable[..., anb.TuneForm], sandbox: anb.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = make(max_cost=5)
    raise_prices(monkeypatch)
    with pytest.raises(TuneError, match=r"max_cost: is \$5.00, and this run costs about \$36.00"):
        form.submit()
    assert posts(sandbox) == 0
    assert submit_button(form).description == "Submit · about $36.00"
    assert not form.valid


def test_a_tune_of_the_list_whose_price_rose_is_paid_by_the_next_submit_only(
    make: Callable[..., anb.TuneForm], sandbox: anb.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = make()
    next(one for one in descendants(form) if getattr(one, "description", "") == "Add to the list").click()
    assert submit_button(form).description == "Submit 1 · about $3.60"
    raise_prices(monkeypatch)
    submit_button(form).click()
    until(lambda: form.status == "failed")
    assert posts(sandbox) == 0
    assert "$36.00 now" in messages(form)
    until(lambda: submit_button(form).description == "Submit 1 · about $36.00")
    submit_button(form).click()
    until(lambda: form.row is not None and form.status != "sending")
    assert posts(sandbox) == 1
