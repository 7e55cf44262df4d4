"""Rows: how a stock Rails reads a body, and how much of it (astria-api, section 16)."""

from collections.abc import Iterable, Mapping

from sandbox.conformance.expectations import REFUSED, messages
from sandbox.conformance.parameters import arrived
from sandbox.conformance.programs import File
from sandbox.conformance.vocabulary import PHOTO, URL, get, in_each_encoding, post, row, sent, tune

HOME = "https://example.com"
FIELDS = {"title": "t", "name": "man", "image_urls": [URL]}
FORM, JSON, MULTIPART = (
    "application/x-www-form-urlencoded",
    "application/json",
    "multipart/form-data; boundary=b",
)
RAW = f"tune[title]=Zoë&tune[name]=man&tune[image_urls][]={URL}".encode()
TEXT = b'{"tune": {"title": "t", "name": "man", "image_urls": ["%s"]}}' % URL.encode()
FAILED = {"status": 500, "error": str}
NO_WRAPPER = "param is missing or the value is empty: tune"


def raw(body: bytes, content_type: str | None, status: int = 201) -> object:
    headers: Mapping[str, str] = {"Content-Type": content_type} if content_type else {}
    return sent("POST", "/p/43/tunes", body, "raw", status, headers=headers)


def multipart(parts: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a body of parts, each with what follows `form-data`."""
    head = b"--b\r\nContent-Disposition: form-data; "
    return (
        b"".join(head + more.encode() + b"\r\n\r\n" + content + b"\r\n" for more, content in parts)
        + b"--b--\r\n"
    )


REQUIRED = [
    ('name="tune[title]"', b"t"),
    ('name="tune[name]"', b"man"),
    ('name="tune[image_urls][]"', URL.encode()),
]

ROWS = [
    *in_each_encoding(
        "years are keys like any other",
        lambda by: (
            post("/p/43/tunes", tune(characteristics={"2024": "x", "0": "y"}), by=by),
            arrived(characteristics={"2024": "x", "0": "y"}),
        ),
    ),
    row(
        "elements by index are dropped on request",
        post("/p/43/tunes", tune(image_urls={"0": URL}), 422, {"images": messages}, by="form"),
        index_keys="dropped",
    ),
    row(
        "types in any case, or none",
        raw(RAW, "application/X-WWW-form-urlencoded; charset=UTF-8"),
        arrived(title="Zoë"),
        raw(RAW, None),  # curl writes that of a form
        arrived(title="Zoë"),
        raw(TEXT, "Application/JSON"),
        raw(TEXT, "text/plain", 400),
    ),
    row("a % that begins no escape is refused", raw(RAW + b"%", FORM, 400), get("/tunes", 200, [])),
    *in_each_encoding(
        "a parameter of the query replaces that of the body",
        lambda by: (
            post(
                f"/p/43/tunes?tune[title]=q&tune[name]=man&tune[image_urls][]={URL}", tune(brief="x"), by=by
            ),
            arrived(title="q"),
            post("/p/43/tunes?title=q", tune(), 201, {"title": "t"}, by=by),
        ),
    ),
    row(
        "a file input without a file is skipped",
        raw(multipart([*REQUIRED, ('name="tune[images][]"; filename=""', b"")]), MULTIPART),
    ),
    row(
        "escapes in names and in names of files",
        raw(
            multipart(
                [
                    *REQUIRED,
                    (r'name="tune[characteristics][a\"b\\c%22]"', b"x"),
                    ('name="tune[images][]"; filename="me/a%20%22b%22.jpg"', PHOTO.content),
                ]
            ),
            MULTIPART,
        ),
        arrived(characteristics={'a"b\\c%22': "x"}),
    ),
    *(
        row(
            f"integers are cast, {by}",
            post(
                "/p/43/tunes",
                tune(prompt_ids=[number], prompt_attributes={"num_images": count}),
                by=by,
                keep={"tune": "id"},
            ),
            get("/tunes/:tune/prompts", 200, [{"orig_prompt_id": 43001, "num_images": 2}]),
        )
        for by, number, count in (
            ("json", 43001.0, 2.9),
            ("form", " 43001 ", "2.0"),
            ("multipart", "43001x", "2"),
        )
    ),
    row(
        "what is no number is 0",
        post(
            "/p/43/tunes",
            tune(prompt_attributes={"num_images": "abc"}),
            422,
            {"prompts.num_images": messages},
        ),
        post("/p/43/tunes", tune(prompt_attributes={"seed": "abc"}), 201),
    ),
    row(
        "fields without the tune wrapper are refused; of JSON, columns are taken",
        *(post("/p/43/tunes", FIELDS, 400, REFUSED, by=by) for by in ("multipart", "form")),
        post("/p/43/tunes", FIELDS, 422, {"images": messages}),
        post("/p/43/tunes", {"image_urls": [URL]}, 400, {"error": NO_WRAPPER}),
        get("/tunes", 200, []),
    ),
    row(
        "127 files in a body",
        post("/p/43/tunes", tune(images=[File("1.txt", b"x")] * 126 + [PHOTO]), by="multipart"),
        post("/p/43/tunes", tune(images=[PHOTO] * 128), 500, FAILED, by="multipart"),
    ),
    row(
        "limits of a multipart body",
        raw(multipart([*REQUIRED, *[('name="x"', b"")] * 3]), MULTIPART, 500),
        raw(multipart([*REQUIRED, ('name="x"', b"x" * 200)]), MULTIPART, 500),
        raw(
            multipart([*REQUIRED, (f'name="tune[brief]"; x={"x" * 60}', b"x")]), MULTIPART
        ),  # that part is lost
        raw(multipart([*REQUIRED[1:], (f'name="tune[title]"; x={"x" * 60}', b"x")]), MULTIPART, 422),
        max_parts=5,
        max_text=200,
        max_disposition=60,
    ),
    row(
        "limits of a form and of JSON",
        post("/p/43/tunes", tune(), by="form"),
        post("/p/43/tunes", tune(brief="x"), 400, REFUSED, by="form"),
        post("/p/43/tunes", tune(title="x" * 200), 400, REFUSED, by="form"),
        post("/p/43/tunes", [("tune[a][b]", "x")], 400, REFUSED, by="form"),
        post("/p/43/tunes", tune()),
        post("/p/43/tunes", tune(a=[[]]), 400, REFUSED),
        max_pairs=3,
        max_form=200,
        max_form_depth=2,
        max_json_depth=3,
    ),
]
