"""Advice on images before upload: every warning is true, and good images get none."""

import io
import random
import shutil
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import simplejpeg
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

import helpers.photos_with_metadata as samples
from astria_nb.images import Image as OurImage
from astria_nb.images import ImageMetrics, compare, measure, open_image
from astria_nb.images._advice import advise
from astria_nb.images._heif_rotation import has_only_exif_rotation
from astria_nb.images._metrics import is_blurry
from helpers.avif import needs_avif
from helpers.blurred_photos import MOVEMENTS, blurred_forms, moved, noisy, sharp_forms
from helpers.large_photos import enlarge
from helpers.paths import SAMPLES

PHOTOS = sorted(SAMPLES.glob("*.jpg"))
Change = Callable[[Image.Image], Image.Image]


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    """Return something like a photo: soft shapes, hard edges, fine lines, and slight lens blur."""
    dice = random.Random(5)
    image = Image.frombytes("RGB", (24, 18), dice.randbytes(24 * 18 * 3)).resize((1200, 900))
    draw = ImageDraw.Draw(image)
    for _ in range(80):
        x, y, side = dice.randrange(1200), dice.randrange(900), dice.randrange(20, 250)
        draw.ellipse((x, y, x + side, y + side * 1.3), fill=tuple(dice.randbytes(3)))
    for _ in range(250):
        x, y = dice.randrange(1200), dice.randrange(900)
        end = (x + dice.randrange(-70, 70), y + dice.randrange(70))
        draw.line((x, y, *end), fill=tuple(dice.randbytes(3)), width=dice.randrange(1, 4))
    return blur(image, 0.7)


@pytest.fixture
def measured(tmp_path: Path) -> Callable[..., ImageMetrics]:
    def measured(image: Image.Image, kind: str = "JPEG", **options: Any) -> ImageMetrics:
        path = tmp_path / "a.dat"
        image.save(path, kind, **{"quality": 90, **options})
        return measure(path)

    return measured


Measured = Callable[..., ImageMetrics]


def blur(image: Image.Image, radius: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(radius))


def saved(image: Image.Image, quality: int) -> Image.Image:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return Image.open(out)


def kinds(metrics: ImageMetrics) -> list[str]:
    return [advice.kind for advice in metrics.advice]


# Size, type, weight


@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.stem)
def test_a_good_photo_has_no_advice(path: Path) -> None:
    metrics = measure(path)
    assert metrics.advice == ()
    assert metrics.thumbnail is not None
    with Image.open(path) as image:
        assert (metrics.width, metrics.height) == image.size
        assert max(Image.open(io.BytesIO(metrics.thumbnail)).size) == 192


def test_the_samples_are_not_similar_to_each_other() -> None:
    assert [metrics.advice for metrics in advise(PHOTOS)] == [()] * len(PHOTOS)


@pytest.mark.parametrize(
    ("size", "small"), [((512, 512), False), ((511, 900), True), ((900, 300), True), ((4000, 512), False)]
)
def test_a_small_image_is_reported_with_its_size(
    photo: Image.Image, measured: Measured, size: tuple[int, int], small: bool
) -> None:
    metrics = measured(ImageOps.fit(photo, size))
    assert ("small" in kinds(metrics)) is small
    if small:
        assert f"Small ({size[0]}×{size[1]}). Use at least 512 px a side." == metrics.advice[0].text  # noqa: RUF001


