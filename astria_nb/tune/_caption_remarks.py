"""The remark on captions beside photos that are not sent."""

from __future__ import annotations

from collections.abc import Sequence

from astria_nb.errors import Problem
from astria_nb.images import Image, captions_beside, is_caption_name
from astria_nb.utils.formatting import short


def caption_remarks(images: Sequence[Image]) -> list[Problem]:
    """Return a remark if there are captions beside the photos of a tune, and none of them is sent.

    Parameters
    ----------
    images : sequence of Image
    """
    paths = [image.path for image in images if image.copy is None]
    if any(map(is_caption_name, paths)) or not (captions := captions_beside(paths)):
        return []
    more = f" and {len(captions) - 1} more" if len(captions) > 1 else ""
    what = f"the captions beside the photos, {short(captions[0].name)}{more}, are not sent"
    hint = "only Flux is documented to take captions: give a preset of Flux with the folder, or list them too"
    return [Problem("images", what, hint)]
