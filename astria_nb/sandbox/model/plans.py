"""What a valid request asks for: a tune to train, prompts to make, or both."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from astria_nb.sandbox.model.packs import BASE_TUNE_ID
from astria_nb.sandbox.model.records import Tune
from astria_nb.sandbox.uploads.spool import Upload


@dataclass(frozen=True, kw_only=True)
class NewTune:
    """A tune to train; its fields are those of `Tune` that a request decides."""

    title: str
    name: str
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


@dataclass(frozen=True, kw_only=True)
class NewPrompt:
    """A prompt to make.

    Attributes
    ----------
    text : str
        Without the mention of the tunes that it uses.
    tunes : tuple of Tune
        What it uses; when empty, the tune that is trained with it.
    tune_id : int or None
        The tune that it was posted to; None when that is for the tunes that it uses to say.
    """

    text: str
    attributes: Mapping[str, object]
    tunes: tuple[Tune, ...] = ()
    tune_id: int | None = None
    base_pack_id: int | None = None
    orig_prompt_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A request that was found valid.

    Attributes
    ----------
    prompts_callback : str or None
        Where to announce that all its prompts are done.
    is_order : bool
        Whether its prompts compose several tunes and are billed together.
    """

    tune: NewTune | None = None
    prompts: tuple[NewPrompt, ...] = ()
    prompts_callback: str | None = None
    is_order: bool = False
