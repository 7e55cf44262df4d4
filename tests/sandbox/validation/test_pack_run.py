"""`POST /p/:pack/tunes`: what it accepts, creates and refuses."""

import struct
import zlib

import pytest

from astria_nb.sandbox import SandboxServer
from sandbox.helpers.api import Api, image_bytes

URL = "https://example.com/1.jpg"


def texts(api: Api, tune_id: int) -> list[str]:
    return [prompt["text"] for prompt in api.get(f"/tunes/{tune_id}/prompts?limit=120").json()]


def test_the_three_encodings_make_the_same_tune(api: Api, sandbox: SandboxServer) -> None:
    tune = {"title": "Zoë \U0001f408", "name": "cat", "image_urls": [URL, URL], "characteristics": {"a": "b"}}
    form = [
        ("tune[title]", "Zoë \U0001f408"),
        ("tune[name]", "cat"),
        ("tune[image_urls][]", URL),
        ("tune[image_urls][]", URL),
        ("tune[characteristics][a]", "b"),
    ]
    replies = [
        api.post("/p/797/tunes", json={"tune": tune}),
        api.post("/p/pets/tunes/", data=form),
        api.post("/p/797/tunes.json", files=[(key, (None, value)) for key, value in form]),
    ]
    assert [reply.status_code for reply in replies] == [201, 201, 201]
    assert [received.params for received in sandbox.received()] == [tune] * 3
    assert [received.content_type for received in sandbox.received()] == [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ]
    tunes = [{key: reply.json()[key] for key in ("title", "name", "orig_images")} for reply in replies]
    assert tunes == [{"title": tune["title"], "name": "cat", "orig_images": [URL, URL]}] * 3


def test_the_reply_is_a_tune_that_is_queued(api: Api) -> None:
    reply = api.train()
    assert reply.status_code == 201
    assert reply.json() == {
        "id": 1000001,
        "title": "t",
        "name": "man",
        "eta": "2026-01-01T12:10:00.000Z",
        "trained_at": None,
        "started_training_at": None,
        "expires_at": None,
        "created_at": "2026-01-01T12:00:00.000Z",
        "updated_at": "2026-01-01T12:00:00.000Z",
        "url": f"{api.sandbox.url}/tunes/1000001.json",
        "orig_images": [URL],
    }


def test_prompts_belong_to_the_base_model_and_use_the_tune(api: Api) -> None:
    tune_id = api.train(prompt_attributes={"num_images": "2", "callback": "http://example.com"}).json()["id"]
    prompts = api.get(f"/tunes/{tune_id}/prompts").json()
    assert [prompt["orig_prompt_id"] for prompt in prompts] == list(range(43008, 43000, -1))
    prompt = prompts[0]
    assert prompt["text"].startswith(f"<lora:{tune_id}:1> ")
    assert "ohwx man" in prompt["text"]
    assert (prompt["tune_id"], prompt["base_pack_id"], prompt["pack_id"]) == (1504944, 43, None)
    assert prompt["tunes"] == [{"id": tune_id, "title": "t", "name": "man"}]
    assert (prompt["images"], prompt["num_images"], prompt["cost_mc"]) == ([], 2, 12000)
    assert prompt["callback"] == "http://example.com"
    flat = api.get(f"/prompts/{prompt['id']}").json()
    nested = api.get(f"/tunes/1504944/prompts/{prompt['id']}.json").json()
    assert flat["id"] == nested["id"] == prompt["id"]


def test_characteristics_fill_templates_and_the_rest_is_tidied(api: Api) -> None:
    tune_id = api.train(characteristics={"eye_color": "green eyes"}, prompt_ids=[43001]).json()["id"]
    assert texts(api, tune_id) == [
        f"<lora:{tune_id}:1> photo of ohwx man, close-up headshot, navy suit, green eyes, bright office"
    ]


