"""When what a plan asks for begins and ends, and whether it ends well."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from astria_nb.sandbox.clock import Clock
from astria_nb.sandbox.model.packs import BASE_TUNE_ID, PICTURE_MC
from astria_nb.sandbox.model.plans import NewPrompt, NewTune, Plan
from astria_nb.sandbox.model.records import NEVER, Announcement, Order, Prompt, Tune, count_of
from astria_nb.sandbox.options import Options

QUEUE_SECONDS = 60
TRAINING_SECONDS = 600
"""From creation to trained, the wait in the queue included."""
MOCK_SECONDS = 60
"""The same for a mock run."""
PICTURE_SECONDS = 3
_IDENTITY = (
    "cfg_scale", "steps", "seed", "callback", "negative_prompt", "super_resolution", "face_correct", "ar",
    "num_images", "controlnet", "denoising_strength", "use_lpw", "controlnet_conditioning_scale", "w", "h",
    "hires_fix", "scheduler", "controlnet_txt2img", "inpaint_faces",
)  # fmt: skip
"""With `text` and `tune_id`, what makes two prompts the same on an idempotent account (section 8)."""


class Failure(Protocol):
    """What is to go wrong with the things that a request makes."""

    @property
    def kind(self) -> str:
        """``"training"`` for the tune, ``"prompt"`` for prompts."""

    @property
    def number(self) -> int:
        """How many prompts fail, from the first on."""

    @property
    def message(self) -> str:
        """The prompts' `user_error`."""


@dataclass(frozen=True)
class Timeline:
    """Makes records from plans; at one moment, for one request."""

    clock: Clock
    options: Options
    failure: Failure | None
    now: int

    def tune(self, new: NewTune, number: int) -> Tune:
        """Return the record of a tune."""
        at_once = new.model_type == "faceid"
        queue, whole = (0, MOCK_SECONDS) if new.is_mock else (QUEUE_SECONDS, TRAINING_SECONDS)
        starts_at = self.now if at_once or new.is_mock else self.now + self.clock.span(queue)
        return Tune(
            **{name: getattr(new, name) for name in new.__dataclass_fields__},
            id=number,
            created_at=self.now,
            updated_at=self.now,
            starts_at=starts_at,
            ends_at=self.now if at_once else max(starts_at, self.now + self.clock.span(whole)),
            fails=self.failure is not None and self.failure.kind == "training",
        )

    def prompt(self, new: NewPrompt, tunes: Sequence[Tune], order: Order | None, after: int) -> Prompt:
        """Return a prompt without its number; it starts when its tunes are trained, not before `after`."""
        tune_id = new.tune_id
        if tune_id is None:
            tune_id = tunes[0].shown_tune_id if tunes else BASE_TUNE_ID
        starts_at = max([self.now, after, *(tune.ends_at for tune in tunes)])
        prompt = Prompt(
            id=0,
            text=_mentioning(new.text, tunes),
            tune_id=tune_id,
            tune_ids=tuple(tune.id for tune in tunes),
            created_at=self.now,
            starts_at=starts_at,
            ends_at=starts_at + self.clock.span(PICTURE_SECONDS * count_of(new.attributes)),
            attributes=new.attributes,
            training=tuple(image for tune in tunes if not tune.is_mock for image in tune.images),
            base_pack_id=new.base_pack_id,
            orig_prompt_id=new.orig_prompt_id,
            order_id=order.id if order else None,
            cost_mc=cost_of(new),
        )
        if not any(tune.fails for tune in tunes):
            return prompt
        if self.options.failed_tune_prompts == "pending":
            return replace(prompt, starts_at=NEVER, ends_at=NEVER)
        return replace(prompt, user_error="the training of its tune failed")

    def spoiled(self, prompt: Prompt, place: int) -> Prompt:
        """Return a prompt as it ends if it is one of those that are to fail; `place` counts from 0."""
        if self.failure is None or self.failure.kind != "prompt" or place >= self.failure.number:
            return prompt
        return replace(prompt, user_error=self.failure.message)

    def order(self, plan: Plan, number: int) -> Order:
        """Return the order of a multi pack's run."""
        used = dict.fromkeys(tune.id for prompt in plan.prompts for tune in prompt.tunes)
        return Order(id=number, tune_ids=tuple(used), total_cost_mc=sum(map(cost_of, plan.prompts)))

    def announcements(self, plan: Plan, tune: Tune | None, prompts: Sequence[Prompt]) -> list[Announcement]:
        """Return the callbacks of what was made, without numbers; for what never ends there are none."""
        all_too = self.options.callback_on_failure
        tunes = [tune] if tune and (all_too or not tune.fails) else []
        good = [prompt for prompt in prompts if all_too or not prompt.user_error]
        news: list[tuple[int, str, str | None, tuple[int, ...]]]
        news = [(each.ends_at, "tune", each.callback, (each.id,)) for each in tunes]
        news += [(each.ends_at, "prompt", each.callback, (each.id,)) for each in good]
        if prompts:
            due = max(prompt.ends_at for prompt in prompts)
            place = len(news) if self.options.callback_order == "prompt_first" else 0
            news.insert(place, (due, "prompts", plan.prompts_callback, tuple(each.id for each in prompts)))
        return [
            Announcement(id=0, due=due, event=event, url=url, subjects=ids)
            for due, event, url, ids in news
            if url and due < NEVER
        ]


def cost_of(prompt: NewPrompt) -> int:
    """Return what a prompt costs, in millicents."""
    return PICTURE_MC * count_of(prompt.attributes)


def identity(prompt: Prompt) -> object:
    """Return what makes two prompts the same on an idempotent account."""
    return prompt.text, prompt.tune_id, *(prompt.attributes.get(name) for name in _IDENTITY)


def _mentioning(text: str, tunes: Sequence[Tune]) -> str:
    """Begin a text with the LoRA tunes that it does not mention by itself."""
    missing = [tune for tune in tunes if not tune.is_checkpoint and f":{tune.id}:" not in text]
    return " ".join([*(f"<{tune.model_type}:{tune.id}:1>" for tune in missing), text])
