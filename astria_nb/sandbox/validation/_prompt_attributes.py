"""The attributes that a request may set in a prompt, or override in each prompt of a run."""

from astria_nb.sandbox.model import is_flux
from astria_nb.sandbox.params import Params, casts
from astria_nb.sandbox.validation._fields import Fields

_WHOLE = {
    "num_images": (1, 8),
    "seed": (0, 2**32),
    "steps": (0, 50),
    "w": (128, 2048),
    "h": (128, 2048),
    "workspace_id": (1, 2**53),
    "pack_id": (1, 2**53),
    "video_duration": (1, 60),
}
_FRACTION = ("denoising_strength", "controlnet_conditioning_scale")
_TEXT = (
    "text", "callback", "ar", "aspect_ratio", "resolution", "style", "scheduler", "color_grading",
    "controlnet", "backend_version", "theme", "video_model", "video_prompt",
)  # fmt: skip
_BOOLEAN = (
    "super_resolution", "inpaint_faces", "face_correct", "face_swap", "hires_fix", "film_grain",
    "use_lpw", "prompt_expansion", "controlnet_txt2img", "only_upscale", "tiled_upscale", "is_multiperson",
    "community", "generate_audio",
)  # fmt: skip


def read(
    fields: Fields,
    key: str | None = None,
    prefix: str = "",
    *,
    base_tune_id: int | None,
) -> dict[str, object]:
    """Return the attributes of a prompt.

    Parameters
    ----------
    fields : Fields
        The fields that contain them.
    key : str, optional
        The field that holds them as an object; by default they are the fields themselves.
    prefix : str
        Prepended to the names of fields in error messages.
    base_tune_id : int or None
        The base model, which decides what is allowed.

    Notes
    -----
    Unknown attributes are dropped, as by strong parameters. On Flux, and only there, `cfg_scale` must be less
    than 5 and `negative_prompt` is not supported (astria-api, sections 8 and 16).
    """
    sent = fields.sent if key is None else fields.sent.get(key)
    if sent is None or sent == "":
        return {}
    if not isinstance(sent, dict):
        fields.add_error(str(key), "must be an object")
        return {}
    attributes: dict[str, object] = {}
    for name, value in sent.items():
        if value is None or value == "":
            continue
        if name in _WHOLE:
            low, high = _WHOLE[name]
            number = casts.integer(value)
            if number is None or not low <= number <= high:
                fields.add_error(prefix + name, f"must be a whole number from {low} to {high}")
            attributes[name] = number
        elif name in _FRACTION:
            fraction = casts.number(value)
            if fraction is None or not 0 <= fraction <= 1:
                fields.add_error(prefix + name, "must be a number from 0 to 1")
            attributes[name] = fraction
        elif name in _TEXT:
            attributes[name] = casts.text(value)
        elif name in _BOOLEAN:
            attributes[name] = casts.boolean(value)
    return attributes | _by_model(sent, prefix, fields, flux=is_flux(base_tune_id))


def _by_model(sent: Params, prefix: str, fields: Fields, *, flux: bool) -> dict[str, object]:
    """Return the attributes whose rules depend on the base model."""
    attributes: dict[str, object] = {}
    if casts.non_blank(sent.get("cfg_scale")):
        scale = casts.number(sent.get("cfg_scale"))
        if scale is None or not 0 <= scale <= 15 or (flux and scale >= 5):
            fields.add_error(
                f"{prefix}cfg_scale", "must be less than 5" if flux else "must be a number from 0 to 15"
            )
        attributes["cfg_scale"] = scale
    if negative := casts.non_blank(sent.get("negative_prompt")):
        if flux:
            fields.add_error(f"{prefix}negative_prompt", "is not supported on Flux")
        attributes["negative_prompt"] = negative
    return attributes
