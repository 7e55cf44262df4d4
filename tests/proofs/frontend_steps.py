"""What a user does in the form, step by step, in a frontend that shows it in a frame."""

import base64
import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Frame, Locator, Page, expect

import astria_nb as anb
import helpers.jupyterlab as lab

THEMES = {
    "vscode": ("light", "dark", "white"),
    "colab": ("light", "dark", "bare light", "bare dark"),
}
CELL = """import astria_nb as anb
form = anb.TuneForm(anb.Client({key!r}, base_url={url!r}), log=anb.ExperimentLog('log.sqlite'))
form"""
LARGE = 40_000_000  # bytes
expect.set_options(timeout=30_000)


@dataclass
class Visit:
    """One form in one frontend."""

    frontend: str
    page: Page
    frame: Frame
    sandbox: anb.Sandbox
    folder: Path
    pictures: Path | None

    @property
    def form(self) -> Locator:
        return self.frame.locator(".astria-form")

    def tile(self, name: str) -> Locator:
        return self.form.locator(".astria-tile").filter(has_text=name)

    def names(self) -> Locator:
        return self.form.locator(".astria-caption div:first-child")

    def button(self, name: str) -> Locator:
        return self.form.get_by_role("button", name=re.compile(f"^{name}"))

    def set_theme(self, name: str) -> None:
        self.frame.evaluate("name => window.proof.setTheme(name)", name)
        self.page.wait_for_timeout(300)

    def screenshot(self, name: str) -> None:
        if self.pictures is not None:
            self.pictures.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=self.pictures / f"{self.frontend}-{name.replace(' ', '-')}.png")

    def check_every_theme(self, state: str, selector: str = ".astria-form") -> None:
        """Take a screenshot in each theme, and let axe check it."""
        violations = []
        for name in THEMES[self.frontend]:
            self.set_theme(name)
            self.screenshot(f"{state} {name}")
            violations += [f"{name}: {violation}" for violation in lab.violations(self.frame, selector)]
        self.set_theme(THEMES[self.frontend][0])
        assert violations == [], "\n\n".join(violations)


def photos(folder: Path) -> None:
    """Make photos, of which one is large."""
    folder.mkdir()
    for name in ("1.jpg", "2.jpg", "3.jpg", "large.jpg", "tiny.jpg"):
        size = (300, 200) if name == "tiny.jpg" else (640, 520)
        Image.effect_noise(size, 80).convert("RGB").save(folder / name)
    with (folder / "large.jpg").open("ab") as file:
        file.write(os.urandom(LARGE - file.tell()))


def the_form_appears(visit: Visit) -> None:
    code = CELL.format(key=visit.sandbox.api_key, url=visit.sandbox.url)
    visit.set_theme(THEMES[visit.frontend][0])
    visit.frame.evaluate("code => window.proof.show(code)", code)
    expect(visit.form.get_by_text("Still needed: pack, class, photos")).to_be_visible()
    expect(visit.form.locator(".astria-drop-zone")).to_be_visible()
    visit.page.wait_for_timeout(700)  # until the frontend has made the buttons reachable by keyboard


def a_pack_is_browsed(visit: Visit) -> None:
    visit.button("Browse packs").click()
    options = visit.form.get_by_role("option")
    expect(options.nth(2).locator("img")).to_be_visible()
    visit.check_every_theme("packs")
    visit.form.get_by_label("Search packs").press("Escape")
    expect(options.first).to_be_hidden()


def a_pack_and_a_class_are_chosen(visit: Visit) -> None:
    pack = visit.form.get_by_label("Pack", exact=True)
    pack.fill("797")
    pack.press("Enter")
    visit.button("cat · ").click()
    expect(visit.form.get_by_text("Still needed: photos")).to_be_visible()


def photos_are_picked(visit: Visit) -> None:
    visit.form.get_by_role("tab", name="From this computer").click()
    pick(visit, "1.jpg", "2.jpg")
    expect(visit.form.locator(".astria-tile img")).to_have_count(2)


def a_photo_is_dropped(visit: Visit) -> None:
    zone = visit.form.locator(".astria-drop-zone")
    transfer = visit.frame.evaluate_handle(
        """content => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(content), character => character.charCodeAt(0));
            transfer.items.add(new File([bytes], '3.jpg'));
            return transfer; }""",
        base64.b64encode((visit.folder / "3.jpg").read_bytes()).decode(),
    )
    for event in ("dragover", "drop"):
        zone.dispatch_event(event, {"dataTransfer": transfer})
    expect(visit.tile("3.jpg").locator("img")).to_be_visible()


def a_photo_of_40_MB_arrives(visit: Visit) -> None:  # noqa: N802
    pick(visit, "large.jpg", "tiny.jpg")
    expect(visit.tile("large.jpg").locator("img")).to_be_visible(timeout=60_000)
    code = (
        "print(*[image.path.stat().st_size for image in form.tune.images if image.path.name == 'large.jpg'])"
    )
    assert visit.frame.evaluate("code => window.proof.run(code)", code)["printed"].strip() == str(LARGE)


def photos_are_put_in_order_and_removed(visit: Visit) -> None:
    expect(visit.names()).to_have_text(["1.jpg", "2.jpg", "3.jpg", "large.jpg", "tiny.jpg"])
    visit.tile("2.jpg").hover()
    visit.button("Move left: 2.jpg").click()
    expect(visit.names()).to_have_text(["2.jpg", "1.jpg", "3.jpg", "large.jpg", "tiny.jpg"])
    visit.tile("1.jpg").focus()
    visit.page.keyboard.press("Shift+ArrowRight")
    expect(visit.names()).to_have_text(["2.jpg", "3.jpg", "1.jpg", "large.jpg", "tiny.jpg"])
    visit.tile("3.jpg").hover()
    visit.check_every_theme("images")
    visit.button("Remove: 3.jpg").click()
    expect(visit.names()).to_have_text(["2.jpg", "1.jpg", "large.jpg", "tiny.jpg"])


