"""A file's hash is that of what was sent, and is made once for as long as the file does not change."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

import helpers.photos_with_metadata as samples
from astria_nb.images import Image as Photo
from astria_nb.images import Preprocessing, SentImage, _file_memory, _hashed_content

BUFFER = 1000  # bytes
PLACE = b"52.5 N, 13.4 E"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(_file_memory, "_SETTLED_NS", 0)  # a file that was just written counts as well
    photo = tmp_path / "1.jpg"
    photo.write_bytes(samples.with_segments(samples.jpeg(), samples.segment(0xFE, PLACE)))
    return photo


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the sizes of the blocks that were hashed."""
    sizes: list[int] = []
    original = _hashed_content.HashedContent._hash

    def counted(content: _hashed_content.HashedContent, block: memoryview) -> None:
        sizes.append(len(block))
        original(content, block)

    monkeypatch.setattr(_hashed_content.HashedContent, "_hash", counted)
    return sizes


def opened(path: Path, *, keep_metadata: bool = False) -> SentImage:
    return SentImage.open(Photo.open(path), Preprocessing(keep_metadata=keep_metadata, keep_damaged=True))


def blocks(image: SentImage) -> Iterator[bytes]:
    yield from map(bytes, image.blocks(memoryview(bytearray(BUFFER))))


def sent(path: Path, *, keep_metadata: bool = False) -> bytes:
    """Send a photo, and check its hash."""
    with closing(opened(path, keep_metadata=keep_metadata)) as image:
        content = b"".join(blocks(image))
        assert image.sha256() == hashlib.sha256(content).hexdigest()
        return content


def overwrite(path: Path) -> bytes:
    """Change a photo, and nothing of its size and its own times."""
    times, content = path.stat(), path.read_bytes()
    changed = content[:-3] + bytes([content[-3] ^ 1]) + content[-2:]
    path.write_bytes(changed)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    return changed


def test_a_file_is_hashed_once_until_it_changes(path: Path, hashed: list[int]) -> None:
    first = sent(path)
    assert sum(hashed) == len(first)
    assert sent(path) == first
    with closing(opened(path)) as image:
        assert image.sha256() == hashlib.sha256(first).hexdigest()  # before it is sent, too
    assert sum(hashed) == len(first)
    overwrite(path)
    assert sent(path) != first
    assert sum(hashed) == 2 * len(first)


def test_the_hash_is_of_what_is_sent_of_a_file(path: Path) -> None:
    assert PLACE not in sent(path)
    assert sent(path, keep_metadata=True) == path.read_bytes()
    assert PLACE not in sent(path)


def test_a_file_that_was_just_written_may_still_change(
    path: Path, hashed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_file_memory, "_SETTLED_NS", 10**15)
    twice = sent(path) + sent(path)
    assert sum(hashed) == len(twice)


def test_a_file_that_changes_while_it_is_sent_has_not_the_hash_that_it_had(path: Path) -> None:
    before = sent(path, keep_metadata=True)
    with closing(opened(path, keep_metadata=True)) as image:
        stream = blocks(image)
        next(stream)
        after = overwrite(path)
        assert before[:BUFFER] + b"".join(stream) == after
        assert image.sha256() in (None, hashlib.sha256(after).hexdigest())


@pytest.mark.parametrize("blocks_before", [1, None])
@pytest.mark.parametrize("is_remembered", [False, True])
def test_a_file_that_changes_after_it_was_sent_has_no_hash_of_other_bytes(
    path: Path, blocks_before: int | None, is_remembered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_hashed_content, "_NETWORK", 0)  # as a connection to this machine
    if is_remembered:
        sent(path)
    with closing(opened(path)) as image:
        stream = blocks(image)
        content = b"".join(islice(stream, blocks_before))
        changed = bytearray(path.read_bytes())
        changed[changed.index(content[-20:])] ^= 1
        path.write_bytes(changed)
        content += b"".join(stream)
        assert image.sha256() in (None, hashlib.sha256(content).hexdigest())


def test_a_file_that_is_deleted_after_it_was_sent_has_a_hash(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_hashed_content, "_NETWORK", 0)
    with closing(opened(path)) as image:
        content = b"".join(blocks(image))
        path.unlink()
        assert image.sha256() == hashlib.sha256(content).hexdigest()


def test_a_remembered_hash_outlives_the_file(path: Path) -> None:
    content = sent(path)
    with closing(opened(path)) as image:
        assert b"".join(blocks(image)) == content
        path.unlink()
    assert image.sha256() == hashlib.sha256(content).hexdigest()


def test_what_a_photo_is_is_found_again_once_it_changed(path: Path) -> None:
    assert Photo.open(path).media_type == "image/jpeg"
    times, size = path.stat(), path.stat().st_size
    png = samples.png()
    path.write_bytes(png + bytes(max(0, size - len(png))))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert Photo.open(path).media_type == "image/png"
