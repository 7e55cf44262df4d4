"""Rows that come back: in any form they are read as they were, or the error says what to pass."""

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.errors import TuneError
from astria_nb.rows import prompt_frame, tune_frame, typed
from helpers.row_forms import IDS, ONE, WHOLE, Form

TRAINED = {
    "id": 1000001,
    "title": """it's "1", 2""",
    "name": "cat",
    "pack": 43,
    "created_at": "2026-01-01T12:00:00.123Z",
    "trained_at": "2026-01-01T12:20:00Z",
    "expires_at": "2099-01-31T12:20:00Z",
    "orig_images": ["https://x.org/1.jpg?a=1,2", "it's [2].jpg", 'a "b".jpg'],
    "image_sha256": ["0" * 64, None],
    "characteristics": {"eye_color": "blue"},
    "is_api": True,
    "cost_mc": 250000,
    "service": "https://api.astria.ai",
    "account": "7",
}
FRAME = tune_frame(
    [
        TRAINED,
        {"id": 1000002, "title": "second", "created_at": "2026-02-01T12:00:00Z", "face_crop": False},
        {"id": None, "title": "a run", "tune_ids": [1000001], "prompt_ids": [5, 6, 7]},
    ]
)
PROMPTS = prompt_frame(
    [
        {
            "id": 5,
            "text": "a [cat]",
            "tune_id": 7,
            "images": ["https://x/1", "https://x/2"],
            "cfg_scale": 7.5,
        },
        {"id": 6, "text": "b", "tune_id": 7, "images": [], "created_at": "2026-01-01T12:00:00Z"},
    ]
)


def assert_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    found = found[expected.columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected.reset_index(drop=True), check_column_type=False)


@pytest.mark.parametrize("form", WHOLE.values(), ids=list(WHOLE))
def test_rows_come_back_as_they_were(form: Form) -> None:
    frame = FRAME
    if form is WHOLE["the columns of an older version"]:
        frame = FRAME.drop(columns=["service", "account"])
    assert_same(typed(form(FRAME)), frame)


@pytest.mark.parametrize("form", ONE.values(), ids=list(ONE))
def test_one_row_comes_back_as_it_was(form: Form) -> None:
    assert_same(typed(form(FRAME)), FRAME.iloc[[0]])


@pytest.mark.parametrize("form", IDS.values(), ids=list(IDS))
def test_ids_are_rows_of_which_nothing_else_is_known(form: Form) -> None:
    found = typed(form(FRAME))
    assert_same(found[["id"]], FRAME[["id"]])
    assert found.dtypes[FRAME.columns].equals(FRAME.dtypes)
    assert found.drop(columns="id").isna().all(axis=None)


@pytest.mark.parametrize("one", [7, np.int64(7), "7", 7.0, Decimal(7)])
def test_one_id_is_a_row(one: object) -> None:
    assert typed(one)["id"].tolist() == [7]


@pytest.mark.parametrize("name", ["csv", "csv as text", "flat csv", "json table", "flat parquet", "objects"])
def test_prompts_come_back_as_they_were(name: str) -> None:
    assert_same(typed(WHOLE[name](PROMPTS)), PROMPTS)


@pytest.mark.parametrize("shape", ["dict", "list", "series", "records", "index"])
def test_a_number_stays_exact_beside_a_row_without_one(shape: Any) -> None:
    prompt = {"id": 1, "text": "x", "images": []}
    rows = prompt_frame([{**prompt, "seed": 2**53 + 1}, {**prompt, "id": 2}])
    assert typed(rows.to_dict(shape))["seed"].tolist() == [2**53 + 1, pd.NA]


def test_typed_rows_are_not_copied() -> None:
    assert typed(FRAME) is FRAME
    assert typed(PROMPTS) is PROMPTS