def an_error_is_shown_and_fixed(visit: Visit) -> None:
    visit.form.get_by_role("tab", name="URLs").click()
    urls = visit.form.locator(".astria-urls textarea")
    urls.fill("example.com/photo.jpg")
    expect(urls).to_have_attribute("aria-invalid", "true")
    expect(visit.form.locator(".astria-summary")).to_contain_text("is not a web address")
    visit.check_every_theme("error")
    visit.form.locator(".astria-summary").get_by_role("link").click()
    expect(urls).to_be_focused()
    urls.fill("")
    visit.form.get_by_role("tab", name="From this computer").click()
    expect(urls).to_be_hidden()
    expect(visit.form.get_by_text("Ready to submit")).to_be_visible()


def a_fold_opens_by_the_keyboard(visit: Visit) -> None:
    for name in ("Characteristics", "Existing tunes", "Encoding", "Request"):
        fold = visit.button(name)
        fold.focus()
        visit.page.keyboard.press("Enter")
        expect(fold).to_have_attribute("aria-expanded", "true")
        if name == "Characteristics":
            visit.form.get_by_role("button", name="Add a row").first.press("Enter")
            expect(visit.form.get_by_placeholder("key").last).to_be_visible()
        visit.check_every_theme(f"fold {name.split()[0].lower()}")


def the_request_is_copied_or_marked(visit: Visit) -> None:
    code = visit.form.get_by_role("tabpanel", name="cURL")
    expect(code).to_contain_text("curl -X POST")
    visit.form.get_by_role("button", name="Copy").click()
    status = visit.form.get_by_text(re.compile("^(Copied|Selected; press .*C)$"))
    expect(status).to_be_visible()
    visit.page.keyboard.press("Control+c")
    title = visit.form.get_by_label("Title")
    title.fill("")
    title.press("Control+v")  # what is on the clipboard, whoever put it there
    pasted = title.input_value()
    assert pasted.startswith("curl -X POST"), f"{status.inner_text()!r}, but {pasted!r} was copied"
    visit.form.get_by_role("button", name="New", exact=True).click()
    expect(visit.form.get_by_text("Ready to submit")).to_be_visible()


def a_double_click_submits_once(visit: Visit) -> None:
    visit.button("Submit").dblclick()
    expect(visit.form.locator(".astria-row table")).to_contain_text("cat")
    visit.page.wait_for_timeout(500)
    tune_ids = [tune_id for request in visit.sandbox.ledger for tune_id in request.tune_ids]
    assert len(tune_ids) == 1, tune_ids


def the_training_is_seen(visit: Visit) -> None:
    expect(
        visit.form.get_by_text(re.compile(r"^(Queued|Training) · ready at about \d\d:\d\d"))
    ).to_be_visible()


def the_pictures_arrive(visit: Visit) -> None:
    expect(visit.form.locator(".astria-pictures img").first).to_be_visible(timeout=60_000)
    done = visit.form.get_by_text(re.compile(r"^Pictures · (\d+) of \1 prompts done"))
    expect(done).to_be_visible(timeout=90_000)
    expect(visit.form.locator(".astria-row table")).to_contain_text("trained")
    visit.form.locator(".astria-pictures-grid").scroll_into_view_if_needed()
    expect(visit.form.locator(".astria-pictures-tile img").nth(5)).to_be_visible()
    visit.check_every_theme("pictures")


def a_picture_is_enlarged_in_sight_and_closed(visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 1180, "height": 800})
    visit.button("Enlarge: ").nth(5).click()
    dialog = visit.frame.get_by_role("dialog")
    expect(dialog.locator("img")).to_have_js_property("naturalWidth", 896)
    visit.page.wait_for_timeout(300)
    box = dialog.bounding_box()
    assert box is not None
    visit.check_every_theme("large", ".astria-pictures-overlay")
    assert box["y"] >= 0, box
    assert box["y"] + box["height"] <= 800, box
    dialog.get_by_role("button", name="Next").click()
    expect(visit.frame.get_by_role("dialog", name=re.compile("^Picture 7 of"))).to_be_visible()
    visit.page.keyboard.press("Escape")
    expect(visit.frame.get_by_role("dialog")).to_have_count(0)


def the_pictures_are_downloaded(visit: Visit) -> None:
    with visit.page.expect_download() as downloading:
        visit.button("Download all").click()
    with zipfile.ZipFile(downloading.value.path()) as archive:
        assert archive.testzip() is None
        assert "manifest.jsonl" in archive.namelist()
        assert len(archive.namelist()) > 6, archive.namelist()
    expect(visit.form.get_by_text(re.compile(r"^Saved \d+ pictures in astria_pictures.zip"))).to_be_visible()
    visit.check_every_theme("downloaded")


def pick(visit: Visit, *names: str) -> None:
    with visit.page.expect_file_chooser() as dialog:
        visit.form.get_by_label("Choose photos").click()
    dialog.value.set_files([str(visit.folder / name) for name in names])


STEPS = (
    the_form_appears,
    a_pack_is_browsed,
    a_pack_and_a_class_are_chosen,
    photos_are_picked,
    a_photo_is_dropped,
    a_photo_of_40_MB_arrives,
    photos_are_put_in_order_and_removed,
    an_error_is_shown_and_fixed,
    a_fold_opens_by_the_keyboard,
    the_request_is_copied_or_marked,
    a_double_click_submits_once,
    the_training_is_seen,
    the_pictures_arrive,
    the_pictures_are_downloaded,
    a_picture_is_enlarged_in_sight_and_closed,
)
