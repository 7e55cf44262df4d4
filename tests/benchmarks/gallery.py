"""How hundreds of pictures are displayed: how soon, how large, and how they scroll in JupyterLab.

Run ``python tests/benchmarks/gallery.py [tunes [pictures [seconds]]]``: one tune of 8 prompts, or two of 43
prompts together; pictures of each prompt; seconds to wait after each scroll. The sandbox draws the pictures
while they are fetched, in a process of its own that shares the processor.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import Page

sys.path.insert(0, str(Path(__file__).parent.parent))

import astria_nb as anb
import helpers.jupyterlab as lab
from astria_nb.images._image import SMALL_BYTES
from astria_nb.results.gallery import Gallery

KEY = "sd_benchmark_of_the_gallery"
URL = "https://example.com/1.jpg"
SCREEN_FRAME = 1000 / 60  # ms
PROMISED_RATIO = 3.0  # the median frame beside one of the screen
GRID = ".astria-pictures-grid"


@contextmanager
def service() -> Iterator[anb.Client]:
    """Run a sandbox beside this process."""
    program = "from astria_nb.cli import main; main()"
    command = [sys.executable, "-c", program, "sandbox", "--speed", "600", "--api-key", KEY, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            line = next(line for line in running.stdout if "ASTRIA_BASE_URL=" in line)
            yield anb.Client(KEY, base_url=line.partition("=")[2].strip())
        finally:
            running.terminate()


def in_the_kernel(gallery: Gallery) -> None:
    """Request the thumbnail of every picture, as if all were in view."""
    sent: dict[str, int] = {}
    gallery.send = lambda message, buffers: sent.__setitem__(  # type: ignore[method-assign]
        message["id"], len(buffers[0]) if buffers else 0
    )
    ids = [picture["id"] for card in gallery.cards for picture in card["pictures"]]
    started, worked = time.perf_counter(), time.process_time()
    gallery._handle_custom_msg({"kind": "thumbnails", "ids": ids}, [])
    while len(sent) < len(ids):
        time.sleep(0.01)
    seconds, cpu = time.perf_counter() - started, time.process_time() - worked
    print(f"all {len(ids)} copies made in {seconds:.1f} s, {cpu:.1f} s of a processor in the kernel")
    print(f"largest {max(sent.values())} bytes (promised: at most {SMALL_BYTES}), all {sum(sent.values())}")
    print(f"synchronised state: {len(str(gallery.get_state(['cards'])))} characters")
    print(f"static HTML: {len(gallery._repr_html_())} characters")


def in_the_browser(page: Page, address: str, seconds: float) -> bool:
    """Scroll to the end twice: while the thumbnails are loaded, and when all are there."""
    lab.open_notebook(page, address, "gallery.ipynb")
    lab.run_cells(page, 0, 1)
    page.locator(".astria-pictures-tile img").first.wait_for(timeout=60_000)
    page.wait_for_timeout(400 * seconds)
    print(f"in the page {page.locator('.astria-pictures-tile').count()} pictures,", end=" ")
    print(f"sent before any scrolling: {page.locator('.astria-pictures-tile img').count()}")
    is_kept = True
    for what in ("first scroll, while they are loaded", "second scroll"):
        page.evaluate("grid => { document.querySelector(grid).scrollTop = 0; return true; }", GRID)
        page.wait_for_timeout(100 * seconds)
        frames = sorted(page.evaluate(lab.SCROLL, GRID))
        ratio = statistics.median(frames) / SCREEN_FRAME if frames else 0.0
        is_kept &= ratio <= PROMISED_RATIO
        print(f"{what}: {len(frames)} frames, median {ratio:.1f} of the screen's", end=" ")
        print(f"(promised: at most {PROMISED_RATIO})", end="")
        if frames:
            print(f", 95 of 100 within {frames[int(len(frames) * 0.95)]:.0f} ms,", end=" ")
            print(f"slowest {frames[-1]:.0f} ms", end="")
        print()
        page.wait_for_timeout(1000 * seconds)
    return is_kept


def measure(page: Page, address: str, folder: Path, tunes: int, pictures: int, seconds: float) -> bool:
    """Print the figures for a page of a JupyterLab that serves a folder; return whether promises are kept."""
    with service() as client:
        log = anb.ExperimentLog(folder / "log.sqlite")
        for pack, name in ((797, "cat"), (260, "woman"))[:tunes]:
            tune = anb.Tune(
                pack=pack, title=name, name=name, image_urls=[URL], prompt_attributes={"num_images": pictures}
            )
            anb.wait(anb.submit(tune, client, log=log), client, until="prompts", poll=0.1)
        rows = anb.rows.tune_frame(list(client.tunes()), client.now())
        started = time.perf_counter()
        gallery = anb.gallery(rows, client)
        print(f"gallery() returned after {(time.perf_counter() - started) * 1e3:.0f} ms: {gallery!r}")
        in_the_kernel(gallery)
        code = (
            f"import astria_nb as anb\nclient = anb.Client({KEY!r}, "
            f"base_url={client.base_url!r})\n"
            "anb.gallery(anb.rows.tune_frame(list(client.tunes()), client.now()), client)"
        )
        cell = nbformat.v4.new_code_cell(code)
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(
            nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel}), folder / "gallery.ipynb"
        )
        is_kept = in_the_browser(page, address, seconds)
        lab.shut_down(page)
        return is_kept


def main(tunes: int = 2, pictures: int = 8, seconds: int = 5) -> int:
    browser = lab.find_browser()
    if browser is None:
        sys.exit("this needs an installed Chromium or Chrome")
    with tempfile.TemporaryDirectory() as root:
        folder, private = Path(root) / "notebooks", Path(root) / "private"
        folder.mkdir()
        private.mkdir()
        with lab.serving(folder, private) as address, lab.browsing(browser) as running:
            page = running.new_page(viewport={"width": 1180, "height": 900})
            return 0 if measure(page, address, folder, tunes, pictures, seconds) else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
