"""Looking at tunes and their prompts again and again: each time only at what is not finished."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from astria_nb import rows
from astria_nb.client.by_id import YOUNG, is_young, latest
from astria_nb.client.client import Client, Json
from astria_nb.errors import NotFoundError
from astria_nb.utils.arguments import an_id

OVER = ("trained", "failed", "expired", "deleted")
"""The states in which a tune's training needs no other look."""
PAGE = 120
"""Of a list: so many are one request."""
_LISTED = 30  # tunes whose prompts are listed in one look: hundreds that end at once do not ask at once
_NEEDED = ["id", "status", "trained_at", "prompt_ids"]


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at some tunes found.

    Attributes
    ----------
    frame : pandas.DataFrame
        The rows in their latest state; ``status`` is ``deleted`` for a tune that is gone.
    finished : float
        How far they are, from 0 to 1.
    text : str
        The same in words.
    prompts : pandas.DataFrame or None
        Those that are known so far, once there are some and they are waited for.
    news : tuple of dict
        The API's JSON of each tune whose status is another than before.
    left : float or None
        Seconds until the last tune that is not trained has its ``eta``, by the service's clock.
    failure : str
        Why nothing was found this time, and when the next look is; all else is as it was before.
    """

    frame: pd.DataFrame
    finished: float
    text: str
    prompts: pd.DataFrame | None = None
    news: tuple[Json, ...] = ()
    left: float | None = None
    failure: str = ""


class Rounds:
    """Some tunes, and what is known of them.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `submit` returns it.
    client : Client
    until : {"trained", "prompts"}

    Attributes
    ----------
    requests : int
        Of the last look.
    soonest : float or None
        Seconds until the next tune has its ``eta``.
    """

    def __init__(self, frame: pd.DataFrame, client: Client, until: str) -> None:
        self._frame, self._client = _whole(with_ids(frame)), client
        self._prompts = _Prompts(client) if until == "prompts" else None
        self.requests = 0
        self.soonest: float | None = None

    def look(self) -> Look:
        """Ask for what is not finished.

        Raises
        ------
        ApiError, NotSentError
            The service refused, or was not reached; what was known stays known.
        """
        self.requests = 0
        news = self._look_at_tunes()
        frame = self._frame
        left = (frame["eta"][self._pending] - pd.Timestamp(self._client.now())).dt.total_seconds()
        ahead = left[left > 0]
        self.soonest = None if ahead.empty else float(ahead.min())
        shares = self._trained_shares()
        text, prompts = _in_words(frame["status"]), None
        if self._prompts is not None:
            self.requests += self._prompts.look(frame)
            shares = np.where(frame["id"].notna(), (shares + self._prompts.shares) / 2, self._prompts.shares)
            prompts = self._prompts.frame()
            text = ", ".join(filter(None, (text, self._prompts.in_words())))
        over = bool((shares >= 1).all())
        finished = 1.0 if over else min(float(shares.mean()), 0.99)
        return Look(frame, finished, text, prompts, news, None if ahead.empty else float(ahead.max()))

    @property
    def _pending(self) -> pd.Series[bool]:
        return self._frame["id"].notna() & ~self._frame["status"].isin(OVER)

    def _look_at_tunes(self) -> tuple[Json, ...]:
        """Bring the rows up to date, and return the tunes whose status has changed."""
        at = np.flatnonzero(self._pending)
        if not len(at):
            return ()
        before = self._frame.iloc[at]
        found = latest(before["id"].astype(int), self._page, self._one)
        records = before.to_dict("records")
        there = [n for n, record in enumerate(records) if found[record["id"]] is not None]
        fresh = [{**(found[records[n]["id"]] or {}), **rows.ours(records[n])} for n in there]
        frame = _replaced(self._frame, at[there], rows.tune_frame(fresh, self._client.now()))
        gone = [n for n, record in enumerate(records) if found[record["id"]] is None and self._is_old(record)]
        frame.loc[np.isin(np.arange(len(frame)), at[gone]), "status"] = "deleted"
        self._frame = frame
        changed = before["status"].to_numpy() != frame["status"].iloc[at].to_numpy()
        return tuple(
            found[record["id"]] or {"id": record["id"], "title": record["title"], "status": "deleted"}
            for record, news in zip(records, changed, strict=True)
            if news
        )

    def _is_old(self, record: dict[Any, Any]) -> bool:
        """Tell whether what is not found must be gone: a young tune may not show yet."""
        created_at = record["created_at"]
        return not is_young(None if pd.isna(created_at) else created_at, self._client.now())

    def _page(self, id: int) -> Iterator[Json]:  # noqa: A002  the API's own name
        self.requests += 1
        return self._client.tunes(before_id=id, limit=PAGE)

    def _one(self, id: int) -> Json:  # noqa: A002  the API's own name
        self.requests += 1
        return self._client.tune(id)

    def _trained_shares(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return of each row how much of its training is over; by its eta, and never all before it is."""
        frame, now = self._frame, pd.Timestamp(self._client.now())
        share = ((now - frame["created_at"]) / (frame["eta"] - frame["created_at"])).astype("float64")
        share = share.replace([np.inf, -np.inf], np.nan).fillna(0.0).clip(0.0, 0.99)
        return np.where(self._pending, share, 1.0)


