"""The pictures of tunes side by side: a row for each template of their packs, a column for each tune."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Any, TypedDict

import pandas as pd

from astria_nb.errors import printable_lines
from astria_nb.rows import ids_in

_TUNES = re.compile(r"^(\s*<lora:[\w.:-]*>)+\s*")
_LOST = {
    "failed": "the training failed",
    "expired": "the tune has expired",
    "deleted": "the tune was deleted",
}

Record = Mapping[Any, Any]


class ComparisonCell(TypedDict):
    """A picture (``"<prompt id>.<number>"``), a prompt that failed (``"<prompt id>"``), or a gap's reason."""

    id: str
    gap: str


class ComparisonRow(TypedDict):
    """The pictures that tunes made of one template, a cell for each column."""

    label: str
    detail: str
    cells: list[ComparisonCell]


class ComparisonColumn(TypedDict):
    """The heading of a tune."""

    title: str
    detail: str


class Comparison(TypedDict):
    """The pictures by template and tune, as they are sent to the browser."""

    columns: list[ComparisonColumn]
    rows: list[ComparisonRow]


def compare(frame: pd.DataFrame, prompts: Iterable[Record]) -> Comparison:
    """Arrange pictures by template and tune.

    A template belongs to a pack (``orig_prompt_id``). Prompts without a template are grouped by their text. A
    template that made several pictures has a row for each. If a tune is given twice, or a prompt belongs to
    two runs, its pictures are in the first of the columns.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `submit` or `wait`; each is a column.
    prompts : iterable of mapping
        Rows of `astria_nb.prompts`, in any order.

    Returns
    -------
    Comparison

    Examples
    --------
    >>> tunes = pd.DataFrame({"id": [7, 8], "title": ["a", "b"]})
    >>> prompt = {"id": 1, "tune_id": 8, "orig_prompt_id": 5, "text": "x", "status": "done", "images": ["u"]}
    >>> [row["cells"] for row in compare(tunes, [prompt])["rows"]]
    [[{'id': '', 'gap': 'no picture of this template'}, {'id': '1.0', 'gap': ''}]]
    """
    tunes = frame.to_dict("records")
    owners = _columns_by_owner(tunes)
    labels: dict[object, tuple[str, str]] = {}
    cells: dict[object, list[list[ComparisonCell]]] = {}
    # The first tune decides the order of the templates.
    placed = [(columns, prompt) for prompt in prompts if (columns := _columns_of(prompt, owners))]
    for columns, prompt in sorted(placed, key=lambda pair: (pair[0][0], int(pair[1]["id"]))):
        key, label, detail = _template(prompt)
        labels.setdefault(key, (label, detail))
        row = cells.setdefault(key, [[] for _ in tunes])
        for column in columns:
            row[column] += _cells(prompt, tunes[column], None if column == columns[0] else columns[0])
    rows = [row for key, columns in cells.items() for row in _rows(*labels[key], columns)]
    return Comparison(columns=[_heading(tune) for tune in tunes], rows=rows)


def _columns_by_owner(tunes: list[dict[Any, Any]]) -> dict[tuple[str, int], list[int]]:
    """Return the columns of each tune, and of each prompt of a run on existing tunes."""
    owners: dict[tuple[str, int], list[int]] = {}
    for column, tune in enumerate(tunes):
        if _is_missing(tune["id"]):
            keys = [("prompt", prompt_id) for prompt_id in ids_in(tune.get("prompt_ids"))]
        else:
            keys = [("tune", int(tune["id"]))]
        for key in keys:
            owners.setdefault(key, []).append(column)
    return owners


def _columns_of(prompt: Record, owners: Mapping[tuple[str, int], list[int]]) -> list[int]:
    tune_id = prompt.get("tune_id")
    of_run = owners.get(("prompt", int(prompt["id"])))
    return of_run or ([] if _is_missing(tune_id) else owners.get(("tune", int(tune_id)), []))  # type: ignore[arg-type]


def _template(prompt: Record) -> tuple[object, str, str]:
    """Return what identifies a template, its text and its name."""
    text = prompt.get("text")
    text = printable_lines(_TUNES.sub("", text) or text) if isinstance(text, str) else ""
    template_id = prompt.get("orig_prompt_id")
    if _is_missing(template_id):
        return text, text, ""
    return int(template_id), text, f"template {int(template_id)}"  # type: ignore[arg-type]


def _cells(prompt: Record, tune: Record, shown_in: int | None) -> list[ComparisonCell]:
    """Return the cells of a prompt in a tune's column; if another column shows the pictures, they name it."""
    prompt_id = int(prompt["id"])
    if shown_in is not None and prompt["status"] != "pending":
        gap = f"the same as in column {shown_in + 1}"
        return [ComparisonCell(id="", gap=gap)] * max(1, len(prompt["images"]))
    if prompt["status"] == "done":
        return [ComparisonCell(id=f"{prompt_id}.{index}", gap="") for index in range(len(prompt["images"]))]
    if prompt["status"] == "failed":
        return [ComparisonCell(id=str(prompt_id), gap="")]
    count = prompt.get("num_images")
    gap = _LOST.get(str(tune.get("status")), "pending")
    return [ComparisonCell(id="", gap=gap)] * (1 if _is_missing(count) else max(1, int(count)))  # type: ignore[arg-type]


def _rows(label: str, detail: str, columns: list[list[ComparisonCell]]) -> list[ComparisonRow]:
    rows: list[ComparisonRow] = []
    count = max(map(len, columns))
    for number, cells in enumerate(zip_longest(*columns), 1):
        gap = "no picture of this template" if number == 1 else f"no picture {number}"
        rows.append(
            ComparisonRow(
                label=label,
                detail=" · ".join(filter(None, [detail, f"picture {number}" if count > 1 else ""])),
                cells=[cell or ComparisonCell(id="", gap=gap) for cell in cells],
            )
        )
    return rows


def _heading(tune: Record) -> ComparisonColumn:
    title, name = (printable_lines(str(tune.get(key))) for key in ("title", "name"))
    has_title, has_name = not _is_missing(tune.get("title")), not _is_missing(tune.get("name"))
    if not has_title:
        used_ids = ", ".join(map(str, ids_in(tune.get("tune_ids"))))
        title = name if has_name else f"tune {used_ids or tune['id']}"
    details = [name] if has_title and has_name else []
    if not _is_missing(pack := tune.get("pack")):
        details.append(f"pack {pack}")
    if isinstance(created_at := tune.get("created_at"), pd.Timestamp) and not pd.isna(created_at):
        details.append(f"{created_at.day} {created_at:%b %Y %H:%M} UTC")
    return ComparisonColumn(title=title, detail=" · ".join(details))


def _is_missing(value: Any) -> bool:
    return value is None or bool(pd.isna(value))
