"""Rows: the API's JSON as pandas, with types that do not depend on the values."""

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astria_nb.rows import (
    flat,
    own_fields,
    picture_urls,
    prompt_frame,
    prompt_status,
    tune_frame,
    tune_status,
    typed,
)
from helpers.pandas_types import TEXT

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SEED: dict[str, Any] = {
    "id": 1,
    "title": "John Doe",
    "name": "woman",
    "eta": "2023-10-02T14:32:40.363Z",
    "trained_at": "2023-10-02T14:32:40.363Z",
    "started_training_at": "2023-10-02T14:32:05.229Z",
    "expires_at": "2023-11-01T14:32:40.363Z",
    "created_at": "2023-10-02T14:32:05.067Z",
    "updated_at": "2023-10-02T14:32:40.363Z",
    "url": "https://www.astria.ai/tunes/788416.json",
    "orig_images": ["https://sdbooth2-production.s3.amazonaws.com/mock"] * 2,
}
ID, TIME = "Int64", "datetime64[us, UTC]"
TEXTS, IDS = "list<item: string>[pyarrow]", "list<item: int64>[pyarrow]"
TYPES = {
    "id": ID, "title": TEXT, "name": TEXT, "pack": ID, "status": TEXT,
    "eta": TIME, "started_training_at": TIME, "trained_at": TIME, "expires_at": TIME,
    "created_at": TIME, "updated_at": TIME, "failed_at": TIME, "url": TEXT, "orig_images": TEXTS,
    "image_sha256": TEXTS, "encoding": TEXT, "tune_ids": IDS, "prompt_ids": IDS,
    "service": TEXT, "account": TEXT, "characteristics": TEXT, "callback": TEXT, "prompts_callback": TEXT,
    "base_pack_id": ID, "base_tune_id": ID, "model_type": TEXT, "branch": TEXT, "token": TEXT,
    "args": TEXT, "steps": ID, "face_crop": "boolean", "training_face_correct": "boolean",
    "auto_extend": "boolean", "is_api": "boolean", "cost_mc": ID, "ckpt_url": TEXT, "ckpt_urls": TEXTS,
}  # fmt: skip
OURS = {
    "pack": 43,
    "encoding": "multipart",
    "image_sha256": ["00"],
    "tune_ids": None,
    "prompt_ids": [5, 2**60],
}


def types(frame: pd.DataFrame) -> dict[str, str]:
    return {str(name): str(kind) for name, kind in frame.dtypes.items()}


@pytest.mark.parametrize("tunes", [[], [{}], [{"id": 1}], [SEED], [{**SEED, **OURS}, {}]])
def test_every_tune_row_has_the_same_columns_and_types(tunes: list[dict[str, Any]]) -> None:
    frame = tune_frame(tunes)
    assert types(frame) == TYPES
    assert list(frame.columns) == list(TYPES)
    assert len(frame) == len(tunes)


def test_what_the_service_says_is_in_the_row() -> None:
    (row,) = tune_frame([{**SEED, **OURS}], NOON).to_dict("records")
    assert row["id"] == 1
    assert row["title"] == "John Doe"
    assert row["trained_at"] == pd.Timestamp("2023-10-02T14:32:40.363", tz="UTC")
    assert list(row["orig_images"]) == SEED["orig_images"]
    assert list(row["prompt_ids"]) == [5, 2**60]
    assert row["failed_at"] is pd.NaT
    assert pd.isna(row["tune_ids"])


def test_ids_beyond_a_float_stay_exact() -> None:
    frame = tune_frame([{"id": 2**53 + 1}, {"id": None}])
    assert frame.loc[0, "id"] == 2**53 + 1
    assert frame["id"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (2**53 - 1, [9007199254740991.0, 0.5]),
        (2**53, ["9007199254740992", "0.5"]),
        (-(2**63), [str(-(2**63)), "0.5"]),
    ],
)
def test_an_integer_stays_exact_beside_a_fraction(number: int, shown: list[object]) -> None:
    for others in ([], [{"sparkle": "x"}]):
        frame = tune_frame([{"sparkle": number}, {"sparkle": 0.5}, *others])
        expected = [*(map(str, (number, 0.5)) if others else shown), *(other["sparkle"] for other in others)]
        assert frame["sparkle"].tolist() == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T12:00:00.000Z",
        "2026-01-01T13:00:00+01:00",
        "2026-01-01T12:00:00",
        "2026-01-01 07:00:00 -0500",
    ],
)
def test_times_are_in_utc(text: str) -> None:
    eta = tune_frame([{"id": 1, "eta": text.replace(" -", "-")}]).loc[0, "eta"]
    assert eta == pd.Timestamp(NOON)
    assert str(eta.tz) == "UTC"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T12:00:00.123456789Z", NOON + timedelta(microseconds=123456)),
        ("2026-01-01 12:00:00 UTC", NOON),
        ("10000-01-01T12:00:00Z", None),
        ("0000-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+05:00", None),
        ("9999-12-31T23:59:59-05:00", None),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("2026-13-01T12:00:00Z", None),
        ("soon", None),
    ],
)
def test_a_time_is_read_alike_among_few_and_among_many(text: str, time: datetime | None) -> None:
    for count in (1, 2, 50):
        read = tune_frame([{"id": 1, "eta": text, "created_at": "2026-01-01T12:00:00Z"}] * count)
        assert {None if value is pd.NaT else value for value in read["eta"]} == {time}
        assert {*read["created_at"]} == {NOON}
        beside_junk = tune_frame([{"id": 1, "eta": text}] * count + [{"id": 2, "eta": "soon"}])
        assert beside_junk["eta"].tolist() == [*read["eta"], pd.NaT]
        assert typed(flat(read))["eta"].tolist() == read["eta"].tolist()


