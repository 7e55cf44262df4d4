"""The answer about a training image: measured, taken from its filename, or derived from its bytes."""

import io
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from astria_nb.sandbox._errors import Refusal
from astria_nb.sandbox.validation import inspect, inspect_url
from astria_nb.sandbox.validation._inspection import FLAGS, _median
from helpers.paths import SAMPLES

PHOTOS = sorted(SAMPLES.glob("*.jpg"))
SCHEMA = {
    "ethnicity": [
        *("caucasian", "black", "hispanic", "korean", "japanese", "chinese", "philippine", "asian"),
        *("indian", "arabic", "caribbean", "african"),
    ],
    "body_type": ["slim body", "average body", "muscular body", "plussize body"],
    "age": ["20 yo", "30 yo", "40 yo", "50 yo", "60 yo", "70 yo"],
    "glasses": ["glasses"],
    "eye_color": ["blue eyes", "brown eyes", "green eyes", "gray eyes", "black eyes"],
    "hair_color": [
        f"{color} hair"
        for color in [
            *("black", "brown", "blonde", "red", "grey", "white", "purple", "blue", "green", "pink"),
            "dyed",
        ]
    ],
    "hair_length": ["bald", "short hair", "medium hair", "long hair", "very long hair"],
    "hair_style": [
        *("bald head", "balding top", "straight hair", "wavy hair", "curly hair", "afro"),
        *("dreadlocks", "cornrows", "slicked back", "comb over", "receding hairline", "undercut"),
        *("man bun", "mohawk", "crew cut", "faux hawk", "buzzcut"),
    ],
    "facial_hair": ["mustache", "beard", "goatee"],
    "is_bald": ["bald"],
    "headcover": ["with head cover"],
}

EXPECTED = {
    "name": "woman",
    "ethnicity": "caucasian",
    "body_type": "",
    "age": "30 yo",
    "glasses": "NONE",
    "eye_color": "brown eyes",
    "hair_color": "brown hair",
    "hair_length": "NONE",
    "hair_style": "balding top",
    "facial_hair": "NONE",
    "headcover": "NONE",
    "is_bald": "NONE",
    "funny_face": False,
    "wearing_sunglasses": False,
    "wearing_hat": False,
    "blurry": False,
    "includes_multiple_people": False,
    "full_body_image_or_longshot": False,
    "selfie": False,
    "low_resolution": False,
    "low_quality": False,
}


@pytest.fixture
def say(tmp_path: Path) -> Callable[..., dict[str, object]]:
    def say(
        image: Image.Image, filename: str = "1.jpg", name: str = "man", **options: object
    ) -> dict[str, object]:
        path = tmp_path / "00000001"
        image.save(path, "PNG" if "A" in image.mode or ";" in image.mode else "JPEG", **options)  # type: ignore[arg-type]
        return inspect(path, filename, name)

    return say


Say = Callable[..., dict[str, object]]


@pytest.fixture(
    params=[
        pytest.param(path, marks=[pytest.mark.soak] * (number % 3 > 0)) for number, path in enumerate(PHOTOS)
    ],
    ids=[path.stem for path in PHOTOS],
)
def sample(request: pytest.FixtureRequest) -> Image.Image:
    with Image.open(request.param) as image:
        return image.convert("RGB")


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    """Something like a photo: soft shapes, hard edges, fine lines."""
    dice = random.Random(3)
    image = Image.frombytes("L", (25, 25), dice.randbytes(625)).resize((1024, 1024))
    draw = ImageDraw.Draw(image)
    for _ in range(60):
        x, y, side = dice.randrange(1000), dice.randrange(1000), dice.randrange(20, 250)
        draw.ellipse((x, y, x + side, y + side * 1.3), fill=dice.randrange(256))
    for _ in range(300):
        x, y = dice.randrange(1000), dice.randrange(1000)
        end = (x + dice.randrange(-70, 70), y + dice.randrange(70))
        draw.line((x, y, *end), fill=dice.randrange(256), width=dice.randrange(1, 4))
    return blurred(image.convert("RGB"), 0.7)


def blurred(image: Image.Image, radius: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(radius))


def noisy(image: Image.Image, strength: int) -> Image.Image:
    dice = random.Random(4)
    noise = Image.frombytes("L", image.size, dice.randbytes(image.width * image.height))
    noise = noise.point(lambda value: 128 + round((value - 128) * strength / 74))  # 74: what it spreads
    return ImageChops.add(image, noise.convert("RGB"), 1, -128)


