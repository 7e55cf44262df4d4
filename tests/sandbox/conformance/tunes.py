"""Rows: tunes: fields, created without a pack, changed, deleted, listed."""

from datetime import datetime, timedelta

from sandbox.conformance.expectations import (
    ABSENT,
    BLANK,
    NOT_FOUND,
    REFUSED,
    SHALLOW,
    A,
    B,
    C,
    has,
    messages,
    picture_url,
    timestamp,
)
from sandbox.conformance.vocabulary import (
    BASE,
    PHOTO,
    URL,
    advance,
    alone,
    delete,
    get,
    in_each_encoding,
    patch,
    post,
    row,
    train,
    tune,
)


def expires_in_30_days(tune: object) -> bool:
    trained, expires = (datetime.fromisoformat(tune[name]) for name in ("trained_at", "expires_at"))  # type: ignore[index]
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
    "url": has("http://127.0.0.1:", "/tunes/", ".json"),
    "token": str,
    "base_tune_id": BASE,
    "args": None,
    "steps": None,
    "face_crop": None,
    "training_face_correct": None,
    "branch": "flux1",
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
        "a tune is trained and kept for 30 days",
        train(),
        advance(3600),
        get("/tunes/:tune", 200, {"started_training_at": timestamp, "trained_at": timestamp}),
        get("/tunes/:tune", 200, expires_in_30_days),
    ),
    row(
        "a tune that does not exist",
        get("/tunes/77", 404, NOT_FOUND),
        get("/tunes/77/prompts", 404, NOT_FOUND),
    ),
    *in_each_encoding(
        "create a tune without a pack",
        lambda by: (
            post(
                "/tunes",
                alone(branch="fast", token="ohwx", steps=300, face_crop=True),
                201,
                {
                    "id": int,
                    "title": "t",
                    "name": "man",
                    "base_tune_id": BASE,
                    "model_type": "lora",
                    "branch": "fast",
                    "token": "ohwx",
                    "steps": 300,
                    "face_crop": True,
                    "trained_at": None,
                    "orig_images": [URL],
                },
                by=by,
                keep={"tune": "id"},
            ),
            get("/tunes/:tune", 200, {"title": "t"}),
            get("/tunes/:tune/prompts", 200, []),
        ),
    ),
    *in_each_encoding(
        "create a tune with prompts",
        lambda by: (
            post(
                "/tunes",
                alone(prompts_attributes=[{"text": "at sea", "num_images": 2}, {"text": "at home"}]),
                by=by,
                keep={"tune": "id"},
            ),
            get(
                "/tunes/:tune/prompts",
                200,
                [{"text": has("at home")}, {"text": has("at sea"), "num_images": 2}],
            ),
        ),
    ),
    *(
        row(
            f"create a tune with prompts by index, {by}",
            post(
                "/tunes",
                alone(prompts_attributes={"0": {"text": "at sea"}, "1": {"text": "at home"}}),
                by=by,
                keep={"tune": "id"},
            ),
            get("/tunes/:tune/prompts", 200, [{"text": has("at home")}, {"text": has("at sea")}]),
        )
        for by in ("multipart", "form")
    ),
    row(
        "create a tune with images",
        post(
            "/tunes",
            alone(images=[PHOTO], image_urls=None),
            201,
            {"orig_images": [picture_url]},
            by="multipart",
        ),
    ),
    row(
        "the errors of a tune are reported by field",
        post("/tunes", {"tune": {"steps": 1}}, 422, {"title": BLANK, "name": BLANK, "images": messages}),
        get("/tunes", 200, []),
    ),
    row("a tune without the tune wrapper", post("/tunes", {"title": "t"}, 400, REFUSED, by="form")),
    *in_each_encoding(
        "rename a tune",
        lambda by: (
            train(),
            patch(
                "/tunes/:tune",
                {"tune": {"title": "Zoë", "name": "woman"}},
                200,
                {"id": ":tune", "title": "Zoë"},
                by,
            ),
            get("/tunes/:tune", 200, TUNE | {"title": "Zoë", "name": "woman"}),
        ),
    ),
    row(
        "change a tune's auto_extend and characteristics",
        train(),
        patch("/tunes/:tune", {"tune": {"auto_extend": True, "characteristics": {"a": "b"}}}),
        get("/tunes/:tune", 200, {"auto_extend": True, "characteristics": {"a": "b"}}),
        tune_fields="record",
    ),
    row(
        "a tune cannot lose its title",
        train(),
        patch("/tunes/:tune", {"tune": {"title": " "}}, 422, {"title": BLANK}),
        get("/tunes/:tune", 200, {"title": "t"}),
    ),
    row(
        "a change without the tune wrapper",
        train(),
        patch("/tunes/:tune", {"title": "x"}, 400, REFUSED, by="form"),
        patch("/tunes/:tune", {"title": "x"}, 200, {"title": "x"}),  # Rails wraps JSON
    ),
    row(
        "a change of a tune that does not exist", patch("/tunes/77", {"tune": {"title": "x"}}, 404, NOT_FOUND)
    ),
    row(
        "delete a tune",
        train(),
        delete("/tunes/:tune"),
        get("/tunes/:tune", 404, NOT_FOUND),
        get("/tunes", 200, []),
        delete("/tunes/:tune", 404, NOT_FOUND),
    ),
    row(
        "the prompts of a deleted LoRA stay",
        train(prompt_ids=[43001]),
        get("/prompts", 200, keep={"prompt": "0.id"}),
        delete("/tunes/:tune"),
        get("/prompts/:prompt"),
    ),
    row(
        "the prompts of a deleted checkpoint go",
        post("/tunes", tune(prompts_attributes=[{"text": "at sea"}]), keep={"tune": "id"}),
        get("/prompts", 200, keep={"prompt": "0.id"}),
        delete("/tunes/:tune"),
        get("/prompts/:prompt", 404),
        get("/prompts", 200, []),
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
        "tunes by model type",
        *THREE,
        get("/tunes?model_type=lora", 200, [C, B, A]),
        get("/tunes?model_type=faceid", 200, []),
    ),
    row("tunes by branch", *THREE, get("/tunes?branch=sd15", 200, [])),
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
        "tunes with parameters that are not numbers",
        *(get(f"/tunes?{name}=x", 400, REFUSED) for name in ("limit", "offset", "before_id")),
    ),
    row(
        "the gallery's tunes",
        get("/gallery/tunes", 200, list),
        get("/gallery/tunes?limit=1&title=none", 200, []),
    ),
    row("the gallery's tunes, as deep as offset goes", get("/gallery/tunes?offset=201", 400, SHALLOW)),
]

ROWS = [*TUNES, *TUNE_LISTS]
