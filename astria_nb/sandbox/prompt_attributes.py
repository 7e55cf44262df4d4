"""What `prompt_attributes` may override in each prompt of a run."""

from collections.abc import Mapping

from . import casts
from .params import Param

_WHOLE = {
    "num_images": (1, 8),
    "seed": (0, 2**32 - 1),
    "steps": (1, 100),
    "w": (128, 2048),
    "h": (128, 2048),
}
_TEXT = (
    "text", "callback", "ar", "aspect_ratio", "resolution", "style", "scheduler", "color_grading",
)  # fmt: skip
_BOOLEAN = (
    "super_resolution", "inpaint_faces", "face_correct", "face_swap", "hires_fix", "film_grain",
    "use_lpw", "prompt_expansion",
)  # fmt: skip


def read(sent: Param) -> tuple[dict[str, object], dict[str, list[str]]]:
    """Return the attributes of a request and what is wrong with them, field → messages.

    Notes
    -----
    Unknown attributes are dropped, as strong parameters do. That `cfg_scale` must be less than 5 and
    `negative_prompt` is unsupported on Flux: `astria-api.md` section 8.
    """
    if sent is None or sent == "":
        return {}, {}
    if not isinstance(sent, dict):
        return {}, {"prompt_attributes": ["must be an object"]}
    errors: dict[str, list[str]] = {}
    attributes: dict[str, object] = {}
    for name, value in sent.items():
        if value is None or value == "":
            continue
        if name in _WHOLE:
            low, high = _WHOLE[name]
            found = casts.whole(value)
            if found is None or not low <= found <= high:
                errors[f"prompts.{name}"] = [f"must be a whole number from {low} to {high}"]
            attributes[name] = found
        elif name in _TEXT:
            attributes[name] = casts.text(value)
        elif name in _BOOLEAN:
            attributes[name] = casts.boolean(value)
    errors |= _flux_errors(sent)
    if (scale := casts.number(sent.get("cfg_scale"))) is not None:
        attributes["cfg_scale"] = scale
    return attributes, errors


def _flux_errors(sent: Mapping[str, Param]) -> dict[str, list[str]]:
    errors = {}
    scale = casts.number(sent.get("cfg_scale"))
    if casts.filled(sent.get("cfg_scale")) and (scale is None or not 0 <= scale < 5):
        errors["prompts.cfg_scale"] = ["must be less than 5"]
    if casts.filled(sent.get("negative_prompt")):
        errors["prompts.negative_prompt"] = ["is not supported on Flux"]
    return errors
