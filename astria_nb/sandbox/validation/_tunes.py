"""The rules of `POST /tunes`, of a tune's changes, and of `POST /tunes/:id/prompts`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from astria_nb.sandbox._options import Options
from astria_nb.sandbox.model import (
    BASE_TUNE_ID,
    TRAINING_MC,
    NewPrompt,
    NewTune,
    Plan,
    Prompt,
    TuneRecord,
    branch_of,
)
from astria_nb.sandbox.params import Params
from astria_nb.sandbox.uploads import Upload
from astria_nb.sandbox.validation import _prompt_attributes as prompt_attributes
from astria_nb.sandbox.validation import _prompt_images as prompt_images
from astria_nb.sandbox.validation._fields import Fields
from astria_nb.sandbox.validation._pack_run import PRESETS

MODEL_TYPES = ("lora", "pti", "faceid")
_MAX_ID = 2**53
_LORA = re.compile(r"<(?:lora|faceid):(\d{1,15}):[^<>]*>")


def read_tune(fields: Fields) -> Plan:
    """Check a request to train without a pack.

    Raises
    ------
    Refusal
        422 with all errors, field → messages.
    """
    title, name = fields.required("title"), fields.required("name").strip()
    fields.check_enough_images()
    branch = fields.choice("branch", ("fast", "sd15", "sdxl1", "flux1"))
    base_tune_id = fields.integer("base_tune_id", 1, _MAX_ID) or BASE_TUNE_ID
    model_type = fields.choice("model_type", MODEL_TYPES)
    is_faceid = model_type == "faceid"
    new = NewTune(
        title=title,
        name=name,
        base_tune_id=base_tune_id,
        model_type=model_type,
        token=None if is_faceid else fields.text("token") or "ohwx",
        preset=fields.choice("preset", PRESETS),
        branch=branch or branch_of(base_tune_id),
        is_mock=branch == "fast",
        steps=fields.integer("steps", 1, 100_000),
        face_crop=False if is_faceid else fields.optional_flag("face_crop"),
        training_face_correct=fields.optional_flag("training_face_correct"),
        images=fields.images(),
        image_urls=fields.image_urls(),
        characteristics=fields.strings("characteristics"),
        callback=fields.text("callback"),
        prompts_callback=fields.text("prompts_callback"),
        auto_extend=fields.flag("auto_extend"),
        cost_mc=0 if branch == "fast" else TRAINING_MC,
    )
    items = fields.items("prompts_attributes", by_index=True)
    prompts = [prompt for item in items if (prompt := _nested(fields, item, base_tune_id))]
    fields.check()
    return Plan(tune=new, prompts=tuple(prompts), prompts_callback=new.prompts_callback)


def read_changes(fields: Fields) -> Mapping[str, Any]:
    """Return the changes that a request makes to a tune: field of `TuneRecord` → value."""
    changes: dict[str, Any] = {}
    for field in ("title", "name"):
        if field in fields:
            changes[field] = fields.required(field)
    if "auto_extend" in fields:
        changes["auto_extend"] = fields.flag("auto_extend")
    if "characteristics" in fields:
        changes["characteristics"] = fields.strings("characteristics")
    fields.check()
    return changes


def read_prompt(
    fields: Fields, tune: TuneRecord, find_tune: Callable[[int], TuneRecord | None], options: Options
) -> Plan:
    """Check a request for a prompt of a tune, or of a base model with tunes that its text mentions.

    Mentions of tunes that do not belong to the caller are ignored.
    """
    text, images, image_fields, addresses = _text_and_images(fields)
    attributes = _without_text(prompt_attributes.read(fields, base_tune_id=tune.base_tune_id or tune.id))
    tunes = {} if tune.is_base else {tune.id: tune}
    for tune_id in map(int, _LORA.findall(text)):
        if mentioned := find_tune(tune_id):
            tunes[tune_id] = mentioned
    fields.check()
    posted_to = tune.id if tune.is_base or options.prompt_tune_id == "posted" else tune.shown_tune_id
    prompt = NewPrompt(
        text=text,
        attributes=attributes | addresses,
        tunes=tuple(tunes.values()),
        tune_id=posted_to,
        base_pack_id=fields.integer("base_pack_id", 1, _MAX_ID),
        images=images,
        image_fields=image_fields,
    )
    return Plan(prompts=(prompt,))


def read_copy(fields: Fields, prompt: Prompt, tune: TuneRecord, tunes: tuple[TuneRecord, ...]) -> Plan:
    """Check a request to make a prompt again, in which each field that is sent replaces the prompt's.

    Parameters
    ----------
    fields : Fields
        What was sent under `prompt`.
    prompt : Prompt
        The prompt to make again.
    tune : TuneRecord
        The tune that it shows, which decides what is allowed.
    tunes : tuple of TuneRecord
        Those that it uses.
    """
    images, image_fields, addresses = prompt_images.read(fields)
    changes = _without_text(prompt_attributes.read(fields, base_tune_id=tune.base_tune_id or tune.id))
    fields.check()
    copy = NewPrompt(
        text=fields.text("text") or prompt.text,
        attributes={**prompt.attributes, **changes, **addresses},
        tunes=tunes,
        tune_id=prompt.tune_id,
        base_pack_id=prompt.base_pack_id,
        orig_prompt_id=prompt.orig_prompt_id,
        images=images or prompt.images,
        image_fields=image_fields or prompt.image_fields,
    )
    return Plan(prompts=(copy,))


def read_prompt_changes(fields: Fields) -> Callable[[Prompt], Prompt]:
    """Return what a request changes in a prompt: packs, workspace and whether it is shared."""
    changes: dict[str, object] = {
        name: fields.integer(name, 1, _MAX_ID) for name in ("pack_id", "workspace_id") if name in fields
    }
    if "community" in fields:
        changes["community"] = fields.flag("community")
    base_pack_id = fields.integer("base_pack_id", 1, _MAX_ID)
    fields.check()

    def change(prompt: Prompt) -> Prompt:
        pack_id = base_pack_id if "base_pack_id" in fields else prompt.base_pack_id
        return replace(prompt, attributes={**prompt.attributes, **changes}, base_pack_id=pack_id)

    return change


def _nested(fields: Fields, sent: object, base_tune_id: int) -> NewPrompt | None:
    """Return one prompt of `prompts_attributes`."""
    if not isinstance(sent, dict) or not sent:
        fields.add_error("prompts_attributes", "must be an array of objects")
        return None
    params: Params = {"prompt": sent}
    prompt = Fields(params, "prompt", fields.options)
    text, images, image_fields, addresses = _text_and_images(prompt)
    attributes = _without_text(prompt_attributes.read(prompt, base_tune_id=base_tune_id))
    prompt.report_to(fields, "prompts.")
    return NewPrompt(text=text, attributes=attributes | addresses, images=images, image_fields=image_fields)


def _text_and_images(
    fields: Fields,
) -> tuple[str, tuple[Upload, ...], tuple[str, ...], dict[str, object]]:
    """Return the text of a prompt, and its images as `prompt_images.read` does.

    The text may be blank if there is an image to start from, or a description of a video with images of what
    it shows (astria-api, section 16).
    """
    images, image_fields, addresses = prompt_images.read(fields)
    sent = {*image_fields, *addresses}
    has_input = "input_image" in sent or ("image_references" in sent and fields.text("video_prompt"))
    text = fields.text("text") or "" if has_input else fields.required("text")
    return text, images, image_fields, addresses


def _without_text(attributes: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in attributes.items() if key != "text"}
