"""Any tune, read back by parsers that are not ours: the same in every encoding, and nothing lost or added."""

import hashlib
import re
import shutil
from contextlib import nullcontext
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import astria_nb as anb
from astria_nb.errors import TuneError
from astria_nb.images import UNCHANGED
from astria_nb.tune import encode
from astria_nb.tune.plain import stripped
from helpers.body_parsers import Part, parameters
from helpers.soak import sizes

NASTY = st.sampled_from(
    [
        "",
        '"',
        "'",
        "\r\n",
        "\n",
        "\r",
        "%22",
        "%0A",
        "&a=b",
        "+",
        ";",
        "\\",
        "\u2028",
        "🐈",
        "é",
        "  ",
        "--",
        "}",
    ]
)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12) | st.lists(
    NASTY, max_size=4
).map("".join)
FILLED = TEXT.filter(str.strip)
LABELS = TEXT.map(stripped).filter(bool)  # the blanks around a title are not sent
KEYS = FILLED.filter(lambda key: not set(key) & set("[]"))
KEPT = re.compile(r'[^"\\\r\n]+')  # by multipart
URLS = st.lists(
    st.sampled_from(["https://example.com/1.jpg?a=b&c=d%20e", "https://a.example/+%2B+"]),
    min_size=1,
    max_size=3,
)
ATTRIBUTES = (
    TEXT | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
)
FIELDS: dict[str, Any] = {
    "pack": st.integers(1, 999),
    "title": LABELS,
    "name": LABELS,
    "characteristics": st.dictionaries(KEYS, TEXT, max_size=3),
    "prompt_attributes": st.dictionaries(KEYS.filter(lambda key: key != "callback"), ATTRIBUTES, max_size=3),
    "prompt_ids": st.lists(st.integers(1, 2**60), max_size=3),
    "brief": st.none() | TEXT,
    "auto_extend": st.none() | st.booleans(),
}
KEPT_KEYS = KEYS.filter(KEPT.fullmatch)
WITH_FILES = FIELDS | {
    "characteristics": st.dictionaries(KEPT_KEYS, TEXT, max_size=3),
    "prompt_attributes": st.dictionaries(
        KEPT_KEYS.filter(lambda key: key != "callback"), ATTRIBUTES, max_size=3
    ),
}
# Of a file system: no slash, no name of a folder, and not too long.
NAMES = FILLED.filter(lambda name: "/" not in name and name not in (".", "..") and len(name.encode()) < 200)


def read(tune: anb.Tune, encoding: Any) -> dict[str, Any]:
    with encode(tune, encoding, preprocessing=UNCHANGED) as body:
        return parameters(body.content_type, b"".join(bytes(block) for block in body))


def as_text(value: Any) -> Any:
    """Return what a value is in a form."""
    if isinstance(value, dict):
        return {key: as_text(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_text(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        value = int(value)  # as columns with gaps hold floats
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    return str(value).lower() if isinstance(value, bool) else str(value)


def expected(fields: dict[str, Any]) -> dict[str, Any]:
    """Return what has to arrive of a tune's fields."""
    return {
        key: as_text(value) for key, value in fields.items() if key != "pack" and value not in (None, [], {})
    }


@sizes(80, 5000)
def test_any_tune_means_the_same_in_every_encoding(size: int) -> None:
    @settings(max_examples=size, deadline=None)
    @given(st.fixed_dictionaries({**FIELDS, "image_urls": URLS}))
    def check(fields: dict[str, Any]) -> None:
        tune = anb.Tune(**fields)
        for encoding in ("json", "form"):
            assert read(tune, encoding) == {"tune": expected(fields)}
        if is_kept := all(map(KEPT.fullmatch, (*tune.characteristics, *tune.prompt_attributes))):
            assert read(tune, "multipart") == {"tune": expected(fields)}
        with nullcontext() if is_kept else pytest.raises(TuneError, match="multipart"):
            encode(tune, "multipart")

    check()


@pytest.mark.slow
@sizes(50, 5000)
def test_files_of_any_name_arrive_whole_beside_any_fields(tmp_path: Path, size: int) -> None:
    pictures = []
    for number in range(2):
        pictures.append(tmp_path / f"{number}.jpg")
        Image.new("RGB", (8, 8 + number)).save(pictures[-1])
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in pictures]
    folders = count()

    @settings(max_examples=size, deadline=None)
    @given(
        st.fixed_dictionaries(WITH_FILES),
        st.lists(st.tuples(NAMES, st.integers(0, 1)), min_size=1, max_size=3),
    )
    def check(fields: dict[str, Any], files: list[tuple[str, int]]) -> None:
        folder = tmp_path / str(next(folders))
        paths = [folder / str(number) / name for number, (name, _) in enumerate(files)]
        for path, (_, which) in zip(paths, files, strict=True):
            path.parent.mkdir(parents=True)
            path.hardlink_to(pictures[which])
        # A browser writes a quote and a new line so, and no parser can tell that from a name that has it.
        parsed = [name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n") for name, _ in files]
        parts = [
            Part("tune[images][]", digests[which], name, "image/jpeg")
            for name, (_, which) in zip(parsed, files, strict=True)
        ]
        assert read(anb.Tune(**fields, images=paths), "multipart") == {
            "tune": {**expected(fields), "images": parts}
        }
        shutil.rmtree(folder)

    check()
