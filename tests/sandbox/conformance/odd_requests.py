"""Requests that nobody should send: almost valid ones with an error, and bytes that are hardly HTTP."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from sandbox.conformance.programs import File, flat
from sandbox.helpers.api import image_bytes

PHOTO, URL = File("1.jpg", image_bytes("JPEG", (8, 8))), "https://example.com/1.jpg"
DEEP: object = 1
for _ in range(40):
    DEEP = {"a": [DEEP]}

ODD = (
    None, True, False, 0, -1, 1, 8, 2**31, 2**63, -(2**63), 10**30, 10**400, 0.5, 1e308, math.nan, math.inf,
    "", " ", "0", "-1", "--1", "1.5", "9" * 30, "9" * 5000, "\u0661\u0662", "\uff11", "1_000", "0x1",
    "1e400", "true",
    "off",
    "a\0b", "\ud800", "\u202e", "\U0001f408" * 300, "é", "e\u0301", "%", "%zz", "../../etc/passwd", "null",
    "[]",
    "{", '{"a": {"b": 1}}', '{"a": NaN}', "[" * 2000, "{{eye_color}}", "<lora:1:1>",
    "<lora:99999999999999999999:x>",
    "https://example.com/1.jpg", "http://[", "http://a:b", "http://a:99999999/", "http://", "javascript:1",
    "man", "cat", "flux-lora-fast", "fast", "lora", "1:1", "0:0", "99999:1", [], {}, [[]], [None], [{}],
    ["", ""],
    {"": ""}, {"0": {"0": 1}}, {"9": 1}, {"a": None}, [1, "a", None, {}], ["x"] * 200, DEEP,
)  # fmt: skip
FIELDS = (
    "title", "name", "images", "image_urls", "callback", "prompts_callback", "characteristics",
    "prompt_attributes",
    "prompts_attributes", "tune_ids", "prompt_ids", "preset", "brief", "branch", "auto_extend",
    "base_tune_id",
    "model_type", "token", "steps", "face_crop", "training_face_correct", "text", "negative_prompt",
    "cfg_scale",
    "seed", "num_images", "w", "h", "ar", "aspect_ratio", "resolution", "scheduler", "super_resolution",
    "style", "controlnet", "denoising_strength", "input_image", "mask_image", "image_references",
    "image_reference_urls", "input_image_url", "video_prompt", "tune_id", "theme", "base_pack_id", "file",
    "file_url", "subtitle",
    "status", "id",
)  # fmt: skip
FILTERS = (
    "limit", "offset", "before_id", "title", "name", "name[]", "model_type", "branch", "text", "pack_id",
    "base_pack_id", "tune_id", "orig_prompt_id", "order_id", "liked", "today", "is_video", "is_api",
    "public",
    "listed", "page", "limit[]", "limit[a]", "[", "a[b][",
)  # fmt: skip
KEYS = (
    "tune", "tune[", "tune]", "tune[]", "tune[][title]", "tune[title][x]", "tune[title][]",
    "tune[images][0]",
    "tune[images][][]", "tune[image_urls][-1]", "tune[image_urls][99999999]", "[]", "[tune]", "]", "",
    "a[b" * 50, "a" + "[b]" * 60, "prompt[text]", "é[猫]", "\U0001f408", "tune[characteristics][{{a}}]",
)  # fmt: skip

BODIES: Mapping[str, Mapping[str, object]] = {
    "POST /packs": {"pack": {"title": "t", "base_tune_id": 1504944, "model_type": "lora"}},
    "POST /p/43/tunes": {"tune": {"title": "t", "name": "man", "image_urls": [URL], "prompt_ids": [43001]}},
    "POST /p/pets/tunes": {"tune": {"title": "t", "name": "cat", "images": [PHOTO], "prompt_ids": [797001]}},
    "POST /p/portraits/tunes": {"tune": {"tune_ids": [":tune"], "prompt_ids": [43001]}},
    "POST /p/1204/tunes": {"tune": {"tune_ids": [":tune", ":tune"]}},
    "POST /tunes": {"tune": {"title": "t", "name": "man", "images": [PHOTO], "model_type": "lora"}},
    "POST /tunes/:tune/prompts": {"prompt": {"text": "at sea", "num_images": 1}},
    "POST /prompts": {"prompt": {"text": "at sea", "tune_id": 690204, "input_image": PHOTO}},
    "POST /prompts/:prompt/duplicate": {"prompt": {"seed": 1}},
    "PATCH /prompts/:prompt": {"prompt": {"base_pack_id": 43}},
    "POST /themes": {"theme": {"theme": "at sea", "tune_ids": [":tune"]}},
    "POST /images/inspect": {"name": "man", "file": PHOTO},
    "PATCH /tunes/:tune": {"tune": {"title": "u"}},
}
OTHERS = (
    "/packs", "/tunes", "/prompts/:prompt/likes", "/prompts/:prompt/like",
    "/gallery/packs", "/p/43", "/gallery/tunes",
    "/tunes/:tune", "/tunes/:tune/prompts/:prompt",
    "/prompts",
    "/prompts/:prompt", "/users", "/pictures/x", "/", "//", "*", "/..", "/%00", "/%ff", "/p/%ff",
    "/p/%00/tunes",
    "/tunes/0", "/tunes/-1", "/tunes/99999999999999999999999", "/tunes/\u0661", "/tunes/1.json.json",
    "/tunes/:tune.json/",
    "/p/43/tunes/1", "/prompts/:prompt/likes/1", "/p/" + "a" * 5000,
    "/tunes/:tune/prompts/99999999999999999999",
)  # fmt: skip
ODD_BODIES = (
    b"", b"{}", b"[]", b"null", b'"tune"', b'{"tune": []}', b'{"tune": "x"}', b'{"tune": {"title": NaN}}',
    b'{"tune": {"title": %s}}' % (b"9" * 5000),
    b"[" * 100_000, b'{"tune": {"a": 1, "a": 2}}', b"\xff\xfe{\0}\0",
    b"tune[title]=a&tune=b", b"tune=a&tune[title]=b", b"tune[]=a&tune[b]=c", b"&&==&", b"tune[title]=%ff",
    b"%", b"--",
    b"--b--\r\n", b"--b\r\n\r\n--b--", b'--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n',
    b'--b\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n',
    b"--b\r\n" + b"A: b\r\n" * 5000,
)  # fmt: skip
ODD_TYPES = (
    "application/json", "application/json; charset=x", "application/x-www-form-urlencoded", "text/plain", "",
    "é/ü",
    "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "b" * 300,
    "multipart/mixed; boundary=b",
)  # fmt: skip
SCRAPS = (b"", b"\r\n", b"\r\n--b--", b"--b\r\n\r\n", b"\xff")
ODD_HEADS: tuple[Mapping[str, str], ...] = (
    {}, {"Content-Length": "0"}, {"Content-Length": "1"}, {"Content-Length": "99999"},
    {"Content-Length": "-1"},
    {"Content-Length": "x"}, {"Content-Length": "9" * 30}, {"Content-Length": ""},
    {"Content-Length": "\u0661"}, {"Transfer-Encoding": "chunked"}, {"Transfer-Encoding": "gzip"},
    {"Expect": "100-continue", "Content-Length": "5"},
    {"Transfer-Encoding": "chunked", "Content-Length": "3"},
    {"X": "a" * 70_000}, {"Host": "example.com"}, {f"X-{number}": "1" for number in range(150)},
)  # fmt: skip
ODD_KEYS = ("", "Bearer", "Bearer sd_x", "Basic é", "Bearer \xff")
METHODS = ("GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS")
ODD_METHODS = ("TRACE", "CONNECT", "BREW", "get", "P\xd6ST", "X" * 300)


@dataclass(frozen=True)
class Sent:
    """A request as it is sent; the test replaces `:tune` and `:prompt` in it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    framed: bool = True
    """Whether the length is correct, so that the connection can be reused."""