def test_a_good_portrait_gets_no_measured_warning(say: Say, sample: Image.Image) -> None:
    small = sample.copy()
    small.thumbnail((512, 512))
    for image, options in ((sample, {"quality": 92}), (small, {"quality": 75}), (small, {"quality": 50})):
        reply = say(image, **options)
        measured = ("blurry", "low_resolution", "low_quality", "full_body_image_or_longshot")
        assert [flag for flag in measured if reply[flag]] == []


def test_a_blurred_portrait_is_detected(say: Say, sample: Image.Image) -> None:
    for radius in (3, 5, 9):
        assert say(blurred(sample, radius))["blurry"], radius
    small = blurred(sample, 4)
    small.thumbnail((512, 512))
    assert say(small, quality=60)["blurry"]


def test_noise_counts_neither_as_blur_nor_as_sharpness(say: Say, photo: Image.Image) -> None:
    assert not say(photo)["blurry"]
    assert not say(noisy(photo, 20))["blurry"]
    assert say(noisy(blurred(photo, 5), 8))["blurry"]


def test_a_sharp_face_on_a_soft_background_is_sharp(say: Say, photo: Image.Image) -> None:
    mask = Image.new("L", photo.size)
    ImageDraw.Draw(mask).ellipse((320, 220, 700, 720), fill=255)
    assert not say(Image.composite(photo, blurred(photo, 10), mask))["blurry"]


def test_little_contrast_is_not_blur(say: Say, photo: Image.Image) -> None:
    pale = photo.point(lambda value: 150 + value // 4)
    assert not say(pale)["blurry"]
    assert say(blurred(pale, 5))["blurry"]


@pytest.mark.parametrize(
    ("size", "low"),
    [
        ((512, 512), False),
        ((384, 512), False),  # as the documented client shrinks 3:4, and 9:16
        ((288, 512), False),
        ((511, 383), False),  # as one that rounds down does
        ((1024, 768), False),
        ((360, 480), True),
        ((200, 200), True),
        ((1000, 400), True),  # not shrunk, and below 512 on its short side
    ],
)
def test_low_resolution_takes_into_account_that_clients_shrink(
    say: Say, photo: Image.Image, size: tuple[int, int], low: bool
) -> None:
    assert say(photo.resize(size))["low_resolution"] is low


def test_strong_compression_is_low_quality(say: Say, photo: Image.Image) -> None:
    assert {quality: say(photo, quality=quality)["low_quality"] for quality in (10, 30, 40, 75)} == {
        10: True,
        30: True,
        40: False,
        75: False,
    }


def test_a_long_shot_is_detected_by_its_shape(say: Say, photo: Image.Image) -> None:
    shapes = {(512, 1100): True, (1100, 520): True, (576, 1024): False, (512, 512): False}
    flags = {size: say(photo.resize(size))["full_body_image_or_longshot"] for size in shapes}
    assert flags == shapes


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("shape", ["3-{}.jpg", "{}.png", "My {} (2).JPG", "{}1.webp", "tune[images][]-{}"])
def test_a_flag_is_set_by_the_filename(say: Say, photo: Image.Image, flag: str, shape: str) -> None:
    small = photo.resize((512, 512))
    assert not say(small)[flag]
    assert say(small, shape.format(flag))[flag] is True
    assert say(small, shape.format(flag.replace("_", " ").upper()))[flag] is True
    assert say(small, shape.format(flag.replace("_", "-")))[flag] is True


@pytest.mark.parametrize(
    ("filename", "asked", "answered"),
    [
        ("1.jpg", "man", "man"),
        ("dog-1.jpg", "man", "dog"),
        ("dog-1.jpg", "dog", "dog"),
        ("man and dog.jpg", "dog", "dog"),
        ("woman.jpg", "man", "woman"),
        ("manual-category-bodog.jpg", "girl", "girl"),
        ("1.jpg", "person", ""),
        ("1.jpg", "", ""),
        ("cat1.jpg", "person", "cat"),
    ],
)
def test_the_class_is_the_expected_one_unless_the_filename_has_another(
    say: Say, photo: Image.Image, filename: str, asked: str, answered: str
) -> None:
    assert say(photo, filename, asked)["name"] == answered


@pytest.mark.parametrize("name", ["man", "woman", "boy", "girl", "baby", "cat", "dog", "person"])
def test_every_reply_keeps_to_the_schema(name: str) -> None:
    for number in range(300):
        reply = inspect_url(f"https://example.com/{number}", name)
        flags = {key: value for key, value in reply.items() if isinstance(value, bool)}
        assert list(flags) == list(FLAGS)
        assert set(reply) - set(flags) <= {"name", *SCHEMA}
        for key in SCHEMA.keys() & reply.keys():
            none = [""] if key == "age" else ["", "NONE"]
            assert reply[key] in SCHEMA[key] + none, key


def test_what_is_not_measured_varies_and_is_mostly_common() -> None:
    replies = [inspect_url(f"https://example.com/{number}", "man") for number in range(2000)]
    for key, values in SCHEMA.items():
        counts = Counter(reply.get(key) for reply in replies)
        assert set(values) <= set(counts), key
    eyes = Counter(reply.get("eye_color") for reply in replies)
    assert eyes["brown eyes"] > 1000
    assert min(eyes[None], eyes[""], eyes["NONE"]) > 50
    for flag in FLAGS:
        assert sum(bool(reply[flag]) for reply in replies) < 100


def test_a_bald_man_is_bald_in_every_key() -> None:
    replies = [inspect_url(f"https://example.com/{number}", "man") for number in range(500)]
    bald = [reply for reply in replies if "bald" in (reply.get("is_bald"), reply.get("hair_length"))]
    assert bald
    for reply in bald:
        keys = ("is_bald", "hair_length", "hair_style", "hair_color")
        assert [reply[key] for key in keys] == ["bald", "bald", "bald head", "NONE"]


def test_an_animal_has_no_beard_and_a_planted_class_is_described_as_itself(
    say: Say, photo: Image.Image
) -> None:
    for filename, name in (("1.jpg", "dog"), ("dog.jpg", "man")):
        reply = say(photo, filename, name)
        keys = ("ethnicity", "body_type", "facial_hair", "is_bald", "hair_style")
        assert {reply.get(key) for key in keys} == {"NONE"}


def test_the_same_bytes_get_the_same_answer_and_others_another(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(PHOTOS[0].read_bytes())
    assert inspect(copy, "a.jpg", "man") == inspect(PHOTOS[0], "b.jpg", "man")
    assert len({str(inspect(path, "a.jpg", "man")) for path in PHOTOS}) == len(PHOTOS)


def test_an_answer_is_the_same_on_every_machine() -> None:
    assert inspect_url("https://example.com/1.jpg", "woman") == EXPECTED


def test_a_url_is_answered_by_its_text(photo: Image.Image) -> None:
    url = "https://example.com/a/dog%201%20wearing%20hat.jpg?blurry"
    reply = inspect_url(url, "man")
    assert (reply["name"], reply["wearing_hat"], reply["blurry"]) == ("dog", True, False)
    assert inspect_url(url, "man") == reply
    assert inspect_url("http://[broken/blurry.jpg", "man")["name"] == "man"


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "I;16", "CMYK"])
def test_every_colour_mode_is_inspected(say: Say, photo: Image.Image, mode: str) -> None:
    image = photo.convert("L").convert(mode) if mode == "I;16" else photo.convert(mode)
    if mode == "I;16":
        image = image.point(lambda value: value * 256)
    assert say(image)["blurry"] is False


