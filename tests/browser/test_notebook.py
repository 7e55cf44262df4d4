"""The first notebook in a real JupyterLab, by mouse and keyboard."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

import helpers.jupyterlab as lab
from astria_nb.cli import copy_notebooks


@pytest.fixture(scope="module")
def page(tab: Page, address: str, folder: Path) -> Iterator[Page]:
    """The first notebook."""
    copy_notebooks(folder)
    lab.open_notebook(tab, address, "01_multipart.ipynb")
    yield tab
    lab.shut_down(tab)


@pytest.fixture
def form(page: Page) -> Locator:
    """Its form, after the cells before it have run."""
    lab.run_cells(page, 0, 5)
    return page.locator(".astria-form")


def test_a_tune_is_trained_by_clicks_and_keys(page: Page, form: Locator):
    form.get_by_label("Pack", exact=True).fill("797")
    form.get_by_label("Pack", exact=True).press("Enter")
    form.get_by_role("button", name=re.compile("^cat · ")).click()
    form.get_by_label("Title").fill("Grumpy cat")
    _replace_images(form, ["cat-1.jpg", "cat-3.jpg"])
    form.get_by_text("Characteristics ·").click()
    form.get_by_placeholder("value").first.fill("blue eyes")
    expect(form.get_by_text("Characteristics · eye_color: blue eyes")).to_be_visible()
    expect(form.get_by_text("Ready to submit")).to_be_visible()

    form.get_by_role("button", name="Submit").dblclick()

    row = form.locator(".astria-row table")
    expect(row).to_contain_text("Grumpy cat")
    expect(row.locator("tbody tr")).to_have_count(1)
    expect(form.get_by_role("button", name="Submit")).to_be_disabled()
    # The next cells take the form's row from code, and wait for the tune.
    lab.run_cells(page, 5, 14)
    expect(page.locator(".jp-OutputArea-output table").filter(has_text="trained").first).to_be_visible()
    expect(page.locator(".jp-OutputArea-output img[alt*='cat']").first).to_be_visible()


def test_errors_are_shown_at_their_field_until_it_is_fixed(form: Locator):
    submit = form.get_by_role("button", name="Submit")
    expect(submit).to_be_enabled()
    form.get_by_role("tab", name=re.compile("^URLs")).click()
    urls = form.locator(".astria-urls textarea")
    urls.fill("example.com/photo.jpg")
    expect(
        form.get_by_text("'example.com/photo.jpg' is not a web address; begin it with https://", exact=True)
    ).to_be_visible()
    expect(submit).to_be_disabled()
    urls.fill("https://example.com/photo.jpg")
    expect(
        form.locator(".astria-at-image_urls > .astria-error").get_by_text(
            "Image URLs cannot be combined with photos from files; leave out one."
        )
    ).to_be_visible()
    urls.fill("")
    expect(submit).to_be_enabled()
    form.get_by_label("Title").fill("")
    expect(form.get_by_text("Enter a title, or press New for one.")).to_be_visible()
    form.get_by_role("button", name="New", exact=True).click()
    expect(submit).to_be_enabled()


def test_markup_never_runs(page: Page, form: Locator):
    evil = "<img src=x onerror='window.caught = true'>"
    form.get_by_label("Title").fill(evil)
    form.get_by_text("Characteristics ·").click()
    form.get_by_placeholder("value").first.fill(evil)
    form.get_by_role("button", name="Submit").click()
    expect(form.locator(".astria-row table")).to_contain_text(evil)
    assert page.evaluate("() => window.caught === undefined")


def _replace_images(form: Locator, names: list[str]) -> None:
    remove = form.locator(".astria-tile").get_by_role("button", name="Remove")
    for count in range(remove.count(), 0, -1):
        expect(remove).to_have_count(count)
        remove.first.click()
    expect(form.get_by_text("No images yet")).to_be_visible()
    form.get_by_role("tab", name="From the server").click()
    form.get_by_role("button", name="Choose folder").click()
    form.locator(".astria-chooser select").last.select_option(label="samples/")
    form.get_by_role("button", name="Choose folder").click()
    form.locator(".astria-files select").select_option(label=names)
    form.get_by_role("button", name="Add selected").click()
    for name in names:
        expect(form.locator(".astria-tile").filter(has_text=name).locator("img")).to_be_visible()
