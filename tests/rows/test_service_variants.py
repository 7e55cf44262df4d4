"""Objects as the service has written them: short and full, numbers as text, text as numbers."""

from typing import Any

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.rows import prompt_frame, prompt_status, tune_frame, tune_id_of, tune_status
from astria_nb.tune import Pack
from helpers.scripted_server import ScriptedServer, reply

TIMES = {"created_at": "2024-09-29T12:00:00.000Z", "updated_at": "2024-09-29T12:00:00.000Z"}
SHORT_TUNE = {
    "id": 7, "title": "t", "name": "cat", "steps": 300, "trained_at": "2024-09-29T12:30:00.000Z",
    "started_training_at": "2024-09-29T12:01:00.000Z", "expires_at": "2034-10-29T12:30:00.000Z", **TIMES,
}  # fmt: skip
SHORT_PROMPT = {
    "id": 5, "text": "<lora:7:1> ohwx cat", "negative_prompt": "", "steps": None, "tune_id": 1504944,
    "trained_at": "2024-09-29T12:40:00.000Z", "started_training_at": None,
    "images": ["https://e.com/1"], **TIMES,
}  # fmt: skip
AS_TEXT = {
    "id": "5", "tune_id": "1504944", "base_pack_id": "260", "orig_prompt_id": "31", "steps": "30",
    "cfg_scale": "3.0", "num_images": "8", "w": "896", "h": "1152", "seed": "4294967296",
    "cost_mc": "150000.0", "liked": "true",
}  # fmt: skip
AS_FLOATS = {
    "id": 5.0, "tune_id": 1504944.0, "base_pack_id": 260.0, "orig_prompt_id": 31.0, "steps": 30.0,
    "cfg_scale": 3, "num_images": 8.0, "w": 896.0, "h": 1152.0, "seed": 4294967296.0,
    "cost_mc": 150000.0, "liked": True,
}  # fmt: skip
AS_NUMBERS = {name: 3.0 if name == "cfg_scale" else int(value) if name != "liked" else True
              for name, value in AS_FLOATS.items()}  # fmt: skip


@pytest.mark.parametrize("extra", [AS_TEXT, AS_FLOATS], ids=["text", "floats"])
def test_numbers_are_numbers_however_the_service_writes_them(extra: dict[str, Any]) -> None:
    expected = prompt_frame([{**SHORT_PROMPT, **AS_NUMBERS}])
    for prompts in ([{**SHORT_PROMPT, **extra}], [{**SHORT_PROMPT, **extra}, SHORT_PROMPT]):
        frame = prompt_frame(prompts)
        assert frame.dtypes.equals(expected.dtypes)
        pd.testing.assert_frame_equal(frame.iloc[:1], expected)


def test_the_numbers_of_a_tune() -> None:
    numbers = {"base_tune_id": 1504944, "base_pack_id": 260, "steps": 300, "cost_mc": 150000}
    switches = {"face_crop": True, "auto_extend": False, "is_api": True}
    texts = {name: f"{value}.0" for name, value in numbers.items()}
    words = {name: str(value).lower() for name, value in switches.items()}
    expected = tune_frame([{**SHORT_TUNE, **numbers, **switches}])
    pd.testing.assert_frame_equal(tune_frame([{**SHORT_TUNE, **texts, **words, "id": "7"}]), expected)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("cfg_scale", "3.5", 3.5), ("cfg_scale", " 7 ", 7.0), ("cfg_scale", "1e1", 10.0),
        ("cfg_scale", "", None), ("cfg_scale", "auto", None), ("cfg_scale", "nan", None),
        ("cfg_scale", "1_0", None), ("cfg_scale", [3], None),
        ("cfg_scale", True, None), ("cfg_scale", "\u0663", None), ("steps", "30.0", 30), ("steps", "", None),
        ("steps", True, None), ("steps", "1e400", None), ("steps", "9" * 30, None),
        ("seed", "9007199254740993", 9007199254740993), ("liked", "false", False), ("liked", "no", None),
        ("created_at", "2024-09-29 12:00:00 UTC", pd.Timestamp("2024-09-29 12:00", tz="UTC")),
    ],
)  # fmt: skip
def test_what_is_no_number_is_null_and_the_rest_of_the_row_counts(
    column: str, value: Any, expected: Any
) -> None:
    frame = prompt_frame([{**SHORT_PROMPT, column: value}])
    found = frame.loc[0, column]
    assert pd.isna(found) if expected is None else found == expected
    assert frame.dtypes.equals(prompt_frame([SHORT_PROMPT]).dtypes)
    assert frame.loc[0, "status"] == "done"


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: [one]], ids=["bare", "list"])
def test_the_short_objects_of_callbacks_are_rows(wrap: Any) -> None:
    (tune,) = anb.rows.typed(wrap(SHORT_TUNE)).to_dict("records")
    assert (tune["id"], tune["status"], tune["steps"]) == (7, "trained", 300)
    (prompt,) = anb.rows.typed(wrap(SHORT_PROMPT)).to_dict("records")
    assert (prompt["id"], prompt["tune_id"], prompt["base_tune_id"]) == (5, 7, 1504944)
    assert (prompt["status"], list(prompt["images"])) == ("done", ["https://e.com/1"])
    full = tune_frame([{**SHORT_TUNE, "url": "https://e.com", "orig_images": [], "branch": "flux1"}])
    assert full.dtypes.equals(anb.rows.typed([SHORT_TUNE]).dtypes)


