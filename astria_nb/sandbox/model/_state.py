"""The service's state, behind one lock."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from astria_nb.sandbox._clock import LATEST, Clock
from astria_nb.sandbox._errors import Refusal, not_found
from astria_nb.sandbox._options import Options
from astria_nb.sandbox.model._account import Account
from astria_nb.sandbox.model._base_models import BASE_TUNES
from astria_nb.sandbox.model._packs import CALLER_ID, PackRecord
from astria_nb.sandbox.model._plans import NewPrompt, Plan
from astria_nb.sandbox.model._records import Announcement, Order, Prompt, TuneRecord
from astria_nb.sandbox.model._store import Record, Store
from astria_nb.sandbox.model._timeline import Failure, Timeline, cost_of


@dataclass(frozen=True)
class Outcome:
    """What a plan created, or what an idempotent account returned instead.

    Attributes
    ----------
    prompts, new_prompts : sequence of Prompt
        All prompts of the plan, and those of them that did not exist before.
    is_repeat : bool
        Whether an idempotent account returned the tune of an earlier request.
    """

    tune: TuneRecord | None = None
    prompts: Sequence[Prompt] = ()
    new_prompts: Sequence[Prompt] = ()
    order: Order | None = None
    announcements: Sequence[Announcement] = ()
    is_repeat: bool = False


class State:
    """The account: packs, tunes, prompts and what they cost.

    Records are immutable and contain their whole timeline; views compare it with the clock. A change
    replaces the record.

    Attributes
    ----------
    pending : list of Announcement
        The callbacks that an earlier sandbox had not sent yet.
    """

    def __init__(self, clock: Clock, options: Options, store: Store | None = None) -> None:
        self._clock = clock
        self._options = options
        self._store = store
        self._lock = threading.Lock()
        self._account = Account(options)
        self.pending: list[Announcement] = []
        if store is not None:
            announcements = self._account.resume(store)
            clock.resume(min(store.fact("now") or 0, LATEST))  # an earlier release had no limit
            # Those that were due earlier may have been sent, and nothing is sent twice.
            now = clock.now()
            self.pending = [announcement for announcement in announcements if announcement.due > now]

    def poll(self) -> int:
        """Return the time at which a client polls tunes or prompts."""
        with self._lock:
            return self._clock.poll()

    def now(self) -> int:
        """Return the current time, in milliseconds."""
        with self._lock:
            return self._clock.now()

    def advance(self, milliseconds: int) -> None:
        """Move the service's clock forward."""
        with self._lock:
            self._clock.advance(milliseconds)
            self._save([])

    def pack(self, id_or_slug: str) -> PackRecord | None:
        """Return the pack with an id or a slug."""
        return next((pack for pack in self.packs() if id_or_slug in (str(pack.id), pack.slug)), None)

    def packs(self) -> list[PackRecord]:
        """Return all packs, newest first."""
        with self._lock:
            return list(self._account.packs.values())[::-1]

    def tune(self, id: int) -> TuneRecord | None:  # noqa: A002 - the API's own name
        """Return a tune of the caller or a base model; None if it does not exist."""
        return BASE_TUNES.get(id) or self.own_tune(id)

    def own_tune(self, id: int) -> TuneRecord | None:  # noqa: A002 - the API's own name
        """Return a tune of the caller; None if it does not exist."""
        return self._account.tunes.get(id)

    def tunes(self) -> list[TuneRecord]:
        """Return the caller's tunes, newest first."""
        with self._lock:
            return list(self._account.tunes.values())[::-1]

    def prompt(self, id: int) -> Prompt | None:  # noqa: A002 - the API's own name
        """Return a prompt; None if it does not exist."""
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
    def account_id(self) -> int:
        """The account's id."""
        return self._account.id

    @property
    def balance_mc(self) -> int:
        """The account's balance in millicents, refunds included."""
        with self._lock:
            return self._account.balance.remaining(self._clock.now())

    def carry_out(self, plan: Plan, failure: Failure | None = None) -> Outcome:
        """Train the tune of a plan and queue its prompts.

        Raises
        ------
        Refusal
            If the account cannot pay (422 or 402).
        """
        with self._lock:
            account, now = self._account, self._clock.now()
            if plan.tune and (earlier := account.earlier_tune(plan.tune, now)):
                return Outcome(earlier, is_repeat=True)
            cost = (plan.tune.cost_mc if plan.tune else 0) + sum(map(cost_of, plan.prompts))
            account.balance.check(cost, now)
            timeline = Timeline(self._clock, self._options, failure, self._clock.create())
            tune = timeline.tune(plan.tune, account.number(TuneRecord)) if plan.tune else None
            if tune:
                account.add_tune(tune)
            order = timeline.order(plan, account.number(Order)) if plan.is_order else None
            first = account.next["Prompt"]
            prompts = self._queue(plan.prompts, tune, order, timeline)
            new = [prompt for prompt in prompts if prompt.id >= first]
            announcements = [
                replace(announcement, id=account.number(Announcement), service_url=plan.service_url)
                for announcement in timeline.announcements(plan, tune, new)
            ]
            self._save([record for record in (tune, *new, *announcements) if record])
            return Outcome(tune, prompts, new, order, announcements)

    def change(self, tune: TuneRecord, changes: Mapping[str, Any]) -> TuneRecord:
        """Change fields of a tune; 404 if it was deleted meanwhile, 422 to extend one that has expired."""
        with self._lock:
            if tune.id not in self._account.tunes:
                raise not_found()
            current, now = self._account.tunes[tune.id], self._clock.now()
            if changes.get("auto_extend", current.auto_extend) != current.auto_extend:
                if changes["auto_extend"] and current.expires_at(now) <= now:
                    raise Refusal(422, {"auto_extend": ["can't be set because the tune has expired"]})
                if current.auto_extend:  # months that were paid for are kept
                    changes = {**changes, "kept_until": current.expires_at(now)}
            changed = replace(current, **changes, updated_at=self._clock.create())
            self._account.put_tune(changed)
            self._save([changed])
            return changed

    def remove_tune(self, tune: TuneRecord) -> None:
        """Delete a tune, and if it is a checkpoint its prompts too."""
        with self._lock:
            prompts = self._account.remove_tune(tune, self._clock.now())
            self._save([], [tune, *prompts])

    def remove_prompt(self, prompt: Prompt) -> None:
        """Delete a prompt."""
        with self._lock:
            self._account.remove_prompt(prompt)
            self._save([], [prompt])

    def change_prompt(self, prompt: Prompt, change: Callable[[Prompt], Prompt]) -> Prompt:
        """Change a prompt: `change` maps the old record to the new one; 404 if it was deleted."""
        with self._lock:
            if prompt.id not in self._account.prompts:
                raise not_found()
            changed = change(self._account.prompts[prompt.id])
            self._account.put_prompt(changed)
            self._save([changed])
            return changed

    def like(self, prompt: Prompt, liked: Callable[[bool], bool]) -> None:
        """Like or unlike a prompt: `liked` maps the old value to the new one; 404 if it was deleted."""
        self.change_prompt(prompt, lambda current: replace(current, liked=liked(current.liked)))

    def add_pack(self, title: str, **fields: Any) -> PackRecord:
        """Create a pack of the caller, without templates."""
        with self._lock:
            number = self._account.number(PackRecord)
            created_at = self._clock.create()
            pack = PackRecord(number, f"pack-{number}", title, CALLER_ID, (), {}, created_at, **fields)
            self._account.packs[number] = pack
            self._save([pack])
            return pack

    def _queue(
        self,
        planned: Iterable[NewPrompt],
        new_tune: TuneRecord | None,
        order: Order | None,
        timeline: Timeline,
    ) -> list[Prompt]:
        """Create prompts, or return existing ones; those of the same tunes start one after the other."""
        account = self._account
        prompts: list[Prompt] = []
        free_at: dict[tuple[int, ...], int] = {}
        for index, new_prompt in enumerate(planned):
            tunes = new_prompt.tunes or ((new_tune,) if new_tune else ())
            tune_ids = tuple(tune.id for tune in tunes)
            after, number = free_at.get(tune_ids, 0), account.next[Prompt.kind]
            prompt = timeline.prompt(new_prompt, tunes, order, after, number)
            earlier = account.earlier_prompt(prompt)
            if earlier is None:
                account.number(Prompt)
                prompt = timeline.with_failure(prompt, index)
                free_at[tune_ids] = prompt.ends_at
                account.add_prompt(prompt)
            prompts.append(earlier or prompt)
        return prompts

    def _save(self, records: Sequence[Record], removed: Sequence[Record] = ()) -> None:
        if self._store is not None:
            self._store.save(records, {"now": self._clock.now(), **self._account.facts()}, removed)
