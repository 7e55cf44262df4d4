"""The engine behind `submit` and the form: what it asks the service for before anything is paid."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import astria_nb as anb
from astria_nb.errors import AstriaError, TuneError
from astria_nb.submission import PACK_MAX_AGE_SECONDS, SubmitOptions, submit_once
from astria_nb.submission._options import CallbackObserver
from astria_nb.tune import Pack, check_pack

FIELDS: dict[str, Any] = {"pack": 43, "name": "cat", "image_urls": ["https://example.com/1.jpg"]}


@pytest.fixture
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(deterministic=True) as running:
        yield running


def options(client: anb.Client, **changes: Any) -> SubmitOptions:
    observer = CallbackObserver(lambda *_: None, lambda *_: None)
    return SubmitOptions(client=client, log=anb.ExperimentLog(), observer=observer, **changes)


def lookups(sandbox: anb.Sandbox) -> int:
    """Return how often a single pack was asked for."""
    return sum(request.method == "GET" and request.path.startswith("/p/") for request in sandbox.ledger)


def test_a_direct_submission_asks_for_the_pack_before_it_pays(sandbox: anb.Sandbox) -> None:
    anb.submit(anb.Tune(title="t", **FIELDS), sandbox.client())
    calls = [(request.method, request.path) for request in sandbox.ledger]
    assert calls.index(("GET", "/p/43")) < calls.index(("POST", "/p/43/tunes"))


def test_a_pack_that_is_handed_over_is_not_fetched_again(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    pack = client.pack(43)
    submit_once(anb.Tune(title="by id", **FIELDS), options(client, pack=pack))
    submit_once(anb.Tune(title="by slug", **{**FIELDS, "pack": pack.slug}), options(client, pack=pack))
    assert lookups(sandbox) == 1


def test_a_pack_that_is_not_the_tunes_own_is_ignored(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    unrelated = client.pack(260)
    submit_once(anb.Tune(title="t", **FIELDS), options(client, pack=unrelated))
    assert lookups(sandbox) == 2


def test_a_pack_that_is_handed_over_is_checked(sandbox: anb.Sandbox) -> None:
    client = sandbox.client()
    pack = replace(client.pack(43), classes=())
    cheap = options(client, pack=client.pack(43), max_cost=0.5)
    with pytest.raises(TuneError, match=r"max_cost: is \$0\.50, and this run costs about"):
        submit_once(anb.Tune(title="t", **FIELDS), cheap)
    with pytest.raises(TuneError, match="name: 'dragon' is not a class of pack 43"):
        submit_once(anb.Tune(title="t", **{**FIELDS, "name": "dragon"}), cheap)
    with pytest.raises(TuneError, match="max_cost: cannot be applied"):
        submit_once(anb.Tune(title="t", **FIELDS), options(client, pack=pack, max_cost=9.0))
    assert not [request for request in sandbox.ledger if request.method == "POST"]


def test_a_form_hands_over_the_pack_that_it_has_just_shown(sandbox: anb.Sandbox) -> None:
    form = anb.TuneForm(sandbox.client(), **FIELDS)
    assert form.valid
    for_the_form = lookups(sandbox)
    form.submit()
    assert lookups(sandbox) == for_the_form
    form.new_title()
    form._draft.pack._fetched_at -= PACK_MAX_AGE_SECONDS + 1
    form.submit()
    form._panel.training.stop()
    assert lookups(sandbox) == for_the_form + 1


def test_a_form_asks_another_client_for_its_own_pack(sandbox: anb.Sandbox) -> None:
    form = anb.TuneForm(sandbox.client(), **FIELDS)
    with anb.Sandbox(deterministic=True) as second_sandbox:
        form.submit(second_sandbox.client())
        form._panel.training.stop()
        assert lookups(second_sandbox) == 1


@pytest.mark.parametrize("max_cost", [-1, float("nan"), "cheap", True])
def test_a_form_refuses_a_limit_that_is_not_an_amount(sandbox: anb.Sandbox, max_cost: Any) -> None:
    with pytest.raises(AstriaError, match=r"max_cost: .*US dollars"):
        anb.TuneForm(sandbox.client(), max_cost=max_cost)


def test_a_wrong_class_is_the_only_problem_although_it_has_no_price() -> None:
    pack = Pack.from_json({"id": 260, "costs": {"man": {"cost": 331, "num_images": 28}}})
    tune = anb.Tune(title="t", **{**FIELDS, "pack": 260})
    result = check_pack(pack, "cat", tune, 9.0)
    assert [problem.field for problem in result.problems] == ["name"]
    assert result.estimate is None
