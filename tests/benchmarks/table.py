"""Results as text: lines for a terminal, a page for docs/, and JSON."""

import json
import os
import platform
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.protocol import Figure
from benchmarks.turns import Result

HEAD = ("case", "figure", "ours", "peer", "compared", "bar", "", "today")
WIDTHS = (18, 38, 10, 10, 26, 9, 6, 8)
COMMAND = "python -m tests.benchmarks"
BEGIN, END = "<!-- measured -->", "<!-- end of what was measured -->"


@dataclass(frozen=True)
class Line:
    """A figure as it is printed."""

    case: str
    what: str
    ours: str
    peer: str
    compared: str
    bar: str
    verdict: str
    today: str


def quantity(value: float, figure: Figure) -> str:
    """Return a value with three digits and its unit."""
    if figure.unit == "":
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    large, unit, small, part = (1.0, "s", 1e-3, "ms") if figure.unit == "s" else (1e6, "MB", 1e3, "kB")
    return f"{value / large:.3g} {unit}" if abs(value) >= large else f"{value / small:.3g} {part}"


def _compared(value: float, figure: Figure) -> str:
    if figure.beside is None or figure.added:
        return quantity(value, figure)
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def _bar(figure: Figure) -> str:
    if figure.most is None and figure.least is None:
        return "-"
    sign, bar = ("≤", figure.most) if figure.most is not None else ("≥", figure.least)
    is_plain = figure.beside is not None and not figure.added
    return f"{sign} {bar:g}" if is_plain else f"{sign} {quantity(bar or 0.0, figure)}"


def _median(values: Sequence[float], text: Any) -> str:
    return text(statistics.median(values)) if values else "-"


def lines(result: Result) -> Iterator[Line]:
    """Return a line for each figure of a case."""
    for figure in result.case.figures:
        values = result.compared(figure)
        compared = _median(values, lambda value, figure=figure: _compared(value, figure))
        if len(values) > 1:
            compared += f" ({_compared(min(values), figure)} to {_compared(max(values), figure)})"

        def text(side: str, figure: Figure = figure) -> str:
            return _median(result.values(figure, side), lambda value: quantity(value, figure))

        if figure.beside == "today":
            today = text("today")
        else:
            today = _median(
                result.compared(figure, "today"), lambda value, figure=figure: _compared(value, figure)
            )
        verdict = {True: "yes", False: "no", None: ""}[result.is_kept(figure)]
        yield Line(
            result.name.replace("_", "-"), figure.what, text("ours"), text("peer"), compared, _bar(figure),
            verdict, today,
        )  # fmt: skip
    if result.today_problem:
        reason = result.today_problem.partition(":")[0]  # what follows may name files of this machine
        what = f"today's build was not measured: {reason}"
        yield Line(result.name.replace("_", "-"), what, "-", "-", "-", "-", "", "-")
    if result.problem:
        yield Line(result.name.replace("_", "-"), result.problem, "-", "-", "-", "-", "", "-")


def padded(texts: Sequence[str]) -> str:
    """Return a line of the table for a terminal."""
    return " ".join(text.ljust(width) for text, width in zip(texts, WIDTHS, strict=True)).rstrip()


def cells(line: Line) -> tuple[str, ...]:
    """Return the texts of a line, in the order of the head."""
    return (
        line.case, line.what, line.ours, line.peer, line.compared, line.bar, line.verdict, line.today
    )  # fmt: skip


def machine() -> str:
    """Return what the figures depend on."""
    model = platform.processor() or platform.machine()
    cpus = Path("/proc/cpuinfo")
    if cpus.exists():
        names = [
            line.partition(":")[2].strip() for line in cpus.read_text().splitlines() if "model name" in line
        ]
        model = names[0] if names else model
    system = f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}"
    return f"{model}, {os.cpu_count()} cores, {system}, Python {platform.python_version()}"


def as_json(results: Sequence[Result], today: str) -> dict[str, Any]:
    """Return everything that was measured."""
    return {
        "machine": machine(),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "today": today,
        "cases": {
            result.name: {
                "what": result.case.what,
                "against": result.case.against,
                "figures": [line.__dict__ for line in lines(result)],
                "turns": result.turns,
                "problem": result.problem,
            }
            for result in results
        },
    }


def page(results: Sequence[Result], measured: dict[str, Any], picture: str) -> str:
    """Return the results as a part of a document."""
    rows = []
    for result in results:
        for line in lines(result):
            name, *texts = cells(line)
            names = f"`{name}`: {result.case.what}", result.case.against
            rows.append(" | ".join(text.replace("|", "\\|").replace("\n", " ") for text in (*names, *texts)))
    today = f" *Today* is the same of {measured['today']}." if measured["today"] else ""
    head = "| case | beside | figure | ours | peer | compared | bar | kept | today |"
    return (
        f"""{BEGIN}
Measured on {measured["date"]} by `{COMMAND}`: {measured["machine"]}.

Both sides of a case run in turn, each time in a new process. What is compared with the bar is the median
of the pairs: ours divided by the peer's, or a difference, or ours alone; the lowest and the highest are
beside it.{today}

![Each figure beside its bar]({picture})

{head}
|{"---|" * 9}
"""
        + "".join(f"| {row} |\n" for row in rows)
        + f"{END}\n"
    )


def write(target: Path, folder: Path, results: Sequence[Result], today: str) -> None:
    """Write a page, and JSON and a picture to a folder; of a page that is there, only what was measured."""
    from benchmarks.plot import draw

    folder.mkdir(parents=True, exist_ok=True)
    measured = as_json(results, today)
    content = json.dumps(measured, indent=1, default=str, ensure_ascii=False)
    (folder / "speed.json").write_text(f"{content}\n", "utf-8")
    draw(folder / "speed.svg", results)
    picture = Path(os.path.relpath(folder / "speed.svg", target.parent)).as_posix()
    before = target.read_text("utf-8") if target.exists() else "# Figures\n\n"
    head, _, rest_of_page = before.partition(BEGIN)
    tail = rest_of_page.partition(f"{END}\n")[2]
    target.write_text(head + page(results, measured, picture) + tail, "utf-8")
