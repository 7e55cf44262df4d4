"""Rows: the rules of a pack run, what it makes and what it replies."""

from sandbox.conformance.expectations import (
    ABSENT,
    BLANK,
    CREATED,
    NOT_FOUND,
    count,
    has,
    messages,
    picture_url,
    timestamp,
)
from sandbox.conformance.programs import File
from sandbox.conformance.vocabulary import (
    PHOTO,
    URL,
    Row,
    advance,
    get,
    in_each_encoding,
    post,
    row,
    train,
    tune,
)


def wrong(name: str, fields: object, shows: object, pack: int = 43) -> Row:
    """Return a row of a run that is refused field by field and makes nothing."""
    return row(f"{name}", post(f"/p/{pack}/tunes", fields, 422, shows), get("/tunes", 200, []))


RULES = [
    wrong("a title is needed", tune(title=" "), {"title": BLANK, "name": ABSENT}),
    wrong("a class is needed", tune(name=None), {"name": BLANK}),
    wrong("the class is one of the pack's", tune(name="person"), {"name": messages}),
    wrong("images are needed", tune(image_urls=None), {"images": messages}),
    wrong(
        "all that is wrong is said at once",
        {"tune": {"steps": 1}},
        {"title": BLANK, "name": BLANK, "images": messages},
    ),
    wrong("image_urls is a list", tune(image_urls=URL), {"image_urls": messages}),
    wrong(
        "an image URL is percent-encoded",
        tune(image_urls=["https://e.com/a b.jpg"]),
        {"image_urls": messages},
    ),
    wrong("an image URL is http", tune(image_urls=["ftp://e.com/a.jpg"]), {"image_urls": messages}),
    wrong("tune_ids are tunes of the account", tune(tune_ids=[77]), {"tune_ids": messages}),
    wrong("prompt_ids are templates of the pack", tune(prompt_ids=[260001]), {"prompt_ids": messages}),
    wrong("a preset is one of three", tune(preset="fast"), {"preset": messages}),
    wrong("a brief is text", tune(brief={"light": "warm"}), {"brief": messages}),
    wrong("characteristics are an object", tune(characteristics=[1]), {"characteristics": messages}),
    wrong(
        "prompts_attributes is not of a pack run",
        tune(prompts_attributes=[{"text": "x"}]),
        {"prompts_attributes": messages},
    ),
    wrong(
        "at most 8 pictures a prompt",
        tune(prompt_attributes={"num_images": 9}),
        {"prompts.num_images": messages},
    ),
    wrong(
        "cfg_scale on Flux",
        tune(prompt_attributes={"cfg_scale": 5}),
        {"prompts.cfg_scale": ["must be less than 5"]},
    ),
    wrong(
        "negative_prompt on Flux",
        tune(prompt_attributes={"negative_prompt": "x"}),
        {"prompts.negative_prompt": messages},
    ),
    wrong("a multi pack needs tune_ids", tune(), {"tune_ids": messages}, pack=1204),
    row(
        "an image is an image",
        post(
            "/p/43/tunes", tune(images=[File("1.jpg", b"hello")]), 422, {"images": messages}, by="multipart"
        ),
    ),
]


ORDERED = {
    "status": 201,
    "order": {"id": int, "tune_ids": [":other", ":tune"]},
    "prompt_ids": list,
    "id": ABSENT,
}


