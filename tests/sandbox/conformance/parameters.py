"""Rows: how parameters are written, in three encodings."""

from hashlib import sha256

from sandbox.conformance.expectations import CREATED, REFUSED, has, messages, picture_url
from sandbox.conformance.programs import File
from sandbox.conformance.vocabulary import (
    JPEG,
    PHOTO,
    PNG,
    URL,
    Act,
    get,
    in_each_encoding,
    post,
    row,
    sent,
    tune,
)

UNICODE = 'Zoë 猫 \U0001f408 "quoted" 100% a&b=c;d'


HOME = "http://example.com"


REQUIRED = [("tune[title]", "t"), ("tune[name]", "man"), ("tune[image_urls][]", URL)]


def arrived(**fields: object) -> Act:
    """Compare what the sandbox says that it received last."""

    def look(scene: object) -> None:
        received = scene.sandbox.received()[-1].params  # type: ignore[attr-defined]
        assert {name: received[name] for name in fields} == fields

    return Act(look)


def shown(upload: File, content_type: str) -> dict[str, object]:
    digest = sha256(upload.content).hexdigest()
    return {
        "filename": upload.name,
        "content_type": content_type,
        "size": len(upload.content),
        "sha256": digest,
    }


ROWS = [
    *in_each_encoding(
        "create a tune from a pack", lambda by: (post("/p/43/tunes", tune(), 201, CREATED, by=by),)
    ),
    *in_each_encoding(
        "nested objects",
        lambda by: (
            post(
                "/p/43/tunes",
                tune(
                    characteristics={"eye_color": "grey eyes", "hair_color": "red hair"},
                    prompt_attributes={"num_images": 2},
                    prompt_ids=[43001],
                ),
                by=by,
                keep={"tune": "id"},
            ),
            get("/tunes/:tune/prompts", 200, [{"text": has("grey eyes", "red hair"), "num_images": 2}]),
        ),
    ),
    *in_each_encoding(
        "repeated elements of a list",
        lambda by: (
            post("/p/43/tunes", tune(image_urls=[URL, HOME]), 201, {"orig_images": [URL, HOME]}, by=by),
        ),
    ),
    *(
        row(
            f"elements of a list by index, {by}",
            post(
                "/p/43/tunes",
                tune(image_urls={"0": URL, "1": HOME}),
                201,
                {"orig_images": [URL, HOME]},
                by=by,
            ),
        )
        for by in ("multipart", "form")
    ),
    row(
        "files by index",
        post(
            "/p/43/tunes",
            tune(images={"0": PHOTO, "1": PHOTO}, image_urls=None),
            201,
            {"orig_images": [picture_url, picture_url]},
            by="multipart",
        ),
    ),
    *in_each_encoding(
        "characteristics as JSON in one string",
        lambda by: (
            post(
                "/p/43/tunes",
                tune(characteristics='{"eye_color": "grey eyes"}', prompt_ids=[43001]),
                by=by,
                keep={"tune": "id"},
            ),
            get("/tunes/:tune/prompts", 200, [{"text": has("grey eyes")}]),
        ),
    ),
    *(
        row(
            f"the last of two equal scalars wins, {by}",
            post("/p/43/tunes", [*REQUIRED, ("tune[title]", "last")], 201, {"title": "last"}, by=by),
        )
        for by in ("multipart", "form")
    ),
    *in_each_encoding(
        "text beyond ASCII",
        lambda by: (post("/p/43/tunes", tune(title=UNICODE), 201, {"title": UNICODE}, by=by),),
    ),
    row(
        "null counts as not sent",
        post("/p/43/tunes", {"tune": tune()["tune"] | {"callback": None, "tune_ids": None}}),
    ),
    row(
        "a file is known by its filename, its type by its bytes",
        post("/p/43/tunes", tune(images=[PHOTO, File("b.jpg", PNG)], image_urls=None), 201, by="multipart"),
        arrived(images=[shown(PHOTO, "image/jpeg"), shown(File("b.jpg", PNG), "image/png")]),
    ),
    row(
        "file names beyond ASCII",
        post("/p/43/tunes", tune(images=[File('Zoë 猫 "1".jpg', JPEG)]), 201, by="multipart"),
        arrived(images=[shown(File('Zoë 猫 "1".jpg', JPEG), "image/jpeg")]),
    ),
    row(
        "a part without a filename is not a file",
        post("/p/43/tunes", tune(images=["x"]), 422, {"images": messages}, by="multipart"),
    ),
    *(
        row(
            f"auto_extend as {text!r} is {value}, {by}",
            post("/p/43/tunes", tune(auto_extend=text), by=by, keep={"tune": "id"}),
            get("/tunes/:tune", 200, {"auto_extend": value}),
            tune_fields="record",
        )
        for by in ("multipart", "form")
        for text, value in (("true", True), ("1", True), ("false", False), ("OFF", False), ("False", True))
    ),
    row(
        "a body of no known type",
        sent("POST", "/p/43/tunes", b"x", "raw", 400, REFUSED, headers={"Content-Type": "application/pdf"}),
    ),
    row(
        "broken JSON",
        sent(
            "POST",
            "/p/43/tunes",
            b'{"tune": ',
            "raw",
            400,
            REFUSED,
            headers={"Content-Type": "application/json"},
        ),
    ),
    row(
        "multipart without a boundary",
        sent(
            "POST",
            "/p/43/tunes",
            b"--x\r\n",
            "raw",
            400,
            REFUSED,
            headers={"Content-Type": "multipart/form-data"},
        ),
    ),
]
