"""Whatever is passed: an error is one of ours, and names the field, the cause and the next step."""

import dataclasses
import re
import socket
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import astria_nb as anb
from astria_nb.errors import AstriaError, TuneError
from astria_nb.tune import FIELDS
from helpers.error_checks import assert_readable
from helpers.scripted_server import KEY, ScriptedServer
from helpers.soak import sizes

SECRET = "sd_s3cr3t0123456789abcdef"


class Plain:
    """Its repr is the default one, with an address."""


ODD: list[Any] = [
    *(None, Plain(), Plain, len, lambda: 1, object(), iter([1]), ..., NotImplemented, {1, 2}, range(3)),
    *(np.int64(3), np.float32(2), np.array([1, 2]), np.array(5), pd.NA, pd.NaT, pd.Series([1])),
    *(pd.DataFrame(), pd.DataFrame({"x": [1]}), datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)),
    *(datetime.max, Decimal("1.5"), b"x", bytearray(b"x"), memoryview(b"x"), True, False, 3 + 4j),
    *(10**400, -(10**400), 2**63, -1, 0, float("nan"), float("inf"), -0.0, 1e308),
    *(Path("x"), Path("/"), Path("/proc/self/mem"), Path("/dev/null"), "", " ", "a\0", "\ud800", "\n"),
    *("x" * 5000, "..", "../..", "~nobody/a", "260", "man", "nan", "1e999", "json", "multipart", "\u202e"),
    *(
        "https://e.com/1.jpg",
        "http://e.com:99999/",
        "https://[::1",
        "//",
        "ftp://e.com",
        "http://127.0.0.1:1",
    ),
    *(SECRET, f"https://e.com/?k={SECRET}", f"https://me:{SECRET}@e.com", "https://e.com/a b.jpg"),
]
JUNK = st.recursive(
    st.sampled_from(ODD) | st.text(max_size=5) | st.integers() | st.floats() | st.binary(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3) | st.integers() | st.none(), inner, max_size=3)
    ),
    max_leaves=5,
)
URLS = ["https://e.com/1.jpg"]
RIGHT: dict[str, Any] = {"pack": 43, "title": "t", "name": "cat", "image_urls": URLS}
Call = Callable[[], Any]


def some(names: list[str], least: int = 1) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names), JUNK, min_size=least, max_size=3)


class Everything:
    """The calls of a user, with one or more wrong arguments."""

    def __init__(self, folder: Path, client: anb.Client, url: str) -> None:
        self.folder, self.client, self.url = folder, client, url
        self.log = anb.ExperimentLog(folder / "log.sqlite")
        self.form = anb.TuneForm(client, log=self.log)
        self.row = anb.submit(anb.Tune(**RIGHT), client, log=self.log)

    def calls(self) -> dict[str, st.SearchStrategy[Call]]:
        """Return the calls by name, each drawn with its arguments."""
        client, log, form, right = self.client, self.log, self.form, anb.Tune(**RIGHT)

        def call(function: Callable[..., Any], *arguments: Any, **named: Any) -> Call:
            return lambda: function(*arguments, **named)

        fields = some([*FIELDS, "titel", "images_urls", "model", ""])
        submitting = some(
            ["encoding", "settle", "max_cost", "timeout", "idempotent", "log", "on_sent", "say"]
        )
        return {
            "Tune": fields.map(lambda values: call(anb.Tune, **{**RIGHT, **values})),
            "Tune alone": fields.map(lambda values: call(anb.Tune, **values)),
            "submit": submitting.map(
                lambda values: call(anb.submit, right, client, **{"log": log, **values})
            ),
            "submit what": JUNK.map(lambda value: call(anb.submit, value, client, log=log)),
            "submit to": JUNK.map(lambda value: call(anb.submit, right, value, log=log)),
            "fill": fields.map(lambda values: call(form.fill, **values)),
            "form": fields.map(lambda values: call(anb.TuneForm, client, log=log, **values)),
            "form submit": JUNK.map(lambda value: call(form.submit, client, encoding=value)),
            "key": JUNK.map(lambda value: call(anb.Client, value, base_url=self.url)),
            "base_url": JUNK.map(lambda value: call(anb.Client, KEY, base_url=value)),
            "timeout": JUNK.map(lambda value: call(anb.Client, KEY, base_url=self.url, timeout=value)),
            "pack": JUNK.map(lambda value: call(client.pack, value)),
            "tune": JUNK.map(lambda value: call(client.tune, value)),
            "prompt": JUNK.map(lambda value: call(client.prompt, value)),
            "prompts": JUNK.map(lambda value: call(lambda: list(client.prompts(value)))),
            "wait": JUNK.map(lambda value: call(anb.wait, value, client)),
            "prompts of": JUNK.map(lambda value: call(anb.prompts, value, client)),
            "wait until": JUNK.map(lambda value: call(anb.wait, self.row, client, until=value, timeout=0)),
            "log": JUNK.map(lambda value: call(lambda: anb.ExperimentLog(value).frame())),
            "get": JUNK.map(lambda value: call(log.get, value)),
            "diff": st.tuples(JUNK, JUNK).map(lambda values: call(log.diff, *values)),
            "resolve": st.tuples(JUNK, JUNK).map(lambda values: call(log.resolve, *values)),
            "replay": JUNK.map(lambda value: call(log.replay, value, client)),
            "replay with": fields.map(lambda values: call(log.replay, 1, client, **values)),
            "recover": JUNK.map(lambda value: call(log.recover, client, settle=value)),
            "prune": JUNK.map(lambda value: call(log.prune, value)),
            "export": JUNK.map(lambda value: call(log.export, value)),
            "sandbox": some([*OPTIONS, "sped", ""]).map(lambda values: call(anb.Sandbox, **values)),
        }


