"""Photo files of any size."""

from pathlib import Path

END = b"\xff\xd9"


def enlarge(photo: Path, size: int) -> Path:
    """Extend a JPEG file to that many bytes, sparse on disk; all readers still decode the same image.

    The zeros are inserted before the end-of-image marker, because what follows it is not uploaded.
    """
    with photo.open("r+b") as file:
        file.seek(-len(END), 2)
        assert file.read() == END
        file.truncate(file.tell() - len(END))
        file.truncate(size - len(END))
        file.seek(0, 2)
        file.write(END)
    return photo