def test_a_picture_of_nothing_is_blurry_and_a_tiny_one_is_low(say: Say) -> None:
    assert say(Image.new("RGB", (600, 600), "teal"))["blurry"] is True
    assert say(Image.new("RGB", (1, 1)))["low_resolution"] is True
    assert say(Image.new("RGB", (1, 4000)))["full_body_image_or_longshot"] is True


def test_a_file_that_cannot_be_inspected_is_refused(tmp_path: Path, photo: Image.Image) -> None:
    out = io.BytesIO()
    photo.save(out, "PNG")
    rows = out.getvalue().index(b"IDAT") + 200
    spoilt = bytearray(out.getvalue())
    spoilt[rows : rows + 400] = bytes(400)
    for data, message in (
        (b"hello", "1.jpg is not a JPEG, PNG or WebP image"),
        (PHOTOS[0].read_bytes()[:-500], "1.jpg is cut short"),
        (bytes(spoilt), "1.jpg is damaged"),
    ):
        path = tmp_path / "0"
        path.write_bytes(data)
        with pytest.raises(Refusal) as refused:
            inspect(path, "1.jpg", "man")
        assert (refused.value.status, refused.value.body) == (422, {"file": [message]})


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 3), (9, 2), (17, 33)])
def test_specks_are_removed_as_by_pillow(size: tuple[int, int]) -> None:
    grey = Image.frombytes("L", size, random.Random(3).randbytes(size[0] * size[1]))
    assert _median(grey).tobytes() == grey.filter(ImageFilter.MedianFilter(3)).tobytes()
