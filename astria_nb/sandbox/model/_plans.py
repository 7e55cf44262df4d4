"""The content of a valid request: a tune to train, prompts to make, or both."""

from collections.abc import Mapping
from dataclasses import dataclass

from astria_nb.sandbox.model._records import NewTune, TuneRecord
from astria_nb.sandbox.uploads import Upload


@dataclass(frozen=True, kw_only=True)
class NewPrompt:
    """A prompt to make.

    Attributes
    ----------
    text : str
        The text, without the mentions of the tunes that it uses.
    tunes : tuple of TuneRecord
        The tunes that it uses; if empty, the one that is trained by the same request.
    tune_id : int or None
        The tune that it was posted to; None if that follows from `tunes`.
    images, image_fields : tuple
        Files to start from, and the field of each, such as ``input_image``.
    """

    text: str
    attributes: Mapping[str, object]
    tunes: tuple[TuneRecord, ...] = ()
    tune_id: int | None = None
    base_pack_id: int | None = None
    orig_prompt_id: int | None = None
    images: tuple[Upload, ...] = ()
    image_fields: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A valid request.

    Attributes
    ----------
    prompts_callback : str or None
        The URL to call when all its prompts are done.
    is_order : bool
        Whether its prompts combine several tunes and are billed together.
    service_url : str
        The address of the service that the request was sent to, which its callbacks show.
    """

    tune: NewTune | None = None
    prompts: tuple[NewPrompt, ...] = ()
    prompts_callback: str | None = None
    is_order: bool = False
    service_url: str = ""
