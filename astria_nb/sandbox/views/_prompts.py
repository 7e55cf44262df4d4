"""Prompts as JSON, at a given time (astria-api, sections 6 and 16)."""

from collections.abc import Mapping

from astria_nb.sandbox._clock import SECOND, iso
from astria_nb.sandbox._options import Options
from astria_nb.sandbox.model import LIFETIME, NEVER, Prompt, State, TuneRecord
from astria_nb.sandbox.views._address import Address
from astria_nb.sandbox.views._pictures import Clip, Drawn, Pictures, PictureSource, Stored

Json = dict[str, object]

PORTRAIT = (896, 1152)
_SIZES = {"1:1": (1024, 1024), "4:5": (896, 1120), "3:4": (864, 1152), "4:3": (1152, 864), "2:3": (832, 1248),
          "3:2": (1248, 832), "9:16": (768, 1360), "16:9": (1360, 768)}  # fmt: skip
_UNSET: Mapping[str, object] = {
    **dict.fromkeys(
        (
            "cfg_scale", "steps", "seed", "callback", "w", "h", "aspect_ratio", "resolution", "style",
            "scheduler", "controlnet_conditioning_scale", "denoising_strength", "input_image", "mask_image",
            "pack_id", "workspace_id",
        )
    ),
    "negative_prompt": "",
    "super_resolution": False,
    "controlnet_txt2img": False,
    "community": False,
    "ar": "1:1",
    "num_images": 1,
}  # fmt: skip
"""What a prompt shows of each setting that was not sent."""
SHORT_PROMPT = (
    "id", "text", "negative_prompt", "steps", "tune_id", "trained_at", "started_training_at", "created_at",
    "updated_at", "images",
)  # fmt: skip
"""The fields of a prompt in a callback."""


class PromptViews:
    """Prompts as JSON, and their pictures."""

    def __init__(self, address: Address, pictures: Pictures, state: State, options: Options) -> None:
        self._address = address
        self._pictures = pictures
        self._state = state
        self._redirects = options.picture_addresses == "redirect"

    def prompt(self, prompt: Prompt, now: int) -> Json:
        """Return a prompt; its `tune_id` may be the base model, and `tunes` lists the trained ones."""
        has_begun, ended = prompt.starts_at <= now, prompt.ends_at <= now
        done = ended and prompt.user_error is None
        tunes = [tune for tune_id in prompt.tune_ids if (tune := self._state.own_tune(tune_id))]
        seconds = (prompt.ends_at - prompt.starts_at) / SECOND
        elapsed = (min(now, prompt.ends_at) - prompt.starts_at) / SECOND
        body: Json = {
            "id": prompt.id,
            "text": prompt.text,
            "tune_id": prompt.tune_id,
            **_UNSET,
            **prompt.attributes,
            "created_at": iso(prompt.created_at),
            "updated_at": iso(latest(now, prompt.created_at, prompt.starts_at, prompt.ends_at)),
            "started_training_at": iso(prompt.starts_at) if has_begun else None,
            "trained_at": iso(prompt.ends_at) if ended else None,
            "progress_timing_seconds": seconds if has_begun else None,
            "progress_elapsed_seconds": elapsed if has_begun else None,
            "url": f"{self._address.url}/tunes/{prompt.tune_id}/prompts/{prompt.id}.json",
            "images": self.images(prompt) if done else [],
            "user_error": prompt.user_error if ended else None,
            "is_api": True,
            "liked": prompt.liked,
            "prompt_likes_count": int(prompt.liked),
            "base_pack_id": prompt.base_pack_id,
            "orig_prompt_id": prompt.orig_prompt_id,
            "order_id": prompt.order_id,
            "cost_mc": prompt.cost_mc,
            "tune": {"id": prompt.tune_id},
            "tunes": [{"id": tune.id, "title": tune.title, "name": tune.name} for tune in tunes],
            **self._inputs(prompt),
        }
        if (scale := prompt.attributes.get("cfg_scale")) is not None:
            body["cfg_scale"] = str(scale)
        return body

    def images(self, prompt: Prompt) -> list[str]:
        """Publish the pictures of a prompt, and return their addresses."""
        attributes = prompt.attributes
        ratio = str(attributes.get("aspect_ratio") or attributes.get("ar"))
        width, height = _SIZES.get(ratio, PORTRAIT)
        width, height = _int_or(attributes.get("w"), width), _int_or(attributes.get("h"), height)
        seed = _int_or(attributes.get("seed"), prompt.id)
        training = tuple(upload.path for upload in prompt.training)
        tunes = filter(None, map(self._state.own_tune, prompt.tune_ids))
        until = max([prompt.ends_at + LIFETIME, *map(kept_until, tunes)])
        addresses = []
        for number in range(prompt.num_images):
            drawn = Drawn(training, prompt.text, seed + number, width, height)
            source: PictureSource = Clip(drawn) if attributes.get("video_prompt") else drawn
            suffix = f"{prompt.id}-{number}.{'mp4' if isinstance(source, Clip) else 'jpg'}"
            addresses.append(
                self._pictures.publish(
                    f"prompt/{prompt.id}/{number}", source, until, suffix if self._redirects else None
                )
            )
        # In 2024 they were not in ascending order.
        return [*addresses[-1:], *addresses[:-1]] if self._redirects else addresses

    def _inputs(self, prompt: Prompt) -> Json:
        """Publish the files that a prompt starts from, and return their addresses by field."""
        urls = prompt.attributes.get("image_references")
        inputs: Json = {}
        references = [*urls] if isinstance(urls, list | tuple) else []
        for number, (field, upload) in enumerate(zip(prompt.image_fields, prompt.images, strict=True)):
            source = Stored(upload.path, upload.content_type)
            url = self._pictures.publish(f"input/{prompt.id}/{number}", source, prompt.ends_at + LIFETIME)
            if field == "image_references":
                references.append(url)
            else:
                inputs[field] = url
        return {**inputs, "image_references": references}


def kept_until(tune: TuneRecord) -> int:
    """Return until when a tune's pictures are available."""
    return NEVER if tune.auto_extend else max(tune.ends_at + LIFETIME, tune.kept_until)


def latest(now: int, created_at: int, *moments: int) -> int:
    """Return the latest of the times that are not in the future."""
    return max([created_at, *(at for at in moments if at <= now)])


def _int_or(value: object, default: int) -> int:
    return value if isinstance(value, int) else default
