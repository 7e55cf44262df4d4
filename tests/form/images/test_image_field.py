"""The list of images: its order, its texts, and the measurements in the background."""

import hashlib
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from astria_nb.form.fields import UrlsField
from astria_nb.form.images import ImageField
from astria_nb.form.images._drop_zone import DropZone
from astria_nb.form.images._image_list import ImageList
from astria_nb.images import Image, ImageMetrics, measure
from helpers.form_widgets import only
from helpers.waiting import until


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Four photos without warnings."""
    paths = [tmp_path / f"{number}.jpg" for number in (1, 2, 3, 4)]
    for number, path in enumerate(paths):
        Pillow.effect_noise((640, 520 + number), 80).convert("RGB").save(path)
    return paths


@pytest.fixture
def urls() -> UrlsField:
    return UrlsField()


@pytest.fixture
def field(urls: UrlsField) -> Iterator[ImageField]:
    running = ImageField(urls)
    yield running
    running.close()


@pytest.fixture
def tiles(field: ImageField) -> ImageList:
    return next(child for child in field.children if isinstance(child, ImageList))


def say(tiles: ImageList, kind: str, **fields: Any) -> None:
    """Send what a click in the browser sends."""
    tiles._handle_custom_msg({"kind": kind, **fields}, [])


def names(field: ImageField) -> list[str]:
    return [source.path.name for source in field.value or []]


def ids(tiles: ImageList) -> list[str]:
    return [tile["id"] for tile in tiles.items]


def badges(tiles: ImageList) -> list[list[str]]:
    return [tile["badges"] for tile in tiles.items]


def test_a_tile_shows_name_size_and_pixels(field, tiles, photos):
    field.value = photos[:1]
    assert [(tile["name"], tile["detail"]) for tile in tiles.items] == [
        ("1.jpg", f"640 x 520 · {photos[0].stat().st_size / 1e3:.0f} kB")
    ]


@pytest.mark.parametrize(
    ("moved", "before", "then"),
    [(0, 2, "2134"), (3, 0, "4123"), (1, None, "1342"), (0, 0, "1234"), (0, 1, "1234")],
)
def test_images_are_reordered(field, tiles, photos, moved, before, then):
    field.value = photos
    order = ids(tiles)
    say(tiles, "move", id=order[moved], before=None if before is None else order[before])
    assert names(field) == [f"{number}.jpg" for number in then]
    assert [tile["name"] for tile in tiles.items] == names(field)
    assert sorted(ids(tiles)) == sorted(order)


def test_moving_a_removed_image_does_nothing(field, tiles, photos):
    field.value = photos[:2]
    say(tiles, "move", id="unknown", before=ids(tiles)[0])
    say(tiles, "move", id=ids(tiles)[0], before="unknown")
    assert names(field) == ["1.jpg", "2.jpg"]


def test_what_changes_nothing_is_answered_too(field, tiles, photos, monkeypatch):
    field.value = [photos[0], photos[0]]
    sent = []
    monkeypatch.setattr(tiles, "send", lambda message, **_: sent.append(message["kind"]))
    say(tiles, "move", id=ids(tiles)[0], before=None)  # equal to the other one
    say(tiles, "remove", ids=["unknown"])
    assert sent.count("answered") == 2  # a click on Submit waits for each


def test_one_or_all_are_removed(field, tiles, photos):
    field.value = photos
    say(tiles, "remove", ids=ids(tiles)[1:2])
    assert names(field) == ["1.jpg", "3.jpg", "4.jpg"]
    say(tiles, "remove", ids=ids(tiles))
    assert field.value is None
    assert tiles.items == []


def test_duplicates_are_marked_and_removed_at_once(field, tiles, photos, tmp_path):
    for name in ("copy.jpg", "again.jpg"):
        shutil.copy(photos[0], tmp_path / name)
    field.value = [*photos, tmp_path / "copy.jpg", tmp_path / "again.jpg"]
    until(lambda: tiles.duplicates == 2)
    same = "Same file as 1.jpg: one of them is enough"
    assert badges(tiles) == [[], [], [], [], [same], [same]]
    assert tiles.summary.endswith(" · 2 with warnings (duplicate)")
    say(tiles, "remove_duplicates")
    assert names(field) == ["1.jpg", "2.jpg", "3.jpg", "4.jpg"]
    assert tiles.duplicates == 0


def test_the_later_of_two_equal_files_is_the_duplicate(field, tiles, photos, tmp_path):
    shutil.copy(photos[0], tmp_path / "copy.jpg")
    field.value = [photos[0], tmp_path / "copy.jpg"]
    until(lambda: tiles.duplicates == 1)
    say(tiles, "move", id=ids(tiles)[1], before=ids(tiles)[0])
    until(lambda: badges(tiles) == [[], ["Same file as copy.jpg: one of them is enough"]])


def test_every_image_gets_its_picture_and_a_new_page_gets_them_again(field, tiles, photos):
    sent: dict[str, bytes] = {}
    tiles.send = lambda message, buffers=None: sent.update({message["id"]: buffers[0]})
    field.value = photos
    until(lambda: len(sent) == 4)
    assert all(picture.startswith(b"\xff\xd8\xff") for picture in sent.values())
    before = dict(sent)
    sent.clear()
    say(tiles, "remove", ids=ids(tiles)[:1])
    say(tiles, "want")
    assert sent == {tile_id: before[tile_id] for tile_id in ids(tiles)}


def test_a_file_that_is_not_an_image_stays_with_a_badge(field, tiles, photos, tmp_path):
    (tmp_path / "notes.jpg").write_text("not a picture")
    field.value = [photos[0], tmp_path / "notes.jpg"]
    assert badges(tiles) == [[], ["Not an image"]]
    assert tiles.summary.endswith(" · 1 with a warning (not an image)")
    assert len(field.value) == 2


def test_an_image_that_is_cut_off_has_no_picture(field, tiles, tmp_path):
    sent: list[Any] = []
    tiles.send = lambda message, buffers=None: sent.append((message, buffers))
    Pillow.effect_noise((300, 300), 90).save(tmp_path / "cut.png")
    content = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(content[: len(content) // 2])
    field.value = [tmp_path / "cut.png"]
    until(lambda: sent == [({"kind": "picture", "id": ids(tiles)[0]}, [])])


def test_the_summary_counts_files_and_urls(field, tiles, urls, photos):
    assert tiles.summary == "No images yet"
    field.value = photos
    size = f"{sum(path.stat().st_size for path in photos) / 1e3:.0f} kB"
    assert tiles.summary == f"4 images · {size}"
    urls.value = ["https://example.com/1.jpg"]
    assert tiles.summary == f"4 images · {size} · 1 image by URL"
    assert field.sources.titles == ("From this computer", "From the server", "URLs · 1")
    field.value = None
    assert tiles.summary == "1 image by URL"


def test_large_sizes_are_rounded(field, tiles, tmp_path):
    path = tmp_path / "large.jpg"
    Pillow.new("RGB", (64, 64)).save(path)
    with path.open("ab") as file:
        file.truncate(31_400_000)
    field.value = [path]
    assert tiles.summary == "1 image · 31 MB"
    assert tiles.items[0]["detail"] == "64 x 64 · 31 MB"


def test_images_are_measured_off_the_main_thread(field, tiles, photos, monkeypatch):
    threads = []

    def recorded(image: Image, side: int) -> ImageMetrics:
        threads.append(threading.current_thread())
        return measure(image, side)

    monkeypatch.setattr("astria_nb.form.images._image_field.measure", recorded)
    Pillow.effect_noise((400, 300), 80).convert("RGB").save(photos[1])
    field.value = photos
    small = "Small (400×300). Use at least 512 px a side."  # noqa: RUF001  a multiplication sign
    until(lambda: badges(tiles) == [[], [small], [], []])
    assert tiles.summary.endswith(" · 1 with a warning (small)")
    assert threading.main_thread() not in threads
    say(tiles, "remove", ids=ids(tiles)[1:2])
    assert badges(tiles) == [[], [], []]


def test_a_warning_of_the_service_is_a_badge(field, tiles, photos):
    field.value = photos
    field.show_warnings({photos[2]: ["a hat: the hair cannot be seen"]})
    assert badges(tiles)[2] == ["a hat: the hair cannot be seen"]
    field.show_warnings({})
    assert badges(tiles)[2] == []


def test_different_warnings_are_only_counted(field, tiles, photos, tmp_path):
    shutil.copy(photos[0], tmp_path / "copy.jpg")
    (tmp_path / "notes.jpg").write_text("not a picture")
    field.value = [photos[0], tmp_path / "copy.jpg", tmp_path / "notes.jpg"]
    until(lambda: tiles.summary.endswith(" · 2 with warnings"))


def test_a_file_that_is_there_is_not_added_again(field, photos):
    field._add(photos[:2])
    field._add(photos[1:3])
    assert names(field) == ["1.jpg", "2.jpg", "3.jpg"]


def test_thumbnails_are_made_while_the_user_types(field, tiles, urls, tmp_path):
    Pillow.effect_noise((400, 300), 60).convert("RGB").resize((2000, 1500)).save(tmp_path / "0.jpg")
    for number in range(1, 16):
        shutil.copy(tmp_path / "0.jpg", tmp_path / f"{number}.jpg")
    drawn: list[threading.Thread] = []
    tiles.send = lambda message, buffers=None: drawn.append(threading.current_thread())
    field.value = sorted(tmp_path.glob("*.jpg"))
    for letters in range(20):  # `benchmarks/cases/thumbnails.py` compares how long each takes
        urls.value = [f"https://example.com/{'a' * letters}.jpg"]
    until(lambda: len(drawn) == 16)
    assert threading.main_thread() not in drawn


def test_a_photo_from_the_users_computer_is_in_the_list(field, tiles):
    zone = only(field, DropZone)
    content = b"\xff\xd8\xff" + bytes(50)
    offer = {"kind": "offer", "page": "p", "files": [{"id": "a", "name": "1.jpg", "size": len(content)}]}
    zone._handle_custom_msg(offer, [])
    zone._handle_custom_msg({"kind": "chunk", "id": "a", "offset": 0}, [memoryview(content)])
    assert [tile["name"] for tile in tiles.items] == ["1.jpg"]
    assert hashlib.sha256(Path(field.value[0]).read_bytes()).digest() == hashlib.sha256(content).digest()
