"""Packs, and those that every sandbox has from the start."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from astria_nb.sandbox._clock import DAY

BASE_TUNE_ID = 1504944
"""Flux1.dev, the base model of these packs."""
CALLER_ID = 1
GALLERY_ID = 2
TRAINING_MC = 150_000
PICTURE_MC = 6_000
_CREATED = 1_672_574_400_000  # 2023-01-01T12:00:00Z


@dataclass(frozen=True)
class Template:
    """A template prompt for the tunes of one class."""

    id: int
    class_name: str
    text: str


@dataclass(frozen=True)
class PackRecord:
    """Template prompts by class, and what a run costs.

    Attributes
    ----------
    kind : str
        The name of this kind of record in storage.
    prices : mapping
        Class → millicents for one training and all pictures of that class.
    public_at : int or None
        When it was published in the gallery, in milliseconds since 1970 (UTC); None for a private pack.
    unlisted_at : int or None
        When it was taken off the gallery's lists; None if it is listed.
    composes : tuple of str
        For a multi pack, whose prompts use several tunes at once: the classes of those tunes.
    """

    kind: ClassVar[str] = "Pack"

    id: int
    slug: str
    title: str
    user_id: int
    templates: tuple[Template, ...]
    prices: Mapping[str, int]
    created_at: int
    public_at: int | None = None
    unlisted_at: int | None = None
    composes: tuple[str, ...] = ()
    base_tune_id: int = BASE_TUNE_ID
    model_type: str | None = "lora"
    subtitle: str | None = None

    @property
    def is_multi(self) -> bool:
        """Whether each of its prompts uses several tunes."""
        return bool(self.composes)

    @property
    def subjects(self) -> tuple[str, ...]:
        """The classes of existing tunes that it can run on."""
        return self.composes or self.classes

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that it has templates for."""
        return tuple(self.prices)

    def of_class(self, class_name: str) -> tuple[Template, ...]:
        """Return the templates of one class."""
        return tuple(template for template in self.templates if template.class_name == class_name)

    def training_mc(self, class_name: str) -> int:
        """Return the part of a class's price that is for training; 0 for an unknown class."""
        return self.prices.get(class_name, 0) - PICTURE_MC * len(self.of_class(class_name))


_PORTRAITS = (
    "navy suit, {{eye_color}}, {{hair_color}}, bright office",
    "white shirt, {{eye_color}}, arms crossed, city skyline",
    "grey blazer, {{hair_color}}, bookshelf in the background",
    "black turtleneck, plain studio backdrop, soft light",
    "light blue shirt, {{eye_color}}, {{hair_color}}, meeting room",
    "charcoal jacket, glass lobby, shallow depth of field",
    "linen jacket, {{hair_color}}, garden terrace, golden hour",
)
_FRAMINGS = ("close-up headshot", "half body portrait", "seated portrait", "side light", "candid smile")
_PETS = (
    "in a wicker basket, {{fur_color}}",
    "on a window sill, {{eye_color}}, morning light",
    "running over a meadow, {{fur_color}}, motion blur",
    "wearing a knitted scarf, {{eye_color}}, {{fur_color}}",
    "as an oil painting in a gilded frame",
    "asleep on a stack of books, warm lamp",
    "in a field of tulips, {{fur_color}}, spring",
    "studio portrait, {{eye_color}}, dark backdrop",
)
_TOGETHER = (
    "walking on a beach at sunset",
    "cooking in a bright kitchen",
    "dancing under string lights",
    "on a park bench in autumn",
)
_HEADSHOTS = tuple(f"{framing}, {scene}" for framing in _FRAMINGS for scene in _PORTRAITS)


def _pack(id: int, slug: str, title: str, scenes: Mapping[str, tuple[str, ...]], **owner: int) -> PackRecord:  # noqa: A002 - the API's own name
    """Make a pack whose template ids are the pack's id followed by three digits."""
    pairs = [(class_name, scene) for class_name, texts in scenes.items() for scene in texts]
    templates = tuple(
        Template(id * 1000 + number, class_name, f"photo of ohwx {class_name}, {scene}")
        for number, (class_name, scene) in enumerate(pairs, 1)
    )
    # A training and six cents a picture; the documented prices of pack 260 differ slightly.
    prices = {name: TRAINING_MC + PICTURE_MC * len(texts) for name, texts in scenes.items()}
    if id == 260:
        prices = {"man": 331_000, "woman": 360_000}
    return PackRecord(
        id, slug, title, owner["user_id"], templates, prices, _CREATED + id * DAY, owner.get("public_at")
    )


def _couples() -> PackRecord:
    """Make the multi pack: its prompts show a man and a woman, or any two of these, together."""
    texts = [f"photo of ohwx man and ohwx woman, {scene}" for scene in _TOGETHER]
    templates = tuple(Template(1204 * 1000 + number, "couple", text) for number, text in enumerate(texts, 1))
    prices = {"couple": PICTURE_MC * len(templates)}
    created = _CREATED + 1204 * DAY
    return PackRecord(
        1204, "couples", "Couples", GALLERY_ID, templates, prices, created,
        public_at=created + DAY, unlisted_at=created + 2 * DAY, composes=("man", "woman"),
    )  # fmt: skip


PACKS = (
    _pack(
        43,
        "portraits",
        "Portraits",
        {"man": _HEADSHOTS[:8], "woman": _HEADSHOTS[:8], "cat": _PETS},
        user_id=GALLERY_ID,
        public_at=_CREATED + 44 * DAY,
    ),
    _pack(
        260,
        "corporate-headshots",
        "Corporate Headshots",
        {"man": _HEADSHOTS[:28], "woman": _HEADSHOTS},
        user_id=GALLERY_ID,
        public_at=_CREATED + 261 * DAY,
    ),
    _pack(797, "pets", "Pets", {"cat": _PETS, "dog": _PETS}, user_id=CALLER_ID),
    _couples(),
)
"""Two gallery packs, one of the caller, and a multi pack that was taken off the gallery's lists."""
