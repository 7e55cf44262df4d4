"""Tunes and prompts as JSON, at a given time."""

from collections.abc import Iterable, Sequence

from astria_nb.sandbox._clock import iso
from astria_nb.sandbox._options import Options
from astria_nb.sandbox.model import LIFETIME, NEVER, Order, Prompt, State, TuneRecord
from astria_nb.sandbox.views._pictures import Drawn, Pictures, Stored

Json = dict[str, object]

PORTRAIT = (896, 1152)
_SIZES = {"1:1": (1024, 1024), "4:5": (896, 1120), "3:4": (864, 1152), "4:3": (1152, 864), "2:3": (832, 1248),
          "3:2": (1248, 832), "9:16": (768, 1360), "16:9": (1360, 768)}  # fmt: skip
_UNSET = dict.fromkeys(
    (
        "cfg_scale",
        "steps",
        "seed",
        "callback",
        "w",
        "h",
        "ar",
        "aspect_ratio",
        "resolution",
        "style",
        "scheduler",
    )
)


class Views:
    """Tunes, prompts and orders as JSON (astria-api, sections 4 and 6)."""

    def __init__(self, url: str, pictures: Pictures, state: State, options: Options) -> None:
        self._url = url
        self._pictures = pictures
        self._state = state
        self._options = options

    def publish_all(self) -> None:
        """Make every picture available at its URL, also those that were published before a restart."""
        for tune in self._state.tunes():
            self._orig_images(tune)
        for prompt in self._state.prompts():
            self._images(prompt)

    def publish(self, tune: TuneRecord) -> None:
        """Make a tune's images, and the pictures made with it, available for as long as it is kept."""
        self._orig_images(tune)
        for prompt in self._state.prompts(tune.id):
            self._images(prompt)

    def created_tune(self, tune: TuneRecord, now: int) -> Json:
        """Return a tune as in the reply to a pack run."""
        trained = tune.is_trained(now)
        body: Json = {
            "id": tune.id,
            "title": tune.title,
            "name": tune.name,
            "eta": iso(tune.ends_at),
            "trained_at": iso(tune.ends_at) if trained else None,
            "started_training_at": iso(tune.starts_at) if tune.starts_at <= now else None,
            "expires_at": iso(tune.expires_at(now)) if trained and not tune.is_base else None,
            "created_at": iso(tune.created_at),
            "updated_at": iso(_latest(now, tune.created_at, tune.updated_at, tune.starts_at, tune.ends_at)),
            "url": f"{self._url}/tunes/{tune.id}.json",
            "orig_images": self._orig_images(tune),
        }
        if self._options.failed_tune == "failed_at" and tune.has_failed(now):
            body["failed_at"] = iso(tune.ends_at)
        return body

    def tune(self, tune: TuneRecord, now: int) -> Json:
        """Return a tune as `/tunes` shows it."""
        body = self.created_tune(tune, now) | {
            "token": tune.token,
            "base_tune_id": tune.base_tune_id,
            "model_type": tune.model_type,
            "args": None,
            "steps": tune.steps,
            "face_crop": tune.face_crop,
            "training_face_correct": tune.training_face_correct,
            "branch": tune.branch,
            "ckpt_url": None,
            "ckpt_urls": [],
            "is_api": True,
            "callback": tune.callback,
        }
        if self._options.tune_fields == "record":
            failed = tune.has_failed(now)
            body |= {
                "characteristics": dict(tune.characteristics),
                "prompts_callback": tune.prompts_callback,
                "base_pack_id": tune.base_pack_id,
                "auto_extend": tune.auto_extend,
                "cost_mc": 0 if failed else tune.cost_mc,
                "failed_at": iso(tune.ends_at) if failed else None,
            }
        return body

    def prompt(self, prompt: Prompt, now: int) -> Json:
        """Return a prompt; its `tune_id` may be the base model, and `tunes` lists the trained ones."""
        ended = prompt.ends_at <= now
        done = ended and prompt.user_error is None
        tunes = [tune for tune_id in prompt.tune_ids if (tune := self._state.own_tune(tune_id))]
        return {
            "id": prompt.id,
            "text": prompt.text,
            "negative_prompt": "",
            "tune_id": prompt.tune_id,
            **_UNSET,
            "num_images": 1,
            **prompt.attributes,
            "created_at": iso(prompt.created_at),
            "updated_at": iso(_latest(now, prompt.created_at, prompt.starts_at, prompt.ends_at)),
            "started_training_at": iso(prompt.starts_at) if prompt.starts_at <= now else None,
            "trained_at": iso(prompt.ends_at) if done else None,
            "url": f"{self._url}/tunes/{prompt.tune_id}/prompts/{prompt.id}.json",
            "images": self._images(prompt) if done else [],
            "user_error": prompt.user_error if ended else None,
            "is_api": True,
            "liked": prompt.liked,
            "prompt_likes_count": int(prompt.liked),
            "pack_id": None,
            "base_pack_id": prompt.base_pack_id,
            "orig_prompt_id": prompt.orig_prompt_id,
            "order_id": prompt.order_id,
            "cost_mc": prompt.cost_mc,
            "tunes": [{"id": tune.id, "title": tune.title, "name": tune.name} for tune in tunes],
        }

    def order(self, order: Order, prompts: Sequence[Prompt]) -> Json:
        """Return the reply to a run of a multi pack."""
        body = {"id": order.id, "tune_ids": list(order.tune_ids), "total_cost_mc": order.total_cost_mc}
        return {"status": 201, "order": body, "prompt_ids": [prompt.id for prompt in prompts]}

    def _orig_images(self, tune: TuneRecord) -> list[str]:
        until = _kept_until(tune)
        urls = [
            self._pictures.publish(
                f"image/{tune.id}/{number}", Stored(upload.path, upload.content_type), until
            )
            for number, upload in enumerate(tune.images)
        ]
        return [*urls, *tune.image_urls]

    def _images(self, prompt: Prompt) -> Iterable[str]:
        training = tuple(upload.path for upload in prompt.training)
        attributes = prompt.attributes
        ratio = str(attributes.get("aspect_ratio") or attributes.get("ar"))
        width, height = _SIZES.get(ratio, PORTRAIT)
        width, height = _int_or(attributes.get("w"), width), _int_or(attributes.get("h"), height)
        seed = _int_or(attributes.get("seed"), prompt.id)
        tunes = filter(None, map(self._state.own_tune, prompt.tune_ids))
        until = max([prompt.ends_at + LIFETIME, *map(_kept_until, tunes)])
        return [
            self._pictures.publish(
                f"prompt/{prompt.id}/{number}",
                Drawn(training, prompt.text, seed + number, width, height),
                until,
            )
            for number in range(prompt.num_images)
        ]


def _kept_until(tune: TuneRecord) -> int:
    return NEVER if tune.auto_extend else max(tune.ends_at + LIFETIME, tune.kept_until)


def _latest(now: int, created_at: int, *moments: int) -> int:
    """Return the latest of the times that are not in the future."""
    return max([created_at, *(at for at in moments if at <= now)])


def _int_or(value: object, default: int) -> int:
    return value if isinstance(value, int) else default
