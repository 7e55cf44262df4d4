"""The tunes that a form has submitted, and the outcome of the last one. The widgets only show it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from astria_nb.errors import AstriaError, Problem
from astria_nb.tune import Tune

if TYPE_CHECKING:
    import pandas as pd

Phase = Literal["idle", "sending", "submitted", "failed"]


@dataclass(frozen=True, slots=True)
class Submitted:
    """One submission that made a tune.

    Attributes
    ----------
    tune : Tune or None
        None if an earlier form submitted the title with different fields.
    row : pandas.DataFrame
        Its latest row.
    """

    tune: Tune | None
    row: pd.DataFrame


class SubmissionState:
    """The only owner of a form's submissions.

    Attributes
    ----------
    problems : tuple of Problem
        Why the last submission failed; empty otherwise. Problems that the user has acted on are removed.
    latest : str or None
        Title of the tune that was submitted last.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._phase: Phase = "idle"
        self._submitted: dict[str | None, Submitted] = {}
        self.problems: tuple[Problem, ...] = ()
        self.latest: str | None = None

    @property
    def phase(self) -> Phase:
        """``idle``, ``sending``, ``submitted`` or ``failed``."""
        return "sending" if self._lock.locked() else self._phase

    @property
    def rows(self) -> pd.DataFrame:
        """All rows in the order of submission; an empty frame before the first."""
        import pandas as pd

        rows = [submitted.row for submitted in self._submitted.values()]
        return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()

    def row_of(self, title: str | None) -> pd.DataFrame | None:
        """Return the row that was submitted under a title, or None."""
        submitted = self._submitted.get(title)
        return None if submitted is None else submitted.row

    def has_other(self, title: str | None, tune: Tune | None) -> bool:
        """Return whether another tune than this one was submitted under a title."""
        return title in self._submitted and self._submitted[title].tune != tune

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Set the phase ``sending`` for the duration of a ``with`` block.

        Raises
        ------
        AstriaError
            A submission is in progress.
        """
        if not self._lock.acquire(blocking=False):
            raise AstriaError(Problem("form", "is being submitted", "wait until it is done"))
        try:
            yield
        finally:
            self._lock.release()

    def start(self) -> None:
        """Forget why the previous submission failed."""
        self._phase, self.problems = "idle", ()

    def fail(self, problems: Sequence[Problem]) -> None:
        """Record why the submission failed."""
        self._phase, self.problems = "failed", tuple(problems)

    def add(self, title: str | None, tune: Tune | None, row: pd.DataFrame) -> None:
        """Record a submission that made a tune."""
        self._phase, self.latest = "submitted", title
        self._submitted[title] = Submitted(tune, row)

    def update_row(self, title: str | None, row: pd.DataFrame) -> bool:
        """Replace a row by a newer one; return False if its title was not submitted here."""
        if title not in self._submitted:
            return False
        self._submitted[title] = Submitted(self._submitted[title].tune, row)
        return True

    def dismiss(self, problems: Sequence[Problem]) -> None:
        """Drop problems whose field was changed: the next submission shows whether they are solved."""
        self.problems = tuple(problem for problem in self.problems if problem not in problems)
