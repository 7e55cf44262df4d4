"""The API's JSON as people pass it: a list, what the client's methods yield, one object, and mistakes."""

from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd
import pytest

from astria_nb.errors import TuneError
from astria_nb.rows import prompt_frame, tune_frame

Frame = Callable[[Any], pd.DataFrame]
FORMS: dict[str, Callable[[Iterable[Any]], Any]] = {
    "list": list,
    "tuple": tuple,
    "generator": lambda records: (record for record in records),
    "map": lambda records: map(dict, records),
}


@pytest.mark.parametrize("frame", [tune_frame, prompt_frame])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_records_may_come_one_by_one(frame: Frame, form: Callable[[Iterable[Any]], Any]) -> None:
    assert frame(form([{"id": 7}, {"id": 8}]))["id"].tolist() == [7, 8]


@pytest.mark.parametrize("frame", [tune_frame, prompt_frame])
def test_one_object_is_one_row(frame: Frame) -> None:
    assert frame({"id": 7, "trained_at": "2026-01-01T12:00:00Z"})["id"].tolist() == [7]


@pytest.mark.parametrize(("frame", "field"), [(tune_frame, "tunes"), (prompt_frame, "prompts")])
@pytest.mark.parametrize("value", [None, 7, "x", [{"id": 7}, None], pd.DataFrame({"id": [7]})], ids=repr)
def test_what_is_no_json_is_told_with_what_to_pass(frame: Frame, field: str, value: object) -> None:
    with pytest.raises(
        TuneError, match=rf"^{field}: .* is not the API's JSON; pass client\.{field}\(…\), or"
    ):
        frame(value)
