"""The characteristics and warnings that the service's image inspection can return.

Characteristics replace ``{{key}}`` in the prompts of a pack, so other keys and values work, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_COLOURS = ("black", "brown", "blonde", "red", "grey", "white", "purple", "blue", "green", "pink", "dyed")

SUGGESTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "ethnicity": (
        *("caucasian", "black", "hispanic", "korean", "japanese", "chinese", "philippine", "asian"),
        *("indian", "arabic", "caribbean", "african"),
    ),
    "body_type": ("slim body", "average body", "muscular body", "plussize body"),
    "age": ("20 yo", "30 yo", "40 yo", "50 yo", "60 yo", "70 yo"),
    "glasses": ("glasses",),
    "eye_color": ("blue eyes", "brown eyes", "green eyes", "gray eyes", "black eyes"),
    "hair_color": tuple(f"{colour} hair" for colour in _COLOURS),
    "hair_length": ("bald", "short hair", "medium hair", "long hair", "very long hair"),
    "hair_style": (
        *("bald head", "balding top", "straight hair", "wavy hair", "curly hair", "afro", "dreadlocks"),
        *("cornrows", "slicked back", "comb over", "receding hairline", "undercut", "man bun", "mohawk"),
        *("crew cut", "faux hawk", "buzzcut"),
    ),
    "facial_hair": ("mustache", "beard", "goatee"),
    "is_bald": ("bald",),
    "headcover": ("with head cover",),
})  # fmt: skip
"""Each key with its values, in the order of the API's documentation (astria-api, section 10)."""

WARNINGS: Mapping[str, str] = MappingProxyType({
    "funny_face": "a funny face: the model would learn it",
    "wearing_sunglasses": "sunglasses: the eyes cannot be seen",
    "wearing_hat": "a hat: the hair cannot be seen",
    "blurry": "blurry: take a sharper one",
    "includes_multiple_people": "several people: the model would mix them up",
    "full_body_image_or_longshot": "far away: mostly faces and shoulders work best, with a few like this",
    "selfie": "a selfie: it distorts the face, take one from further away",
    "low_resolution": "low resolution: at least 512 pixels on each side is better",
    "low_quality": "low quality: take one with less compression",
})  # fmt: skip
"""What each warning means for training (astria-api, sections 10 and 12)."""
