"""The images of a form in a real JupyterLab: given in every way, put in order, taken out."""

import base64
import hashlib
import json
import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

import helpers.jupyterlab as lab
from helpers.photos_with_metadata import heic

BEGIN = "import astria_nb as anb\nclient = anb.Sandbox(deterministic=True).start().client()"
CELLS = [
    "form = anb.TuneForm(client, pack=260, name='woman')\nform",
    "form",
    # The secret is nowhere in the notebook as a whole.
    """callback = "https://example.com/?secret=Ca" + "NaRy" * 5
fields = {"pack": 260, "name": "woman", "images": ["photos/1.jpg", "photos/2.jpg"], "callback": callback}
anb.TuneForm(client, **fields)""",
    "anb.TuneForm(client, save_thumbnails=True, **fields)",
]
FORM, AGAIN, SAVED, SAVED_WITH_PHOTOS = 1, 2, 3, 4  # cells
SENT = """
import hashlib, json
print(json.dumps([hashlib.sha256(each.path.read_bytes()).hexdigest() for each in form.tune.images]))
"""
# A page that is loaded again asks for all widgets, and gives up after 4 s: those of earlier forms are closed.
CLOSE = """
import ipywidgets as widgets
for each in list(widgets.widget._instances.values()):
    if not isinstance(each, widgets.Layout):  # some are shared
        each.close()
"""
EVIL = "<img src=x onerror='window.caught = true'>.jpg"


@pytest.fixture(scope="module")
def folder(folder: Path, disk: Path) -> Path:
    """Photos beside the notebook, in a folder that also holds another folder and something else."""
    (folder / "photos" / "more").mkdir(parents=True)
    for name in ("1.jpg", "2.jpg", "3.jpg", "4.jpg", "more/5.jpg"):
        Image.effect_noise((640, 520), 80).convert("RGB").save(folder / "photos" / name)
    (folder / "photos" / "notes.txt").write_text("not a picture")
    lab.write_notebook(
        folder / "images.ipynb", f"import tempfile\ntempfile.tempdir = {str(disk)!r}\n{BEGIN}", *CELLS
    )
    return folder


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the kernel keeps its temporary files."""
    return tmp_path_factory.mktemp("disk")


@pytest.fixture(scope="module")
def page(tab: Page, address: str) -> Iterator[Page]:
    # Playwright catches dialogs while somebody listens, and begins with it a moment later.
    tab.on("filechooser", lambda _: None)
    lab.open_notebook(tab, address, "images.ipynb")
    lab.run_cells(tab, 0, FORM)
    yield tab
    lab.shut_down(tab)


def displayed(page: Page) -> Locator:
    """Display an empty form, in the place of the one before."""
    lab.run_code(page, CLOSE)
    lab.show_form(page, FORM, FORM + 1)
    form = page.locator(".astria-form")
    expect(form.get_by_text("No images yet")).to_be_visible()
    return form


@pytest.fixture
def form(page: Page) -> Locator:
    """A form of the test's own."""
    return displayed(page)


@pytest.fixture(scope="module")
def shared(page: Page) -> Locator:
    """A form for the tests that leave nothing but photos: to display one takes longer than most of them."""
    return displayed(page)


@pytest.fixture
def emptied(shared: Locator) -> Locator:
    """The shared form without what the test before has added."""
    shared.get_by_role("tab", name="From this computer").click()
    for dismiss in reversed(shared.get_by_role("button", name=re.compile("^Dismiss ")).all()):
        dismiss.click()
    expect(shared.locator(".astria-drop-row")).to_have_count(0)
    count = shared.locator(".astria-tile").count()
    if count > 0:
        remove = "Remove all" if count > 1 else re.compile("^Remove: ")
        shared.get_by_role("button", name=remove).click()
    expect(shared.get_by_text("No images yet")).to_be_visible()
    return shared