def test_order_index_and_columns_of_ones_own_are_kept() -> None:
    frame = FRAME.iloc[[2, 0, 0]].assign(mine=[[1], "b", None])[["mine", "title", "id", "created_at"]]
    found = typed(frame.astype({"created_at": str}))
    assert found.index.tolist() == [2, 0, 0]
    assert list(found.columns)[:4] == ["mine", "title", "id", "created_at"]
    assert found["mine"].tolist()[:2] == [[1], "b"]
    assert found["created_at"].tolist()[1:] == FRAME["created_at"].tolist()[:1] * 2


def test_a_log_comes_back_with_its_own_columns(tmp_path: Any) -> None:
    log = anb.ExperimentLog(tmp_path / "log.sqlite")
    with anb.Sandbox(deterministic=True) as sandbox:
        urls = ["https://example.com/1.jpg"]
        anb.submit(anb.Tune(pack=43, title="t", name="cat", image_urls=urls), sandbox.client(), log=log)
    frame = log.frame()
    assert typed(frame) is frame
    for suffix, read in ((".csv", pd.read_csv), (".parquet", pd.read_parquet)):
        assert_same(typed(read(log.export(tmp_path / f"runs{suffix}"))), frame)
    log.close()


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([1767268800], "2026-01-01T12:00:00Z"),
        ([1767268800123], "2026-01-01T12:00:00.123Z"),
        ([1767268800123456], "2026-01-01T12:00:00.123456Z"),
        ([1767268800123456000.0], "2026-01-01T12:00:00.123456Z"),
        (["1767268800123"], "2026-01-01T12:00:00.123Z"),
        (["2026-01-01"], "2026-01-01T00:00:00Z"),
        ([np.datetime64("2026-01-01T12")], "2026-01-01T12:00:00Z"),
        ([pd.Timestamp("2026-01-01 12:00").date()], "2026-01-01T00:00:00Z"),
    ],
)
def test_times_may_be_numbers_and_dates(times: list[Any], expected: str) -> None:
    found = typed(pd.DataFrame({"id": [7], "eta": pd.Series(times, dtype=object)}))
    assert abs(found.loc[0, "eta"] - pd.Timestamp(expected)) < pd.Timedelta(microseconds=300)


def test_exploded_lists_are_lists_of_one() -> None:
    texts, numbers = (typed(FRAME.explode(name)) for name in ("orig_images", "prompt_ids"))
    assert texts["orig_images"].dropna().map(list).tolist() == [[url] for url in TRAINED["orig_images"]]
    assert numbers["prompt_ids"].dropna().map(list).tolist() == [[5], [6], [7]]


def test_the_services_own_json_is_read_as_tune_frame_reads_it() -> None:
    assert typed([TRAINED])["status"].tolist() == ["trained"]
    prompt = {"id": 5, "text": "<lora:7:1> cat", "tune_id": 1504944, "images": ["https://x/1"]}
    assert typed([prompt])[["tune_id", "status"]].loc[0].tolist() == [7, "done"]


@pytest.mark.parametrize("rows", [[], (), pd.DataFrame(), FRAME.iloc[:0], pd.DataFrame({"id": []})])
def test_no_rows_are_rows(rows: Any) -> None:
    found = typed(rows)
    assert len(found) == 0
    assert found.dtypes[FRAME.columns].equals(FRAME.dtypes)