def test_a_large_file_is_reported(tmp_path: Path) -> None:
    path = Path(shutil.copy(PHOTOS[0], tmp_path / "a.jpg"))
    assert kinds(measure(enlarge(path, 10_000_000))) == []
    assert [str(advice) for advice in measure(enlarge(path, 12_310_000)).advice] == [
        'Large (12 MB). It does no harm, only the upload takes longer; "Make photos smaller" shortens it.'
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"GIF89a" + bytes(50), "is a GIF image; convert it to JPEG"),
        (b"", "is empty"),
        (None, "does not exist"),
    ],
)
def test_a_file_that_is_not_an_image_says_why(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "a.jpg"
    if content is not None:
        path.write_bytes(content)
    (metrics,) = advise([path])
    assert kinds(metrics) == ["unusable"]
    assert words in metrics.advice[0].text
    assert (metrics.path, metrics.thumbnail, metrics.width) == (path, None, 0)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_truncated_image_is_reported_as_damaged(photo: Image.Image, tmp_path: Path, kind: str) -> None:
    out = io.BytesIO()
    photo.save(out, kind)
    (tmp_path / "a.dat").write_bytes(out.getvalue()[: len(out.getvalue()) // 2])
    (metrics,) = advise([tmp_path / "a.dat"])
    assert kinds(metrics) == ["damaged"]
    assert (metrics.width, metrics.height, metrics.thumbnail) == (1200, 900, None)


@pytest.mark.slow
def test_a_photo_with_too_many_pixels_says_how_it_is_sent(tmp_path: Path) -> None:
    Image.effect_noise((1500, 1125), 80).resize((12000, 9000)).save(tmp_path / "a.jpg", quality=20)
    advice = measure(tmp_path / "a.jpg").advice[0]
    assert (advice.kind, advice.text) == (
        "large", 'Large (108 megapixels). It is sent only with "Make photos smaller".'
    )  # fmt: skip


def test_heic_has_a_thumbnail_and_a_warning(tmp_path: Path) -> None:
    (tmp_path / "a.heic").write_bytes(samples.heic())
    metrics = measure(tmp_path / "a.heic")
    assert "heic" in kinds(metrics)
    assert (metrics.width, metrics.height) == (640, 480)
    assert metrics.thumbnail is not None


def test_a_heic_that_only_notes_its_rotation_may_lie_on_its_side(tmp_path: Path) -> None:
    content = samples.heic(6)
    (tmp_path / "a.heic").write_bytes(content)
    assert "sideways" in kinds(measure(tmp_path / "a.heic"))
    (tmp_path / "b.heic").write_bytes(samples.heic(1))
    assert "sideways" not in kinds(measure(tmp_path / "b.heic"))
    # A rotation among the properties of the container is one that readers apply.
    with_rotation = content.replace(b"pict\0\0\0\0", b"pictirot\3"[:8], 1)
    (tmp_path / "c.heic").write_bytes(with_rotation.replace(b"pictirot\0", b"pictirot\3", 1))
    with open_image(tmp_path / "a.heic") as opened:
        assert has_only_exif_rotation(tmp_path / "a.heic", opened)
        assert not has_only_exif_rotation(tmp_path / "c.heic", opened)


@needs_avif
def test_an_avif_that_only_notes_its_rotation_may_lie_on_its_side(tmp_path: Path) -> None:
    path, exif, unit = tmp_path / "a.avif", samples.exif(), 0x0128
    exif[unit] = 6
    samples.picture((640, 480)).save(path, exif=exif)
    assert "sideways" not in kinds(measure(path))
    entry = b"\x01%c\0\3\0\0\0\1\0\6"
    content = path.read_bytes()
    assert entry % 0x28 in content
    path.write_bytes(content.replace(entry % 0x28, entry % 0x12))  # a unit of 6 is an orientation of 6 then
    (advice,) = (entry for entry in measure(path).advice if entry.kind == "sideways")
    assert "readers of AVIF do not apply" in advice.text
    samples.picture((640, 480)).save(path, exif=samples.exif(6))  # Pillow puts it into the container
    metrics = measure(path)
    assert "sideways" not in kinds(metrics)
    assert (metrics.width, metrics.height) == (480, 640)


def test_heic_without_its_extra_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.heic").write_bytes(samples.heic())
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    (advice,) = measure(tmp_path / "a.heic").advice
    assert advice.kind == "unusable"
    assert "pip install 'astria-nb[heic]'" in advice.text


# The right way up


@pytest.mark.parametrize(
    ("kind", "orientation", "sideways"),
    [
        ("JPEG", None, False),
        ("JPEG", 1, False),
        ("JPEG", 6, False),
        ("JPEG", 3, False),
        ("JPEG", 2, True),
        ("JPEG", 7, True),
        ("PNG", 1, False),
        ("PNG", 6, True),
        ("WEBP", 8, True),
    ],
)
def test_sideways_is_reported_only_if_readers_differ(
    photo: Image.Image, measured: Measured, kind: str, orientation: int | None, sideways: bool
) -> None:
    metrics = measured(photo, kind, exif=samples.exif(orientation))
    assert kinds(metrics) == (["sideways"] if sideways else [])
    turned = (orientation or 1) >= 5
    assert (metrics.width, metrics.height) == ((900, 1200) if turned else (1200, 900))
    assert metrics.thumbnail is not None
    assert Image.open(io.BytesIO(metrics.thumbnail)).size == ((144, 192) if turned else (192, 144))


def test_a_thumbnail_has_no_metadata(measured: Measured, photo: Image.Image) -> None:
    thumbnail = measured(photo, exif=samples.exif(6), comment=samples.PLACE, xmp=samples.xmp()).thumbnail
    assert thumbnail is not None
    assert not any(part in thumbnail for part in samples.PARTS)


# Blur


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.soak] * (number % 3 > 0)) for number, path in enumerate(PHOTOS)],
    ids=lambda path: path.stem,
)
def test_a_blurred_portrait_is_found(path: Path, measured: Measured) -> None:
    with Image.open(path) as image:
        assert "blurry" in kinds(measured(blur(image, 3)))
        assert "blurry" in kinds(measured(noisy(blur(image, 5), 4)))
        assert "blurry" not in kinds(measured(blur(image, 0.7)))


