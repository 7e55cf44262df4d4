"""What all plots share: axes that are readable on light and on dark, and labels of tunes."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from astria_nb.errors import AstriaError, Problem, TuneError
from astria_nb.utils.formatting import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The one grey that stands out as much from white as from JupyterLab's dark background.
_INK = "0.47"
_INCHES, _ROW, _LOWEST, _HIGHEST = 8.0, 0.27, 2.2, 9.5
_LABELLED = 40  # rows; of more, the labels would lie over each other
_LONGEST = 28  # characters of a label

Floats = npt.NDArray[np.float64]


def records(frame: object, *columns: str) -> pd.DataFrame:
    """Return rows with columns that are needed, empty where they lack.

    Raises
    ------
    TuneError
        It is no frame of tunes or prompts.
    """
    if not isinstance(frame, pd.DataFrame) or not (frame.empty or "id" in frame.columns):
        what, hint = f"{short(frame)} holds no tunes", "give the rows that submit or wait returned"
        raise TuneError(Problem("frame", what, hint))
    return frame.reindex(columns=[*columns]).reset_index(drop=True)


def canvas(ax: Axes | None, height: float = 3.6) -> Axes:
    """Return the axes that were given as they are, or transparent ones for any background.

    Raises
    ------
    AstriaError
        matplotlib is not installed, or these are no axes.
    """
    pyplot = _pyplot()
    if ax is not None and not hasattr(ax, "barh"):
        raise AstriaError(
            Problem("ax", f"{short(ax)} is no axes", "give one of plt.subplots(), or leave it out")
        )
    if ax is not None:
        return ax
    figure, made = pyplot.subplots(figsize=(_INCHES, height), layout="constrained")
    figure.patch.set_alpha(0)
    made.patch.set_alpha(0)
    for name in ("top", "right"):
        made.spines[name].set_visible(False)
    for name in ("bottom", "left"):
        made.spines[name].set_color(_INK)
    made.tick_params(colors=_INK, which="both")
    for text in (made.title, made.xaxis.label, made.yaxis.label, made.xaxis.get_offset_text()):
        text.set_color(_INK)
    result: Axes = made
    return result


def height_for(rows: int) -> float:
    """Return the inches that so many bars, one under the other, look well in."""
    return min(max(_LOWEST, 1.2 + _ROW * rows), _HIGHEST)


def say_nothing(ax: Axes, text: str) -> Axes:
    """Say on empty axes why they are empty."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes, color=_INK)
    return ax


def thickness(rows: int) -> float:
    """Return how much of its row a bar fills: of many rows all, lest they blur."""
    return 0.7 if rows <= _LABELLED else 1.0


def legend(ax: Axes) -> None:
    """Explain the colours beside the bars, in the ink of the axes' title."""
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False, labelcolor=ax.title.get_color(), loc="upper left", bbox_to_anchor=(1.0, 1.0))


def label_rows(ax: Axes, frame: pd.DataFrame, noun: str) -> None:
    """Put the first row at the top, and write beside each what it is, while there is room."""
    count = len(frame)
    ax.set_ylim(count - 0.4, -0.6)
    if count <= _LABELLED:
        ax.set_yticks(range(count), [_label(each) for each in frame.to_dict("records")])
    else:
        ax.set_yticks([])
        ax.set_ylabel(f"{count} {noun}")


def plain(text: object) -> str:
    """Return a text that is drawn as it is: on one line, no formula, no letter that the font lacks."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties()))
    cut = " ".join(str(text).split())
    cut = cut if len(cut) <= _LONGEST else f"{cut[: _LONGEST - 1]}…"
    return "".join(each if font.get_char_index(ord(each)) else "\ufffd" for each in cut).replace("$", r"\$")


def days(column: pd.Series[Any]) -> Floats:
    """Return times as matplotlib counts them, in UTC; not-a-number where there is none."""
    from matplotlib.dates import date2num

    to_number: Any = date2num  # matplotlib has half its types
    times = pd.to_datetime(column, utc=True).dt.tz_localize(None).to_numpy("datetime64[us]")
    return np.where(
        np.isnat(times), np.nan, to_number(np.where(np.isnat(times), np.datetime64(0, "us"), times))
    )


def show_dates(ax: Axes) -> None:
    """Write dates under the axes, as short as they can be told apart."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator()  # type: ignore[no-untyped-call]  # matplotlib has half its types
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    ax.set_xlabel("UTC")


def _label(record: dict[Any, Any]) -> str:
    title, number = record.get("title"), record.get("id")
    if isinstance(title, str) and title and len(title) <= _LONGEST:
        return plain(title)
    if number is None or pd.isna(number):
        return plain(title) if isinstance(title, str) else "a run"
    return f"tune {int(number)}"


def _pyplot() -> Any:
    try:
        return import_module("matplotlib.pyplot")  # here: only a plot needs it
    except ImportError:
        hint = "run pip install 'astria-nb[plot]'"
    raise AstriaError(Problem("plot", "matplotlib is not installed", hint))
