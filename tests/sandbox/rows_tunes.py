"""Rows: tunes: fields, created without a pack, changed, deleted, listed."""

from datetime import datetime, timedelta

from conformance import BASE, URL, get, patch, row, train
from expectations import (
    ABSENT,
    NOT_FOUND,
    REFUSED,
    SHALLOW,
    A,
    B,
    C,
    has,
    timestamp,
)


def expires_in_30_days(shown: object) -> bool:
    trained, expires = (datetime.fromisoformat(shown[name]) for name in ("trained_at", "expires_at"))  # type: ignore[index]
    return expires - trained == timedelta(days=30)


TUNE = {
    "id": ":tune",
    "title": "t",
    "name": "man",
    "created_at": timestamp,
    "updated_at": timestamp,
    "eta": timestamp,
    "started_training_at": None,
    "trained_at": None,
    "expires_at": None,
    "orig_images": [URL],
    "url": has("https://www.astria.ai/tunes/", ".json"),
    "token": str,
    "base_tune_id": BASE,
    "args": None,
    "steps": None,
    "face_crop": None,
    "training_face_correct": None,
    "branch": None,
    "model_type": "lora",
    "ckpt_url": None,
    "ckpt_urls": [],
    "is_api": True,
    "callback": None,
    "status": ABSENT,
}
RECORD = {
    "characteristics": {"a": "b"},
    "prompts_callback": None,
    "base_pack_id": 43,
    "auto_extend": False,
    "cost_mc": int,
    "failed_at": None,
}

TUNES = [
    row("a tune's fields", train(), get("/tunes/:tune", 200, TUNE)),
    row("a tune, .json", train(), get("/tunes/:tune.json", 200, TUNE)),
    row(
        "a tune's fields of the record",
        train(characteristics={"a": "b"}),
        get("/tunes/:tune", 200, RECORD),
        tune_fields="record",
    ),
    row(
        "a tune that does not exist",
        get("/tunes/77", 404, NOT_FOUND),
        get("/tunes/77/prompts", 404, NOT_FOUND),
    ),
    row(
        "a change of a tune that does not exist", patch("/tunes/77", {"tune": {"title": "x"}}, 404, NOT_FOUND)
    ),
]

THREE = (
    train(keep="a"),
    train(keep="b", title="u", name="woman"),
    train(797, keep="c", name="cat", branch="fast"),
)
TUNE_LISTS = [
    row("tunes, newest first", *THREE, get("/tunes", 200, [C, B, A])),
    row("tunes by title", *THREE, get("/tunes?title=u", 200, [B])),
    row("tunes by class", *THREE, get("/tunes?name[]=man&name[]=cat", 200, [C, A])),
    row(
        "tunes, page by page",
        *THREE,
        get("/tunes?limit=2", 200, [C, B]),
        get("/tunes?limit=2&offset=2", 200, [A]),
        get("/tunes?before_id=:b", 200, [A]),
        get("/tunes?before_id=:a", 200, []),
    ),
    row(
        "tunes, as deep as offset goes",
        get("/tunes?offset=200", 200, []),
        get("/tunes?offset=201", 400, SHALLOW),
    ),
    row(
        "tunes with numbers that are none",
        *(get(f"/tunes?{name}=x", 400, REFUSED) for name in ("limit", "offset", "before_id")),
    ),
]

ROWS = [*TUNES, *TUNE_LISTS]
