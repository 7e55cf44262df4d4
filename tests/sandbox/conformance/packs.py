"""Rows: who is let in, packs and their prices, the account."""

from sandbox.conformance.expectations import ABSENT, NOT_FOUND, REFUSED, count, picture_url, timestamp
from sandbox.conformance.vocabulary import Row, get, post, row, sent, train

ROUTES = (
    "GET /packs",
    "POST /packs",
    "GET /gallery/packs",
    "GET /p/43",
    "POST /p/43/tunes",
    "GET /tunes",
    "POST /tunes",
    "GET /gallery/tunes",
    "GET /tunes/1",
    "PATCH /tunes/1",
    "DELETE /tunes/1",
    "GET /tunes/1/prompts",
    "POST /tunes/1/prompts",
    "GET /tunes/1/prompts/1",
    "PATCH /tunes/1/prompts/1",
    "DELETE /tunes/1/prompts/1",
    "GET /prompts",
    "POST /prompts",
    "GET /prompts/1",
    "PATCH /prompts/1",
    "POST /prompts/1/duplicate",
    "DELETE /prompts/1",
    "POST /prompts/1/likes",
    "DELETE /prompts/1/likes",
    "POST /prompts/1/like",
    "DELETE /prompts/1/like",
    "POST /images/inspect",
    "GET /users",
    "GET /gallery",
    "GET /plugin/models",
    "GET /workspaces",
    "POST /themes",
)


KEYS = {
    "no key": "",
    "the key of another sandbox": "Bearer sd_sandbox_000000000000000000000000",
    "a key that looks real": "Bearer sd_Xy4kQ8vTz1mN7pLw",
    "a key in another scheme": "Token x",
}


ASKS_FOR_A_KEY = {
    "content-type": "text/plain; charset=utf-8",
    "www-authenticate": 'Token realm="Application"',
    "x-sandbox-hint": str,
}


def without_the_key(name: str, key: str) -> Row:
    refused = [
        sent(
            *route.split(), None, "", 401, b"HTTP Token: Access denied.\n",
            headers={"Authorization": key}, carries=ASKS_FOR_A_KEY,
        )
        for route in ROUTES
    ]  # fmt: skip
    return row(f"{name} opens no route", *refused)


WHO_IS_LET_IN = [without_the_key(name, key) for name, key in KEYS.items()]

SHORT_PACK = {"id": int, "slug": str, "title": str, "created_at": timestamp, "updated_at": timestamp}
PACK = SHORT_PACK | {"base_tune_id": int, "user_id": int, "token": str, "model_type": str}
PETS_2024 = {"cost_mc_hash": {"cat": int, "dog": int}, "costs": ABSENT}
PETS_2025 = {
    "costs": {name: {"cost": int, "num_images": 8} for name in ("cat", "dog")},
    "cost_mc_hash": ABSENT,
}
PETS_2026 = {"costs": {name: {"cost_mc": int, "num_images": 8} for name in ("cat", "dog")}}

PACKS = [
    row("own packs", get("/packs", 200, [PACK | {"id": 797, "public_at": None}])),
    row("own packs that are public", get("/packs?public=true", 200, [])),
    row("own packs that are listed", get("/packs?listed=true", 200, [{"id": 797, "unlisted_at": None}])),
    row("the gallery's packs", get("/gallery/packs", 200, [PACK | {"id": 260}, PACK | {"id": 43}])),
    row(
        "the gallery's packs, page by page",
        get("/gallery/packs?limit=1", 200, [{"id": 260, "public_at": timestamp}]),
        get("/gallery/packs?limit=1&offset=1", 200, [{"id": 43}]),
        get("/gallery/packs?limit=1&offset=2", 200, []),
        get("/gallery/packs?public=true&listed=true", 200, [{"id": 260}, {"id": 43}]),
    ),
    row("a list of packs with a limit that is not a number", get("/packs?limit=many", 400, REFUSED)),
    row(
        "a pack by id",
        get(
            "/p/260",
            200,
            SHORT_PACK
            | {
                "id": 260,
                "cover_url": picture_url,
                "public_at": timestamp,
                "unlisted_at": None,
                "prompts_per_class": {"man": count(28), "woman": count(35)},
            },
        ),
    ),
    row("a pack by slug", get("/p/portraits", 200, {"id": 43})),
    row("a pack by slug, .json", get("/p/pets.json", 200, {"id": 797})),
    row("a pack that does not exist", get("/p/99999", 404, NOT_FOUND), get("/p/nothing", 404, NOT_FOUND)),
    row(
        "a pack's templates are those that prompt_ids takes",
        get("/p/43", 200, keep={"template": "prompts_per_class.man.3.id"}),
        train(prompt_ids=[":template"]),
        get("/tunes/:tune/prompts", 200, [{"orig_prompt_id": ":template"}]),
    ),
    row("a multi pack is reached by its id", get("/p/1204", 200, {"id": 1204, "slug": "couples"})),
    row(
        "prices in the shape of 2024",
        get("/packs", 200, [PETS_2024]),
        get("/p/797", 200, PETS_2024),
        price_shape="2024",
    ),
    row(
        "prices in the shape of 2025",
        get("/packs", 200, [PETS_2024]),
        get("/p/797", 200, PETS_2025),
        price_shape="2025",
    ),
    row(
        "prices in the shape of 2026",
        get("/packs", 200, [PETS_2026]),
        get("/p/797", 200, PETS_2026 | {"template_prompts": count(16)}),
        price_shape="2026",
    ),
    row(
        "documented prices of pack 260",
        get("/p/260", 200, {"costs": {"man": {"cost": 331, "num_images": 28}, "woman": {"cost": 360}}}),
    ),
    row(
        "create a pack",
        post(
            "/packs",
            {"pack": {"title": "Mine", "base_tune_id": 1504944, "model_type": "lora", "subtitle": "so"}},
            201,
            {"id": int, "title": "Mine"},
            keep={"pack": "id"},
        ),
        get("/p/:pack", 200, {"title": "Mine", "public_at": None}),
        get("/packs", 200, [{"id": ":pack", "base_tune_id": 1504944, "model_type": "lora"}, {"id": 797}]),
    ),
    row(
        "create a pack without a title",
        post("/packs", {"pack": {"title": ""}}, 422, {"title": ["can't be blank"]}),
    ),
    row("create a pack without the wrapper", post("/packs", {"title": "Mine"}, 400, REFUSED, by="form")),
    row("JSON of a pack without the wrapper is wrapped", post("/packs", {"title": "Mine"})),
    row(
        "the account",
        get(
            "/users",
            200,
            {"id": int, "name": str, "email": str, "usd_balance_mc": int, "auto_extend_tunes": False},
        ),
    ),
    row(
        "a run is paid from the balance",
        train(797, name="dog"),
        get("/users", 200, {"usd_balance_mc": 1_000_000 - 198_000}),
        balance_mc=1_000_000,
    ),
    *(
        row(f"{spelled} is the same route", get(spelled, 200))
        for spelled in (
            "/packs.json",
            "/packs/",
            "/gallery/packs.json",
            "/p/260/",
            "/tunes.json",
            "/tunes/",
            "/gallery/tunes.json",
            "/prompts.json",
            "/users.json",
        )
    ),
    row("a path that does not exist", get("/nowhere", 404, NOT_FOUND)),
    row(
        "X-Workspace-Id and Accept change nothing",
        get("/packs", 200, [{"id": 797}], headers={"X-Workspace-Id": "all", "Accept": "application/json"}),
    ),
]

ROWS = [*WHO_IS_LET_IN, *PACKS]
