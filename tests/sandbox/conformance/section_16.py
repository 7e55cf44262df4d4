"""Rows: what real clients and recorded replies showed, in the order of section 16 of the API's reference."""

import re
from collections.abc import Callable
from datetime import datetime

import requests

from sandbox.conformance.expectations import (
    ABSENT,
    NOT_FOUND,
    A,
    B,
    C,
    count,
    has,
    messages,
    picture_url,
    timestamp,
)
from sandbox.conformance.vocabulary import (
    BASE,
    ENCODINGS,
    JPEG,
    ONE_PROMPT,
    PHOTO,
    URL,
    Act,
    Scene,
    Step,
    advance,
    alone,
    ask,
    called_back,
    delete,
    get,
    got,
    patch,
    post,
    prompt,
    row,
    sent,
    train,
    tune,
)

REALISTIC_VISION, SDXL, GEMINI = 690204, 666678, 3159068
MODELS = (
    3618064, 3449219, 3449218, 3225353, GEMINI, 3063697, 2739411, 2739410, BASE, REALISTIC_VISION, SDXL,
    636337, 623021,
)  # fmt: skip
"""The gallery's models that the reference names, newest first."""
AT_SEA = {"prompt": {"text": "at sea"}}


def asked_of(model: int, status: int, shows: object, **fields: object) -> object:
    return post(f"/tunes/{model}/prompts", {"prompt": {"text": "at sea", **fields}}, status, shows)


def only(*names: str) -> Callable[[object], bool]:
    """Return a test for an object with these fields and no others."""

    def object_with_these_fields_only(value: object) -> bool:
        return isinstance(value, dict) and value.keys() == set(names)

    return object_with_these_fields_only


def by_another_name(step: Step) -> Act:
    """Ask the sandbox as ``localhost``."""

    def ask_it(scene: Scene) -> None:
        url = scene.sandbox.url.replace("127.0.0.1", "localhost")
        (answer,) = scene.program.send(url, step.call_in(scene))
        step.check(scene, answer)

    return Act(ask_it)


def is_trained_a_little_before(created: object) -> bool:
    trained_at, created_at = (datetime.fromisoformat(created[key]) for key in ("trained_at", "created_at"))  # type: ignore[index]
    return 0 < (created_at - trained_at).total_seconds() < 1


BASE_MODELS = [
    row(
        "every model of the gallery takes prompts",
        get("/gallery/tunes", 200, [{"id": model, "base_tune_id": None} for model in MODELS]),
        *(asked_of(model, 201, {"tune_id": model, "tune": {"id": model}, "tunes": []}) for model in MODELS),
    ),
    row(
        "Flux's rules hold for Flux only",
        asked_of(
            REALISTIC_VISION,
            201,
            {"cfg_scale": "7.5", "negative_prompt": "old"},
            cfg_scale=7.5,
            negative_prompt="old",
        ),
        asked_of(3063697, 422, {"cfg_scale": ["must be less than 5"]}, cfg_scale=5),
        asked_of(BASE, 422, {"negative_prompt": messages}, negative_prompt="old"),
        post("/tunes", tune(base_tune_id=SDXL, prompts_attributes=[{"text": "x", "cfg_scale": 7}])),
        post(
            "/tunes",
            alone(prompts_attributes=[{"text": "x", "cfg_scale": 7}]),
            422,
            {"prompts.cfg_scale": messages},
        ),
    ),
    row(
        "a tune has the branch of its base model",
        post("/tunes", alone(), 201, {"branch": "flux1"}),
        post("/tunes", tune(base_tune_id=REALISTIC_VISION), 201, {"branch": "sd15"}),
        post("/tunes", tune(base_tune_id=GEMINI, model_type="faceid"), 201, {"branch": "gemini-2"}),
        train(),
        get("/tunes/:tune", 200, {"branch": "flux1"}),
    ),
]

