"""All that the service knows, behind one lock."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from astria_nb.sandbox.clock import Clock
from astria_nb.sandbox.errors import not_found
from astria_nb.sandbox.model.account import Account
from astria_nb.sandbox.model.packs import BASE_TUNE_ID, CALLER_ID, GALLERY_ID, Pack
from astria_nb.sandbox.model.plans import NewPrompt, Plan
from astria_nb.sandbox.model.records import Announcement, Order, Prompt, Tune
from astria_nb.sandbox.model.store import Record, Store
from astria_nb.sandbox.model.timeline import Failure, Timeline, cost_of
from astria_nb.sandbox.options import Options

_BASE_CREATED = 1_722_513_600_000  # 2024-08-01T12:00:00Z, when Flux came out
BASE_TUNE = Tune(
    id=BASE_TUNE_ID, title="Flux1.dev", name=None, user_id=GALLERY_ID, base_tune_id=None, model_type=None,
    created_at=_BASE_CREATED, updated_at=_BASE_CREATED, starts_at=_BASE_CREATED, ends_at=_BASE_CREATED,
)  # fmt: skip


@dataclass(frozen=True)
class Made:
    """What a plan made, or found made already.

    Attributes
    ----------
    prompts, new_prompts : sequence of Prompt
        All that were asked for, and those of them that an idempotent account did not have.
    found : bool
        Whether an idempotent account returns the tune of an earlier request.
    """

    tune: Tune | None = None
    prompts: Sequence[Prompt] = ()
    new_prompts: Sequence[Prompt] = ()
    order: Order | None = None
    announcements: Sequence[Announcement] = ()
    found: bool = False


class State:
    """The account: packs, tunes, prompts and what they cost.

    Records are frozen, and their whole timeline is known when they are made: who shows them compares it with
    the clock. A change puts another record in the place of the old one.

    Attributes
    ----------
    pending : list of Announcement
        The callbacks that an earlier sandbox left to be sent.
    """

    def __init__(self, clock: Clock, options: Options, store: Store | None = None) -> None:
        self._clock = clock
        self._options = options
        self._store = store
        self._lock = threading.Lock()
        self._account = Account(options)
        self.pending: list[Announcement] = []
        if store is not None:
            kept = self._account.resume(store)
            clock.resume(store.fact("now") or 0)
            # What was due before may have been sent, and nothing is sent twice.
            self.pending = [each for each in kept if each.due > clock.now()]

    def look(self) -> int:
        """Return the time at which a client looks at tunes or prompts."""
        with self._lock:
            return self._clock.look()

    def advance(self, milliseconds: int) -> None:
        """Move the service's time on."""
        with self._lock:
            self._clock.advance(milliseconds)
            self._save([])

    def pack(self, id_or_slug: str) -> Pack | None:
        """Return the pack of an id or a slug."""
        return next((pack for pack in self.packs() if id_or_slug in (str(pack.id), pack.slug)), None)

    def packs(self) -> list[Pack]:
        """Return all packs, newest first."""
        with self._lock:
            return list(self._account.packs.values())[::-1]

    def tune(self, id: int) -> Tune | None:  # noqa: A002 - the API's own name
        """Return a tune of the caller's, or the base model."""
        return BASE_TUNE if id == BASE_TUNE_ID else self.own_tune(id)

    def own_tune(self, id: int) -> Tune | None:  # noqa: A002 - the API's own name
        """Return a tune of the caller's."""
        return self._account.tunes.get(id)

    def tunes(self) -> list[Tune]:
        """Return the caller's tunes, newest first."""
        with self._lock:
            return list(self._account.tunes.values())[::-1]

    def prompt(self, id: int) -> Prompt | None:  # noqa: A002 - the API's own name
        """Return a prompt."""
        return self._account.prompts.get(id)

    def prompts(self, tune_id: int | None = None) -> list[Prompt]:
        """Return all prompts, newest first, or those that use one tune."""
        with self._lock:
            if tune_id is None:
                return list(self._account.prompts.values())[::-1]
            return self._account.prompts_of(tune_id)[::-1]

    def template_likes(self, template_id: int) -> int:
        """Return how many of a template's prompts are liked."""
        return self._account.template_likes[template_id]

    @property
    def balance_mc(self) -> int:
        """What is left on the account, in millicents; a training that failed was paid back."""
        with self._lock:
            return self._account.balance.left(self._clock.now())

    def carry_out(self, plan: Plan, failure: Failure | None = None) -> Made:
        """Train the tune of a plan and queue its prompts.

        Raises
        ------
        Refusal
            When the account cannot pay (422 or 402).
        """
        with self._lock:
            account, now = self._account, self._clock.now()
            if plan.tune and (found := account.earlier_tune(plan.tune, now)):
                return Made(found, found=True)
            cost = (plan.tune.cost_mc if plan.tune else 0) + sum(map(cost_of, plan.prompts))
            account.balance.check(cost, now)
            timeline = Timeline(self._clock, self._options, failure, self._clock.create())
            tune = timeline.tune(plan.tune, account.number(Tune)) if plan.tune else None
            if tune:
                account.add_tune(tune)
            order = timeline.order(plan, account.number(Order)) if plan.is_order else None
            first = account.next["Prompt"]
            prompts = self._queue(plan.prompts, tune, order, timeline)
            new = [prompt for prompt in prompts if prompt.id >= first]
            news = [
                each.numbered(account.number(Announcement))
                for each in timeline.announcements(plan, tune, new)
            ]
            self._save([each for each in (tune, *new, *news) if each])
            return Made(tune, prompts, new, order, news)

    def change(self, tune: Tune, changes: Mapping[str, Any]) -> Tune:
        """Give a tune other values in some of its fields; 404 when it was deleted meanwhile."""
        with self._lock:
            if tune.id not in self._account.tunes:
                raise not_found()
            changed = replace(self._account.tunes[tune.id], **changes, updated_at=self._clock.create())
            self._account.put_tune(changed)
            self._save([changed])
            return changed

    def remove_tune(self, tune: Tune) -> None:
        """Delete a tune, and with a checkpoint its prompts."""
        with self._lock:
            prompts = self._account.remove_tune(tune, self._clock.now())
            self._save([], [tune, *prompts])

    def remove_prompt(self, prompt: Prompt) -> None:
        """Delete a prompt."""
        with self._lock:
            self._account.remove_prompt(prompt)
            self._save([], [prompt])

    def like(self, prompt: Prompt, liked: Callable[[bool], bool]) -> None:
        """Set whether a prompt is liked, from whether it is; 404 when it was deleted meanwhile."""
        with self._lock:
            if prompt.id not in self._account.prompts:
                raise not_found()
            current = self._account.prompts[prompt.id]
            changed = replace(current, liked=liked(current.liked))
            self._account.put_prompt(changed)
            self._save([changed])

    def add_pack(self, title: str, **fields: Any) -> Pack:
        """Make a pack of the caller's, without templates."""
        with self._lock:
            number = self._account.number(Pack)
            created_at = self._clock.create()
            pack = Pack(number, f"pack-{number}", title, CALLER_ID, (), {}, created_at, **fields)
            self._account.packs[number] = pack
            self._save([pack])
            return pack

    def _queue(
        self, planned: Iterable[NewPrompt], new: Tune | None, order: Order | None, timeline: Timeline
    ) -> list[Prompt]:
        """Make prompts, or find them; those of the same tunes start one after the other."""
        account = self._account
        made: list[Prompt] = []
        free_at: dict[tuple[int, ...], int] = {}
        for place, each in enumerate(planned):
            tunes = each.tunes or ((new,) if new else ())
            used = tuple(tune.id for tune in tunes)
            prompt = timeline.prompt(each, tunes, order, free_at.get(used, 0))
            earlier = account.earlier_prompt(prompt)
            if earlier is None:
                prompt = replace(timeline.spoiled(prompt, place), id=account.number(Prompt))
                free_at[used] = prompt.ends_at
                account.add_prompt(prompt)
            made.append(earlier or prompt)
        return made

    def _save(self, kept: Sequence[Record], removed: Sequence[Record] = ()) -> None:
        if self._store is not None:
            self._store.save(kept, {"now": self._clock.now(), **self._account.facts()}, removed)
