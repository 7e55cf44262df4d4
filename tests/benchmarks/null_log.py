"""A log that stores nothing: what submitting costs without one."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from astria_nb.log import Log, Submission
from astria_nb.tune import Request


class NullLog(Log):
    """A log that stores nothing: what submitting costs without one."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._ids = itertools.count(1)

    def unsettled(self, service: str, account: str | None = None) -> list[Submission]:
        return []

    def find(self, service: str, title: str, account: str | None = None) -> None:
        """Find nothing."""

    def plan(
        self, request: Request, newest_known_id: int | None = None, *, sending: bool = False, **_: Any
    ) -> Submission:
        at = datetime.now(UTC)
        return Submission(
            id=next(self._ids), service=request.service, title=request.title,
            state="sending" if sending else "planned", attempt=int(sending),
            tune_id=None, newest_known_id=newest_known_id, request=request, planned_at=at, changed_at=at,
            record=None, problem=None, session="", version=0, uptime=None,
        )  # fmt: skip

    def change(self, submission: Submission, state: str, *, reply: Any = None, **_: Any) -> Submission:
        return replace(submission, state=state, record=reply)
