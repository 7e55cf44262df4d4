"""Results as a picture: each figure beside its bar, and how the time of an item grows with their number."""

import io
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture

from benchmarks.protocol import Figure
from benchmarks.turns import Result

# Light and dark: the picture follows its reader's settings.
THEMES = {
    "text": ("#1f2328", "#f0f6fc"),
    "ground": ("#fffffe", "#0d1117"),
    "grid": ("#d1d9e0", "#3d444d"),
    "yes": ("#1a7f37", "#3fb950"),
    "no": ("#cf222e", "#f85149"),
    "line": ("#0969da", "#4493f8"),
}
FONT = 9  # points


def draw(path: Path, results: Sequence[Result]) -> None:
    """Write a picture as SVG."""
    colours = {name: light for name, (light, _) in THEMES.items()}
    options = {
        "svg.hashsalt": "speed", "font.size": FONT, "text.color": colours["text"],
        "axes.labelcolor": colours["text"], "xtick.color": colours["text"], "ytick.color": colours["text"],
        "axes.edgecolor": colours["grid"], "grid.color": colours["grid"],
        "axes.facecolor": colours["ground"], "figure.facecolor": colours["ground"],
    }  # fmt: skip
    content = io.StringIO()
    with mpl.rc_context(options):
        _picture(results, colours).savefig(content, format="svg", metadata={"Date": None})
    path.write_text(_in_both_themes(content.getvalue()), "utf-8")


def _in_both_themes(svg: str) -> str:
    """Return a light picture with its colours as variables, which have other values in a dark page."""
    light, dark = (
        "".join(f"--{name}: {colours[theme]};" for name, colours in THEMES.items()) for theme in (0, 1)
    )
    for name, (colour, _) in THEMES.items():
        svg = svg.replace(colour, f"var(--{name})")
    style = f"svg {{{light}}} @media (prefers-color-scheme: dark) {{svg {{{dark}}}}}"
    return svg.replace("<defs>", f"<style>{style}</style><defs>", 1)


def _picture(results: Sequence[Result], colours: dict[str, str]) -> Picture:
    figures = [
        (result, figure)
        for result in results
        for figure in result.case.figures
        if result.compared(figure) and (figure.most or figure.least)
    ]
    growths = [(result, growth) for result in results if (growth := growth_of(result))]
    heights = [0.3 * len(figures) + 0.8] * bool(figures) + [2.6] * bool(growths)
    picture = Picture(figsize=(7.2, sum(heights) or 1.0), layout="constrained")
    if not heights:
        return picture
    areas = picture.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    if figures:
        _bars(areas[0], figures, colours)
    if growths:
        _growths(areas[-1], growths, colours)
    return picture


def share(value: float, figure: Figure) -> float:
    """Return a compared value in parts of its bar: above 1 it is missed."""
    if figure.most is not None:
        return value / figure.most
    return (figure.least or 0.0) / value


def _bars(area: Axes, figures: Sequence[tuple[Result, Figure]], colours: dict[str, str]) -> None:
    for row, (result, figure) in enumerate(figures):
        values = [max(share(value, figure), 1e-3) for value in result.compared(figure)]
        colour = colours["yes" if result.is_kept(figure) else "no"]
        area.plot([min(values), max(values)], [row, row], color=colour, linewidth=2, alpha=0.5)
        area.plot(statistics.median(values), row, "o", color=colour)
        if figure.beside != "today" and (before := result.compared(figure, "today")):
            today = max(share(statistics.median(before), figure), 1e-3)
            area.plot(today, row, "o", color=colours["text"], markerfacecolor="none")
    area.axvline(1, color=colours["text"], linewidth=1)
    area.set_xscale("log")
    names = [f"{result.name.replace('_', '-')}: {figure.what}" for result, figure in figures]
    area.set_yticks(range(len(figures)), names)
    area.set_ylim(len(figures) - 0.5, -0.5)
    area.set_xlabel("parts of the bar, less is better; a ring is today's build")
    area.xaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    area.grid(axis="x", alpha=0.5)


def growth_of(result: Result) -> dict[str, Any] | None:
    """Return the numbers of items and the seconds of each that a case has measured."""
    return next((turn["ours"] for turn in result.turns if "items" in turn.get("ours", {})), None)


def _growths(area: Axes, growths: Sequence[tuple[Result, dict[str, Any]]], colours: dict[str, str]) -> None:
    for (result, growth), style in zip(growths, ("o-", "s--", "^-.", "d:") * len(growths), strict=False):
        counts, seconds = growth["items"], growth["item_seconds"]
        area.plot(counts, [1e3 * value for value in seconds], style, color=colours["line"])
        area.annotate(
            f" {result.name.replace('_', '-')}", (counts[-1], 1e3 * seconds[-1]), va="center", fontsize=FONT
        )
    area.set_xscale("log")
    area.set_yscale("log")
    area.margins(x=0.2)
    area.set_xlabel("items")
    area.set_ylabel("ms for each more")
    area.grid(alpha=0.5)