@pytest.fixture
def photos(folder: Path) -> list[Path]:
    return [folder / "photos" / f"{number}.jpg" for number in range(1, 5)]


@pytest.fixture
def large(folder: Path, photos: list[Path]) -> Iterator[Path]:
    path = folder / "large.jpg"
    shutil.copy(photos[0], path)
    with path.open("ab") as file:
        file.write(os.urandom(40_000_000 - path.stat().st_size))
    yield path
    path.unlink(missing_ok=True)


def pick(form: Locator, *paths: Path) -> None:
    """Choose files in the browser's own dialog."""
    with form.page.expect_file_chooser() as dialog:
        form.get_by_label("Choose photos").click()
    dialog.value.set_files([str(path) for path in paths])


def drop(target: Locator, files: dict[str, bytes]) -> None:
    """Drop files that no disk has to take, whatever their names are."""
    encoded = [(name, base64.b64encode(content).decode()) for name, content in files.items()]
    transfer = target.page.evaluate_handle(
        """given => {
            const transfer = new DataTransfer();
            for (const [name, content] of given) {
                const bytes = Uint8Array.from(atob(content), each => each.charCodeAt(0));
                transfer.items.add(new File([bytes], name));
            }
            return transfer; }""",
        encoded,
    )
    target.dispatch_event("dragover", {"dataTransfer": transfer})
    target.dispatch_event("drop", {"dataTransfer": transfer})


def drop_folder(target: Locator, path: Path) -> None:
    """Drop a folder of the disk, as a file manager does."""
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box is not None
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    tools = target.page.context.new_cdp_session(target.page)
    for kind in ("dragEnter", "dragOver", "drop"):
        tools.send("Input.dispatchDragEvent", {"type": kind, **at, "data": data})


def expect_names(form: Locator, *names: str) -> None:
    """Expect these tiles in this order, each with its picture."""
    expect(form.locator(".astria-caption div:first-child")).to_have_text(names)
    expect(form.locator(".astria-tile img")).to_have_count(len(names))


def bits(disk: Path, name: str) -> list[Path]:
    """Return what is on the disk of a file that was given."""
    return list(disk.glob(f"astria-nb-*/files/*/{name}"))


def sent(page: Page) -> list[str]:
    """Return the SHA-256 of each file that the kernel would send, in order."""
    lab.await_idle(page)
    hashes: list[str] = json.loads(lab.run_code(page, SENT))
    return hashes


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_photos_are_picked_by_mouse_or_keyboard(page, emptied, photos):
    pick(emptied, photos[2], photos[0])
    expect_names(emptied, "3.jpg", "1.jpg")
    emptied.get_by_role("tab", name="From this computer").focus()
    page.keyboard.press("Tab")
    expect(emptied.get_by_label("Choose photos")).to_be_focused()
    with page.expect_file_chooser() as dialog:
        page.keyboard.press("Space")
    dialog.value.set_files(str(photos[1]))
    expect_names(emptied, "3.jpg", "1.jpg", "2.jpg")
    expect(emptied.get_by_text(re.compile(r"^3 images · \d+ kB$"))).to_be_visible()
    assert sent(page) == [sha256(photos[2]), sha256(photos[0]), sha256(photos[1])]


def test_photos_are_dropped_anywhere_on_the_form(page, emptied, photos):
    drop(emptied.locator(".astria-drop-zone"), {"1.jpg": photos[0].read_bytes()})
    expect_names(emptied, "1.jpg")
    drop(emptied.get_by_label("Title"), {"2.jpg": photos[1].read_bytes()})
    expect_names(emptied, "1.jpg", "2.jpg")
    assert sent(page) == [sha256(photos[0]), sha256(photos[1])]
    drop(emptied.locator(".astria-drop-zone"), {"IMG_1.HEIC": heic()})
    expect_names(emptied, "1.jpg", "2.jpg", "IMG_1.HEIC")
    hint = emptied.get_by_text('with "Make photos smaller" turned on').first
    expect(hint).to_be_visible()
    smaller = emptied.get_by_label(re.compile("^Make photos smaller"))
    smaller.check()
    expect(hint).not_to_be_visible()
    smaller.uncheck()
    expect(hint).to_be_visible()


