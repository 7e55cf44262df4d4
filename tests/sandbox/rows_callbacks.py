"""Rows: idempotency, callbacks and pictures."""

from conformance import (
    PNG,
    get,
    post,
    row,
    tune,
)
from expectations import picture_url, timestamp
from programs import File

IDEMPOTENCY = []


HOOKS = {
    "callback": ":hook/tune?user_id=1",
    "prompts_callback": ":hook/all",
    "prompt_attributes": {"callback": ":hook/prompt"},
    "prompt_ids": [43001, 43002],
}


TRAINED = {"id": ":tune", "title": "t", "trained_at": timestamp, "expires_at": timestamp}


DONE = {"id": int, "images": [picture_url], "trained_at": timestamp, "orig_prompt_id": int}


CALLBACKS = []


PICTURES = [
    row(
        "training images are fetched as they were sent",
        post(
            "/p/43/tunes",
            tune(images=[File("1.jpg", PNG)]),
            201,
            by="multipart",
            keep={"picture": "orig_images.0"},
        ),
        get(":picture", 200, PNG, headers={"Authorization": ""}, carries={"content-type": "image/png"}),
    ),
    row("an address that was never given out", get("/pictures/0123456789abcdefghijklmnopqr", 404)),
]

ROWS = [*IDEMPOTENCY, *CALLBACKS, *PICTURES]
