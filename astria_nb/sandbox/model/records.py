"""What the service keeps: tunes, prompts, orders and callbacks. All times are milliseconds since 1970."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from astria_nb.sandbox.clock import DAY
from astria_nb.sandbox.model.packs import BASE_TUNE_ID, CALLER_ID
from astria_nb.sandbox.uploads.spool import Upload

LIFETIME = 30 * DAY
"""How long models, training images and pictures are kept."""
NEVER = 2**62
"""When that happens which does not."""


@dataclass(frozen=True, kw_only=True)
class Tune:
    """One model: when it starts to train and when it is trained are known from its creation on.

    Attributes
    ----------
    updated_at : int
        When its owner last changed it.
    is_mock : bool
        Whether it is a free run that draws canned pictures.
    fails : bool
        Whether it fails at `ends_at` instead of being trained.
    """

    id: int
    title: str
    name: str | None
    created_at: int
    updated_at: int
    starts_at: int
    ends_at: int
    user_id: int = CALLER_ID
    base_tune_id: int | None = BASE_TUNE_ID
    base_pack_id: int | None = None
    model_type: str | None = "lora"
    token: str = "ohwx"  # noqa: S105 - the word for the subject in a prompt
    preset: str | None = None
    branch: str | None = None
    is_mock: bool = False
    steps: int | None = None
    face_crop: bool | None = None
    training_face_correct: bool | None = None
    images: tuple[Upload, ...] = ()
    image_urls: tuple[str, ...] = ()
    characteristics: Mapping[str, str] = field(default_factory=dict)
    callback: str | None = None
    prompts_callback: str | None = None
    auto_extend: bool = False
    cost_mc: int = 0
    fails: bool = False

    @property
    def is_base(self) -> bool:
        """Whether it is one of the service's own models."""
        return self.base_tune_id is None

    @property
    def is_checkpoint(self) -> bool:
        """Whether it is a whole model, and no addition to its base model."""
        return self.model_type not in ("lora", "faceid")

    @property
    def shown_tune_id(self) -> int:
        """What its prompts show as their tune."""
        return self.id if self.is_checkpoint or self.base_tune_id is None else self.base_tune_id

    def is_trained(self, now: int) -> bool:
        """Tell whether its training has ended well."""
        return self.ends_at <= now and not self.fails

    def has_failed(self, now: int) -> bool:
        """Tell whether its training has ended badly."""
        return self.ends_at <= now and self.fails

    def expires_at(self, now: int) -> int:
        """Return when the service deletes its files: 30 days after training, or again 30 days after that."""
        first = self.ends_at + LIFETIME
        months = max(0, now - first) // LIFETIME + 1 if self.auto_extend and now >= first else 0
        return first + months * LIFETIME


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """One order for pictures.

    Attributes
    ----------
    tune_id : int
        What the API shows as its tune; for a LoRA that is the base model.
    tune_ids : tuple of int
        The tunes of the account that it uses.
    attributes : mapping
        Its own settings, such as ``num_images`` and ``seed``.
    training : tuple of Upload
        The images that its tunes were trained from; they may outlive the tunes.
    user_error : str or None
        Why it fails at `ends_at`; None when it makes its pictures.
    """

    id: int
    text: str
    tune_id: int
    tune_ids: tuple[int, ...]
    created_at: int
    starts_at: int
    ends_at: int
    attributes: Mapping[str, object] = field(default_factory=dict)
    training: tuple[Upload, ...] = ()
    base_pack_id: int | None = None
    orig_prompt_id: int | None = None
    order_id: int | None = None
    cost_mc: int = 0
    liked: bool = False
    user_error: str | None = None

    @property
    def num_images(self) -> int:
        """How many pictures it makes."""
        return count_of(self.attributes)

    @property
    def callback(self) -> str | None:
        """Where it is announced."""
        url = self.attributes.get("callback")
        return url if isinstance(url, str) else None

    def uses(self, tune_id: int) -> bool:
        """Tell whether a tune is one of its own or its base model."""
        return tune_id == self.tune_id or tune_id in self.tune_ids


@dataclass(frozen=True, kw_only=True)
class Order:
    """A run of a pack that composes several tunes."""

    id: int
    tune_ids: tuple[int, ...]
    total_cost_mc: int


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """A callback to be sent when it is due.

    Attributes
    ----------
    event : str
        ``"tune"``, ``"prompt"`` or ``"prompts"``.
    subjects : tuple of int
        The ids of the tune or prompts that it shows.
    """

    id: int
    due: int
    event: str
    url: str
    subjects: tuple[int, ...]

    def numbered(self, number: int) -> Self:
        """Return it with its id."""
        return replace(self, id=number)


def count_of(attributes: Mapping[str, object]) -> int:
    """Return how many pictures a prompt of these attributes makes."""
    number = attributes.get("num_images")
    return number if isinstance(number, int) else 1