@pytest.mark.parametrize(
    ("number", "movement"),
    [
        pytest.param(
            number, movement, marks=[pytest.mark.soak] * (number > 0 and (number, movement) != (8, (16, 120)))
        )
        for number in range(len(PHOTOS))
        for movement in MOVEMENTS
    ],
)
def test_a_photo_of_a_moved_camera_is_found(
    number: int, movement: tuple[int, int], measured: Measured
) -> None:
    with Image.open(PHOTOS[number]) as image:
        assert "blurry" in kinds(measured(moved(image.convert("RGB"), *movement)))


@pytest.mark.soak
@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.stem)
def test_no_sharp_form_of_a_photo_is_called_blurry_and_most_blurred_ones_are(path: Path) -> None:
    with Image.open(path) as image:
        photo = image.convert("RGB")
    photo.thumbnail((1024, 1024))
    assert [name for name, form in sharp_forms(photo) if is_blurry(form.convert("L"))] == []
    blurred = [is_blurry(form.convert("L")) for _, form in blurred_forms(photo)]
    assert sum(blurred) >= 0.9 * len(blurred)


SHARP: dict[str, Change] = {
    "as it is": lambda image: image,
    "saved with strong compression": lambda image: saved(image, 30),
    "noisy": lambda image: noisy(image, 12),
    "by a soft lens": lambda image: blur(image, 1.2),
    "pale": lambda image: image.point(lambda value: 150 + value // 4),
    "dark": lambda image: image.point(lambda value: value // 4),
    "grey": lambda image: image.convert("L"),
    "small": lambda image: image.resize((520, 390)),
}
BLURRED: dict[str, Change] = {
    "a little": lambda image: blur(image, 2.5),
    "much": lambda image: blur(image, 6),
    "and noisy": lambda image: noisy(blur(image, 4), 4),
    "and pale": lambda image: blur(image, 3).point(lambda value: 150 + value // 4),
    "and faint": lambda image: blur(image, 3).point(lambda value: 150 + value // 8),
    "and large": lambda image: blur(image.resize((3600, 2700)), 9),
}


@pytest.mark.parametrize("change", SHARP.values(), ids=SHARP.keys())
def test_a_sharp_picture_is_not_called_blurry(photo: Image.Image, measured: Measured, change: Change) -> None:
    assert "blurry" not in kinds(measured(change(photo)))


@pytest.mark.slow
@pytest.mark.parametrize("change", BLURRED.values(), ids=BLURRED.keys())
def test_a_blurred_picture_is_called_blurry(photo: Image.Image, measured: Measured, change: Change) -> None:
    assert "blurry" in kinds(measured(change(photo)))


def test_a_sharp_face_before_a_soft_background_is_sharp(photo: Image.Image, measured: Measured) -> None:
    mask = Image.new("L", photo.size)
    ImageDraw.Draw(mask).ellipse((400, 150, 850, 750), fill=255)
    assert kinds(measured(Image.composite(photo, blur(photo, 10), mask))) == []


@pytest.mark.parametrize("size", [(600, 600), (1, 4000), (40, 40)])
def test_a_plain_or_tiny_image_is_not_called_blurry(measured: Measured, size: tuple[int, int]) -> None:
    assert "blurry" not in kinds(measured(Image.new("RGB", size, "teal")))


# Alike

ALIKE: dict[str, Change] = {
    "re-saved": lambda image: image,
    "smaller": lambda image: image.resize((700, 525)),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.15),
    "noisy": lambda image: noisy(image, 8),
    "cut": lambda image: image.crop((10, 8, 1190, 896)),
    "grey": lambda image: image.convert("L"),
}
DIFFERENT: dict[str, Change] = {
    "a mirror": ImageOps.mirror,
    "upside down": lambda image: image.rotate(180),
    "half of it": lambda image: image.crop((600, 0, 1200, 900)),
}


@pytest.mark.parametrize("change", ALIKE.values(), ids=ALIKE.keys())
def test_a_similar_image_names_the_earlier_one(photo: Image.Image, tmp_path: Path, change: Change) -> None:
    photo.save(tmp_path / "Zoë.jpg")
    change(photo).save(tmp_path / "b.jpg", quality=60)
    first, second, third = advise([tmp_path / "Zoë.jpg", PHOTOS[0], tmp_path / "b.jpg"])
    assert first.advice == second.advice == ()
    assert kinds(third) == ["similar"]
    assert third.advice[0].text.startswith("Looks like Zoë.jpg: ")


@pytest.mark.parametrize("change", DIFFERENT.values(), ids=DIFFERENT.keys())
def test_a_different_image_is_not_similar(photo: Image.Image, tmp_path: Path, change: Change) -> None:
    photo.save(tmp_path / "a.jpg")
    change(photo).save(tmp_path / "b.jpg")
    assert [kinds(metrics) for metrics in advise([tmp_path / "a.jpg", tmp_path / "b.jpg"])] == [[], []]


def test_nearly_plain_images_are_not_called_alike(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(4)]
    for number, path in enumerate(paths):
        light = (
            Image.linear_gradient("L").rotate(90).resize((700, 600)).point(lambda value: 190 + value // 24)
        )
        wall = noisy(light.convert("RGB"), 6)
        ImageDraw.Draw(wall).ellipse((90 * number, 500, 90 * number + 40, 540), fill="red")
        wall.save(path)
    assert [kinds(metrics) for metrics in advise(paths)] == [[], [], [], []]
    assert kinds(advise([paths[0], paths[0]])[1]) == ["duplicate"]


def test_files_with_the_same_content_are_duplicates(tmp_path: Path) -> None:
    copy = Path(shutil.copy(PHOTOS[0], tmp_path / "copy.jpg"))
    broken = [tmp_path / "1.jpg", tmp_path / "2.jpg"]
    for path in broken:
        path.write_bytes(PHOTOS[0].read_bytes()[:5000])
    advised = advise([PHOTOS[0], copy, PHOTOS[0], *broken])
    assert [kinds(metrics) for metrics in advised] == [
        [], ["duplicate"], ["duplicate"], ["damaged"], ["damaged", "duplicate"],
    ]  # fmt: skip
    assert advised[1].advice[0].text.startswith(f"Same file as {PHOTOS[0].name}: ")


def test_files_of_the_same_size_are_not_duplicates(tmp_path: Path) -> None:
    size = 200_000
    first, second = (Path(shutil.copy(PHOTOS[number], tmp_path / f"{number}.jpg")) for number in (0, 5))
    assert [kinds(metrics) for metrics in advise([enlarge(first, size), enlarge(second, size)])] == [[], []]


def test_a_rotated_photo_is_similar_to_its_upright_copy(photo: Image.Image, tmp_path: Path) -> None:
    photo.save(tmp_path / "a.jpg", exif=samples.exif(6))
    photo.rotate(-90, expand=True).save(tmp_path / "b.jpg")
    assert kinds(advise([tmp_path / "a.jpg", tmp_path / "b.jpg"])[1]) == ["similar"]


def test_images_are_compared_again_after_one_is_removed(tmp_path: Path) -> None:
    copy = Path(shutil.copy(PHOTOS[0], tmp_path / "copy.jpg"))
    first, second = advise([PHOTOS[0], copy])
    assert kinds(second) == ["duplicate"]
    assert compare([second])[0].advice == ()
    assert [kinds(metrics) for metrics in compare([second, first])] == [[], ["duplicate"]]


def test_measuring_on_many_threads_restores_the_warning_filters(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (8, 8)).save(path)
    measure(path)  # which may import what has filters of its own
    before = list(warnings.filters)
    advise([path] * 150)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(measure, [path] * 150))
    assert list(warnings.filters) == before


def test_an_image_is_measured_like_its_path() -> None:
    assert measure(OurImage.open(PHOTOS[0])) == measure(str(PHOTOS[0])) == measure(PHOTOS[0])


def test_a_large_jpeg_is_decoded_at_reduced_size(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.effect_noise((4000, 3000), 40).convert("RGB").save(path, quality=85)
    decoded: list[tuple[int, ...]] = []

    def counted(*args: Any, **options: Any) -> Any:
        pixels = decode(*args, **options)
        decoded.append(pixels.shape)
        return pixels

    decode = simplejpeg.decode_jpeg
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simplejpeg, "decode_jpeg", counted)
        measure(path)
    assert decoded == [(750, 1000, 3)]