class _Prompts:
    """The prompts of rows, as they come."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[int, Json] = {}
        self._of: dict[int, set[int]] = {}  # by the place of the row
        self._final: set[int] = set()
        self._frame: pd.DataFrame | None = None
        self._requests = 0
        self.shares = np.zeros(0)

    def look(self, frame: pd.DataFrame) -> int:
        """Ask for what is not done, and return in how many requests."""
        self._requests = 0
        self._look_at_pending()
        listed = 0
        shares = np.zeros(len(frame))
        for at, row in enumerate(frame[_NEEDED].to_dict("records")):
            if pd.isna(row["id"]):
                self._take_run(at, row["prompt_ids"])
            elif row["status"] == "trained" and listed < _LISTED and self._is_to_list(at):
                listed += 1
                self._list(at, int(row["id"]), row["trained_at"])
            over = row["status"] in OVER and row["status"] != "trained"
            shares[at] = 1.0 if over else self._share(at)
        self.shares = shares
        return self._requests

    def frame(self) -> pd.DataFrame | None:
        """Return a row for each that is known; None while none is."""
        if self._frame is None and self._known:
            self._frame = rows.prompt_frame([self._known[key] for key in sorted(self._known)])
        return self._frame

    def in_words(self) -> str:
        """Return how many are done, and how many failed."""
        states = [rows.prompt_status(each) for each in self._known.values()]
        if not states:
            return ""
        failed = f", {states.count('failed')} failed" if "failed" in states else ""
        return f"{states.count('done')} of {len(states)} prompts done{failed}"

    def _look_at_pending(self) -> None:
        pending = [key for key, each in self._known.items() if rows.prompt_status(each) == "pending"]
        for key, now in latest(pending, self._page, self._one).items():
            if now is None:  # deleted meanwhile
                del self._known[key]
            else:
                self._known[key] = now
            self._frame = None

    def _take_run(self, at: int, ids: Any) -> None:
        """Ask for the prompts that a run on existing tunes made; they are known by their ids."""
        if at in self._final:
            return
        self._final.add(at)
        ids = [] if pd.api.types.is_scalar(ids) else [int(each) for each in ids]
        self._of[at] = {*ids}
        self._known |= {key: now for key, now in latest(ids, self._page, self._one).items() if now}
        self._frame = None

    def _is_to_list(self, at: int) -> bool:
        return at not in self._final and not any(self._is_pending(key) for key in self._of.get(at, ()))

    def _list(self, at: int, tune_id: int, trained_at: pd.Timestamp) -> None:
        """List a tune's prompts: at first, and once more when all are done, for some may have come later."""
        self._requests += 1
        try:
            found = {each["id"]: each for each in self._client.prompts(tune_id)}
        except NotFoundError:  # deleted since it was trained
            found = {}
        if found != {key: self._known.get(key) for key in self._of.get(at, ())}:
            self._known |= found
            self._frame = None
        first, before = at not in self._of, self._of.get(at, set())
        self._of[at] = {*found}
        settled = self._client.now() - trained_at > YOUNG
        unchanged = not first and before == self._of[at] and bool(found)
        if (settled or unchanged) and not any(map(self._is_pending, found)):
            self._final.add(at)

    def _is_pending(self, key: int) -> bool:
        return key in self._known and rows.prompt_status(self._known[key]) == "pending"

    def _share(self, at: int) -> float:
        ids = self._of.get(at, set())
        pending = sum(map(self._is_pending, ids))
        if at in self._final and not pending:
            return 1.0
        return min(1 - pending / len(ids), 0.99) if ids else 0.0

    def _page(self, id: int) -> Iterator[Json]:  # noqa: A002  the API's own name
        self._requests += 1
        return self._client.prompts(before_id=id, limit=PAGE)

    def _one(self, id: int) -> Json:  # noqa: A002  the API's own name
        self._requests += 1
        return self._client.prompt(id)


def with_ids(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose ids are whole numbers, as those of a row are; a file may have made others of them.

    Raises
    ------
    AstriaError
        One is none.
    """
    if frame["id"].dtype == pd.Int64Dtype():
        return frame
    known = [int(each) if isinstance(each, float) and each.is_integer() else each for each in frame["id"]]
    ids = [pd.NA if pd.isna(each) else an_id("frame", each) for each in known]
    return frame.assign(id=pd.array(ids, dtype="Int64"))


def _whole(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with all columns of a row, whoever made it."""
    lacks = [column for column in rows.TUNE.names if column not in frame.columns]
    empty = rows.tune_frame([{}] * len(frame)).set_axis(frame.index)
    return pd.concat([frame, empty[lacks]], axis=1) if lacks else frame


def _replaced(frame: pd.DataFrame, at: Any, fresh: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with other rows at some places."""
    stay = np.setdiff1d(np.arange(len(frame)), at)
    both = pd.concat([frame.iloc[stay], fresh.set_axis(frame.index[at])])
    return both.iloc[np.argsort(np.concatenate([stay, at]), kind="stable")].copy()


def _in_words(states: pd.Series[str]) -> str:
    counts = states.dropna().value_counts(sort=False)
    return ", ".join(f"{count} {state}" for state, count in counts.items())
