"""Code that all plots share: axes that are readable on light and dark backgrounds, labels, and dates."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from astria_nb.errors import AstriaError, Problem
from astria_nb.rows import typed
from astria_nb.utils.formatting import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The grey with the same contrast to white and to JupyterLab's dark background.
_INK = "0.47"
_WIDTH, _ROW, _MIN_HEIGHT, _MAX_HEIGHT = 8.0, 0.27, 2.2, 9.5  # inches
_MAX_LABELS = 40  # labels of more rows would overlap
_MAX_LABEL = 28  # characters

Floats = npt.NDArray[np.float64]


def select_columns(frame: object, *columns: str) -> pd.DataFrame:
    """Return the rows of a frame with some columns; those that are missing are empty.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of tunes or prompts.
    *columns : str

    Raises
    ------
    TuneError
        The value is not a frame of tunes or prompts.
    """
    return typed(frame).reindex(columns=[*columns]).reset_index(drop=True)


def prepare_axes(ax: Axes | None, height: float = 3.6) -> Axes:
    """Return the given axes, or new transparent ones that suit any background.

    Parameters
    ----------
    ax : matplotlib.axes.Axes, optional
    height : float
        Inches, for new axes.

    Raises
    ------
    AstriaError
        matplotlib is not installed, or `ax` is not a matplotlib axes.
    """
    pyplot = _import_pyplot()
    if ax is not None and not hasattr(ax, "barh"):
        hint = "pass one from plt.subplots(), or omit it"
        raise AstriaError(Problem("ax", f"{short(ax)} is not a matplotlib axes", hint))
    if ax is not None:
        return ax
    new_axes: Axes
    figure, new_axes = pyplot.subplots(figsize=(_WIDTH, height), layout="constrained")
    figure.patch.set_alpha(0)
    new_axes.patch.set_alpha(0)
    for side in ("top", "right"):
        new_axes.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        new_axes.spines[side].set_color(_INK)
    new_axes.tick_params(colors=_INK, which="both")
    x_axis, y_axis = new_axes.xaxis, new_axes.yaxis
    for text in (new_axes.title, x_axis.label, y_axis.label, x_axis.get_offset_text()):
        text.set_color(_INK)
    return new_axes


def height_for(rows: int) -> float:
    """Return the height of a figure with a number of horizontal bars, in inches."""
    return min(max(_MIN_HEIGHT, 1.2 + _ROW * rows), _MAX_HEIGHT)


def show_text(ax: Axes, text: str) -> Axes:
    """Write a text on axes without data."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes, color=_INK)
    return ax


def bar_height(rows: int) -> float:
    """Return the fraction of a row that its bar fills: all of it with many rows, since gaps would blur."""
    return 0.7 if rows <= _MAX_LABELS else 1.0


def add_legend(ax: Axes) -> None:
    """Add a legend beside the bars, in the colour of the axes' title."""
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False, labelcolor=ax.title.get_color(), loc="upper left", bbox_to_anchor=(1.0, 1.0))


def label_rows(ax: Axes, frame: pd.DataFrame, noun: str) -> None:
    """Put the first row at the top and label the rows, or only count them if there are too many.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    frame : pandas.DataFrame
        With ``id`` and, optionally, ``title``.
    noun : str
        The name of the rows, in the plural.
    """
    count = len(frame)
    ax.set_ylim(count - 0.4, -0.6)
    if count <= _MAX_LABELS:
        ax.set_yticks(range(count), [_row_label(row) for row in frame.to_dict("records")])
    else:
        ax.set_yticks([])
        ax.set_ylabel(f"{count} {noun}")


def plain_label(text: object) -> str:
    """Return a text as a short label: one line, no formula, only characters that the font has."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties()))
    line = " ".join(str(text).split())
    line = line if len(line) <= _MAX_LABEL else f"{line[: _MAX_LABEL - 1]}…"
    characters = (character if font.get_char_index(ord(character)) else "\ufffd" for character in line)
    return "".join(characters).replace("$", r"\$")


def to_days(column: pd.Series[Any]) -> Floats:
    """Return times as matplotlib's date numbers (days, in UTC); not-a-number for null."""
    from matplotlib.dates import date2num

    to_number: Any = date2num  # matplotlib is only partly typed
    times = pd.to_datetime(column, utc=True).dt.tz_localize(None).to_numpy("datetime64[us]")
    is_null = np.isnat(times)
    return np.where(is_null, np.nan, to_number(np.where(is_null, np.datetime64(0, "us"), times)))


def format_dates(ax: Axes) -> None:
    """Label the time axis with short dates."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator()  # type: ignore[no-untyped-call]  # matplotlib is only partly typed
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    ax.set_xlabel("UTC")


def _row_label(row: dict[Any, Any]) -> str:
    title, tune_id = row.get("title"), row.get("id")
    if isinstance(title, str) and title and len(title) <= _MAX_LABEL:
        return plain_label(title)
    if tune_id is None or pd.isna(tune_id):
        return plain_label(title) if isinstance(title, str) else "a run"
    return f"tune {int(tune_id)}"


def _import_pyplot() -> Any:
    try:
        return import_module("matplotlib.pyplot")  # imported here: only plots need it
    except ImportError:
        hint = "run pip install 'astria-nb[plot]'"
    raise AstriaError(Problem("plot", "matplotlib is not installed", hint))
