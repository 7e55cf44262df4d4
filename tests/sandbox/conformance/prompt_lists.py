"""Rows: lists of prompts, and the inspection of an image."""

from sandbox.conformance.expectations import REFUSED, SHALLOW, A, B, C, count
from sandbox.conformance.programs import File
from sandbox.conformance.vocabulary import BASE, PHOTO, URL, advance, get, in_each_encoding, post, row, train


def newest_first(rows: object) -> bool:
    ids = [prompt["id"] for prompt in rows]  # type: ignore[attr-defined]
    return bool(ids) and ids == sorted(set(ids), reverse=True)


MIXED = (
    train(keep="tune", prompt_ids=[43001, 43002]),
    train(797, keep="cat", name="cat", prompt_ids=[797001]),
    get("/prompts", 200, keep={"c": "0.id", "b": "1.id", "a": "2.id"}),
)


MANY = train(260, name="woman")


PROMPT_LISTS = [
    row(
        "prompts, newest first",
        *MIXED,
        get("/prompts", 200, [C, B, A]),
        get("/tunes/:tune/prompts", 200, [B, A]),
    ),
    row(
        "prompts by text",
        *MIXED,
        get("/prompts?text=skyline", 200, [B]),
        get("/prompts?text=nowhere", 200, []),
    ),
    row(
        "prompts by pack",
        *MIXED,
        get("/prompts?base_pack_id=43", 200, [B, A]),
        get("/prompts?pack_id=43", 200, []),
    ),
    row(
        "prompts by tune",
        *MIXED,
        get("/prompts?tune_id=:cat", 200, [C]),
        get(f"/prompts?tune_id={BASE}", 200, [C, B, A]),
    ),
    row("prompts by template", *MIXED, get("/prompts?orig_prompt_id=43002", 200, [B])),
    row(
        "prompts that are liked",
        *MIXED,
        get("/prompts?liked=true", 200, []),
        post("/prompts/:b/likes"),
        get("/prompts?liked=true", 200, [B]),
    ),
    row(
        "prompts of today",
        *MIXED,
        get("/prompts?today=true", 200, [C, B, A]),
        advance(2 * 86_400),
        get("/prompts?today=true", 200, []),
    ),
    row("prompts of the API", *MIXED, get("/prompts?is_api=true", 200, [C, B, A])),
    row("prompts that are videos", *MIXED, get("/prompts?is_video=true", 200, [])),
    row("prompts of an order that does not exist", *MIXED, get("/prompts?order_id=77", 200, [])),
    row(
        "20 prompts a page, then the rest",
        MANY,
        get("/tunes/:tune/prompts", 200, count(20), keep={"last": "19.id"}),
        get("/tunes/:tune/prompts", 200, newest_first),
        get("/tunes/:tune/prompts?before_id=:last", 200, count(15), keep={"last": "14.id"}),
        get("/tunes/:tune/prompts?before_id=:last", 200, []),
    ),
    row(
        "at most 120 prompts a page",
        *[MANY] * 4,
        get("/prompts?limit=120", 200, count(120)),
        get("/prompts?limit=200", 200, count(120)),
        get("/prompts?limit=200&offset=120", 200, count(20)),
    ),
    row(
        "prompts, as deep as offset goes",
        get("/prompts?offset=10000", 200, []),
        get("/prompts?offset=10001", 400, SHALLOW),
    ),
    row(
        "prompts with parameters that are not numbers",
        *(get(f"/prompts?{name}=x", 400, REFUSED) for name in ("limit", "offset", "before_id")),
    ),
]


def flat_object(report: object) -> bool:
    """Return whether an inspection is an object of strings and booleans."""
    return isinstance(report, dict) and all(isinstance(value, str | bool) for value in report.values())


INSPECTION = [
    row(
        "inspect an image",
        post("/images/inspect", {"name": "man", "file": PHOTO}, 200, flat_object, by="multipart"),
    ),
    *in_each_encoding(
        "inspect an image by URL",
        lambda by: (post("/images/inspect", {"name": "man", "file_url": URL}, 200, flat_object, by=by),),
    ),
    row("inspect nothing", post("/images/inspect", {"name": "man"}, 422, dict)),
    row(
        "inspect a file that is not an image",
        post("/images/inspect", {"name": "man", "file": File("1.jpg", b"hello")}, 422, dict, by="multipart"),
    ),
]

ROWS = [*PROMPT_LISTS, *INSPECTION]
