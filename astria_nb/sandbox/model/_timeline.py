"""When the tunes and prompts of a plan start and end, and whether they succeed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from astria_nb.sandbox._clock import Clock
from astria_nb.sandbox._options import Options
from astria_nb.sandbox.model._packs import BASE_TUNE_ID, PICTURE_MC
from astria_nb.sandbox.model._plans import NewPrompt, Plan
from astria_nb.sandbox.model._records import (
    NEVER,
    Announcement,
    NewTune,
    Order,
    Prompt,
    TuneRecord,
    picture_count,
)

QUEUE_SECONDS = 60
TRAINING_SECONDS = 600
"""From creation to the end of the training, including the time in the queue."""
MOCK_SECONDS = 60
"""The same for a mock run."""
PICTURE_SECONDS = 3
_BEFORE = 100
"""How many milliseconds before its creation a FaceID tune counts as trained (astria-api, section 16)."""
_IDENTITY = (
    "cfg_scale", "steps", "seed", "callback", "negative_prompt", "super_resolution", "face_correct", "ar",
    "num_images", "controlnet", "denoising_strength", "use_lpw", "controlnet_conditioning_scale", "w", "h",
    "hires_fix", "scheduler", "controlnet_txt2img", "inpaint_faces",
)  # fmt: skip
"""With `text` and `tune_id`, what identifies a prompt on an idempotent account (astria-api, section 8)."""


class Failure(Protocol):
    """The intended failure of the tune or the prompts that a request creates."""

    @property
    def kind(self) -> str:
        """``"training"`` for the tune, ``"prompt"`` for its prompts."""

    @property
    def number(self) -> int:
        """How many prompts fail, counted from the first."""

    @property
    def message(self) -> str:
        """The prompts' `user_error`."""


@dataclass(frozen=True)
class Timeline:
    """Makes the records of one request."""

    clock: Clock
    options: Options
    failure: Failure | None
    now: int

    def tune(self, new: NewTune, number: int) -> TuneRecord:
        """Return the record of a tune."""
        seconds = MOCK_SECONDS if new.is_mock else TRAINING_SECONDS
        if new.model_type == "faceid":  # it needs no training
            starts_at = ends_at = self.now - _BEFORE
        else:
            starts_at = self.now + (0 if new.is_mock else self.clock.span(QUEUE_SECONDS))
            ends_at = max(starts_at, self.now + self.clock.span(seconds))
        return TuneRecord(
            **vars(new),
            id=number,
            created_at=self.now,
            updated_at=self.now,
            starts_at=starts_at,
            ends_at=ends_at,
            fails=self.failure is not None and self.failure.kind == "training",
        )

    def prompt(
        self, new: NewPrompt, tunes: Sequence[TuneRecord], order: Order | None, after: int, number: int
    ) -> Prompt:
        """Return the record of a prompt; it starts when its tunes are trained, not before `after`."""
        tune_id = new.tune_id
        if tune_id is None:
            tune_id = tunes[0].shown_tune_id if tunes else BASE_TUNE_ID
        starts_at = max([self.now, after, *(tune.ends_at for tune in tunes)])
        prompt = Prompt(
            id=number,
            text=_with_mentions(new.text, tunes),
            tune_id=tune_id,
            tune_ids=tuple(tune.id for tune in tunes),
            created_at=self.now,
            starts_at=starts_at,
            ends_at=starts_at + self.clock.span(PICTURE_SECONDS * picture_count(new.attributes)),
            attributes=new.attributes,
            training=tuple(image for tune in tunes if not tune.is_mock for image in tune.images),
            base_pack_id=new.base_pack_id,
            orig_prompt_id=new.orig_prompt_id,
            order_id=order.id if order else None,
            cost_mc=cost_of(new),
            images=new.images,
            image_fields=new.image_fields,
        )
        if not any(tune.fails for tune in tunes):
            return prompt
        if self.options.failed_tune_prompts == "pending":
            return replace(prompt, starts_at=NEVER, ends_at=NEVER)
        return replace(prompt, user_error="the training of its tune failed")

    def with_failure(self, prompt: Prompt, index: int) -> Prompt:
        """Return a prompt, with an error if it has to fail; `index` counts from 0."""
        if self.failure is None or self.failure.kind != "prompt" or index >= self.failure.number:
            return prompt
        return replace(prompt, user_error=self.failure.message)

    def order(self, plan: Plan, number: int) -> Order:
        """Return the order of a multi pack's run; it lists the tunes backwards (astria-api, section 16)."""
        tune_ids = [*dict.fromkeys(tune.id for prompt in plan.prompts for tune in prompt.tunes)]
        return Order(
            id=number, tune_ids=tuple(reversed(tune_ids)), total_cost_mc=sum(map(cost_of, plan.prompts))
        )

    def announcements(
        self, plan: Plan, tune: TuneRecord | None, prompts: Sequence[Prompt]
    ) -> list[Announcement]:
        """Return the callbacks of a tune and prompts, still without ids; none for those that never end."""
        failures_too = self.options.callback_on_failure
        events: list[tuple[int, str, str | None, tuple[int, ...]]] = []
        if tune and (failures_too or not tune.fails):
            events.append((tune.ends_at, "tune", tune.callback, (tune.id,)))
        events += [
            (prompt.ends_at, "prompt", prompt.callback, (prompt.id,))
            for prompt in prompts
            if failures_too or not prompt.user_error
        ]
        if prompts:
            due = max(prompt.ends_at for prompt in prompts)
            index = len(events) if self.options.callback_order == "prompt_first" else 0
            ids = tuple(prompt.id for prompt in prompts)
            events.insert(index, (due, "prompts", plan.prompts_callback, ids))
        return [
            Announcement(id=0, due=due, event=event, url=url, subjects=ids)
            for due, event, url, ids in events
            if url and due < NEVER
        ]


def cost_of(prompt: NewPrompt) -> int:
    """Return what a prompt costs, in millicents."""
    return PICTURE_MC * picture_count(prompt.attributes)


def identity(prompt: Prompt) -> object:
    """Return a key that two prompts share if an idempotent account treats them as the same."""
    return prompt.text, prompt.tune_id, *map(prompt.attributes.get, _IDENTITY)


def _with_mentions(text: str, tunes: Sequence[TuneRecord]) -> str:
    """Prepend mentions of those LoRA tunes that a text does not mention itself."""
    missing = [tune for tune in tunes if not tune.is_checkpoint and f":{tune.id}:" not in text]
    return " ".join([*(f"<{tune.model_type}:{tune.id}:1>" for tune in missing), text])