PROMPTS = [
    row(
        "POST /prompts takes the tune as a field",
        train(),
        *(
            post("/prompts", {"prompt": {"text": "at sea", "tune_id": BASE}}, 201, {"tune_id": BASE}, by=by)
            for by in ENCODINGS
        ),
        post("/prompts", {"prompt": {"text": "x", "tune_id": ":tune"}}, 201, {"tunes": [{"id": ":tune"}]}),
        post("/prompts", AT_SEA, 422, {"tune": messages}),
        post("/prompts", {"prompt": {"text": "x", "tune_id": 77}}, 422, {"tune": messages}),
    ),
    row(
        "a prompt is changed",
        *ONE_PROMPT,
        patch("/prompts/:prompt", {"prompt": {"base_pack_id": 260}}, 200, {"base_pack_id": 260}),
        patch(
            f"/tunes/{BASE}/prompts/:prompt",
            {"prompt": {"workspace_id": 5, "community": True, "text": "x"}},
            200,
            {"workspace_id": 5, "community": True, "base_pack_id": 260, "text": has("<lora:")},
            by="multipart",
        ),
        get("/prompts/:prompt", 200, {"base_pack_id": 260, "workspace_id": 5}),
        patch("/prompts/77", {"prompt": {"community": True}}, 404, NOT_FOUND),
    ),
    row(
        "the reply to a change of a prompt may be empty",
        *ONE_PROMPT,
        patch("/prompts/:prompt", {"prompt": {"community": True}}, 204, b""),
        get("/prompts/:prompt", 200, {"community": True}),
        patched_prompt="204",
    ),
    row(
        "a prompt is duplicated, and what is sent replaces what it had",
        train(prompt_ids=[43001]),
        ask(num_images=2, seed=1),
        get("/prompts/:prompt", 200, keep={"text": "text"}),
        *(
            post(
                "/prompts/:prompt/duplicate",
                {"prompt": {"seed": 12345}},
                201,
                {"seed": 12345, "num_images": 2, "text": ":text", "tunes": [{"id": ":tune"}]},
                by=by,
            )
            for by in ENCODINGS
        ),
        get("/prompts", 200, [{"seed": 12345}] * 3 + [{"id": ":prompt", "seed": 1}, {}]),
        post("/prompts/77/duplicate", {"prompt": {"seed": 1}}, 404, NOT_FOUND),
    ),
    row(
        "a text may be blank with an image, or with a description of a video and images of what it shows",
        post(
            f"/tunes/{BASE}/prompts",
            {"prompt": {"text": "", "input_image": PHOTO, "mask_image": PHOTO, "super_resolution": "true"}},
            201,
            {"text": "", "input_image": picture_url, "mask_image": picture_url, "super_resolution": True},
            by="multipart",
            keep={"image": "input_image"},
        ),
        get(":image", 200, JPEG, headers={"Authorization": ""}),
        post(f"/tunes/{BASE}/prompts", {"prompt": {"input_image_url": URL}}, 201, {"input_image": URL}),
        post(
            f"/tunes/{GEMINI}/prompts",
            {"prompt": {"video_prompt": "waves", "image_references": [PHOTO, PHOTO]}},
            201,
            {"image_references": [picture_url, picture_url]},
            by="multipart",
        ),
        *(
            post(f"/tunes/{GEMINI}/prompts", {"prompt": too_little}, 422, {"text": messages})
            for too_little in ({"num_images": 1}, {"video_prompt": "waves"}, {"image_reference_urls": [URL]})
        ),
        post(
            "/tunes",
            alone(prompts_attributes=[{"text": "", "input_image": PHOTO}, {"text": "at sea"}]),
            by="multipart",
            keep={"tune": "id"},
        ),
        get("/tunes/:tune/prompts", 200, [{"input_image": None}, {"input_image": picture_url}]),
        post("/tunes", alone(prompts_attributes=[{"seed": 1}]), 422, {"prompts.text": messages}),
    ),
    row(
        "a failed prompt has trained_at together with user_error",
        Act(lambda scene: scene.sandbox.fail("prompt", "POST /p/*/tunes")),
        *ONE_PROMPT,
        get("/prompts/:prompt", 200, {"trained_at": None, "user_error": None}),
        advance(7200),
        get("/prompts/:prompt", 200, {"trained_at": timestamp, "user_error": str, "images": []}),
    ),
    row(
        "the ranges of seed, steps and cfg_scale",
        *(
            asked_of(REALISTIC_VISION, 201, {name: value}, **{name: value})
            for name, value in (("seed", 0), ("seed", 2**32), ("steps", 0), ("steps", 50))
        ),
        asked_of(REALISTIC_VISION, 201, {"cfg_scale": "0.0"}, cfg_scale=0),
        asked_of(REALISTIC_VISION, 201, {"cfg_scale": "15.0"}, cfg_scale="15"),
        *(
            asked_of(REALISTIC_VISION, 422, {name: messages}, **{name: value})
            for name, value in (("seed", 2**32 + 1), ("steps", 51), ("cfg_scale", 15.1), ("cfg_scale", -1))
        ),
    ),
    row(
        "what a prompt always shows",
        asked_of(
            BASE,
            201,
            {
                "cfg_scale": None,
                "super_resolution": False,
                "controlnet_txt2img": False,
                "controlnet_conditioning_scale": None,
                "denoising_strength": None,
                "ar": "1:1",
                "progress_timing_seconds": float,
                "progress_elapsed_seconds": 0.0,
                "workspace_id": None,
                "community": False,
                "image_references": [],
                "input_image": None,
                "mask_image": None,
                "tune": {"id": BASE},
                "tunes": [],
            },
        ),
        asked_of(BASE, 201, {"cfg_scale": "3.0"}, cfg_scale=3),
        advance(60),
        get("/prompts?limit=1", 200, [{"progress_elapsed_seconds": 3.0}]),
    ),
    row(
        "a prompt of a LoRA shows its base model, and the LoRA among its tunes",
        train(),
        post(
            "/tunes/:tune/prompts",
            prompt(),
            201,
            {
                "tune_id": BASE,
                "tune": {"id": BASE},
                "url": has(f"/tunes/{BASE}/prompts/", ".json"),
                "tunes": [{"id": ":tune"}],
            },
        ),
    ),
    row(
        "a prompt of a LoRA may show the LoRA",
        train(),
        post("/tunes/:tune/prompts", prompt(), 201, {"tune_id": ":tune"}),
        prompt_tune_id="posted",
    ),
    row(
        "an unfilled placeholder of a posted prompt is kept",
        train(characteristics={"is_bald": "bald"}),
        ask(text="{{is_bald}} ohwx man"),
        get("/prompts/:prompt", 200, {"text": has("{{is_bald}} ohwx man")}),
    ),
    row(
        "pictures at addresses that redirect, not in order",
        train(),
        ask(num_images=3),
        advance(7200),
        get(
            "/prompts/:prompt",
            200,
            {
                "images": [
                    lambda url, n=n: re.search(
                        rf"/rails/active_storage/blobs/redirect/\w+/\d+-{n}\.jpg$", url
                    )
                    for n in (2, 0, 1)
                ]
            },
            keep={"picture": "images.0"},
        ),
        get(":picture", 302, carries={"location": picture_url, "access-control-allow-origin": "*"}),
        Act(lambda scene: requests.get(str(scene.saved["picture"]), timeout=20).raise_for_status()),
        picture_addresses="redirect",
    ),
    row(
        "videos are among the images",
        post(
            f"/tunes/{GEMINI}/prompts",
            {"prompt": {"text": "at sea", "video_prompt": "waves"}},
            keep={"prompt": "id"},
        ),
        advance(60),
        get("/prompts/:prompt", 200, keep={"video": "images.0"}),
        get(":video", 200, lambda body: body[4:8] == b"ftyp", carries={"content-type": "video/mp4"}),
        get("/prompts?is_video=true", 200, [{"id": ":prompt"}]),
    ),
]

