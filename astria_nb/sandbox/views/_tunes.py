"""Tunes and orders as JSON, at a given time (astria-api, sections 4, 6 and 16)."""

from collections.abc import Sequence

from astria_nb.sandbox._clock import SECOND, iso
from astria_nb.sandbox._options import Options
from astria_nb.sandbox.model import Order, Prompt, State, TuneRecord, base_branch
from astria_nb.sandbox.views._address import Address
from astria_nb.sandbox.views._pictures import Pictures, Stored
from astria_nb.sandbox.views._prompts import Json, PromptViews, kept_until, latest

_RERUN = 90 * SECOND
"""How long after its training a tune is started once more, with ``training_times="rerun"``."""
SHORT_TUNE = (
    "id", "title", "name", "steps", "trained_at", "started_training_at", "created_at", "updated_at",
    "expires_at",
)  # fmt: skip
"""The fields of a tune in a callback."""


class Views(PromptViews):
    """Tunes, prompts and orders as JSON."""

    def __init__(self, address: Address, pictures: Pictures, state: State, options: Options) -> None:
        super().__init__(address, pictures, state, options)
        self._options = options

    def publish_all(self) -> None:
        """Make every picture available at its URL, also those that were published before a restart."""
        for tune in self._state.tunes():
            self._orig_images(tune)
        for prompt in self._state.prompts():
            self.images(prompt)
            self._inputs(prompt)

    def publish(self, tune: TuneRecord) -> None:
        """Make a tune's images, and the pictures made with it, available for as long as it is kept."""
        self._orig_images(tune)
        for prompt in self._state.prompts(tune.id):
            self.images(prompt)

    def created_tune(self, tune: TuneRecord, now: int) -> Json:
        """Return a tune as in the reply to a pack run."""
        trained, starts_at = tune.is_trained(now), tune.starts_at
        if trained and self._options.training_times == "rerun":
            starts_at = tune.ends_at + _RERUN
        body: Json = {
            "id": tune.id,
            "title": tune.title,
            "name": tune.name,
            "eta": iso(tune.ends_at),
            "trained_at": iso(tune.ends_at) if trained else None,
            "started_training_at": iso(starts_at) if tune.starts_at <= now else None,
            "expires_at": iso(tune.expires_at(now)) if trained and not tune.is_base else None,
            "created_at": iso(tune.created_at),
            "updated_at": iso(latest(now, tune.created_at, tune.updated_at, tune.starts_at, tune.ends_at)),
            "url": f"{self._address.url}/tunes/{tune.id}.json",
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
            "branch": tune.branch or base_branch(tune),
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

    def order(self, order: Order, prompts: Sequence[Prompt]) -> Json:
        """Return the reply to a run of a multi pack; the newest prompt comes first."""
        body = {"id": order.id, "tune_ids": list(order.tune_ids), "total_cost_mc": order.total_cost_mc}
        prompt_ids = sorted((prompt.id for prompt in prompts), reverse=True)
        return {"status": 201, "order": body, "prompt_ids": prompt_ids}

    def _orig_images(self, tune: TuneRecord) -> list[str]:
        until = kept_until(tune)
        urls = [
            self._pictures.publish(
                f"image/{tune.id}/{number}", Stored(upload.path, upload.content_type), until
            )
            for number, upload in enumerate(tune.images)
        ]
        return [*urls, *tune.image_urls]
