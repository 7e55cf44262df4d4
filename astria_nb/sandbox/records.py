"""What the service keeps: tunes and prompts. All times are milliseconds since 1970."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .clock import DAY
from .packs import Pack, Template
from .uploads import Upload


@dataclass(frozen=True)
class PackRun:
    """A request to run a pack, found valid.

    Attributes
    ----------
    tunes : tuple of Tune
        Existing tunes to make pictures with; when empty, one is trained.
    templates : mapping
        Class → the templates to make prompts from.
    attributes : mapping
        What overrides each prompt's own attributes.
    """

    pack: Pack
    templates: Mapping[str, tuple[Template, ...]]
    title: str = ""
    name: str = ""
    images: tuple[Upload, ...] = ()
    image_urls: tuple[str, ...] = ()
    callback: str | None = None
    prompts_callback: str | None = None
    characteristics: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, object] = field(default_factory=dict)
    tunes: "tuple[Tune, ...]" = ()
    preset: str | None = None
    branch: str | None = None
    auto_extend: bool = False

    @property
    def num_images(self) -> int:
        """How many pictures each prompt makes."""
        number = self.attributes.get("num_images")
        return number if isinstance(number, int) else 1


@dataclass(frozen=True)
class Tune:
    """One model: when it starts to train and when it is trained are known from its creation on."""

    id: int
    run: PackRun
    created_at: int
    starts_at: int
    ends_at: int

    @property
    def expires_at(self) -> int:
        """When the service deletes it: 30 days after training."""
        return self.ends_at + 30 * DAY

    @property
    def cost_mc(self) -> int:
        """What training it costs."""
        return self.run.pack.training_mc(self.run.name)


@dataclass(frozen=True)
class Prompt:
    """One order for pictures of a tune."""

    id: int
    tune: Tune
    run: PackRun
    template: Template
    text: str
    created_at: int
    starts_at: int
    ends_at: int
