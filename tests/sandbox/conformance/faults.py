"""Rows: faults on request, and the ledger that records them."""

from sandbox.conformance.expectations import ABSENT, count, timestamp
from sandbox.conformance.vocabulary import ONE_PROMPT, Act, Break, advance, get, post, row, train, tune

RUN = "POST /p/*/tunes"


def fail(kind: str, route: str = RUN, **how: object) -> Act:
    return Act(lambda scene: scene.sandbox.fail(kind, route, **how))


def recorded(*expected: tuple[str, str, int | None, str | None]) -> Act:
    """Compare the ledger: method, path, status and fault of each request."""

    def compare(scene: object) -> None:
        ledger = scene.sandbox.ledger  # type: ignore[attr-defined]
        requests = [(request.method, request.path, request.status, request.fault) for request in ledger]
        assert requests == list(expected)

    return Act(compare)


RUN_43 = post("/p/43/tunes", tune())


ROWS = [
    *(
        row(
            f"{kind} once, before anything is done",
            fail(kind),
            post("/p/43/tunes", tune(), int(kind)),
            get("/tunes", 200, []),
            train(),
            get("/tunes", 200, count(1)),
        )
        for kind in ("401", "422", "429", "500", "502", "503", "504")
    ),
    row(
        "429 with Retry-After",
        fail("429", retry_after="7"),
        post("/p/43/tunes", tune(), 429, carries={"retry-after": "7"}),
    ),
    row(
        "429 without Retry-After",
        fail("429"),
        post("/p/43/tunes", tune(), 429, carries={"retry-after": ABSENT}),
    ),
    row(
        "504 after the tune was made",
        fail("504", commit="yes"),
        post("/p/43/tunes", tune(), 504),
        get("/tunes", 200, [{"title": "t"}]),
    ),
    row("a connection that is reset", fail("reset"), Break(RUN_43), get("/tunes", 200, [])),
    row(
        "a connection that is reset after the tune was made",
        fail("reset", commit="yes"),
        Break(RUN_43),
        get("/tunes", 200, [{"title": "t"}]),
    ),
    row("an answer that is cut short", fail("truncated"), Break(RUN_43), get("/tunes", 200, count(1))),
    row("an answer that is slow", fail("slow", seconds=0.05), RUN_43),
    row("an answer that drips", fail("drip", seconds=0.0001), RUN_43),
    row("a fault that comes twice", fail("500", count=2), *[post("/p/43/tunes", tune(), 500)] * 2, RUN_43),
    row(
        "a fault after one that is well",
        fail("500", after=1),
        RUN_43,
        post("/p/43/tunes", tune(), 500),
        RUN_43,
    ),
    row(
        "a fault of another route", fail("500", "GET /tunes"), RUN_43, get("/tunes", 500), get("/tunes", 200)
    ),
    row(
        "training that fails",
        fail("training"),
        train(),
        advance(7200),
        get(
            "/tunes/:tune",
            200,
            {"trained_at": None, "expires_at": None, "failed_at": timestamp, "cost_mc": 0},
        ),
        tune_fields="record",
    ),
    row(
        "a prompt that fails",
        fail("prompt"),
        *ONE_PROMPT,
        advance(7200),
        get("/prompts/:prompt", 200, {"images": [], "user_error": str}),
    ),
    row(
        "the ledger tells each request and its fault",
        fail("500"),
        post("/p/43/tunes", tune(), 500),
        RUN_43,
        recorded(("POST", "/p/43/tunes", 500, "500"), ("POST", "/p/43/tunes", 201, None)),
    ),
]
