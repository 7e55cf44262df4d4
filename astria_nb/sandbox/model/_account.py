"""The account's records and their indices. Not thread-safe: the state locks it."""

import secrets
from collections import Counter, defaultdict

from astria_nb.sandbox._options import Options
from astria_nb.sandbox.model._balance import Balance
from astria_nb.sandbox.model._packs import CALLER_ID, PACKS, PackRecord
from astria_nb.sandbox.model._records import Announcement, NewTune, Order, Prompt, TuneRecord
from astria_nb.sandbox.model._store import Record, Store
from astria_nb.sandbox.model._timeline import identity

_FIRST = {"Tune": 1_000_001, "Prompt": 5_000_001, "Order": 9_000_001, "Pack": 100_001, "Announcement": 1}


class Account:
    """Packs, tunes and prompts by their ids, oldest first.

    Attributes
    ----------
    id : int
        Id of the account itself. Two sandboxes are two accounts; a sandbox with stored data keeps its
        account.
    template_likes : Counter
        Template id → how many of its prompts are liked.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self.id = CALLER_ID if options.deterministic else CALLER_ID + 1 + secrets.randbelow(10**9)
        self.packs: dict[int, PackRecord] = {pack.id: pack for pack in PACKS}
        self.tunes: dict[int, TuneRecord] = {}
        self.prompts: dict[int, Prompt] = {}
        self.balance = Balance(options)
        self.template_likes: Counter[int] = Counter()
        self._by_tune: defaultdict[int, dict[int, None]] = defaultdict(dict)
        self._by_title: defaultdict[str, dict[int, None]] = defaultdict(dict)
        self._by_identity: dict[object, int] = {}
        self.next = dict(_FIRST)

    def number(self, kind: type[Record | Order]) -> int:
        """Return the id of the next record of a kind; no id is used twice."""
        number = self.next[kind.kind]
        self.next[kind.kind] += 1
        return number

    def prompts_of(self, tune_id: int) -> list[Prompt]:
        """Return the prompts that use a tune."""
        return [self.prompts[prompt_id] for prompt_id in self._by_tune.get(tune_id, ())]

    def earlier_tune(self, new: NewTune, now: int) -> TuneRecord | None:
        """Return the tune that an idempotent account returns instead of training a new one, if any."""
        if not self._options.idempotent:
            return None
        tune_ids = self._by_title.get(new.title, ())
        tunes = [self.tunes[tune_id] for tune_id in tune_ids if tune_id in self.tunes]
        tunes = [tune for tune in tunes if tune.title == new.title]
        if self._options.idempotent_match != "title":
            wanted = new.name, new.base_pack_id
            tunes = [tune for tune in tunes if (tune.name, tune.base_pack_id) == wanted]
        if self._options.idempotent_finds == "usable":
            tunes = [tune for tune in tunes if not tune.has_failed(now) and now < tune.expires_at(now)]
        return tunes[0] if tunes else None

    def earlier_prompt(self, prompt: Prompt) -> Prompt | None:
        """Return the prompt that an idempotent account returns instead of making a new one, if any."""
        if not self._options.idempotent:
            return None
        return self.prompts.get(self._by_identity.get(identity(prompt), 0))

    def add_tune(self, tune: TuneRecord) -> None:
        """Add a tune, and charge for it."""
        self.put_tune(tune)
        self.balance.charge(tune.cost_mc)
        if tune.fails:
            self.balance.expect_refund(tune)

    def put_tune(self, tune: TuneRecord) -> None:
        """Add a tune, or replace the one with its id."""
        self.tunes[tune.id] = tune
        self.balance.expect_extensions(tune)
        self._by_title[tune.title][tune.id] = None

    def add_prompt(self, prompt: Prompt) -> None:
        """Add a prompt, and charge for it."""
        self.prompts[prompt.id] = prompt
        for tune_id in {prompt.tune_id, *prompt.tune_ids}:
            self._by_tune[tune_id][prompt.id] = None
        if self._options.idempotent:
            self._by_identity.setdefault(identity(prompt), prompt.id)
        self._count_like(prompt, 1)
        self.balance.charge(prompt.cost_mc)

    def put_prompt(self, prompt: Prompt) -> None:
        """Replace the prompt with its id."""
        self._count_like(self.prompts[prompt.id], -1)
        self._count_like(prompt, 1)
        self.prompts[prompt.id] = prompt

    def remove_tune(self, tune: TuneRecord, now: int) -> list[Prompt]:
        """Remove a tune, and if it is a checkpoint its prompts too; return those prompts."""
        prompts = self.prompts_of(tune.id) if tune.is_checkpoint else []
        for prompt in prompts:
            self.remove_prompt(prompt)
        self.tunes.pop(tune.id, None)
        self.balance.forget(tune, now)
        return prompts

    def remove_prompt(self, prompt: Prompt) -> None:
        """Remove a prompt."""
        if self.prompts.pop(prompt.id, None) is None:
            return
        self._count_like(prompt, -1)
        for tune_id in {prompt.tune_id, *prompt.tune_ids}:
            self._by_tune[tune_id].pop(prompt.id, None)
        if self._by_identity.get(identity(prompt)) == prompt.id:
            del self._by_identity[identity(prompt)]

    def facts(self) -> dict[str, object]:
        """Return the data to store in addition to the records."""
        return {"account_id": self.id, "next": self.next, "spent_mc": self.balance.spent_mc}

    def resume(self, store: Store) -> list[Announcement]:
        """Load the data of an earlier sandbox, and return its callbacks."""
        self.packs |= {pack.id: pack for pack in store.load(PackRecord)}
        for tune in store.load(TuneRecord):
            self.add_tune(tune)
        for prompt in store.load(Prompt):
            self.add_prompt(prompt)
        # An older release stored no id: then every sandbox was the same account.
        self.id = store.fact("account_id") or (CALLER_ID if store.fact("next") else self.id)
        self.next |= store.fact("next") or {}
        self.balance.spent_mc = store.fact("spent_mc") or 0
        return list(store.load(Announcement))

    def _count_like(self, prompt: Prompt, step: int) -> None:
        if prompt.liked and prompt.orig_prompt_id is not None:
            self.template_likes[prompt.orig_prompt_id] += step
