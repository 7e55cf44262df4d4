"""All that the service knows, behind one lock."""

import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from . import templates
from .clock import Clock
from .options import Options
from .packs import PICTURE_MC
from .records import PackRun, Prompt, Tune

QUEUE_SECONDS = 60
TRAINING_SECONDS = 600
"""From creation to trained, the wait in the queue included."""
PICTURE_SECONDS = 3

_FIRST_TUNE = 1_000_001
_FIRST_PROMPT = 5_000_001


@dataclass(frozen=True)
class Made:
    """What a run made: a tune if it trained one, and prompts."""

    tune: Tune | None
    prompts: Sequence[Prompt]


class State:
    """The account's tunes and prompts, in memory.

    Records never change once they are made: their whole timeline is known from the start, and who shows
    them compares it with the clock. So only the collections need the lock.
    """

    def __init__(self, clock: Clock, options: Options) -> None:
        self._clock = clock
        self._options = options
        self._lock = threading.Lock()
        self._tunes: dict[int, Tune] = {}
        self._prompts: dict[int, Prompt] = {}
        self._by_tune: defaultdict[int, list[Prompt]] = defaultdict(list)
        self._spent_mc = 0

    def look(self) -> int:
        """Return the time at which a client looks at tunes or prompts."""
        with self._lock:
            return self._clock.look()

    def tune(self, id: int) -> Tune | None:  # noqa: A002 - the API's own name
        """Return a tune."""
        return self._tunes.get(id)

    def prompt(self, id: int) -> Prompt | None:  # noqa: A002 - the API's own name
        """Return a prompt."""
        return self._prompts.get(id)

    def tunes(self) -> list[Tune]:
        """Return all tunes, newest first."""
        with self._lock:
            return list(self._tunes.values())[::-1]

    def prompts(self, tune_id: int | None = None) -> list[Prompt]:
        """Return all prompts, newest first, or those that use one tune."""
        with self._lock:
            prompts = self._prompts.values() if tune_id is None else self._by_tune.get(tune_id, ())
            return list(prompts)[::-1]

    @property
    def balance_mc(self) -> int:
        """What is left on the account, in millicents."""
        return self._options.balance_mc - self._spent_mc

    def run(self, run: PackRun) -> Made:
        """Train the tune of a run, unless it names existing ones, and queue its prompts."""
        with self._lock:
            now = self._clock.create()
            tune = None if run.tunes else self._train(run, now)
            prompts = [
                prompt
                for used in run.tunes or ([tune] if tune else [])
                for prompt in self._queue(used, run, now)
            ]
            return Made(tune, prompts)

    def _train(self, run: PackRun, now: int) -> Tune:
        starts_at = now + self._clock.span(QUEUE_SECONDS)
        ends_at = max(starts_at, now + self._clock.span(TRAINING_SECONDS))
        tune = Tune(_FIRST_TUNE + len(self._tunes), run, now, starts_at, ends_at)
        self._tunes[tune.id] = tune
        self._spent_mc += tune.cost_mc
        return tune

    def _queue(self, tune: Tune, run: PackRun, now: int) -> list[Prompt]:
        """Make the prompts of one tune, each to start when the one before it is done."""
        made = []
        starts_at = max(now, tune.ends_at)
        for template in run.templates.get(tune.run.name, ()):
            text = str(run.attributes.get("text", template.text))
            text = templates.fill(
                text, run.characteristics, keep=self._options.unfilled_placeholder == "keep"
            )
            prompt = Prompt(
                id=_FIRST_PROMPT + len(self._prompts),
                tune=tune,
                run=run,
                template=template,
                text=f"<lora:{tune.id}:1> {text}",
                created_at=now,
                starts_at=starts_at,
                ends_at=starts_at + self._clock.span(PICTURE_SECONDS * run.num_images),
            )
            starts_at = prompt.ends_at
            self._prompts[prompt.id] = prompt
            self._by_tune[tune.id].append(prompt)
            self._spent_mc += PICTURE_MC * run.num_images
            made.append(prompt)
        return made