def test_missing_text_is_the_same_in_every_pandas() -> None:
    frame = tune_frame([{"id": 1, "title": "a"}, {"id": 2}])
    assert frame["title"].tolist()[0] == "a"
    assert frame.loc[1, "title"] is np.nan
    is_a = frame["title"] == "a"
    assert (is_a.dtype, is_a.tolist()) == (bool, [True, False])
    assert frame[frame["title"].str.startswith("a", na=False)]["id"].tolist() == [1]


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA], ids=str)
def test_what_a_frame_has_in_place_of_text_is_no_text(missing: object) -> None:
    for others in ([], [{"id": 2, "title": "a"}]):
        frame = tune_frame([{"id": 1, "title": missing}, *others])
        assert frame["title"].isna().tolist() == [True, *[False] * len(others)]


@pytest.mark.filterwarnings("ignore:The 'future.infer_string' option is deprecated")
@pytest.mark.parametrize("infers", [False, True])
def test_rows_do_not_depend_on_what_pandas_infers_for_text(infers: bool) -> None:
    with pd.option_context("future.infer_string", infers):
        frame = tune_frame([{**SEED, "later": "x"}, {}])
        both = pd.concat([frame, tune_frame([{**SEED, "later": "x"}, {}])])
        assert types(frame) == types(both) == {**TYPES, "later": TEXT}
        assert (frame["later"].tolist()[0], frame.loc[1, "later"] is np.nan) == ("x", True)
    pd.testing.assert_frame_equal(frame, tune_frame([{**SEED, "later": "x"}, {}]), check_column_type=False)


EXTRA = {"steps": 300, "auto_extend": True, "model_type": "lora", "ckpt_urls": [], "later": "x"}
ROWS = {
    "bare": tune_frame([{"id": 1}]),
    "full": tune_frame([{**SEED, **OURS}]),
    "more": tune_frame([{**SEED, **EXTRA}]),
    "nulls": tune_frame([{"id": 2, **dict.fromkeys(EXTRA)}]),
    "none": tune_frame([]),
}


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(ROWS, 2)))
def test_rows_one_under_the_other_keep_their_types(first: str, second: str) -> None:
    both = pd.concat([ROWS[first], ROWS[second]])
    assert types(both) == {**types(ROWS[first]), **types(ROWS[second])}
    assert len(both) == len(ROWS[first]) + len(ROWS[second])


def test_fields_of_a_later_api_are_kept_behind_the_known_ones() -> None:
    new = {
        "sparkle": (True, "boolean"),
        "count": (3, ID),
        "rate": (0.5, "Float64"),
        "note": ("x", TEXT),
        "shined_at": ("2026-01-01T12:00:00Z", TIME),
        "deep": ({"a": ["é"]}, TEXT),
    }
    frame = tune_frame([{**SEED, **{name: value for name, (value, _) in new.items()}}, SEED])
    assert types(frame) == {**TYPES, **{name: kind for name, (_, kind) in new.items()}}
    assert list(frame.columns) == [*TYPES, *new]
    assert frame.loc[0, "deep"] == '{"a": ["é"]}'
    assert frame[list(new)].isna().loc[1].all()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, "queued"),
        ({"eta": NOON.isoformat()}, "queued"),
        ({"started_training_at": "2026-01-01T11:00:00Z"}, "training"),
        ({"started_training_at": "x", "trained_at": "2026-01-01T11:00:00Z"}, "trained"),
        ({"trained_at": "2026-01-01T11:00:00Z", "expires_at": "2026-01-01T12:00:01Z"}, "trained"),
        ({"trained_at": "2026-01-01T11:00:00Z", "expires_at": "2026-01-01T11:59:59Z"}, "expired"),
        ({"trained_at": "2026-01-01T11:00:00Z", "failed_at": "2026-01-01T11:30:00Z"}, "failed"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "queued"),
        ({"id": None}, None),
    ],
)
def test_the_status_of_a_tune_is_derived(fields: dict[str, Any], status: str | None) -> None:
    assert tune_status({"id": 1, **fields}, NOON) == status
    frame = tune_frame([{"id": 1, "status": 201, **fields}], NOON)
    assert frame["status"].tolist() == [status] if status else frame["status"].isna().all()


