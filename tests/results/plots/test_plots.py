"""Plots of tunes, on light and dark backgrounds."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.dates import date2num

import astria_nb as anb
from astria_nb.errors import AstriaError, TuneError

START = datetime(2026, 1, 1, 8, tzinfo=UTC)
NIGHT = "#111111"  # JupyterLab's dark theme


@pytest.fixture(autouse=True)
def _no_window() -> Iterator[None]:
    mpl.use("Agg")
    yield
    pyplot.close("all")


def at(minutes: float) -> str:
    return (START + timedelta(minutes=minutes)).isoformat()


def a_tune(number: int, begins: float = 0, **minutes: float) -> dict[str, Any]:
    """Return a tune with times, in minutes after it was created."""
    times = {f"{name}_at": at(begins + after) for name, after in minutes.items() if name != "eta"}
    eta = {"eta": at(begins + minutes["eta"])} if "eta" in minutes else {}
    return {"id": number, "title": f"t{number}", "created_at": at(begins), **times, **eta}


def frame(*tunes: dict[str, Any]) -> pd.DataFrame:
    return anb.rows.tune_frame(tunes)


def prompts(*records: dict[str, Any]) -> pd.DataFrame:
    return anb.rows.prompt_frame([{"text": "x", "tune_id": 1, **record} for record in records])


def bars(ax: Axes) -> dict[str, list[tuple[int, int, int]]]:
    """Return the bars of each label in the legend: row, start and end in minutes."""
    zero = date2num(START)  # type: ignore[no-untyped-call]
    return {
        container.get_label(): [
            (round(bar.get_y() + bar.get_height() / 2), *(
                round((x - zero) * 1440) for x in (bar.get_x(), bar.get_x() + bar.get_width())
            ))
            for bar in container
        ]
        for container in ax.containers
        if not container.get_label().startswith("_")
    }  # fmt: skip


def legend(ax: Axes) -> list[str]:
    box = ax.get_legend()
    return [text.get_text() for text in box.get_texts()] if box else []


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_a_tune_is_a_bar_of_its_states() -> None:
    ax = anb.timeline(frame(a_tune(1, started_training=5, trained=15)))
    assert bars(ax) == {"queued": [(0, 0, 5)], "training": [(0, 5, 15)]}
    assert legend(ax) == ["queued", "training"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["t1"]


def test_each_row_has_its_bar_the_first_at_the_top() -> None:
    ax = anb.timeline(
        frame(a_tune(1, 0, started_training=1, trained=2), a_tune(2, 10, started_training=1, trained=3))
    )
    assert bars(ax)["training"] == [(0, 1, 2), (1, 11, 13)]
    top, bottom = sorted(ax.get_ylim())
    assert ax.yaxis_inverted()
    assert top < 0 < 1 < bottom


def test_prompts_are_drawn_from_the_end_of_the_training() -> None:
    prompt_rows = prompts(
        {"id": 1, "text": "<lora:1:1> a", "tune_id": 99, "started_training_at": at(14), "trained_at": at(17)},
        {"id": 2, "text": "<lora:1:1> b", "tune_id": 99, "created_at": at(0), "trained_at": at(19)},
        {"id": 3, "text": "of another", "tune_id": 5, "trained_at": at(60)},
        {"id": 4, "text": "<lora:1:1> pending", "tune_id": 99, "created_at": at(0)},
    )
    tune = frame(a_tune(1, started_training=5, trained=15))
    assert bars(anb.timeline(tune, prompt_rows))["prompts"] == [(0, 15, 19)]
    assert "prompts" not in bars(anb.timeline(tune))


def test_a_failed_tune_stands_out_wherever_it_failed() -> None:
    ax = anb.timeline(
        frame(a_tune(1, started_training=5, failed=9), a_tune(2, failed=7), a_tune(3, failed=0))
    )
    assert bars(ax)["failed"] == [(0, 5, 9), (1, 7, 7), (2, 0, 0)]
    assert "training" not in bars(ax)


def test_an_unfinished_tune_is_drawn_to_the_latest_time_and_pale_to_its_eta() -> None:
    ax = anb.timeline(
        frame(
            a_tune(1, 0, started_training=5, trained=20),
            a_tune(2, 0, started_training=8, eta=30),
            a_tune(3, 2),
        )
    )
    assert bars(ax)["training"] == [(0, 5, 20), (1, 8, 20)]
    assert bars(ax)["queued"] == [(0, 0, 5), (1, 0, 8), (2, 2, 20)]
    pale = [bar for container in ax.containers for bar in container if bar.get_alpha() < 1]
    assert [round(bar.get_width() * 1440) for bar in pale] == [10]


@pytest.mark.parametrize("plot", [anb.timeline, anb.costs, anb.image_counts])
@pytest.mark.parametrize("rows", [anb.rows.tune_frame([]), pd.DataFrame()], ids=["empty", "without columns"])
def test_an_empty_frame_is_drawn_as_a_text(plot: Any, rows: pd.DataFrame) -> None:
    with anb.Sandbox() as sandbox:
        clients = [sandbox.client()] if plot is anb.image_counts else []
        assert texts(plot(rows, *clients)) == ["no tunes"]


def test_unknown_times_are_reported() -> None:
    assert texts(anb.timeline(frame({"id": 1}, {"id": 2}))) == ["the times of these tunes are unknown"]
    ax = anb.timeline(frame({"id": 1}, a_tune(2, started_training=1, trained=2)))
    assert bars(ax)["training"] == [(1, 1, 2)]


@pytest.mark.parametrize("plot", [anb.timeline, anb.costs, anb.image_counts])
@pytest.mark.parametrize("rows", ["a", pd.DataFrame({"a": [1]}), [object()]])
def test_anything_but_tunes_is_refused(plot: Any, rows: Any) -> None:
    with pytest.raises(TuneError, match=r"^frame: expected the DataFrame that submit or wait returned, got"):
        plot(rows)


HOSTILE = [r"$\frac{$", "$x_1$", "a\nb", "雪 ❄ \U0001f431", "", "\x00\x1b[31m", "x" * 500, "<b>&amp;"]


def test_any_title_is_drawn_as_it_is() -> None:
    tunes = [{**a_tune(number, trained=9), "title": title} for number, title in enumerate(HOSTILE, 1)]
    ax = anb.timeline(frame(*tunes))
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[:3] == [r"\$\frac{\$", r"\$x_1\$", "a b"]
    assert labels[4] == "tune 5"
    assert max(map(len, labels)) <= 32
    ax = anb.costs(frame(*({**tune, "name": tune["title"], "cost_mc": 5} for tune in tunes)))
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]


@pytest.mark.slow
def test_five_hundred_tunes_fit() -> None:
    ax = anb.timeline(
        frame(*(a_tune(number, 3 * number, started_training=4, trained=15) for number in range(500)))
    )
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    assert ax.get_ylabel() == "500 tunes"
    assert ax.figure.get_size_inches()[1] < 10  # type: ignore[union-attr]
    assert len(bars(ax)["training"]) == 500


def cost(
    number: int, dollars: float | None, name: str = "cat", pack: int | None = 43, day: int = 0
) -> dict[str, Any]:
    mc = None if dollars is None else round(dollars * 100_000)
    return {**a_tune(number, 1440 * day), "name": name, "pack": pack, "cost_mc": mc}


def heights(ax: Axes) -> dict[str, list[float]]:
    return {
        container.get_label(): [round(float(bar.get_height()), 2) for bar in container]
        for container in ax.containers
    }


def test_costs_are_dollars_by_class_and_pack_over_days() -> None:
    tunes = [cost(1, 2.5), cost(2, 3.31, "man", 260), cost(3, 1, day=1), cost(4, 0.5, day=1)]
    ax = anb.costs(frame(*tunes))
    assert heights(ax) == {"cat, pack 43": [2.5, 1.5], "man, pack 260": [3.31, 0.0]}
    assert ax.get_title() == "$7.31 for 4 tunes"
    assert ax.get_ylabel() == "dollars per day"
    assert legend(ax) == ["cat, pack 43", "man, pack 260"]


def test_tunes_of_unknown_cost_are_counted_and_not_guessed() -> None:
    ax = anb.costs(frame(cost(1, 2), cost(2, None), cost(3, None), {"id": 4, "cost_mc": 5}))
    assert ax.get_title() == "$2.00 for 1 tune; cost of 3 more unknown"
    assert texts(anb.costs(frame(cost(1, None)))) == ["the cost of 1 tune is unknown"]


@pytest.mark.parametrize(("day", "period"), [(5, "day"), (100, "week"), (900, "month")])
def test_a_long_time_span_is_drawn_in_longer_periods(day: int, period: str) -> None:
    ax = anb.costs(frame(cost(1, 2), cost(2, 3, day=day)))
    assert ax.get_ylabel() == f"dollars per {period}"
    assert sum(heights(ax)["cat, pack 43"]) == 5


def test_the_cheapest_of_many_groups_become_others() -> None:
    ax = anb.costs(frame(*(cost(number, number, f"class {number}") for number in range(1, 21))))
    groups = heights(ax)
    assert list(groups)[:2] == ["class 20, pack 43", "class 19, pack 43"]
    assert groups["others"] == [sum(range(1, 14))]
    assert len(groups) == 8


def test_a_tune_without_class_or_pack_has_its_cost_drawn() -> None:
    assert heights(anb.costs(frame({**cost(1, 2, pack=None), "name": None}))) == {"no class, no pack": [2.0]}


def widths(ax: Axes) -> dict[str, list[float]]:
    return {
        container.get_label(): [float(bar.get_width()) for bar in container] for container in ax.containers
    }


def test_images_are_counted_by_tune() -> None:
    prompt_rows = prompts(
        {"id": 1, "images": ["a", "b"]},
        {"id": 2, "images": ["c"], "tune_id": 99, "text": "<lora:2:1> x"},
        {"id": 3, "images": []},
        {"id": 4, "user_error": "no"},
    )
    ax = anb.image_counts(prompt_rows)
    assert widths(ax) == {"images": [2, 1], "prompts pending": [1, 0], "prompts failed": [1, 0]}
    assert ax.get_title() == "3 images of 2 tunes"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["tune 1", "tune 2"]


def test_the_prompts_of_rows_are_requested() -> None:
    with anb.Sandbox(deterministic=True) as sandbox:
        client = sandbox.client()
        tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
        row = anb.submit(tune, client)
        assert widths(anb.image_counts(row, client)) == {"prompts pending": [8.0]}


def luminance(color: Any) -> float:
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in to_rgb(color)
    ]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def contrast(color: Any, background: Any) -> float:
    low, high = sorted([luminance(color), luminance(background)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", ["white", NIGHT])
def test_all_of_it_is_readable_on_any_background(ground: str) -> None:
    prompt_rows = prompts(
        {"id": 1, "trained_at": at(30)}, {"id": 2, "images": ["a"]}, {"id": 3, "user_error": "no"}
    )
    tunes = frame(a_tune(1, started_training=3, trained=20), a_tune(2, started_training=1, failed=2))
    for ax in (
        anb.timeline(tunes, prompt_rows),
        anb.costs(frame(cost(1, 2))),
        anb.image_counts(prompt_rows),
    ):
        labels = [*ax.get_xticklabels(), *ax.get_yticklabels(), ax.title, ax.xaxis.label, ax.yaxis.label]
        inks = {to_rgb(text.get_color()) for text in [*labels, *ax.get_legend().get_texts()]}  # type: ignore[union-attr]
        assert min(contrast(ink, ground) for ink in inks) > 4.2
        fills = {patch.get_facecolor()[:3] for patch in ax.patches if patch.get_alpha() in (None, 1.0)}
        assert min(contrast(fill, ground) for fill in fills) > 2.9


def test_the_background_is_transparent() -> None:
    figure = anb.timeline(frame(a_tune(1, trained=2))).figure
    figure.canvas.draw()
    assert np.asarray(figure.canvas.buffer_rgba())[2, 2, 3] == 0  # type: ignore[attr-defined]


def test_the_callers_axes_keep_their_colours() -> None:
    _, axes = pyplot.subplots(1, 3)
    for ax, plot in zip(axes, (anb.timeline, anb.costs, anb.image_counts), strict=True):
        before = ax.patch.get_facecolor(), ax.title.get_color(), ax.xaxis.label.get_color()
        rows = prompts({"id": 1, "images": ["a"]}) if plot is anb.image_counts else frame(cost(1, 2))
        assert plot(rows, ax=ax) is ax
        assert before == (ax.patch.get_facecolor(), ax.title.get_color(), ax.xaxis.label.get_color())
        assert ax.containers
    assert len(pyplot.get_fignums()) == 1


@pytest.mark.parametrize("plot", [anb.timeline, anb.costs, anb.image_counts])
def test_without_matplotlib_the_error_says_what_to_install(
    plot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(
        AstriaError, match=r"plot: matplotlib is not installed; run pip install 'astria-nb\[plot\]'"
    ):
        plot(prompts({"id": 1, "images": ["a"]}) if plot is anb.image_counts else frame(cost(1, 2)))


def test_a_missing_cost_is_estimated_by_the_price_of_the_pack():
    with anb.Sandbox(deterministic=True) as sandbox:
        client = sandbox.client()
        tunes = frame(
            {**cost(1, None, "woman", pack=260)},
            {**cost(2, None, "woman", pack=260)},
            {**cost(3, None, "man", pack=260), "failed_at": "2026-01-01T13:00:00Z"},
            {**cost(4, None, "cat", pack=999)},
            {**cost(5, 2, "man", pack=260)},
        )
        before = len(sandbox.ledger)
        ax = anb.costs(tunes, client)
        assert len(sandbox.ledger) - before == 2
    assert ax.get_title() == "about $9.20 for 4 tunes; cost of 1 more unknown"


def test_anything_but_axes_and_a_client_is_refused():
    with pytest.raises(AstriaError, match=r"ax: 5 is not a matplotlib axes; pass one from plt\.subplots"):
        anb.timeline(frame(cost(1, 2)), ax=5)
    with pytest.raises(AstriaError, match="client: 'c' is not a client"):
        anb.costs(frame(cost(1, 2)), "c")
