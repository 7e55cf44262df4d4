"""Polling the prompts of tunes and of runs: only those that are pending or not listed yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from astria_nb import rows
from astria_nb.client import PAGE_SIZE, VISIBILITY_DELAY, Client, Json, fetch_latest, is_recent
from astria_nb.errors import NotFoundError
from astria_nb.results.frames import origin_of
from astria_nb.results.watch._states import FINAL_STATES
from astria_nb.rows import ids_in
from astria_nb.utils.times import parse_time

_LISTS_PER_POLL = 30  # spreads out the requests when hundreds of tunes finish at once
_COLUMNS = ["id", "status", "trained_at", "prompt_ids", "tune_ids"]


class PromptPoller:
    """The prompts of a frame's rows.

    Parameters
    ----------
    client : Client
    limit : callable
        Returns the deadline of the next request.

    Attributes
    ----------
    fractions_done : numpy.ndarray of float64, shape (rows,)
        Each row's progress at the last poll, from 0 to 1.
    """

    def __init__(self, client: Client, limit: Callable[[], AbstractContextManager[object]]) -> None:
        self._client, self._limit = client, limit
        self._prompts: dict[int, Json] = {}
        self._ids_by_row: dict[int, set[int]] = {}
        self._owners: dict[int, int | None] = {}  # the tune of each prompt
        self._complete_rows: set[int] = set()  # rows whose prompts' ids are all known
        self._unseen: dict[int, list[int]] = {}  # prompts of a run, with the tunes that it used
        self._first_answer_at: datetime | None = None  # by the service's clock
        self._frame: pd.DataFrame | None = None
        self._tunes: pd.DataFrame | None = None
        self._tune_rows: list[dict[Any, Any]] = []
        self._request_count = 0
        self.fractions_done = np.zeros(0)

    def poll(self, frame: pd.DataFrame) -> int:
        """Fetch the prompts that are not finished, and return how many requests that took.

        Parameters
        ----------
        frame : pandas.DataFrame
            The rows in their latest state; the same rows at each call.
        """
        self._request_count = 0
        if frame is not self._tunes:  # most polls find no changed tune
            self._tunes, self._tune_rows = frame, frame[_COLUMNS].to_dict("records")
        if self._first_answer_at is None:
            self._expect_prompts_of_runs()
        self._refresh_pending()
        self._first_answer_at = self._first_answer_at or self._client.now()
        lists = 0
        fractions = np.zeros(len(frame))
        for position, row in enumerate(self._tune_rows):
            if pd.isna(row["id"]):
                self._give_up_old(position)
            elif row["status"] == "trained" and lists < _LISTS_PER_POLL and self._needs_list(position):
                lists += 1
                self._list(position, int(row["id"]), row["trained_at"])
            will_have_none = row["status"] in FINAL_STATES and row["status"] != "trained"
            fractions[position] = 1.0 if will_have_none else self._fraction_done(position)
        self.fractions_done = fractions
        return self._request_count

    def frame(self) -> pd.DataFrame | None:
        """Return a row per prompt seen so far; None before the first one."""
        if self._frame is None and self._prompts:
            prompts = [self._prompts[key] for key in sorted(self._prompts)]
            self._frame = rows.prompt_frame(prompts, self._owners, origin_of(self._client))
        return self._frame

    def records(self, frame: pd.DataFrame) -> dict[int, list[Json]]:
        """Return the API's JSON of the prompts seen so far, by the id of their tune."""
        return {
            int(frame["id"].iloc[position]): [
                self._prompts[key] for key in sorted(ids) if key in self._prompts
            ]
            for position, ids in self._ids_by_row.items()
            if pd.notna(frame["id"].iloc[position])
        }

    def summary(self) -> str:
        """Describe how many prompts are done and how many failed."""
        states = [rows.prompt_status(prompt) for prompt in self._prompts.values()]
        count = len(states) + len(self._unseen)
        if not count:
            return ""
        failed = f", {states.count('failed')} failed" if "failed" in states else ""
        return f"{states.count('done')} of {count} prompts done{failed}"

    def _expect_prompts_of_runs(self) -> None:
        """Record the prompts of runs on existing tunes, whose ids are in the rows."""
        for position, row in enumerate(self._tune_rows):
            if pd.isna(row["id"]):
                self._ids_by_row[position] = set(ids_in(row["prompt_ids"]))
                self._unseen |= dict.fromkeys(self._ids_by_row[position], ids_in(row["tune_ids"]))
                self._complete_rows.add(position)

    def _refresh_pending(self) -> None:
        pending = [key for key in (*self._prompts, *self._unseen) if self._is_pending(key)]
        for key, prompt in fetch_latest(pending, self._page, self._one).items():
            if prompt is not None:
                self._prompts[key] = prompt
                if key in self._unseen:
                    self._owners[key] = rows.tune_id_of(prompt, self._unseen.pop(key))
            elif key in self._prompts:  # deleted since the last poll
                del self._prompts[key]
            self._frame = None

    def _give_up_old(self, position: int) -> None:
        """Forget prompts of a run that the API would show by now: they were deleted."""
        ids = self._ids_by_row[position]
        unseen = ids & self._unseen.keys()
        if not unseen:
            return
        # The row does not say when the run was made, but its other prompts do.
        seen = [parse_time(self._prompts[key].get("created_at")) for key in ids & self._prompts.keys()]
        made = max(filter(None, seen), default=self._first_answer_at)
        if not is_recent(made, self._client.now()):
            for key in unseen:
                del self._unseen[key]

    def _needs_list(self, position: int) -> bool:
        is_complete = position in self._complete_rows
        return not is_complete and not any(map(self._is_pending, self._ids_by_row.get(position, ())))

    def _list(self, position: int, tune_id: int, trained_at: pd.Timestamp) -> None:
        """List a tune's prompts, and list them again once all are done: later ones may have been missing."""
        self._request_count += 1
        try:
            with self._limit():
                prompts = {prompt["id"]: prompt for prompt in self._client.prompts(tune_id)}
        except NotFoundError:  # the tune was deleted after its training
            prompts = {}
        is_first, ids_before = position not in self._ids_by_row, self._ids_by_row.get(position, set())
        if prompts != {key: self._prompts.get(key) for key in ids_before}:
            self._prompts |= prompts
            self._owners |= dict.fromkeys(prompts, tune_id)
            self._frame = None
        self._ids_by_row[position] = set(prompts)
        is_old = self._client.now() - trained_at > VISIBILITY_DELAY
        is_unchanged = not is_first and ids_before == set(prompts) and bool(prompts)
        if (is_old or is_unchanged) and not any(map(self._is_pending, prompts)):
            self._complete_rows.add(position)

    def _is_pending(self, id: int) -> bool:  # noqa: A002  the API's own name
        prompt = self._prompts.get(id)
        return id in self._unseen if prompt is None else rows.prompt_status(prompt) == "pending"

    def _fraction_done(self, position: int) -> float:
        ids = self._ids_by_row.get(position, set())
        pending = sum(map(self._is_pending, ids))
        if position in self._complete_rows and not pending:
            return 1.0
        return min(1 - pending / len(ids), 0.99) if ids else 0.0

    def _page(self, id: int) -> Iterator[Json]:  # noqa: A002  the API's own name
        self._request_count += 1
        with self._limit():
            return iter([*self._client.prompts(before_id=id, limit=PAGE_SIZE)])

    def _one(self, id: int) -> Json:  # noqa: A002  the API's own name
        self._request_count += 1
        with self._limit():
            return self._client.prompt(id)
