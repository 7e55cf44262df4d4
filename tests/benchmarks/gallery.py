"""How hundreds of pictures are shown: how soon, how large, and how they scroll in JupyterLab.

python tests/benchmarks/gallery.py

The sandbox draws the pictures while they are fetched, in a process of its own that shares the processor.
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
from astria_nb.images.image import SMALL_BYTES
from astria_nb.results.gallery import Gallery

KEY = "sd_benchmark_of_the_gallery"
URL = "https://example.com/1.jpg"
PROMISED_FRAME = 50.0  # ms, the median; a screen draws one every 17
GRID = ".astria-pictures-grid"


@contextmanager
def service() -> Iterator[anb.Client]:
    """Run a sandbox beside this process."""
    program = "from astria_nb.cli import main; main()"
    command = [sys.executable, "-c", program, "sandbox", "--speed", "600", "--api-key", KEY, "--port", "0"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        line = next(each for each in running.stdout if "ASTRIA_BASE_URL=" in each)
        yield anb.Client(KEY, base_url=line.partition("=")[2].strip())
    finally:
        running.terminate()
        running.wait(10)


def in_the_kernel(gallery: Gallery) -> None:
    """Have every picture sent, as if all of them had come into view."""
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
    print(f"state that is synchronised: {len(str(gallery.get_state(['cards'])))} characters")
    print(f"static HTML: {len(gallery._repr_html_())} characters")


def in_the_browser(page: Page, address: str) -> bool:
    """Scroll through them: when none is there yet, and back and forth when all are."""
    lab.open_notebook(page, address, "gallery.ipynb")
    lab.run_cells(page, 0, 1)
    page.locator(".astria-pictures-tile img").first.wait_for(timeout=60_000)
    page.wait_for_timeout(2000)
    print(f"in the page {page.locator('.astria-pictures-tile').count()} pictures,", end=" ")
    print(f"sent before any scrolling: {page.locator('.astria-pictures-tile img').count()}")
    is_kept = True
    for what in ("first way down, while they are fetched", "second way down"):
        page.evaluate("grid => { document.querySelector(grid).scrollTop = 0; return true; }", GRID)
        page.wait_for_timeout(500)
        frames = sorted(page.evaluate(lab.SCROLL, GRID))
        is_kept &= statistics.median(frames) < PROMISED_FRAME
        print(f"{what}: {len(frames)} frames, median {statistics.median(frames):.0f} ms,", end=" ")
        print(f"95 of 100 within {frames[int(len(frames) * 0.95)]:.0f} ms, slowest {frames[-1]:.0f} ms")
        page.wait_for_timeout(5000)
    return is_kept


def main() -> int:
    with tempfile.TemporaryDirectory() as name, service() as client:
        folder, private = Path(name) / "notebooks", Path(name) / "private"
        folder.mkdir()
        private.mkdir()
        log = anb.ExperimentLog(folder / "log.sqlite")
        for pack, of in ((260, "woman"), (797, "cat")):
            tune = anb.Tune(
                pack=pack, title=of, name=of, image_urls=[URL], prompt_attributes={"num_images": 8}
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
        browser = lab.find_browser()
        if browser is None:
            sys.exit("the rest needs an installed Chromium or Chrome")
        with lab.serving(folder, private) as address, lab.browsing(browser) as running:
            page = running.new_page(viewport={"width": 1180, "height": 900})
            is_kept = in_the_browser(page, address)
            lab.shut_down(page)
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
