import io

import pytest
from PIL import Image, ImageOps

from astria_nb.sandbox.views._artist import cover, picture
from helpers.paths import SAMPLES


@pytest.fixture
def photo(tmp_path):
    """Return four quarters of different colours: every rotation and flip looks different."""
    image = Image.new("RGB", (400, 300), "#d8b08c")
    for box, ink in (((0, 0), "#204060"), ((200, 0), "#7030a0"), ((0, 150), "#308040")):
        image.paste(ink, (*box, box[0] + 200, box[1] + 150))
    path = tmp_path / "photo.png"
    image.save(path)
    return path


def draw(training, *, text="portrait of ohwx woman", seed=5, width=192, height=256):
    return picture(training, text=text, seed=seed, width=width, height=height)


def opened(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def is_marked(data):
    """Return whether a red band with white letters crosses the upper right corner, and not the left one."""
    image = opened(data)
    side = round(min(image.size) * 0.38)
    diagonal = [(image.width - side + n, n) for n in range(side // 8, side - side // 8)]
    right = [image.getpixel(at) for at in diagonal]
    mirrored = [image.getpixel((image.width - 1 - x, y)) for x, y in diagonal]
    return red_share(right) > 0.2 and max(map(min, right)) > 190 and red_share(mirrored) < 0.1


def red_share(pixels):
    return sum(r > 150 and 30 < g < 130 and 20 < b < 120 and r - g > 60 for r, g, b in pixels) / len(pixels)


@pytest.mark.parametrize("size", [(64, 64), (768, 1024), (1024, 768), (64, 512)])
@pytest.mark.parametrize("seed", range(8))
def test_a_picture_is_a_jpeg_of_the_size_asked_for(photo, size, seed):
    image = opened(draw([photo], seed=seed, width=size[0], height=size[1]))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", size)


def test_the_same_arguments_give_the_same_bytes(photo):
    assert draw([photo]) == draw([photo])
    assert draw([]) == draw([])


def test_eight_seeds_give_eight_pictures(photo):
    assert len({draw([photo], seed=seed) for seed in range(8)}) == 8
    assert len({draw([], seed=seed) for seed in range(8)}) == 8


def test_a_style_that_repeats_is_cropped_differently(photo):
    assert draw([photo], seed=0) != draw([photo], seed=8)


def test_a_seed_may_be_any_integer(photo):
    for seed in (-1, -7, 2**63, 10**30):
        opened(draw([photo], seed=seed))


@pytest.mark.parametrize("seed", range(8))
def test_every_picture_bears_the_mark(photo, seed):
    assert is_marked(draw([photo], seed=seed, width=384, height=512))
    assert is_marked(draw([], seed=seed, width=384, height=512))


def test_a_picture_shows_its_training_image(photo):
    assert draw([photo]) != draw([])


def test_every_training_image_gets_its_turn(photo, tmp_path):
    paths = [photo, tmp_path / "other.png"]
    Image.new("RGB", (300, 300), "#ffffff").save(paths[1])
    drawn = [draw(paths, seed=seed) for seed in range(16)]
    assert any(data == draw(paths[:1], seed=seed) for seed, data in enumerate(drawn))
    assert any(data == draw(paths[1:], seed=seed) for seed, data in enumerate(drawn))


def test_a_vanished_training_image_falls_back_to_a_landscape(tmp_path):
    assert draw([tmp_path / "gone.jpg"]) == draw([])


def test_a_folder_in_place_of_an_image_falls_back_to_a_landscape(tmp_path):
    assert draw([tmp_path]) == draw([])


@pytest.mark.parametrize("content", [b"", b"not an image", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_not_an_image_falls_back_to_a_landscape(tmp_path, content):
    path = tmp_path / "broken.jpg"
    path.write_bytes(content)
    assert draw([path]) == draw([])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_cut_short_never_raises(photo, tmp_path, kind, share):
    whole = io.BytesIO()
    Image.open(photo).save(whole, kind)
    path = tmp_path / "cut"
    path.write_bytes(whole.getvalue()[: int(whole.tell() * share)])
    opened(draw([path]))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_any_mode_of_image_will_do(photo, tmp_path, mode):
    path = tmp_path / ("image.tiff" if mode == "CMYK" else "image.png")
    with Image.open(photo) as source:
        image = Image.new(mode, source.size, 40_000) if mode == "I;16" else source.convert(mode)
    image.save(path)
    assert draw([path]) != draw([])


def test_a_transparent_background_becomes_paper(tmp_path):
    Image.new("RGBA", (200, 200), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("RGB", (200, 200), "#fffaf3").save(tmp_path / "paper.png")
    assert draw([tmp_path / "clear.png"]) == draw([tmp_path / "paper.png"])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_is_drawn_upright(photo, tmp_path, orientation):
    tagged, upright = tmp_path / "tagged.png", tmp_path / "upright.png"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.open(photo).save(tagged, exif=exif)
    ImageOps.exif_transpose(Image.open(tagged)).save(upright, exif=b"")
    assert draw([tagged]) == draw([upright])


def test_a_picture_carries_no_metadata(photo, tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    Image.open(photo).save(tmp_path / "camera.jpg", exif=exif)
    assert not opened(draw([tmp_path / "camera.jpg"])).getexif()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "\n\t",
        "x" * 100_000,
        "wide " * 5_000,
        "W" * 700,
        "ポートレート",
        "😀👩‍🚀",
        "\ud800",
        "a\x00b",
        "\u202eabc",
    ],
    ids=ascii,
)
def test_any_text_can_be_a_caption(photo, text):
    for seed in (0, 1):
        opened(draw([photo], text=text, seed=seed))


def test_the_caption_depends_on_the_text():
    assert draw([], text="a") != draw([], text="b")


def test_a_long_caption_stays_in_the_lower_part():
    short, long = (
        opened(draw([], text=text, width=384, height=512)) for text in ("", "a long prompt " * 500)
    )
    above = (0, 0, 384, 384)
    assert short.crop(above).tobytes() == long.crop(above).tobytes()


def test_an_accent_is_drawn_without_its_mark_as_the_font_has_none():
    assert draw([], text="été") == draw([], text="ete")


def test_a_noisy_photo_stays_below_the_size_limit(tmp_path):
    path = tmp_path / "noise.png"
    Image.merge("RGB", [Image.effect_noise((900, 1200), 90) for _ in range(3)]).save(path)
    assert len(draw([path], seed=0, width=768, height=1024)) <= 120_000


def test_a_cover_is_a_marked_jpeg_of_640_by_400():
    data = cover("Corporate Headshots", ["man", "woman"], 260)
    image = opened(data)
    assert (image.format, image.size) == ("JPEG", (640, 400))
    assert is_marked(data)


def test_a_cover_depends_on_its_title_classes_and_seed():
    covers = [cover("A", ["man"], 1), cover("B", ["man"], 1), cover("A", ["cat"], 1), cover("A", ["man"], 2)]
    assert len(set(covers)) == 4
    assert covers[0] == cover("A", ["man"], 1)


@pytest.mark.parametrize(
    ("title", "classes"), [("", []), ("é" * 900, ["x" * 90] * 90), ("😀 \ud800", ["\x00"])]
)
def test_a_cover_takes_any_title_and_classes(title, classes):
    opened(cover(title, classes, 3))


@pytest.mark.parametrize("name", [f"{kind}-{n}.jpg" for kind in ("woman", "cat", "dog") for n in range(1, 5)])
def test_the_samples_are_small_jpegs_without_metadata(name):
    path = SAMPLES / name
    image = opened(path.read_bytes())
    assert image.format == "JPEG"
    assert min(image.size) >= 896
    assert not image.getexif()
    assert path.stat().st_size <= 130_000
