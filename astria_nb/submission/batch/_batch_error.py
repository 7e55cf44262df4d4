"""The error for rows with problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from astria_nb.errors import BatchError, Problem
from astria_nb.submission.batch._same_titles import label_of
from astria_nb.submission.batch._table import Table, frame_of_problems


def batch_error(problems: Sequence[tuple[int | None, Problem]], table: Table) -> BatchError:
    """Return an error whose problems name their rows, in the order of the rows.

    Parameters
    ----------
    problems : sequence of ((int or None), Problem)
        Each with the position of its row; None for a problem with the whole batch.
    table : Table
    """
    ordered = sorted(problems, key=lambda problem: -1 if problem[0] is None else problem[0])

    def named(row: int, problem: Problem) -> Problem:
        label = table.index[row]
        text = label if isinstance(label, str) else label_of(table.index, row)
        return replace(problem, field=f"row {text}, {problem.field}")

    of_rows = (problem if row is None else named(row, problem) for row, problem in ordered)
    return BatchError(*of_rows, frame=frame_of_problems(ordered, table.index))
