"""Rows: idempotency, callbacks and pictures."""

from sandbox.conformance.expectations import count, picture_url, timestamp
from sandbox.conformance.programs import File
from sandbox.conformance.vocabulary import (
    JPEG,
    ONE_PROMPT,
    PNG,
    advance,
    alone,
    ask,
    called_back,
    get,
    got,
    in_each_encoding,
    post,
    prompt,
    row,
    train,
    tune,
)

IDEMPOTENCY = [
    row(
        "a title that exists gives the tune that exists",
        train(),
        get("/users", 200, keep={"balance": "usd_balance_mc"}),
        post("/p/43/tunes", tune(), 201, {"id": ":tune", "title": "t"}),
        get("/tunes", 200, [{"id": ":tune"}]),
        get("/users", 200, {"usd_balance_mc": ":balance"}),
        get("/prompts", 200, count(8)),
        idempotent=True,
    ),
    row(
        "another title gives another tune",
        train(),
        train(keep="other", title="u"),
        get("/tunes", 200, [{"id": ":other"}, {"id": ":tune"}]),
        idempotent=True,
    ),
    row(
        "a title that exists gives a second tune",
        train(),
        train(keep="other"),
        get("/tunes", 200, [{"id": ":other"}, {"id": ":tune"}]),
        idempotent=False,
    ),
    row(
        "a title that exists, without a pack",
        post("/tunes", alone(), keep={"tune": "id"}),
        post("/tunes", alone(), 201, {"id": ":tune"}),
        get("/tunes", 200, count(1)),
        idempotent=True,
    ),
    row(
        "the same prompt is made once",
        train(prompt_ids=[43001]),
        ask(seed=1),
        post("/tunes/:tune/prompts", prompt(seed=1), 201, {"id": ":prompt"}),
        get("/prompts", 200, count(2)),
        ask("other", seed=2),
        get("/prompts", 200, [{"id": ":other"}, {"id": ":prompt"}, {}]),
        idempotent=True,
    ),
    row(
        "the same prompt is made twice",
        train(prompt_ids=[43001]),
        ask(),
        ask("other"),
        get("/prompts", 200, [{"id": ":other"}, {"id": ":prompt"}, {}]),
        idempotent=False,
    ),
]


HOOKS = {
    "callback": ":hook/tune?user_id=1",
    "prompts_callback": ":hook/all",
    "prompt_attributes": {"callback": ":hook/prompt"},
    "prompt_ids": [43001, 43002],
}


TRAINED = {"id": ":tune", "title": "t", "trained_at": timestamp, "expires_at": timestamp}


DONE = {"id": int, "text": str, "images": [picture_url], "trained_at": timestamp}


CALLBACKS = [
    *in_each_encoding(
        "callbacks, wrapped",
        lambda by: (
            post("/p/43/tunes", tune(**HOOKS), by=by, keep={"tune": "id"}),
            advance(7200),
            called_back(4),
            got("/tune?user_id=1", {"tune": TRAINED}),
            got("/prompt", {"prompt": DONE}, {"prompt": DONE}),
            got("/all", [DONE, DONE]),
        ),
    ),
    row(
        "callbacks, bare",
        train(**HOOKS),
        advance(7200),
        called_back(4),
        got("/tune?user_id=1", TRAINED),
        got("/prompt", DONE, DONE),
        got("/all", [DONE, DONE]),
        callback_body="bare",
    ),
    row(
        "callbacks, in full",
        train(**HOOKS),
        advance(7200),
        called_back(4),
        got("/tune?user_id=1", {"tune": TRAINED | {"orig_images": list, "url": str}}),
        got("/prompt", *[{"prompt": DONE | {"orig_prompt_id": int, "tunes": list}}] * 2),
        got("/all", [DONE | {"orig_prompt_id": int}] * 2),
        callback_fields="full",
    ),
    row(
        "a callback comes once",
        train(callback=":hook/first"),
        advance(7200),
        called_back(1),
        train(callback=":hook/second"),
        advance(7200),
        called_back(2),
        got("/first", dict),
        got("/second", dict),
    ),
    row(
        "a run on existing tunes calls back when all is done",
        train(prompt_ids=[43001]),
        advance(7200),
        post("/p/43/tunes", {"tune": {"tune_ids": [":tune"], "prompts_callback": ":hook/all"}}),
        advance(7200),
        called_back(1),
        got("/all", [DONE] * 8),
    ),
    row(
        "a prompt of its own calls back",
        train(),
        ask(callback=":hook/prompt"),
        advance(7200),
        called_back(1),
        got("/prompt", {"prompt": {"id": ":prompt", "images": [picture_url]}}),
    ),
    row(
        "a tune without a pack calls back",
        post("/tunes", alone(callback=":hook/tune"), keep={"tune": "id"}),
        advance(7200),
        called_back(1),
        got("/tune", {"tune": TRAINED}),
    ),
]


PICTURES = [
    row(
        "results are fetched without a key from addresses without extension",
        *ONE_PROMPT,
        advance(7200),
        get("/prompts/:prompt", 200, keep={"picture": "images.0"}),
        get(
            ":picture",
            200,
            lambda body: body[:3] == JPEG[:3],
            headers={"Authorization": ""},
            carries={"content-type": "image/jpeg"},
        ),
    ),
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
