"""Photos that can only be sent after they are made smaller."""

from __future__ import annotations

from collections.abc import Sequence

from astria_nb.errors import Problem
from astria_nb.images._decoding import MAX_PIXELS
from astria_nb.images._file_kinds import RE_ENCODED
from astria_nb.images._image import Image
from astria_nb.images._preprocessing import Preprocessing
from astria_nb.images._resizing import needs_resizing
from astria_nb.utils.formatting import quoted
from astria_nb.utils.remedies import Remedy


def only_smaller(image: Image, preprocessing: Preprocessing) -> Problem | None:
    """Return why an image cannot be sent unless it is made smaller; None if it can.

    Parameters
    ----------
    image : Image
    preprocessing : Preprocessing
    """
    if needs_resizing(image, preprocessing.max_side):
        return None
    if image.width * image.height > MAX_PIXELS:
        megapixels = f"{image.width * image.height / 1e6:.0f} megapixels"
        what = f"{quoted(image.filename)} has {megapixels}, too many to send"
        return Problem("images", what, f"make it smaller {Remedy.SMALLER}")
    if image.media_type in RE_ENCODED and not preprocessing.keep_metadata:
        name = RE_ENCODED[image.media_type]
        what = f"{quoted(image.filename)} is {name}, whose metadata cannot be removed without loss"
        hint = f"send it as a JPEG {Remedy.SMALLER}, or unchanged {Remedy.KEEP_METADATA}"
        return Problem("images", what, hint)
    return None


def all_only_smaller(images: Sequence[Image], preprocessing: Preprocessing) -> list[Problem]:
    """Return one problem for all images that can only be sent smaller; empty if there are none.

    Parameters
    ----------
    images : sequence of Image
    preprocessing : Preprocessing
    """
    problems = [problem for image in images if (problem := only_smaller(image, preprocessing)) is not None]
    if not problems:
        return []
    first, more = problems[0], len(problems) - 1
    others = f"; {more} more need{'s' if more == 1 else ''} it, too" if more else ""
    return [Problem("images", first.what, f"{first.hint}{others}")]