TUNES = [
    row(
        "addresses are those of the host that was asked",
        post("/p/43/tunes", tune(images=[PHOTO]), by="multipart", keep={"tune": "id"}),
        get("/tunes/:tune", 200, {"url": has("http://127.0.0.1:")}),
        by_another_name(
            get(
                "/tunes/:tune",
                200,
                {"url": has("http://localhost:"), "orig_images": [has("http://localhost:"), URL]},
            )
        ),
    ),
    row(
        "a FaceID tune",
        post(
            "/tunes",
            tune(model_type="faceid", base_tune_id=BASE, token="ohwx", face_crop=True),
            201,
            {"token": None, "face_crop": False, "model_type": "faceid"},
            keep={"tune": "id"},
        ),
        get("/tunes/:tune", 200, is_trained_a_little_before),
    ),
    row(
        "a tune that was trained again",
        train(),
        get("/tunes/:tune", 200, {"started_training_at": None}),
        advance(3600),
        get("/tunes/:tune", 200, lambda shown: shown["started_training_at"] > shown["trained_at"]),
        training_times="rerun",
    ),
    row(
        "a blank filter is no filter",
        *ONE_PROMPT,
        get("/tunes?title=&name[]=&model_type=&branch=", 200, [{"id": ":tune"}]),
        get(
            "/prompts?text=&pack_id=&base_pack_id=&tune_id=&orig_prompt_id=&order_id=&liked=&today=",
            200,
            [{"id": ":prompt"}],
        ),
        get("/gallery/packs?public=&listed=", 200, count(2)),
    ),
    row(
        "tunes by a part of the title, and by the branch of the base model",
        train(keep="a", title="my cat"),
        post("/tunes", alone(branch="fast"), keep={"b": "id"}),
        post("/tunes", tune(base_tune_id=REALISTIC_VISION), keep={"c": "id"}),
        get("/tunes?title=cat", 200, [A]),
        get("/tunes?branch=flux1&model_type=lora&page=1&limit=20&title=", 200, [B, A]),
        get("/tunes?branch=sd15", 200, [C]),
    ),
]