RUNS = [
    row("a run of a pack by slug", post("/p/portraits/tunes.json", tune(), 201, CREATED)),
    row("a run of a pack by id with a slash", post("/p/43/tunes/", tune(), 201, CREATED)),
    row("a run of a pack that does not exist", post("/p/99999/tunes", tune(), 404, NOT_FOUND)),
    row(
        "images and URLs are joined",
        post("/p/43/tunes", tune(images=[PHOTO]), 201, {"orig_images": [picture_url, URL]}, by="multipart"),
    ),
    row(
        "training makes a prompt for each template of the class",
        train(),
        get("/tunes/:tune/prompts", 200, count(8)),
    ),
    row(
        "a prompt of a LoRA pack belongs to the base model",
        train(prompt_ids=[43002]),
        get(
            "/tunes/:tune/prompts",
            200,
            [
                {
                    "tune_id": 1504944,
                    "text": has("<lora:", "ohwx man"),
                    "base_pack_id": 43,
                    "pack_id": None,
                    "orig_prompt_id": 43002,
                    "tunes": [{"id": ":tune"}],
                }
            ],
        ),
    ),
    row(
        "a placeholder without a value goes",
        train(prompt_ids=[43001]),
        get("/tunes/:tune/prompts", 200, [{"text": lambda text: "{" not in text and ", ," not in text}]),
    ),
    row(
        "a placeholder without a value stays",
        train(prompt_ids=[43001]),
        get("/tunes/:tune/prompts", 200, [{"text": has("{{eye_color}}")}]),
        unfilled_placeholder="keep",
    ),
    row(
        "prompt_attributes reach every prompt",
        train(
            prompt_ids=[43001, 43002], prompt_attributes={"num_images": 3, "aspect_ratio": "3:4", "seed": 7}
        ),
        get("/tunes/:tune/prompts", 200, [{"num_images": 3, "aspect_ratio": "3:4", "seed": 7}] * 2),
    ),
    row("a preset is taken", train(preset="flux-lora-portrait"), get("/tunes/:tune", 200, {"title": "t"})),
    row("branch=fast is ignored", train(branch="fast"), get("/tunes/:tune", 200, {"branch": "flux1"})),
    row(
        "branch=fast is a mock run",
        train(branch="fast"),
        get("/tunes/:tune", 200, {"branch": "fast"}),
        branch_on_packs="mock",
    ),
    *in_each_encoding(
        "a brief is taken, and not shown",
        lambda by: (
            post(
                "/p/43/tunes",
                tune(brief="warm light\nno props"),
                201,
                {"brief": ABSENT},
                by=by,
                keep={"tune": "id"},
            ),
            get("/tunes/:tune", 200, {"brief": ABSENT}),
            post("/p/43/tunes", {"tune": {"tune_ids": [":tune"], "brief": "cold light"}}, by=by),
        ),
    ),
    *in_each_encoding(
        "existing tunes make prompts only",
        lambda by: (
            train(prompt_ids=[43001]),
            post(
                "/p/43/tunes",
                {"tune": {"tune_ids": [":tune"]}},
                201,
                {"status": 201, "message": "Prompts created", "id": ABSENT},
                by=by,
            ),
            get("/tunes", 200, count(1)),
            get("/tunes/:tune/prompts", 200, count(9)),
        ),
    ),
    *in_each_encoding(
        "chosen templates on existing tunes",
        lambda by: (
            train(prompt_ids=[43001]),
            post("/p/43/tunes", {"tune": {"tune_ids": [":tune"], "prompt_ids": [43004]}}, by=by),
            get("/tunes/:tune/prompts?limit=1", 200, [{"orig_prompt_id": 43004}]),
        ),
    ),
    row(
        "title and name beside tune_ids change nothing",
        train(),
        post(
            "/p/43/tunes", {"tune": {"title": "x", "name": "man", "tune_ids": [":tune"]}}, 201, {"id": ABSENT}
        ),
        get("/tunes", 200, [{"title": "t"}]),
    ),
    row(
        "a tune of one pack on another",
        train(797, name="cat"),
        post("/p/43/tunes", {"tune": {"tune_ids": [":tune"], "prompt_ids": [43017]}}),
        get("/tunes/:tune/prompts?limit=1", 200, [{"base_pack_id": 43, "orig_prompt_id": 43017}]),
    ),
    *in_each_encoding(
        "a multi pack replies with an order",
        lambda by: (
            train(),
            train(keep="other", name="woman"),
            post(
                "/p/1204/tunes",
                {"tune": {"tune_ids": [":tune", ":other"]}},
                201,
                ORDERED,
                by=by,
                keep={"order": "order.id", "prompt": "prompt_ids.0"},
            ),
            get(
                "/prompts/:prompt", 200, {"order_id": ":order", "tunes": [{"id": ":tune"}, {"id": ":other"}]}
            ),
            get("/prompts?order_id=:order", 200, lambda rows: bool(rows)),
        ),
    ),
    row(
        "a tune is queued, then in training, then trained",
        train(),
        get("/tunes/:tune", 200, {"started_training_at": None, "trained_at": None, "expires_at": None}),
        advance(61),
        get("/tunes/:tune", 200, {"started_training_at": timestamp, "trained_at": None}),
        advance(3600),
        get("/tunes/:tune", 200, {"trained_at": timestamp, "expires_at": timestamp}),
    ),
]

ROWS = [*RULES, *RUNS]
