"""JSON without its wrapper: what Rails' `wrap_parameters` makes of it."""

from astria_nb.sandbox.params._tree import Params

_COLUMNS = {
    "tune": (
        "title", "name", "callback", "prompts_callback", "characteristics", "preset", "branch",
        "base_tune_id", "model_type", "token", "steps", "face_crop", "training_face_correct", "auto_extend",
        "prompts_attributes",
    ),
    "prompt": (
        "text", "negative_prompt", "callback", "tune_id", "cfg_scale", "num_images", "seed", "steps", "w",
        "h", "denoising_strength", "controlnet_conditioning_scale", "ar", "aspect_ratio", "resolution",
        "style", "scheduler", "color_grading", "controlnet", "backend_version", "super_resolution",
        "inpaint_faces", "face_correct", "face_swap", "hires_fix", "film_grain", "use_lpw",
        "prompt_expansion",
        "controlnet_txt2img", "only_upscale", "tiled_upscale", "is_multiperson", "community", "workspace_id",
        "pack_id", "base_pack_id", "theme", "video_prompt", "video_model",
    ),
    "theme": ("theme",),
    "pack": ("title", "subtitle", "base_tune_id", "model_type"),
}  # fmt: skip


def wrapped(body: Params, wrapper: str) -> Params:
    """Return the content of the wrapper's object: the columns of its table.

    Files, addresses, ids of tunes and overrides of prompts are not columns, so they are lost.

    Examples
    --------
    >>> wrapped({"title": "t", "image_urls": ["https://example.com/1.jpg"]}, "tune")
    {'title': 't'}
    """
    return {name: body[name] for name in _COLUMNS[wrapper] if name in body}