def test_the_images_of_a_dropped_folder_are_added(emptied, folder):
    drop_folder(emptied.locator(".astria-drop-zone"), folder / "photos")
    expect_names(emptied, "1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg")
    expect(emptied.get_by_text("Added 5 photos from photos; skipped 1 other file.")).to_be_visible()


def test_a_picture_is_pasted(page, emptied):
    page.evaluate("""async () => {
        const canvas = new OffscreenCanvas(320, 200);
        canvas.getContext('2d').fillRect(0, 0, 100, 100);
        const picture = await canvas.convertToBlob({type: 'image/png'});
        await navigator.clipboard.write([new ClipboardItem({'image/png': picture})]);
        return true; }""")
    emptied.get_by_text("or drop them here").click()
    page.keyboard.press("Control+V")
    expect_names(emptied, "image.png")
    expect(emptied.get_by_text("320 x 200")).to_be_visible()


def test_text_is_not_pasted_as_a_picture(page, emptied):
    page.evaluate("async () => { await navigator.clipboard.writeText('words'); return true; }")
    emptied.get_by_text("or drop them here").click()
    page.keyboard.press("Control+V")
    expect(emptied.get_by_text("There is no photo on the clipboard.")).to_be_visible()


def test_files_of_the_server_are_chosen(page, emptied, photos):
    emptied.get_by_role("tab", name="From the server").click()
    emptied.get_by_role("button", name="Choose folder").click()
    emptied.locator(".astria-chooser select").last.select_option(label="photos/")
    emptied.get_by_role("button", name="Choose folder").click()
    emptied.locator(".astria-files select").select_option(label=["2.jpg", "4.jpg"])
    emptied.get_by_role("button", name="Add selected").click()
    expect_names(emptied, "2.jpg", "4.jpg")
    emptied.get_by_role("button", name="Add all").click()
    expect_names(emptied, "2.jpg", "4.jpg", "1.jpg", "3.jpg")


def test_a_photo_of_40_mb_arrives_whole(page, emptied, large):
    pick(emptied, large)
    expect_names(emptied, "large.jpg")
    assert sent(page) == [sha256(large)]


def test_the_order_is_changed_by_mouse_and_by_keyboard(page, emptied, photos):
    pick(emptied, *photos)
    expect_names(emptied, "1.jpg", "2.jpg", "3.jpg", "4.jpg")
    tiles = emptied.locator(".astria-tile")
    right = {"x": 130, "y": 50}
    tiles.filter(has_text="1.jpg").drag_to(tiles.filter(has_text="3.jpg"), target_position=right)
    expect_names(emptied, "2.jpg", "3.jpg", "1.jpg", "4.jpg")

    tiles.filter(has_text="4.jpg").focus()
    page.keyboard.press("Shift+ArrowLeft")
    expect_names(emptied, "2.jpg", "3.jpg", "4.jpg", "1.jpg")
    expect(emptied.get_by_text("4.jpg is now 3 of 4")).to_be_attached()
    expect(tiles.filter(has_text="4.jpg")).to_be_focused()
    page.keyboard.press("Tab")
    expect(emptied.get_by_role("button", name="Move left: 4.jpg")).to_be_focused()
    page.keyboard.press("Enter")
    expect_names(emptied, "2.jpg", "4.jpg", "3.jpg", "1.jpg")
    expect(emptied.get_by_role("button", name="Move left: 4.jpg")).to_be_focused()
    assert sent(page) == [sha256(photos[number - 1]) for number in (2, 4, 3, 1)]