def test_characteristics_may_be_one_json_string(api: Api) -> None:
    form = {
        "tune[title]": "t",
        "tune[name]": "man",
        "tune[image_urls][]": URL,
        "tune[prompt_ids][]": "43001",
        "tune[characteristics]": '{"hair_color": "red hair"}',
    }
    tune_id = api.post("/p/43/tunes", data=form).json()["id"]
    assert "red hair" in texts(api, tune_id)[0]


def test_unfilled_placeholders_stay_on_request() -> None:
    with SandboxServer(unfilled_placeholder="keep") as sandbox, Api(sandbox) as api:
        tune_id = api.train(prompt_ids=[43001]).json()["id"]
        assert "{{eye_color}}, {{hair_color}}" in texts(api, tune_id)[0]


def test_existing_tunes_give_prompts_only(api: Api) -> None:
    tune_id = api.train(pack=797, name="cat").json()["id"]
    reply = api.post("/p/43/tunes", json={"tune": {"tune_ids": [tune_id], "prompt_ids": [43017]}})
    assert (reply.status_code, reply.json()) == (201, {"status": 201, "message": "Prompts created"})
    assert len(api.get("/tunes").json()) == 1
    newest = api.get(f"/tunes/{tune_id}/prompts").json()[0]
    assert (newest["orig_prompt_id"], newest["base_pack_id"]) == (43017, 43)


def test_images_and_urls_are_joined_and_images_can_be_fetched(api: Api, jpeg: bytes) -> None:
    form = {"tune[title]": "t", "tune[name]": "man", "tune[image_urls][]": URL}
    names = ["../../etc/passwd", "pic.tif", "猫.webp"]  # folders are removed
    datas = [jpeg, image_bytes("PNG"), image_bytes("WEBP")]
    files = [("tune[images][]", pair) for pair in zip(names, datas, strict=True)]
    reply = api.post("/p/43/tunes", data=form, files=files)
    assert reply.status_code == 201
    *uploaded, last = reply.json()["orig_images"]
    assert last == URL
    images = [api.get(url, headers={"Authorization": ""}) for url in uploaded]
    assert [image.content for image in images] == datas
    assert [image.headers["Content-Type"] for image in images] == ["image/jpeg", "image/png", "image/webp"]
    assert (
        [received["filename"] for received in api.sandbox.received()[0].params["images"]]
        == [  # type: ignore[attr-defined]
            "passwd",
            *names[1:],
        ]
    )


def test_escapes_in_a_file_name_are_undone(api: Api, jpeg: bytes) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="tune[images][]"; filename="a%22b%41.jpg"\r\n\r\n%b\r\n'
        b'--x\r\nContent-Disposition: form-data; name="tune[title]"\r\n\r\nt\r\n'
        b'--x\r\nContent-Disposition: form-data; name="tune[name]"\r\n\r\nman\r\n--x--\r\n'
    ).replace(b"%b", jpeg)
    reply = api.post("/p/43/tunes", data=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert reply.status_code == 201, reply.text
    (image,) = api.sandbox.received()[0].params["images"]  # type: ignore[misc]
    assert image["filename"] == 'a"bA.jpg'


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"title": " "}, {"title": ["can't be blank"]}),
        ({"title": None, "name": ""}, {"title": ["can't be blank"], "name": ["can't be blank"]}),
        ({"name": "person"}, {"name": ["is not included in the list: pack 43 has man, woman, cat"]}),
        ({"image_urls": []}, {"images": ["can't be blank: send images or image_urls"]}),
        ({"images": ["x"]}, {"images": ["x is not a file"]}),
        ({"image_urls": "x"}, {"image_urls": ["must be an array"]}),
        (
            {"image_urls": ["ftp://a/b", "https://a/b c", "https://a/%zz", "https://a/é"]},
            {
                "image_urls": [
                    f"{url} is not a percent-encoded http(s) URL"
                    for url in ("ftp://a/b", "https://a/b c", "https://a/%zz", "https://a/é")
                ]
            },
        ),
        ({"tune_ids": [7]}, {"tune_ids": ["7 is not a tune of this account"]}),
        ({"prompt_ids": ["1"]}, {"prompt_ids": ["1 is not a template of pack 43"]}),
        ({"prompt_ids": [43009]}, {"prompt_ids": ["none is a template for man"]}),
        (
            {"preset": "fast"},
            {
                "preset": [
                    "is not included in the list: flux-lora-focus, flux-lora-portrait, flux-lora-fast",
                ]
            },
        ),
        ({"characteristics": [1]}, {"characteristics": ["must be an object of strings"]}),
        (
            {"prompt_attributes": {"num_images": 9}},
            {"prompts.num_images": ["must be a whole number from 1 to 8"]},
        ),
        ({"prompt_attributes": {"cfg_scale": "7"}}, {"prompts.cfg_scale": ["must be less than 5"]}),
        (
            {"prompts_attributes": [{"text": "x"}]},
            {"prompts_attributes": ["is a field of POST /tunes; a pack run takes prompt_attributes"]},
        ),
    ],
)
def test_errors_are_reported_by_field(api: Api, change: dict[str, object], errors: object) -> None:
    reply = api.train(**change)
    assert (reply.status_code, reply.json()) == (422, errors)
    assert api.get("/tunes").json() == api.sandbox.received() == []