def test_expiry_is_judged_by_this_machines_time_where_none_is_given() -> None:
    ago, ahead = (datetime.now(UTC) + timedelta(minutes=minutes) for minutes in (-1, 1))
    assert tune_status({"id": 1, "trained_at": "x", "expires_at": ago.isoformat()}) == "expired"
    assert tune_status({"id": 1, "trained_at": "x", "expires_at": ahead.isoformat()}) == "trained"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, "pending"),
        ({"images": []}, "pending"),
        ({"images": None, "started_training_at": "x"}, "pending"),
        ({"images": ["https://mp.astria.ai/a"]}, "done"),
        ({"user_error": "no face"}, "failed"),
        ({"images": [], "trained_at": "2026-01-01T11:00:00Z"}, "failed"),
    ],
)
def test_the_status_of_a_prompt_is_derived(fields: dict[str, Any], status: str) -> None:
    assert prompt_status({"id": 1, **fields}) == status
    assert prompt_frame([{"id": 1, **fields}])["status"].tolist() == [status]


def test_pictures_may_be_text_or_objects() -> None:
    assert picture_urls({"images": ["a", {"url": "b"}, {"uri": "c"}, None, 5]}) == ["a", "b"]


def test_what_is_ours_is_carried_into_the_next_state() -> None:
    (row,) = tune_frame([{**SEED, **OURS}]).to_dict("records")
    later = tune_frame([{**SEED, "title": "later", **own_fields(row)}])
    assert own_fields(row) == {key: value for key, value in OURS.items() if value is not None}
    assert later.loc[0, "title"] == "later"
    assert later.loc[0, "pack"] == 43
    assert list(later.loc[0, "prompt_ids"]) == [5, 2**60]


def test_a_frame_goes_to_parquet(tmp_path: Path) -> None:
    pd.concat([ROWS["full"], ROWS["more"], ROWS["nulls"]]).to_parquet(tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.column("id").to_pylist() == [1, 1, 2]
    assert table.column("prompt_ids").to_pylist() == [[5, 2**60], None, None]
    assert table.column("orig_images").to_pylist()[0] == SEED["orig_images"]


def test_a_row_shows_as_a_table() -> None:
    assert "<table" in tune_frame([SEED])._repr_html_()
    assert tune_frame([SEED]).squeeze()["title"] == "John Doe"


def test_a_row_that_is_changed_leaves_later_rows_alone() -> None:
    row, values = tune_frame([{}], NOON), tune_frame([SEED | {"steps": 3, "is_api": True}], NOON)
    for name in ("id", "title", "steps", "is_api", "created_at"):
        row.loc[0, name] = values.loc[0, name]
        assert row.loc[0, name] == values.loc[0, name]
    row.index.name, row.columns.name = "number", "field"
    later = tune_frame([{}], NOON)
    assert later.isna().all(axis=None)
    assert (later.index.name, later.columns.name) == (None, None)


def test_columns_that_are_moved_in_a_row_stay_where_they_are_in_later_rows() -> None:
    row = tune_frame([SEED], NOON)
    row.insert(0, "mine", 1)
    del row["title"]
    row.insert(2, "eta2", row.pop("eta"))
    later = tune_frame([SEED], NOON)
    assert types(later) == TYPES
    assert later.loc[0, "title"] == "John Doe"


SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False)
    | st.text(max_size=5)
)  # fmt: skip
TIMES = st.sampled_from(["2026-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
VALUES = st.recursive(
    SCALARS | TIMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
FIELDS = st.sampled_from(
    [*TYPES, "steps", "cfg_scale", "auto_extend", "characteristics", "later", "later_at"]
)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(FIELDS, VALUES, max_size=6), min_size=1, max_size=3))
def test_odd_json_makes_a_row_all_the_same(tunes: list[dict[str, Any]]) -> None:
    frame = tune_frame(tunes, NOON)
    assert {name: kind for name, kind in types(frame).items() if name in TYPES} == TYPES
    assert set(frame.columns) >= {key for tune in tunes for key in tune}
    assert len(frame) == len(tunes)
    alone = pd.concat([tune_frame([tune], NOON)[[*TYPES]] for tune in tunes], ignore_index=True)
    pd.testing.assert_frame_equal(frame[[*TYPES]], alone)
