"""Records of tunes, prompts, orders and callbacks. All times are milliseconds since 1970, in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from astria_nb.sandbox._clock import DAY
from astria_nb.sandbox.model._packs import BASE_TUNE_ID, CALLER_ID
from astria_nb.sandbox.uploads import Upload

LIFETIME = 30 * DAY
"""How long models, training images and pictures are kept."""
NEVER = 2**62
"""Sentinel: the time of an event that never happens."""


@dataclass(frozen=True, kw_only=True)
class NewTune:
    """A tune to train: the fields that a request sets.

    Attributes
    ----------
    is_mock : bool
        Whether it is a free mock run, whose pictures do not show the subject.
    """

    title: str
    name: str | None
    base_tune_id: int | None = BASE_TUNE_ID
    base_pack_id: int | None = None
    model_type: str | None = "lora"
    token: str | None = "ohwx"  # noqa: S105 - the word for the subject in a prompt
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


@dataclass(frozen=True, kw_only=True)
class TuneRecord(NewTune):
    """A tune; when its training starts and ends is determined when it is created.

    Attributes
    ----------
    kind : str
        The name of this kind of record in storage.
    updated_at : int
        When its owner last changed it.
    fails : bool
        Whether it fails at `ends_at` instead of being trained.
    kept_until : int
        Until when it was extended before `auto_extend` was last changed; 0 if it never was.
    """

    kind: ClassVar[str] = "Tune"

    id: int
    created_at: int
    updated_at: int
    starts_at: int
    ends_at: int
    user_id: int = CALLER_ID
    fails: bool = False
    kept_until: int = 0

    @property
    def is_base(self) -> bool:
        """Whether it is one of the service's own models."""
        return self.base_tune_id is None

    @property
    def is_checkpoint(self) -> bool:
        """Whether it is a complete model, not an adapter of its base model."""
        return self.model_type not in ("lora", "faceid")

    @property
    def shown_tune_id(self) -> int:
        """The `tune_id` that its prompts show."""
        return self.id if self.is_checkpoint or self.base_tune_id is None else self.base_tune_id

    def is_trained(self, now: int) -> bool:
        """Return whether its training has succeeded."""
        return self.ends_at <= now and not self.fails

    def has_failed(self, now: int) -> bool:
        """Return whether its training has failed."""
        return self.ends_at <= now and self.fails

    def expires_at(self, now: int) -> int:
        """Return when its files are deleted: 30 days after training, extended in steps of 30 days."""
        first = max(self.ends_at + LIFETIME, self.kept_until)
        months = max(0, now - first) // LIFETIME + 1 if self.auto_extend and now >= first else 0
        return first + months * LIFETIME

    def months_kept(self, now: int) -> int:
        """Return how often it was extended."""
        return (self.expires_at(now) - self.ends_at) // LIFETIME - 1


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A prompt, which makes one or more pictures.

    Attributes
    ----------
    tune_id : int
        The tune that the API shows; for a LoRA that is the base model.
    tune_ids : tuple of int
        The account's tunes that it uses.
    attributes : mapping
        Its settings, such as ``num_images`` and ``seed``.
    training : tuple of Upload
        The images that its tunes were trained from; they may outlive the tunes.
    user_error : str or None
        Why it fails at `ends_at`; None if it succeeds.
    images, image_fields : tuple
        Files that it starts from, and the field of each, such as ``input_image``.
    """

    kind: ClassVar[str] = "Prompt"

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
    images: tuple[Upload, ...] = ()
    image_fields: tuple[str, ...] = ()

    @property
    def num_images(self) -> int:
        """How many pictures it makes."""
        return picture_count(self.attributes)

    @property
    def callback(self) -> str | None:
        """The URL to call when it is done."""
        url = self.attributes.get("callback")
        return url if isinstance(url, str) else None

    def uses(self, tune_id: int) -> bool:
        """Return whether it uses a tune, or shows it as its own."""
        return tune_id == self.tune_id or tune_id in self.tune_ids


@dataclass(frozen=True, kw_only=True)
class Order:
    """A run of a pack that combines several tunes."""

    kind: ClassVar[str] = "Order"

    id: int
    tune_ids: tuple[int, ...]
    total_cost_mc: int


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """A callback to send when it is due.

    Attributes
    ----------
    event : str
        ``"tune"``, ``"prompt"`` or ``"prompts"``.
    subjects : tuple of int
        The ids of the tune or prompts that it reports.
    service_url : str
        The address of the service that the request was sent to; empty for the sandbox's own.
    """

    kind: ClassVar[str] = "Announcement"

    id: int
    due: int
    event: str
    url: str
    subjects: tuple[int, ...]
    service_url: str = ""


def picture_count(attributes: Mapping[str, object]) -> int:
    """Return how many pictures a prompt with these attributes makes."""
    number = attributes.get("num_images")
    return number if isinstance(number, int) else 1