def png_of(width: int, height: int) -> bytes:
    """Return a PNG with a large size in its header, and no pixels."""
    chunks = {b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"IDAT": b""}
    written = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks.items()
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"hello", "1.jpg is not a JPEG, PNG or WebP image"),
        (b"", "1.jpg is not a JPEG, PNG or WebP image"),
        (b"\xff\xd8\xff\xe0broken", "1.jpg cannot be opened as an image"),
        (png_of(10_000, 10_000), "1.jpg has too many pixels"),
        (png_of(60_000, 60_000), "1.jpg has too many pixels"),
    ],
)
def test_a_file_that_is_not_an_image_is_refused(api: Api, data: bytes, message: str) -> None:
    form = {"tune[title]": "t", "tune[name]": "man"}
    reply = api.post("/p/43/tunes", data=form, files={"tune[images][]": ("1.jpg", data)})
    assert (reply.status_code, reply.json()) == (422, {"images": [message]})


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"image_urls": ["https://example.com/1.jpg"]}', "application/json"),
        ('{"tune": {}}', "application/json"),
        ('{"tune": ', "application/json"),
        ("title=t", "application/x-www-form-urlencoded"),
        ("tune=1&tune[title]=2", "application/x-www-form-urlencoded"),
        ("tune[title]=%ff", "application/x-www-form-urlencoded"),
        ("--x\r\n", "multipart/form-data"),
        ("--x\r\n", "multipart/form-data; boundary=x"),
        ('--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb', "multipart/form-data; boundary=x"),
        ("--x\r\n\r\nb\r\n--x--", "multipart/form-data; boundary=x"),
        ("tune", "text/plain"),
    ],
)
def test_a_body_that_cannot_be_read_is_a_bad_request(api: Api, body: str, content_type: str) -> None:
    reply = api.post("/p/43/tunes", data=body, headers={"Content-Type": content_type})
    assert reply.status_code == 400, reply.text
    assert isinstance(reply.json()["error"], str)


def test_limits_of_size_and_count() -> None:
    with SandboxServer(max_body=1000, max_fields=10) as sandbox, Api(sandbox) as api:
        long = api.post("/p/43/tunes", data={"tune[title]": "x" * 2000})
        assert (long.status_code, list(long.json())) == (413, ["error"])
        chunked = api.post(
            "/p/43/tunes",
            data=iter([b"tune[title]=", b"x" * 2000]),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert chunked.status_code == 413
        many = api.post("/p/43/tunes", data=[("tune[a][]", "")] * 11)
        assert many.status_code == 413
        assert api.train().status_code == 201
