"""Photos of any size in bytes."""

from pathlib import Path

END = b"\xff\xd9"


def enlarge(photo: Path, size: int) -> Path:
    """Make a JPEG file that large, on the disk mostly a hole; its picture stays the same for every reader.

    The bytes come before the picture's end: what comes after it is not sent.
    """
    with photo.open("r+b") as file:
        file.seek(-len(END), 2)
        assert file.read() == END
        file.truncate(file.tell() - len(END))
        file.truncate(size - len(END))
        file.seek(0, 2)
        file.write(END)
    return photo
