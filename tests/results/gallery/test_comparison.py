"""Tunes side by side: which pictures stand in which row and column, and the same as HTML."""

import re
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

import astria_nb as anb
from astria_nb.errors import AstriaError
from astria_nb.results.gallery._comparison import compare
from astria_nb.results.gallery._contents import GalleryContents
from astria_nb.results.gallery._static_html import comparison_html
from astria_nb.rows import prompt_frame, tune_frame

URL = "https://example.com/1.jpg"
EVIL = "<script>alert(1)</script>"
TUNES = tune_frame(
    [
        {"id": 7, "title": "first", "name": "cat", "pack": 43, "created_at": "2026-01-01T12:00:00Z"},
        {"id": 8, "title": None, "name": "dog"},
    ]
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[anb.Sandbox]:
    with anb.Sandbox(deterministic=True) as running:
        yield running


def prompt(key: int, tune_id: int, template: int | None, **fields: Any) -> dict[str, Any]:
    text = f"<lora:{tune_id}:1> template {template}"
    images = {"images": [URL]} if not fields.keys() & {"user_error", "images"} else {}
    return {"id": key, "text": text, "orig_prompt_id": template, **images, **fields}


def table(prompts: list[dict[str, Any]], tunes: pd.DataFrame = TUNES) -> list[list[str]]:
    """Return the labels of rows and what stands in their cells."""
    comparison = compare(tunes, prompt_frame(prompts).to_dict("records"))
    return [
        [row["label"], row["detail"], *(cell["id"] or cell["gap"] for cell in row["cells"])]
        for row in comparison["rows"]
    ]


def submitted(client: anb.Client, title: str, **fields: Any) -> pd.DataFrame:
    values = {"pack": 43, "name": "cat", "image_urls": [URL], "title": title, **fields}
    return anb.wait(anb.submit(anb.Tune(**values), client), client, until="prompts", poll=0)


def test_a_template_is_a_row_and_a_tune_a_column():
    prompts = [prompt(1, 7, 50), prompt(2, 7, 51), prompt(3, 8, 51), prompt(4, 8, 50), prompt(5, 9, 50)]
    assert table(prompts) == [
        ["template 50", "template 50", "1.0", "4.0"],
        ["template 51", "template 51", "2.0", "3.0"],
    ]
    columns = compare(TUNES, [])["columns"]
    assert columns == [
        {"title": "first", "detail": "cat · pack 43 · 1 Jan 2026 12:00 UTC"},
        {"title": "dog", "detail": ""},
    ]


def test_what_is_missing_is_a_gap_that_says_why():
    prompts = [
        prompt(1, 7, 50, images=[]),
        prompt(2, 7, 51, user_error="held back"),
        prompt(3, 8, 52),
        prompt(4, 7, 53, images=[URL] * 3),
        prompt(5, 8, 53, images=[URL] * 2),
        prompt(6, 8, 54, images=[], num_images=2),
    ]
    none = "no picture of this template"
    assert table(prompts) == [
        ["template 50", "template 50", "pending", none],
        ["template 51", "template 51", "2", none],
        ["template 53", "template 53 · picture 1", "4.0", "5.0"],
        ["template 53", "template 53 · picture 2", "4.1", "5.1"],
        ["template 53", "template 53 · picture 3", "4.2", "no picture 3"],
        ["template 52", "template 52", none, "3.0"],
        ["template 54", "template 54 · picture 1", none, "pending"],
        ["template 54", "template 54 · picture 2", "no picture 2", "pending"],
    ]
    failed = tune_frame([{"id": 7, "failed_at": "2026-01-01T12:00:00Z"}])
    assert table(prompts[:1], failed) == [["template 50", "template 50", "the training failed"]]
    contents = GalleryContents()
    contents.update_tunes(pd.concat([failed, TUNES.iloc[1:]]))
    contents.update_prompts(prompt_frame([prompts[0], prompts[5]]))
    assert contents.summary() == "0 of 2 pictures · 1 prompt pending · 1 tune failed"


def test_prompts_of_no_template_are_compared_by_their_text():
    prompts = [prompt(1, 7, None), prompt(2, 8, None), prompt(3, 8, None, text="<lora:8:1> another")]
    assert table(prompts) == [
        ["template None", "", "1.0", "2.0"],
        ["another", "", "no picture of this template", "3.0"],
    ]


def test_a_run_on_an_existing_tune_is_a_column_of_its_own(sandbox):
    client = sandbox.client()
    row = submitted(client, "trained")
    tune_id = int(row["id"].iloc[0])
    templates = [int(key) for key in anb.prompts(row, client)["orig_prompt_id"][2:4]]
    run = anb.submit(anb.Tune(pack=43, name="cat", tune_ids=[tune_id], prompt_ids=templates), client)
    anb.wait(run, client, until="prompts", poll=0)
    gallery = anb.gallery(pd.concat([row, run], ignore_index=True), client, by="template")
    gallery.stop()
    rows = gallery.comparison["rows"]
    pairs = [[cell["id"] for cell in row["cells"]] for row in rows]
    assert len(rows) == 8
    assert all(first for first, _ in pairs)
    compared = [row["detail"] for row, (_, second) in zip(rows, pairs, strict=True) if second]
    assert compared == [f"template {key}" for key in templates]
    assert gallery.comparison["columns"][1]["title"] == "cat"


def test_two_runs_stand_side_by_side_also_in_the_saved_file(sandbox):
    client = sandbox.client()
    rows = pd.concat([submitted(client, "a"), submitted(client, "b")], ignore_index=True)
    gallery = anb.gallery(rows, client, by="template")
    pairs = [[cell["id"] for cell in row["cells"]] for row in gallery.comparison["rows"]]
    assert len(pairs) == 8
    cards = {card["pictures"][0]["id"]: card["text"] for card in gallery.cards}
    for first, second in pairs:  # the same text, but for the tune in front of it
        assert cards[first].partition("> ")[2] == cards[second].partition("> ")[2]
    page = gallery._repr_html_()
    assert type(page) is str
    assert page.count("<tr>") == 9
    assert page.count('<img src="data:image/jpeg;base64,') == 16
    assert "<th>a<br>" in page


def test_a_picture_of_two_columns_stands_in_the_first():
    twice = pd.concat([TUNES, TUNES.iloc[[0]]], ignore_index=True)
    prompts = [
        prompt(1, 7, 50),
        prompt(2, 8, 50),
        prompt(3, 7, 51, user_error="no"),
        prompt(4, 7, 52, images=[]),
    ]
    none, same = "no picture of this template", "the same as in column 1"
    assert table(prompts, twice) == [
        ["template 50", "template 50", "1.0", "2.0", same],
        ["template 51", "template 51", "3", none, same],
        ["template 52", "template 52", "pending", none, "pending"],
    ]


def test_the_html_of_many_tunes_is_bounded():
    tunes = tune_frame([{"id": at, "title": "t" * 999} for at in range(1, 61)])
    prompts = [
        prompt(at * 100 + template, at, template, text="word " * 10**3, images=[f"{URL}?{'x' * 900}"])
        for at in range(1, 61)
        for template in range(28)
    ]
    contents = GalleryContents(None)
    contents.update_tunes(tunes)
    contents.update_prompts(prompt_frame(prompts, {item["id"]: item["id"] // 100 for item in prompts}))
    page = comparison_html(contents.comparison(), contents.visible_cards(), {}, "summary")
    rows, more = (
        page.count("</td></tr>"),
        re.search(r"and (\d+) more</th></tr></table></div><p>summary", page),
    )
    assert 700_000 < len(page) < 900_000
    assert more is not None
    assert rows + int(more[1]) == 28


def test_the_html_has_gaps_links_and_no_markup_of_the_service():
    prompts = [
        prompt(1, 7, 50, text=f"<lora:7:1> {EVIL}"),
        prompt(2, 8, 50, user_error=EVIL),
        prompt(3, 7, 51, images=["javascript:alert(1)"]),
    ]
    comparison = compare(TUNES, prompt_frame(prompts).to_dict("records"))
    cards: list[Any] = [
        {"id": "1", "text": EVIL, "error": "", "liked": False, "pictures": [{"id": "1.0", "url": URL}]},
        {"id": "2", "text": "", "error": EVIL, "liked": False, "pictures": []},
        {"id": "3", "text": "", "error": "", "liked": False, "pictures": [{"id": "3.0", "url": ""}]},
    ]
    page = comparison_html(comparison, cards, {}, "3 pictures")
    assert "<script>" not in page
    assert f'<a href="{URL}"' in page
    assert "failed: &lt;script&gt;" in page
    assert "its address is not a web address" in page
    assert "no picture of this template" in page


def test_what_cannot_be_compared_is_refused(sandbox):
    with pytest.raises(AstriaError, match=r"^by: 'tune' is not a way .*; give 'template', or leave it out"):
        anb.gallery(TUNES, sandbox.client(), by="tune")  # type: ignore[arg-type]
    with pytest.raises(AstriaError, match=r"^limit: cannot be combined with by; .*select the rows"):
        anb.gallery(TUNES, sandbox.client(), by="template", limit=3)
