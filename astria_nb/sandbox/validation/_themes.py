"""The rules of `POST /themes`: ten prompts on a theme for each of some tunes."""

from collections.abc import Callable

from astria_nb.sandbox.model import NewPrompt, Plan, TuneRecord
from astria_nb.sandbox.params import casts
from astria_nb.sandbox.validation import _prompt_attributes as prompt_attributes
from astria_nb.sandbox.validation._fields import Fields, shortened

_SCENES = (
    "close-up", "full body", "from the side", "at golden hour", "in soft light", "in black and white",
    "candid", "seated", "walking", "looking away",
)  # fmt: skip


def read_theme(fields: Fields, find_tune: Callable[[int], TuneRecord | None]) -> Plan:
    """Check a request for prompts on a theme.

    Parameters
    ----------
    fields : Fields
        What was sent under `theme`.
    find_tune : callable
        Returns the caller's tune with an id, or None.

    Raises
    ------
    Refusal
        422 with all errors, field → messages.
    """
    theme = fields.required("theme")
    tunes = []
    for value in fields.items("tune_ids"):
        number = casts.integer(value)
        tune = None if number is None else find_tune(number)
        if tune is None:
            fields.add_error("tune_ids", f"{shortened(value)} is not a tune of this account")
        else:
            tunes.append(tune)
    if not fields.items("tune_ids"):
        fields.add_error("tune_ids", "can't be blank")
    prompts = []
    for tune in tunes:
        base = tune.base_tune_id or tune.id
        attributes = prompt_attributes.read(fields, "prompt_attributes", "prompts.", base_tune_id=base)
        attributes.pop("text", None)
        prompts += [
            NewPrompt(text=f"ohwx {tune.name}, {theme}, {scene}", attributes=attributes, tunes=(tune,))
            for scene in _SCENES
        ]
    fields.check()
    return Plan(prompts=tuple(prompts))
