"""The client's three encodings of generated tunes, read by a stock Rails."""

import hashlib
import json
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

import astria_nb as anb
from astria_nb.errors import TuneError
from astria_nb.images import UNCHANGED
from astria_nb.tune import encode
from proofs.rails_bodies import KEYS, TEXTS, Request
from proofs.rails_parameters import ask_rails, line_of

URL = "https://example.com/1.jpg?a=b&c=d%20e;f+g"
ODD_KEYS = ('a"b', "a\\b", "a\nb", "a\r\nb", "; name=x", "a;b", "x" * 1000, "é" * 600)
FILENAMES = (
    "1.jpg", "Zoë 🐈.jpg", 'a"b.jpg', "a\nb.jpg", "a; name=b.jpg", "a;b=c, d.jpg", "100%.jpg", "a\\b.jpg",
    "\\", '"', "é" * 120,
)  # fmt: skip
WHOLE, FRACTIONS, TEXT = (
    ("num_images", "seed", "steps"),
    ("cfg_scale", "denoising_strength"),
    ("style", "ar", "text"),
)


def fields(rng: Random) -> dict[str, Any]:
    """Return the fields of a tune that the client accepts, without pictures."""
    keys = (*KEYS, *ODD_KEYS) if rng.random() < 0.3 else KEYS

    def text() -> str:
        return "".join(rng.choices(TEXTS, k=rng.randint(1, 3)))

    def number() -> float:
        return rng.choice(
            (rng.random(), rng.uniform(-1e6, 1e6), 1e-7, 1e22, 7.0, rng.randint(-(2**62), 2**62))
        )

    values: dict[str, Any] = {"title": f"t{text()}", "name": f"man{text()}", "pack": 43}
    optional = {
        "characteristics": {rng.choice(keys): text() for _ in range(3)},
        "prompt_attributes": {rng.choice(WHOLE): number(), rng.choice(FRACTIONS): number()}
        | {rng.choice(TEXT): text(), rng.choice(("super_resolution", "film_grain")): rng.random() < 0.5},
        "prompt_ids": [rng.randint(1, 2**62) for _ in range(rng.randint(1, 3))],
        "brief": rng.choice((text(), "")),
        "auto_extend": rng.random() < 0.5,
        "callback": URL,
        "prompts_callback": f"{URL}&{'x' * 500}",
        "preset": "flux-lora-fast",
    }
    return values | {name: value for name, value in optional.items() if rng.random() < 0.5}


def encoded(tune: anb.Tune, encoding: Any) -> Request | None:
    """Return the request of a tune; None if the client refuses to send it in this encoding."""
    try:
        with encode(tune, encoding, preprocessing=UNCHANGED) as body:
            content = b"".join(bytes(block) for block in body)
            return Request(body.content_type, content)
    except TuneError:
        return None


def compare_tunes(count: int, seed: int) -> tuple[dict[str, str], list[str]]:
    """Return Rails' versions, and what it read differently.

    Each tune is sent with addresses, in three encodings, and one in four with files as well. Everything is
    compared with what was given, as the model casts it.
    """
    rng = Random(seed)
    requests: list[Request] = []
    expected: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.jpg"
        Image.new("RGB", (8, 8)).save(photo)
        for number in range(count):
            values = fields(rng)
            tunes = [
                (anb.Tune(**values, image_urls=[URL] * rng.randint(1, 3)), ("json", "form", "multipart"))
            ]
            if number % 4 == 0 and (with_files := _with_files(values, rng, photo)):
                tunes.append((with_files, ("multipart",)))
            for tune, encodings in tunes:
                for encoding in encodings:
                    if sent := encoded(tune, encoding):
                        requests.append(sent)
                        expected.append(_expected(tune, photo))
    versions, answers = ask_rails(map(line_of, requests))
    differences = [
        f"{str(sent.content_type)[:20]} {difference}"
        for sent, given, answer in zip(requests, expected, answers, strict=True)
        for difference in _differences(given, answer)
    ]
    return versions, differences


def _with_files(values: dict[str, Any], rng: Random, photo: Path) -> anb.Tune | None:
    """Return the tune with photos of odd names; None if it has keys that the client refuses beside them."""
    paths = []
    for _ in range(rng.randint(1, 3)):
        folder = Path(tempfile.mkdtemp(dir=photo.parent))
        paths.append(folder / rng.choice(FILENAMES))
        paths[-1].hardlink_to(photo)
    try:
        return anb.Tune(**values, images=paths)
    except TuneError:
        return None


def _expected(tune: anb.Tune, photo: Path) -> dict[str, Any]:
    fields = {
        name: value for name, value in vars(tune).items() if value not in (None, (), {}) and name != "pack"
    }
    if tune.images:
        fields["images"] = [hashlib.sha256(photo.read_bytes()).hexdigest()] * len(tune.images)
    attributes = fields.get("prompt_attributes", {})
    casts = dict.fromkeys(WHOLE, int) | dict.fromkeys(FRACTIONS, float)
    cast = {name: casts.get(name, lambda given: given)(value) for name, value in attributes.items()}
    return fields | ({"prompt_attributes": cast} if cast else {})


def _differences(given: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    """Return the fields that were read otherwise, in words; numbers have to be of the same type."""
    if "permitted" not in answer:
        return [str(answer)[:500]]
    read = answer["permitted"]
    if "images" in read:
        read["images"] = [file["sha256"] for file in read["images"]]
    return [
        f"{name}: {str(given.get(name))[:200]!r} was read as {str(read.get(name))[:200]!r}"
        for name in {**given, **read}
        if json.dumps(given.get(name), sort_keys=True) != json.dumps(read.get(name), sort_keys=True)
    ]
