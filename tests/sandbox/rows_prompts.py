"""Rows: prompts: their fields, created, deleted, liked."""

from conformance import BASE, ONE_PROMPT, delete, get, post, prompt, row, train
from expectations import ABSENT, NOT_FOUND, has, timestamp

PROMPT = {
    "id": ":prompt",
    "text": has("<lora:"),
    "negative_prompt": str,
    "tune_id": BASE,
    "callback": None,
    "cfg_scale": None,
    "steps": None,
    "seed": None,
    "created_at": timestamp,
    "updated_at": timestamp,
    "started_training_at": None,
    "trained_at": None,
    "url": str,
    "images": [],
    "num_images": 1,
    "w": None,
    "h": None,
    "ar": None,
    "user_error": None,
    "is_api": True,
    "liked": False,
    "pack_id": None,
    "base_pack_id": 43,
    "orig_prompt_id": 43001,
    "cost_mc": int,
    "tunes": [{"id": ":tune"}],
    "status": ABSENT,
}


ROWS = [
    row("a prompt's fields, flat", *ONE_PROMPT, get("/prompts/:prompt", 200, PROMPT)),
    row(
        "a prompt's fields, nested",
        *ONE_PROMPT,
        get(f"/tunes/{BASE}/prompts/:prompt.json", 200, PROMPT),
        get("/tunes/:tune/prompts/:prompt", 200, PROMPT),
    ),
    row(
        "a nested prompt under its base model only",
        *ONE_PROMPT,
        get(f"/tunes/{BASE}/prompts/:prompt"),
        get("/tunes/:tune/prompts/:prompt", 404, NOT_FOUND),
        nested_prompt="base",
    ),
    row(
        "a prompt that does not exist",
        train(),
        get("/prompts/77", 404, NOT_FOUND),
        get("/tunes/:tune/prompts/77", 404, NOT_FOUND),
    ),
    row("a prompt of a tune that does not exist", post("/tunes/77/prompts", prompt(), 404, NOT_FOUND)),
    row(
        "a like of a prompt that does not exist",
        post("/prompts/77/likes", None, 404, NOT_FOUND),
        delete("/prompts/77/likes", 404, NOT_FOUND),
    ),
]
