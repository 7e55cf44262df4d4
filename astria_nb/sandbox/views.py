"""The service's objects as the JSON that clients see, at a given time."""

from collections.abc import Iterable

from .clock import iso
from .options import Options
from .packs import BASE_TUNE_ID, CALLER_ID, PICTURE_MC, Pack
from .pictures import Cover, Drawn, Pictures, Stored
from .records import Prompt, Tune

Json = dict[str, object]

_SIZES = {"1:1": (1024, 1024), "4:5": (896, 1120), "3:4": (864, 1152), "4:3": (1152, 864), "2:3": (832, 1248),
          "3:2": (1248, 832), "9:16": (768, 1360), "16:9": (1360, 768)}  # fmt: skip
_PORTRAIT = (896, 1152)
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
    """Writes tunes, prompts, packs and the account as `astria-api.md` sections 3 and 6 show them."""

    def __init__(self, url: str, pictures: Pictures, options: Options) -> None:
        self._url = url
        self._pictures = pictures
        self._options = options

    def created_tune(self, tune: Tune, now: int) -> Json:
        """Return a tune as the reply to a pack run shows it."""
        started, trained = tune.starts_at <= now, tune.ends_at <= now
        return {
            "id": tune.id,
            "title": tune.run.title,
            "name": tune.run.name,
            "eta": iso(tune.ends_at),
            "trained_at": iso(tune.ends_at) if trained else None,
            "started_training_at": iso(tune.starts_at) if started else None,
            "expires_at": iso(tune.expires_at) if trained else None,
            "created_at": iso(tune.created_at),
            "updated_at": iso(_latest(tune, now)),
            "url": f"https://www.astria.ai/tunes/{tune.id}.json",
            "orig_images": self._orig_images(tune),
        }

    def tune(self, tune: Tune, now: int) -> Json:
        """Return a tune as `/tunes` shows it."""
        run = tune.run
        shown = self.created_tune(tune, now) | {
            "token": "ohwx",
            "base_tune_id": BASE_TUNE_ID,
            "model_type": "lora",
            "args": None,
            "steps": None,
            "face_crop": None,
            "training_face_correct": None,
            "branch": run.branch,
            "ckpt_url": None,
            "ckpt_urls": [],
            "is_api": True,
            "callback": run.callback,
        }
        if self._options.tune_fields == "record":
            shown |= {
                "characteristics": dict(run.characteristics),
                "prompts_callback": run.prompts_callback,
                "base_pack_id": run.pack.id,
                "auto_extend": run.auto_extend,
                "cost_mc": tune.cost_mc,
                "failed_at": None,
            }
        return shown

    def prompt(self, prompt: Prompt, now: int) -> Json:
        """Return a prompt; its `tune_id` is the base model, and `tunes` holds the trained one."""
        started, done = prompt.starts_at <= now, prompt.ends_at <= now
        attributes = {name: value for name, value in prompt.run.attributes.items() if name != "text"}
        return {
            "id": prompt.id,
            "text": prompt.text,
            "negative_prompt": "",
            "tune_id": BASE_TUNE_ID,
            **_UNSET,
            "num_images": 1,
            **attributes,
            "created_at": iso(prompt.created_at),
            "updated_at": iso(_latest(prompt, now)),
            "started_training_at": iso(prompt.starts_at) if started else None,
            "trained_at": iso(prompt.ends_at) if done else None,
            "url": f"{self._url}/tunes/{BASE_TUNE_ID}/prompts/{prompt.id}.json",
            "images": self._images(prompt) if done else [],
            "user_error": None,
            "is_api": True,
            "liked": False,
            "pack_id": None,
            "base_pack_id": prompt.run.pack.id,
            "orig_prompt_id": prompt.template.id,
            "cost_mc": PICTURE_MC * prompt.run.num_images,
            "tunes": [{"id": prompt.tune.id, "title": prompt.tune.run.title, "name": prompt.tune.run.name}],
        }

    def pack_row(self, pack: Pack) -> Json:
        """Return a pack as lists show it."""
        return self._pack(pack) | self._prices(pack, in_list=True)

    def pack_detail(self, pack: Pack) -> Json:
        """Return a pack as `GET /p/:id` shows it."""
        detail = self._pack(pack) | self._prices(pack, in_list=False)
        detail["prompts_per_class"] = {
            name: [
                {"id": template.id, "images": [self._sample(template.id, template.text)]}
                for template in of_class
            ]
            for name, of_class in ((name, pack.of_class(name)) for name in pack.classes)
        }
        if self._options.price_shape == "2026":
            detail["template_prompts"] = [{"id": t.id, "cost_mc": PICTURE_MC} for t in pack.templates]
        return detail

    def user(self, balance_mc: int) -> Json:
        """Return the account."""
        return {
            "id": CALLER_ID,
            "name": "Sandbox",
            "email": "sandbox@example.com",
            "usd_balance_mc": balance_mc,
            "auto_extend_tunes": False,
        }

    def _pack(self, pack: Pack) -> Json:
        public_at = None if pack.public_at is None else iso(pack.public_at)
        return {
            "id": pack.id,
            "slug": pack.slug,
            "title": pack.title,
            "base_tune_id": BASE_TUNE_ID,
            "user_id": pack.user_id,
            "token": "ohwx",
            "multiplier": 1,
            "model_type": "lora",
            "main_class_name": pack.classes[0],
            "public_at": public_at,
            "unlisted_at": None if pack.unlisted_at is None else iso(pack.unlisted_at),
            "created_at": iso(pack.created_at),
            "updated_at": public_at or iso(pack.created_at),
            "cover_url": self._pictures.publish(f"cover/{pack.id}", Cover(pack.title, pack.classes, pack.id)),
        }

    def _prices(self, pack: Pack, *, in_list: bool) -> Json:
        shape = self._options.price_shape
        if shape == "2024" or (shape == "2025" and in_list):
            return {"cost_mc_hash": dict(pack.prices)}
        unit, millicents = ("cost", 1_000) if shape == "2025" else ("cost_mc", 1)
        return {
            "costs": {
                name: {unit: price // millicents, "num_images": len(pack.of_class(name))}
                for name, price in pack.prices.items()
            }
        }

    def _sample(self, template_id: int, text: str) -> str:
        return self._pictures.publish(f"template/{template_id}", Drawn((), text, template_id, *_PORTRAIT))

    def _orig_images(self, tune: Tune) -> list[str]:
        uploads = enumerate(tune.run.images)
        stored = [
            self._pictures.publish(f"image/{tune.id}/{number}", Stored(upload.path, upload.content_type))
            for number, upload in uploads
        ]
        return [*stored, *tune.run.image_urls]

    def _images(self, prompt: Prompt) -> Iterable[str]:
        training = tuple(upload.path for upload in prompt.tune.run.images)
        sent = prompt.run.attributes
        width, height = _SIZES.get(str(sent.get("aspect_ratio") or sent.get("ar")), _PORTRAIT)
        width, height = _whole(sent.get("w"), width), _whole(sent.get("h"), height)
        seed = _whole(sent.get("seed"), prompt.id)
        return [
            self._pictures.publish(
                f"prompt/{prompt.id}/{number}", Drawn(training, prompt.text, seed + number, width, height)
            )
            for number in range(prompt.run.num_images)
        ]


def _latest(record: Tune | Prompt, now: int) -> int:
    """Return the last time at which something happened to a record."""
    return max(
        at
        for at in (record.created_at, record.starts_at, record.ends_at)
        if at <= max(now, record.created_at)
    )


def _whole(value: object, default: int) -> int:
    return value if isinstance(value, int) else default