def test_the_state_of_short_objects() -> None:
    assert tune_status({**SHORT_TUNE, "trained_at": None}) == "training"
    assert tune_status({**SHORT_TUNE, "trained_at": None, "started_training_at": None}) == "queued"
    # A rerun starts after the training that is recorded.
    assert tune_status({**SHORT_TUNE, "started_training_at": "2024-10-01T12:00:00.000Z"}) == "trained"
    assert prompt_status({**SHORT_PROMPT, "images": [], "trained_at": None}) == "pending"
    assert prompt_status({**SHORT_PROMPT, "images": [], "user_error": "no face"}) == "failed"
    assert prompt_status({**SHORT_PROMPT, "images": []}) == "failed"


@pytest.mark.parametrize(
    "prompt",
    [
        {"text": "<lora:7:1> ohwx", "tune_id": "9"}, {"text": "<faceid:7:1.0> man", "tune_id": 9},
        {"text": "ohwx", "tunes": [{"id": "7"}], "tune_id": 9}, {"text": None, "tune_id": "7"},
        {"tune_id": 9, "tune": {"id": 9}, "tunes": [{"id": 7}]},
    ],
)  # fmt: skip
def test_the_tune_of_a_prompt(prompt: dict[str, Any]) -> None:
    assert tune_id_of(prompt) == 7


@pytest.mark.parametrize(
    ("data", "price_mc", "count"),
    [
        ({"costs": {"man": {"cost": "331", "num_images": "28"}}}, 331_000, 28),
        ({"costs": {"man": {"cost": 331.5, "num_images": 28.0}}}, 331_500, 28),
        ({"costs": {"man": {"cost": "331.5"}}}, 331_500, None),
        ({"costs": {"man": {"cost_mc": "331000.0", "num_images": None}}}, 331_000, None),
        ({"cost_mc_hash": {"man": "331000"}}, 331_000, None),
        ({"costs": {"man": {"cost": "free", "num_images": "many"}}}, None, None),
        ({"costs": {"man": {"cost": True}}}, None, None),
        ({"costs": {"man": {"cost": "9" * 400}}}, int("9" * 400) * 1000, None),
        ({"costs": {"man": 331}, "prompts_per_class": {"man": [{"id": "31"}, {"id": None}]}}, None, None),
    ],
)  # fmt: skip
def test_prices_as_text_and_floats(data: dict[str, Any], price_mc: int | None, count: int | None) -> None:
    pack = Pack.from_json({"id": "260", **data})
    assert (pack.id, pack.price_mc("man"), pack.classes[0].num_images) == (260, price_mc, count)
    assert [prompt.id for prompt in pack.prompts] == ([31] if "prompts_per_class" in data else [])


def test_ids_and_balances_as_text(server: ScriptedServer, client: anb.Client) -> None:
    server.on("GET", "/tunes/7", reply({**SHORT_TUNE, "id": "7"}))
    server.on("GET", "/tunes", reply([{"id": "8"}, {"id": 7.0}]), reply([]))
    server.on("GET", "/tunes/7/prompts", reply([{**SHORT_PROMPT, **AS_TEXT}]), reply([]))
    assert client.tune(7)["id"] == 7
    assert [tune["id"] for tune in client.tunes()] == [8, 7]
    prompts = anb.prompts([7], client)
    assert prompts[["id", "tune_id"]].loc[0].tolist() == [5, 7]
    for payer in ({}, {"payer": None}, {"payer": {"usd_balance_mc": "250000.0"}}):
        server.on("GET", "/users", reply({"id": "1", "usd_balance_mc": "250000", **payer}))
        assert client.balance() == 2.5


def test_an_error_in_a_success_is_not_taken_for_a_record(server: ScriptedServer, client: anb.Client) -> None:
    row = tune_frame([{**SHORT_TUNE, "trained_at": None, "service": client.service}])
    server.on("GET", "/tunes/7", reply({"error": "try later"}))
    with pytest.raises(anb.errors.UnexpectedReplyError, match="'try later' in place of tune 7"):
        client.tune(7)
    assert anb.wait(row, client, timeout=0).loc[0, "id"] == 7