OPTIONS = [
    option.name for option in dataclasses.fields(anb.Sandbox().options) if option.name not in ("data", "host")
]


# Other errors that a call documents; their message names the field and the next step, too.
DOCUMENTED: dict[str, tuple[type[Exception], ...]] = {
    **dict.fromkeys(["Tune", "Tune alone", "fill", "form", "replay with"], (TypeError,)),
    **dict.fromkeys(["get", "diff"], (KeyError,)),
    "sandbox": (TypeError, ValueError),
}
_find = socket.getaddrinfo


def only_this_machine(host: Any, *arguments: Any, **named: Any) -> Any:
    """Resolve no other name, so that nothing is requested over the network."""
    if host in ("127.0.0.1", "localhost", "::1"):
        return _find(host, *arguments, **named)
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def assert_clear(name: str, error: Exception) -> None:
    if isinstance(error, AstriaError) or type(error) not in DOCUMENTED.get(name, ()):
        assert_readable(error, SECRET)
    elif not isinstance(error, KeyError):
        text = str(error)
        assert re.fullmatch(
            r"(a (tune|sandbox) has no option|a (tune|sandbox) has no field|\w+:) .*; .+", text
        ), text
        assert " at 0x" not in text
        assert SECRET not in text


@pytest.mark.slow
@sizes(150, 10_000)
def test_every_error_names_the_field_the_problem_and_the_next_step(
    server: ScriptedServer, client: anb.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(socket, "getaddrinfo", only_this_machine)
    calls, raised = Everything(tmp_path, client, server.url).calls(), Counter[str]()

    @settings(max_examples=size, deadline=None)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(calls)))
        call = data.draw(calls[name])
        try:
            call()
        except Exception as error:  # noqa: BLE001  whatever it is, it has to be clear
            raised[name] += 1
            assert_clear(name, error)

    check()
    assert raised.total() > size / 4
    assert len(raised) > len(calls) / 2


def test_a_limit_that_a_form_would_ignore_is_refused(client: anb.Client, server: ScriptedServer) -> None:
    form = anb.TuneForm(client, **RIGHT)
    with pytest.raises(TuneError, match=r"max_cost: is ignored by a form; give it to the TuneForm"):
        anb.submit(form, max_cost=0.01)
    assert server.received("POST") == []


def test_a_form_takes_an_iterable_that_can_be_read_only_once(client: anb.Client) -> None:
    form = anb.TuneForm(client, **{**RIGHT, "image_urls": (url for url in URLS)})
    assert form.tune is not None
    assert form.tune.image_urls == tuple(URLS)