SHORT_TUNE = only(
    "id", "title", "name", "steps", "trained_at", "started_training_at", "created_at", "updated_at",
    "expires_at",
)  # fmt: skip
SHORT_PROMPT = only(
    "id", "text", "negative_prompt", "steps", "tune_id", "trained_at", "started_training_at", "created_at",
    "updated_at", "images",
)  # fmt: skip

CALLBACKS = [
    row(
        "callbacks carry short objects",
        train(
            prompt_ids=[43001],
            callback=":hook/tune",
            prompts_callback=":hook/all",
            prompt_attributes={"callback": ":hook/prompt"},
        ),
        advance(7200),
        called_back(3),
        got("/tune", {"tune": SHORT_TUNE}),
        got("/prompt", {"prompt": SHORT_PROMPT}),
        got("/all", [SHORT_PROMPT]),
    ),
]


PACKS_AND_ACCOUNT = [
    row(
        "pack 260 in detail",
        get("/p/260", 200, {"slug": "corporate-headshots", "logo": None}),
        get(
            "/p/corporate-headshots",
            200,
            only(
                "id",
                "slug",
                "title",
                "cover_url",
                "created_at",
                "updated_at",
                "public_at",
                "unlisted_at",
                "costs",
                "logo",
                "prompts_per_class",
            ),
        ),
    ),
    row(
        "a multi pack lists prompts and tunes backwards",
        train(keep="a"),
        train(keep="b", name="woman"),
        post(
            "/p/1204/tunes",
            {"tune": {"tune_ids": [":a", ":b"]}},
            201,
            {
                "order": {"tune_ids": [":b", ":a"]},
                "prompt_ids": lambda ids: len(ids) == 4 and ids == sorted(ids, reverse=True),
            },
        ),
    ),
    row(
        "who pays",
        get(
            "/users",
            200,
            {
                "usd_balance_mc": 500,
                "payer": {"id": int, "name": str, "self": True, "usd_balance_mc": 500},
            },
        ),
        post("/p/43/tunes", tune(), 422, {"base": ["not enough balance"]}),
        balance_mc=500,
    ),
    row(
        "the lists that the service's own programs read first",
        get(
            "/plugin/models",
            200,
            {"models": {f"tune-{GEMINI}": {"id": GEMINI, "title": str}}, "default_model": str},
        ),
        get(
            "/cli/models",
            200,
            {"default": "gemini", "models": {"gemini": {"tune_id": 3618064}}, "cache_ttl": int},
            headers={"Authorization": ""},
        ),
        get("/workspaces.json", 200, list),
        get(
            "/gallery.json?offset=0&limit=2",
            200,
            [{"id": int, "text": str, "images": [picture_url], "trained_at": timestamp}] * 2,
            keep={"picture": "0.images.0"},
        ),
        get(":picture", 200, carries={"content-type": "image/jpeg"}),
    ),
    row(
        "a theme makes ten prompts for each tune",
        train(prompt_ids=[43001]),
        *(
            post(
                "/themes",
                {
                    "theme": {
                        "theme": "Corporate headshots",
                        "tune_ids": [":tune"],
                        "prompt_attributes": {"num_images": 2},
                    }
                },
                201,
                b"",
                by=by,
            )
            for by in ENCODINGS
        ),
        get("/tunes/:tune/prompts?limit=120", 200, count(31)),
        get("/tunes/:tune/prompts?limit=1", 200, [{"num_images": 2, "text": has("Corporate headshots")}]),
        post(
            "/themes",
            {"theme": {"theme": "", "tune_ids": [77]}},
            422,
            {"theme": messages, "tune_ids": messages},
        ),
    ),
    row(
        "a deleted prompt is answered with nothing",
        *ONE_PROMPT,
        delete("/prompts/:prompt", 204, b""),
        get("/prompts/:prompt", 404, NOT_FOUND),
    ),
    row(
        "a deleted prompt may be answered with a message",
        *ONE_PROMPT,
        delete("/prompts/:prompt", 200, {"message": "Prompt successfully deleted"}),
        deleted_prompt="200",
    ),
]