values = st.one_of(
    st.sampled_from(ODD),
    st.sampled_from(ODD),
    st.text(max_size=6),
    st.integers(),
    st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(ODD), max_size=3),
    st.lists(st.sampled_from(ODD), max_size=3),
)
names = st.one_of(st.sampled_from(FIELDS[:16]), st.sampled_from(FIELDS), st.text(max_size=4))
changes = st.dictionaries(names, values, min_size=2, max_size=8)
pairs = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(ODD).map(str)), max_size=3)


@st.composite
def bodies(draw: st.DrawFn, route: str) -> tuple[str, bytes]:
    """Return the body of a request and its Content-Type."""
    tree = _changed(BODIES.get(route, {"tune": {}}), draw(changes) if draw(st.integers(0, 4)) else {})
    way = draw(st.sampled_from(("json", "json", "json", "form", "multipart", "multipart", "broken", "odd")))
    if way == "json":
        return "application/json", json.dumps(tree, default=lambda _: "x").encode()
    form = [*flat(tree), *(draw(pairs) if draw(st.booleans()) else ())]
    if way == "form":
        text = "&".join(f"{key}={_text(value)}" for key, value in form)
        return "application/x-www-form-urlencoded", text.encode("utf-8", "replace")
    if way == "odd":
        body = draw(st.one_of(st.sampled_from(ODD_BODIES), st.binary(max_size=20)))
        return draw(st.sampled_from(ODD_TYPES)), body
    body = _multipart(form)
    if way == "broken":
        cut = draw(st.integers(0, len(body)))
        tail = body[cut + draw(st.integers(0, 40)) :] if draw(st.booleans()) else b""
        body = body[:cut] + draw(st.sampled_from(SCRAPS)) + tail
    return "multipart/form-data; boundary=b", body