WRONG: dict[str, tuple[Any, str]] = {
    "None": (
        None,
        "frame: expected the DataFrame that submit or wait returned, got None; pass the rows that",
    ),
    "a file": ("rows.csv", "got 'rows.csv'; read a file first, such as with pd.read_csv"),
    "a tune": (
        anb.Tune(pack=43, title="t", name="cat", image_urls=["https://x.org/1.jpg"]),
        "submit it first: row = anb.submit",
    ),
    "titles": (FRAME["title"], "expected the DataFrame that submit or wait returned, got"),
    "nested lists": ([[1, 2]], r"got \[1, 2\]; pass the rows that submit or wait returned, or a list of ids"),
    "no ids": (FRAME[["title"]], "got one without a column 'id'; pass the rows"),
    "json values": ([[1, "a"], [2, "b"]], r"got \[1, 'a'\]"),
    "a wrong separator": (pd.DataFrame({"id;title": ["7;a"]}), "without a column 'id'"),
    "a merge of two": (
        FRAME.merge(FRAME, on="title"),
        r"as a merge makes it; pass the column .*rows\['id_x'\]",
    ),
    "two columns": (pd.concat([FRAME, FRAME[["id"]]], axis=1), "has two columns 'id'; leave one out"),
    "pictures": (
        pd.DataFrame({"prompt_id": [1], "tune_id": [2]}),
        r"pictures, not tunes; pass pictures\['tune",
    ),
    "events": (
        pd.DataFrame({"id": [1], "kind": ["x"], "fingerprint": ["y"]}),
        "the events of a log.*log.frame",
    ),
    "a fraction": (pd.DataFrame({"id": [1.5]}), "frame: 1.5 is not an id; give a whole number above 0"),
    "zero": ([0], "got 0"),
    "a time in words": (
        pd.DataFrame({"id": [1], "eta": ["soon"]}),
        r"the column 'eta' has 'soon', which is not a time; drop it: rows.drop\(columns='eta'\); or save",
    ),
    "a list that was cut": (
        pd.DataFrame({"id": [1], "prompt_ids": [str(np.arange(2000))]}),
        "the column 'prompt_ids' has .* which is not a list",
    ),
    "a list without an end": (pd.DataFrame({"id": [1], "orig_images": ["['a' 'b'"]}), "is not a list"),
    "text for a number": (
        pd.DataFrame({"id": [1], "pack": ["cats"]}),
        "has 'cats', which is not a whole number",
    ),
    "pointers": (pd.DataFrame({"id": [1], "orig_images": [b"\0\1"]}), "which is not a list"),
}


@pytest.mark.parametrize(("rows", "message"), WRONG.values(), ids=list(WRONG))
def test_what_are_no_rows_is_told_with_what_to_pass(rows: Any, message: str) -> None:
    with pytest.raises(TuneError, match=message) as caught:
        typed(rows)
    assert [problem.field for problem in caught.value.problems] == ["frame"]


def test_what_to_pass_instead_can_be_passed() -> None:
    merged = PROMPTS.merge(FRAME, left_on="base_tune_id", right_on="id", how="left")
    assert typed(merged["id_x"])["id"].tolist() == PROMPTS["id"].tolist()
    wrong = pd.DataFrame({"id": [1], "eta": ["soon"]})
    assert typed(wrong.drop(columns="eta"))["id"].tolist() == [1]
    pictures = pd.DataFrame({"prompt_id": [1, 2], "tune_id": [7, 7]})
    assert typed(pictures["tune_id"].unique())["id"].tolist() == [7]


def test_a_flat_table_holds_nothing_but_numbers_and_text() -> None:
    flat = anb.rows.flat(FRAME)
    assert list(flat.columns) == list(FRAME.columns)
    assert flat.index.equals(FRAME.index)
    assert flat.loc[0, "created_at"] == "2026-01-01T12:00:00.123000Z"
    assert flat.loc[2, "prompt_ids"] == "[5, 6, 7]"
    assert flat[["created_at", "prompt_ids"]].isna().to_numpy().tolist() == [
        [False, True],
        [False, True],
        [True, False],
    ]
    kinds = {str(dtype) for dtype in flat.dtypes}
    assert kinds <= {"Int64", "Float64", "boolean", str(FRAME["title"].dtype)}


def test_pictures_and_events_have_a_flat_table_too() -> None:
    frame = pd.DataFrame({"prompt_id": [1], "at": pd.to_datetime(["2026-01-01T12:00Z"]), "any": [{"a": [1]}]})
    assert anb.rows.flat(frame).loc[0].tolist() == [1, "2026-01-01T12:00:00.000000Z", '{"a": [1]}']
    assert anb.rows.flat(pd.concat([frame, frame], axis=1)).shape == (1, 6)