def test_one_is_removed_by_mouse_or_keyboard_or_all(page, emptied, photos):
    pick(emptied, *photos)
    expect_names(emptied, "1.jpg", "2.jpg", "3.jpg", "4.jpg")
    emptied.get_by_role("button", name="Remove: 2.jpg").click()
    expect_names(emptied, "1.jpg", "3.jpg", "4.jpg")
    emptied.locator(".astria-tile").filter(has_text="1.jpg").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Delete")
    expect_names(emptied, "1.jpg", "4.jpg")
    expect(emptied.locator(".astria-tile").filter(has_text="4.jpg")).to_be_focused()
    cells = page.locator(".jp-Notebook .jp-Cell")
    before = cells.count()
    page.keyboard.press("b")  # JupyterLab's key for another cell
    emptied.get_by_role("button", name="Remove all").click()
    expect(emptied.get_by_text("No images yet")).to_be_visible()
    expect(emptied.locator(".astria-tile")).to_have_count(0)
    expect(cells).to_have_count(before)


def test_a_duplicate_is_named_and_removed_at_a_click(emptied, photos):
    pick(emptied, *photos[:2])
    expect_names(emptied, "1.jpg", "2.jpg")
    drop(emptied.locator(".astria-drop-zone"), {"again.jpg": photos[0].read_bytes()})
    copy = emptied.locator(".astria-tile").filter(has_text="again.jpg")
    expect(copy.get_by_text("Same file as 1.jpg")).to_be_visible()
    expect(copy.get_by_text(": one of them is enough", exact=True)).to_be_hidden()
    copy.focus()
    expect(copy.get_by_text(": one of them is enough", exact=True)).to_be_visible()
    expect(emptied.get_by_text(re.compile(r"1 with a warning \(duplicate\)$"))).to_be_visible()
    emptied.get_by_role("button", name="Remove duplicate").click()
    expect_names(emptied, "1.jpg", "2.jpg")


def test_markup_in_a_name_is_text(page, emptied, photos):
    drop(emptied.locator(".astria-drop-zone"), {EVIL: photos[0].read_bytes(), f"2{EVIL}": b"not an image"})
    expect_names(emptied, EVIL)
    expect(emptied.locator(".astria-drop-name")).to_have_text(f"2{EVIL}")
    assert page.evaluate("() => window.caught === undefined")


def test_a_refused_file_is_shown_with_what_to_do_until_it_is_dismissed(emptied):
    drop(emptied.locator(".astria-drop-zone"), {"notes.jpg": b"not a picture", "empty.jpg": b""})
    rows = emptied.locator(".astria-drop-row")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text(
        "is not a JPEG, PNG or WebP image; convert it to JPEG, or choose another file"
    )
    expect(rows.last).to_contain_text("is empty; choose another file")
    emptied.get_by_role("button", name="Dismiss notes.jpg").click()
    expect(rows).to_have_count(1)
    expect(emptied.get_by_text("No images yet")).to_be_visible()


def test_shown_twice_it_sends_once(page, form, photos):
    lab.run_cells(page, AGAIN, AGAIN + 1)
    expect(form).to_have_count(2)
    drop(form.last.locator(".astria-drop-zone"), {"1.jpg": photos[0].read_bytes()})
    for view in form.all():
        expect_names(view, "1.jpg")
    assert len(sent(page)) == 1
    page.evaluate("""async () => {
        await window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs'); return true; }""")


def test_while_the_kernel_is_busy_a_photo_can_be_cancelled(page, form, large, photos, disk):
    kernel, before = int(lab.run_code(page, "import os; print(os.getpid())")), bits(disk, "large.jpg")
    pick(form, large, *photos[:2])
    bar = form.get_by_role("progressbar", name="Received of large.jpg")
    lab.await_condition(page, "() => document.querySelector('.astria-drop-row progress')?.value > 2e6")
    os.kill(kernel, signal.SIGSTOP)
    try:
        expect(form.get_by_text("Waiting for the kernel")).to_be_visible()
        assert 0 < bar.evaluate("each => each.value / each.max") < 1
        form.get_by_role("button", name="Cancel large.jpg").click()
        expect(bar).to_have_count(0)
    finally:
        os.kill(kernel, signal.SIGCONT)
    expect_names(form, "1.jpg", "2.jpg")
    expect(form.locator(".astria-drop-row")).to_have_count(0)
    lab.run_code(page, "print()")  # the kernel has read what was sent before
    assert bits(disk, "large.jpg") == before


