"""What is said of a folder whose photos cannot all be sent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from astria_nb.errors import Problem
from astria_nb.images import Image, left_out
from astria_nb.utils.formatting import short

_DOWNLOAD = "choose Download Now in Finder, and give the folder again"
_EXPORT = "export a JPEG into the folder, and give it again"


def folder_remarks(images: Sequence[Image]) -> list[Problem]:
    """Return a remark on photos in the folder of a tune's that are in iCloud only, and one on raw files.

    Parameters
    ----------
    images : sequence of Image
    """
    return remarks_on_missing([image.path for image in images if image.copy is None])


def remarks_on_missing(paths: Sequence[Path]) -> list[Problem]:
    """Return the same for the paths of all pictures of a folder."""
    missing = left_out(paths)
    remarks = []
    if missing.in_cloud:
        what = f"{_counted(missing.in_cloud, 'photo')} in iCloud only, and not on this disk"
        remarks.append(Problem("images", what, _DOWNLOAD))
    if missing.raw:
        what = f"{_counted(missing.raw, 'file')} in a camera's raw format, which cannot be sent"
        remarks.append(Problem("images", what, _EXPORT))
    return remarks


def _counted(names: Sequence[str], kind: str) -> str:
    if len(names) == 1:
        return f"1 {kind} in the folder, {short(names[0])}, is"
    return f"{len(names)} {kind}s in the folder, such as {short(names[0])}, are"