@st.composite
def requests(draw: st.DrawFn, route: str | None) -> Sent:
    """Return a request to a route that takes a body, or to any other path with any method."""
    method, _, path = (route or "").partition(" ")
    method, path = method or draw(st.sampled_from(METHODS)), path or draw(st.sampled_from(OTHERS))
    headers: dict[str, str] = {}
    body = b""
    if method in ("POST", "PUT", "PATCH") and "/like" not in path:
        headers["Content-Type"], body = draw(bodies(f"{method} {path}"))
    if method in ("GET", "HEAD", "DELETE"):
        path += draw(st.sampled_from(("", "", ".json", "/", "?", "?x")))
        query = draw(st.lists(st.tuples(st.sampled_from(FILTERS), st.sampled_from(ODD)), max_size=2))
        path += "?" + "&".join(f"{key}={_text(value)}" for key, value in query) if query else ""
    trouble = draw(st.integers(0, 24))
    if trouble == 24:
        headers["Authorization"] = draw(st.sampled_from(ODD_KEYS))
    if trouble not in (21, 22, 23):
        return Sent(method, path, headers, body)
    if trouble == 23:
        method = draw(st.sampled_from(ODD_METHODS))
    return Sent(method, path, headers | draw(st.sampled_from(ODD_HEADS)), body, framed=False)


def _changed(tree: Mapping[str, object], new: Mapping[str, object]) -> dict[str, object]:
    """Add fields to the object under the wrapper, or to the top level if there is none."""
    wrapped = {name: {**value, **new} for name, value in tree.items() if isinstance(value, dict)}
    return {**tree, **(wrapped or new)}


def _multipart(form: list[tuple[str, "str | File"]]) -> bytes:
    out = []
    for key, value in form:
        name = f'; filename="{value.name}"' if isinstance(value, File) else ""
        head = f'--b\r\nContent-Disposition: form-data; name="{key}"{name}\r\n\r\n'.encode("utf-8", "replace")
        out.append(
            head + (value.content if isinstance(value, File) else value.encode("utf-8", "surrogatepass"))
        )
    return b"\r\n".join([*out, b"--b--\r\n"])


def _text(value: object) -> str:
    """Return a form's or query's text for a value, not always escaped as it should be."""
    text = "x" if isinstance(value, File) else str(value)
    return text[:3000].replace("%", "%25").replace("&", "%26").replace(" ", "+").replace("\0", "%00")