FOREIGN = {"Origin": "https://app.example", "Authorization": ""}
PREFLIGHT = FOREIGN | {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}
NO_ORIGIN = {"access-control-allow-origin": ABSENT}

BROWSERS = [
    row(
        "pictures may be shown by any page, and the API asked by none",
        get("/p/43", 200, keep={"picture": "cover_url"}),
        get(":picture", 200, headers=FOREIGN, carries={"access-control-allow-origin": "*"}),
        get("/p/43", 403, headers={"Origin": "https://app.example"}, carries=NO_ORIGIN),
        sent("OPTIONS", "/p/43/tunes", None, "", 403, headers=PREFLIGHT, carries=NO_ORIGIN),
    ),
    row(
        "the API may be asked by pages of the origins that are allowed",
        sent(
            "OPTIONS",
            "/p/43/tunes",
            None,
            "",
            204,
            headers=PREFLIGHT,
            carries={
                "access-control-allow-origin": "https://app.example",
                "access-control-allow-headers": "authorization,content-type",
                "access-control-allow-methods": has("POST", "PATCH", "DELETE"),
                "vary": "Origin",
            },
        ),
        get("/p/43", 401, headers=FOREIGN, carries={"access-control-allow-origin": "https://app.example"}),
        get(
            "/p/43",
            200,
            headers={"Origin": "https://app.example"},
            carries={"access-control-allow-origin": "https://app.example"},
        ),
        get("/p/43", 403, headers={"Origin": "https://app.example.org"}, carries=NO_ORIGIN),
        allowed_origins=("https://app.example",),
    ),
]

ROWS = [*BASE_MODELS, *PROMPTS, *TUNES, *CALLBACKS, *PACKS_AND_ACCOUNT, *BROWSERS]