def test_all_transfers_are_cancelled_at_a_click(page, form, large, photos, disk):
    before = bits(disk, "large.jpg")
    pick(form, large, *photos)
    form.get_by_role("button", name="Cancel all").click()
    expect(form.locator(".astria-drop-row")).to_have_count(0)
    lab.run_code(page, "print()")  # the kernel has read what was sent before
    expect(form.get_by_text("No images yet")).to_be_visible()
    assert bits(disk, "large.jpg") == before


def test_a_reloaded_page_shows_the_same_list_and_the_stopped_transfers(page, form, large, photos):
    pick(form, photos[1], photos[0])
    expect_names(form, "2.jpg", "1.jpg")
    page.evaluate("async () => { await window.jupyterapp.commands.execute('docmanager:save'); return true; }")
    pick(form, large)
    lab.await_condition(page, "() => document.querySelector('.astria-drop-row progress')?.value > 2e6")
    lab.load_again(page, ".astria-tile")
    expect_names(form, "2.jpg", "1.jpg")
    expect(form.get_by_text("stopped because its page was closed; add it again")).to_be_visible()
    pick(form, large)
    expect_names(form, "2.jpg", "1.jpg", "large.jpg")
    expect(form.locator(".astria-drop-row")).to_have_count(0)


def test_a_saved_notebook_has_photos_only_if_asked_for_and_no_secret(page, form, photos, folder):
    pick(form, photos[2], photos[3])
    expect_names(form, "3.jpg", "4.jpg")
    lab.run_cells(page, SAVED, SAVED_WITH_PHOTOS + 1)
    commands = ("@jupyter-widgets/jupyterlab-manager:saveWidgetState", "docmanager:save")
    for command in commands:
        page.evaluate(f"""async () => {{
            await window.jupyterapp.commands.execute('{command}'); return true; }}""")
    page.evaluate(
        f"async () => {{ await window.jupyterapp.commands.execute('{commands[0]}'); return true; }}"
    )
    notebook = json.loads((folder / "images.ipynb").read_text())
    outputs = [output["data"] for cell in notebook["cells"] for output in cell["outputs"]]
    html = ["".join(data["text/html"]) for data in outputs if "text/html" in data]
    assert [text.count("data:image/jpeg;base64,") for text in html] == [0, 0, 2]
    assert all("2.jpg" in text for text in html[1:])
    (state,) = [saved["state"] for saved in notebook["metadata"]["widgets"].values()]
    models = [(model["model_name"], json.dumps(model)) for model in state.values()]
    assert any("3.jpg" in text for _, text in models)
    assert {name for name, text in models if "/9j/" in text} == {"ImageModel"}  # the pack's
    assert "CaNaRyNaRy" not in json.dumps(notebook)


def test_a_restarted_kernel_is_reported_and_its_photos_are_removed(page, form, photos, disk):
    pick(form, photos[0])
    expect_names(form, "1.jpg")
    assert len(bits(disk, "1.jpg")) > 0
    cell = page.locator(".jp-Notebook .jp-Cell").nth(FORM)  # others have copies of their forms as well
    copy = cell.locator(".astria-saved").filter(has_text="1.jpg")
    expect(copy).to_have_count(1)  # it follows the form a moment later
    lab.restart_kernel(page)
    # The form gives way to its saved copy, which has the names of the photos.
    expect(form).to_be_hidden()
    expect(copy).to_be_visible()
    expect(copy).to_contain_text("Run this cell")
    assert bits(disk, "*") == []
