"""Polling tunes and their prompts: only those that are not finished."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from itertools import repeat
from typing import Any

import numpy as np
import pandas as pd

from astria_nb import rows
from astria_nb.client import PAGE_SIZE, Client, Json, RepeatedAnswers, fetch_latest, is_recent
from astria_nb.results.frames import origin_of, update_rows
from astria_nb.results.watch._poll_result import PollResult
from astria_nb.results.watch._prompt_poller import PromptPoller
from astria_nb.results.watch._states import FINAL_STATES

_TIME = np.dtype("datetime64[us]")


class Poller:
    """Some tunes in their latest state.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows as `submit` returns them.
    client : Client
    until : {"trained", "prompts"}
        Whether prompts are also polled.
    limit : callable
        Returns the deadline of the next request.

    Attributes
    ----------
    request_count : int
        Requests made by the last poll.
    seconds_to_next_eta : float or None
        Seconds until the next tune reaches its ``eta``, by the service's clock.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        client: Client,
        until: str,
        limit: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._client, self._limit = client, limit
        self._prompts = PromptPoller(client, limit) if until == "prompts" else None
        self._latest: dict[int, Json | None] = {}  # ids of pending tunes
        self._answers = RepeatedAnswers()
        self._unreported: list[Json] = []  # tunes whose change was found by a poll that failed afterwards
        self.request_count = 0
        self.seconds_to_next_eta: float | None = None
        self._keep(rows.typed(frame))

    def poll(self) -> PollResult:
        """Fetch unfinished tunes and prompts.

        Raises
        ------
        ApiError, NotSentError
            The service refused, or could not be reached. The state fetched so far is kept.
        """
        self.request_count = 0
        with self._answers:
            self._unreported += self._poll_tunes()
        frame, now = self._frame, _to_numpy(self._client.now())
        until_eta = (self._eta[self._is_pending] - now) / np.timedelta64(1, "s")
        until_eta = until_eta[until_eta > 0]
        self.seconds_to_next_eta = float(until_eta.min()) if len(until_eta) else None
        fractions = self._training_fractions(now)
        texts, prompts, prompt_records = [self._text], None, {}
        if self._prompts is not None:
            self.request_count += self._prompts.poll(frame)
            prompt_fractions = self._prompts.fractions_done
            fractions = np.where(frame["id"].notna(), (fractions + prompt_fractions) / 2, prompt_fractions)
            prompts, prompt_records = self._prompts.frame(), self._prompts.records(frame)
            texts.append(self._prompts.summary())
        is_finished = bool((fractions >= 1).all())
        changed_tunes, self._unreported = tuple(self._unreported), []
        return PollResult(
            frame=frame,
            fraction_done=1.0 if is_finished else min(float(fractions.mean()), 0.99),
            text=", ".join(filter(None, texts)),
            prompts=prompts,
            prompt_records=prompt_records,
            changed_tunes=changed_tunes,
            seconds_left=float(until_eta.max()) if len(until_eta) else None,
        )

    def _keep(self, frame: pd.DataFrame) -> None:
        """Store the rows, and the values that each poll needs: most polls find a thousand unchanged rows."""
        self._frame = frame
        self._is_pending = (frame["id"].notna() & ~frame["status"].isin(FINAL_STATES)).to_numpy(dtype=bool)
        self._ids = frame["id"].fillna(0).to_numpy(dtype=np.int64)
        self._created, self._eta = (frame[name].to_numpy(dtype=_TIME) for name in ("created_at", "eta"))
        self._text = _count_states(frame["status"])

    def _poll_tunes(self) -> tuple[Json, ...]:
        """Update the rows, and return the tunes whose status changed."""
        pending = np.flatnonzero(self._is_pending)
        if not len(pending):
            return ()
        ids = self._ids[pending].tolist()
        tunes = fetch_latest(ids, self._page, self._one)
        is_same = [tunes[id_] is not None and tunes[id_] == self._latest.get(id_) for id_ in ids]
        self._latest = tunes
        positions = pending[~np.array(is_same)]
        return self._update(positions, tunes) if len(positions) else ()

    def _update(self, positions: Any, tunes: dict[int, Json | None]) -> tuple[Json, ...]:
        """Recreate some of the rows, and return their tunes whose status changed."""
        before, ids = self._frame.iloc[positions], self._ids[positions].tolist()
        own = [name for name in rows.OWN_COLUMNS if before[name].notna().any()]
        own_fields = map(rows.own_fields, before[own].to_dict("records")) if own else repeat({})
        origin = origin_of(self._client)
        updated = [
            {**tune, **origin, **fields}
            for id_, fields in zip(ids, own_fields, strict=False)
            if (tune := tunes[id_]) is not None
        ]
        exists = np.array([tunes[id_] is not None for id_ in ids])
        frame = update_rows(self._frame, positions[exists], rows.tune_frame(updated, self._client.now()))
        is_deleted = ~exists
        is_deleted[~exists] = list(map(self._is_old, before["created_at"][~exists]))
        frame.loc[np.isin(np.arange(len(frame)), positions[is_deleted]), "status"] = "deleted"
        self._keep(frame)
        has_changed = before["status"].to_numpy() != frame["status"].iloc[positions].to_numpy()
        changed = zip(positions[has_changed], np.array(ids)[has_changed].tolist(), strict=True)
        return tuple(
            tunes[id_] or {"id": id_, "title": frame["title"].iloc[position], "status": "deleted"}
            for position, id_ in changed
        )

    def _is_old(self, created_at: Any) -> bool:
        """Return whether a tune that was not found must be gone: a new one may not be listed yet."""
        return not is_recent(None if pd.isna(created_at) else created_at, self._client.now())

    def _page(self, id: int) -> Iterator[Json]:  # noqa: A002  the API's own name
        self.request_count += 1
        with self._limit():
            return iter([*self._client.tunes(before_id=id, limit=PAGE_SIZE)])

    def _one(self, id: int) -> Json:  # noqa: A002  the API's own name
        self.request_count += 1
        with self._limit():
            return self._client.tune(id)

    def _training_fractions(self, now: np.datetime64) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return each row's training progress, estimated from its eta; below 1 until it is trained."""
        with np.errstate(divide="ignore", invalid="ignore"):  # the eta may equal the time of creation
            fraction = (now - self._created) / (self._eta - self._created)
        fraction = np.nan_to_num(fraction, nan=0.0, posinf=0.0, neginf=0.0).clip(0.0, 0.99)
        return np.where(self._is_pending, fraction, 1.0)


def _to_numpy(time: datetime) -> np.datetime64:
    return np.datetime64(time.astimezone(UTC).replace(tzinfo=None), "us")


def _count_states(states: pd.Series[str]) -> str:
    counts = states.dropna().value_counts(sort=False)
    return ", ".join(f"{count} {state}" for state, count in counts.items())
