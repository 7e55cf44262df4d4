"""Clean every photo of a folder as a submission would, and let other programs judge what would be sent.

Run ``python tests/proofs/photo_folder.py FOLDER``; exiftool has to be installed (Debian:
libimage-exiftool-perl). It looks for what is left beside the picture; Pillow compares the pixels, and Little
CMS the colours. Nothing in the folder is changed.
"""

import io
import json
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageOps

sys.path.insert(0, str(Path(__file__).parent.parent))

from astria_nb.errors import TuneError
from astria_nb.images import BLOCK, Preprocessing, SentImage
from astria_nb.images import Image as Photo

# What exiftool may show of a photo without metadata: what decoders need, by its names of groups and tags.
PICTURE = ("ExifTool", "System", "File", "Composite", "SourceFile", "PNG-pHYs")
TAGS = {
    "JFIF": None,
    "RIFF": None,
    "Adobe": None,  # how the colours of a JPEG are coded
    "PNG": None,
    "IFD0": {"Orientation"},
    "ExifIFD": set(),
}
TEXTS = {"Comment", "Software", "Author", "Title", "Description", "Copyright", "CreationTime", "ModifyDate"}
# What identifies a profile, and so is not private.
KNOWN_BY = {
    "ProfileDescription", "ProfileCopyright", "ProfileDateTime", "ProfileCreator", "ProfileID",
    "DeviceManufacturer", "DeviceModel", "PrimaryPlatform", "CMMType",
}  # fmt: skip
KNOWN_OTHERWISE = {"MakeAndModel", "DeviceMfgDesc", "DeviceModelDesc", "ViewingCondDesc", "CharTarget"}
NEUTRAL = {"", "0", "-", "profile", "2000:01:01 00:00:00", "Unknown ()"}


def cleaned(path: Path) -> bytes:
    """Return what would be sent of a photo."""
    opened = SentImage.open(Photo.open(path), Preprocessing())
    try:
        return b"".join(bytes(block) for block in opened.blocks(memoryview(bytearray(BLOCK))))
    finally:
        opened.close()


def left_over(folder: Path) -> dict[str, list[str]]:
    """Return what exiftool finds beside the picture, by the files' names."""
    command = ["exiftool", "-json", "-G1", "-a", "-u", "-ee3", "-struct", "-api", "largefilesupport=1", "."]
    listed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout
    tags_by_file: dict[str, list[str]] = {}
    for entry in json.loads(listed or "[]"):
        names = [name for name, value in entry.items() if not is_of_picture(name, value)]
        if names:
            tags_by_file[Path(entry["SourceFile"]).name] = names
    return tags_by_file


def is_of_picture(name: str, value: Any) -> bool:
    """Return whether exiftool's tag is one of the picture itself."""
    group, _, tag = name.partition(":")
    if group in PICTURE:
        return tag != "Comment"
    if group.startswith("ICC"):
        return tag not in KNOWN_OTHERWISE and (tag not in KNOWN_BY or str(value).strip() in NEUTRAL)
    allowed = TAGS.get(group, set())
    return tag not in TEXTS if allowed is None else tag in allowed


def upright(content: bytes) -> Image.Image:
    """Return a picture as it is shown, decoded to its own colours."""
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        return ImageOps.exif_transpose(image)


def in_srgb(content: bytes) -> Image.Image | None:
    """Return a small form of a picture in sRGB, as Little CMS converts it; None without a usable profile."""
    with Image.open(io.BytesIO(content)) as image:
        profile = image.info.get("icc_profile")
        image.draft("RGB", (256, 256))
        image.thumbnail((256, 256))
        if not profile or image.mode not in ("RGB", "L", "CMYK"):
            return None
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            return None


def difference(path: Path, sent: bytes) -> str:
    """Return what differs between a photo and what is sent of it; empty if nothing does."""
    content = path.read_bytes()
    try:
        before = upright(content)
    except Exception:  # noqa: BLE001  Pillow raises many kinds; there is nothing to compare with
        return ""
    after = upright(sent)
    if (before.size, before.mode) != (after.size, after.mode):
        return "size or mode"
    if before.tobytes() != after.tobytes():
        return "pixels"
    colours = in_srgb(content), in_srgb(sent)
    if None not in colours and colours[0].tobytes() != colours[1].tobytes():  # type: ignore[union-attr]
        return "colours"
    return ""


def prove(folder: Path) -> int:
    """Print a table of what became of the files; return how many are not as promised."""
    origins: dict[str, Path] = {}
    counts, reasons, wrong = Counter[str](), Counter[str](), list[str]()
    with tempfile.TemporaryDirectory() as temporary:
        target = Path(temporary)
        for number, path in enumerate(sorted(path for path in folder.rglob("*") if path.is_file())):
            try:
                sent = cleaned(path)
            except TuneError as error:
                reasons[error.problems[0].what.removeprefix(repr(path.name)).strip()] += 1
                continue
            counts["sent"] += 1
            origins[f"{number}{path.suffix}"] = path
            (target / f"{number}{path.suffix}").write_bytes(sent)
            if what := difference(path, sent):
                counts[f"{what} changed"] += 1
                wrong.append(f"{path.relative_to(folder)}: {what}")
        for name, tags in left_over(target).items():
            counts["sent with something left"] += 1
            wrong.append(f"{origins[name].relative_to(folder)}: {', '.join(tags)}")
    for what, count in [*counts.most_common(), *reasons.most_common()]:
        print(f"{count:6} {what if what in counts else f'refused: {what}'}")
    print(*wrong, sep="\n")
    return len(wrong)


if __name__ == "__main__":
    if shutil.which("exiftool") is None:
        sys.exit("exiftool is needed to judge: install it (Debian: libimage-exiftool-perl)")
    warnings.simplefilter("ignore")  # of Pillow, about odd files
    sys.exit(min(prove(Path(sys.argv[1])), 1))
