"""Kill `to_mlflow` at any moment, call it again, and look at the runs in MLflow's own page.

python tests/proofs/mlflow_page.py [--kills 10] [--seed 1] [--python PYTHON] [--pictures FOLDER]

The whole of mlflow, which may want an older pyarrow than ours, is installed with this package into a folder
that is deleted afterwards; or PYTHON has both. Needs Chromium or Chrome.
"""

import argparse
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent)]

from playwright.sync_api import expect  # noqa: E402

import astria_nb as anb  # noqa: E402
import helpers.jupyterlab as lab  # noqa: E402
from helpers.paths import ROOT  # noqa: E402

TITLE = "studio light"
CHILD = """
import os
import astria_nb as anb
client = anb.Client(os.environ["ASTRIA_API_KEY"], base_url=os.environ["ASTRIA_BASE_URL"])
log = anb.ExperimentLog("log.sqlite")
import mlflow.tracking
# Makes the store. One whose making is killed cannot be used any more, which is MLflow's own.
mlflow.tracking.MlflowClient().search_experiments()
print("ready", flush=True)
anb.to_mlflow(log.frame(), client, log=log)
log.close()
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--python", help="an environment with this package's dependencies and mlflow")
    parser.add_argument("--pictures", type=Path, help="a folder for a screenshot")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, anb.Sandbox(deterministic=True) as sandbox:
        folder = Path(name)
        python = options.python or install(folder / "venv")
        expected = make_tune(sandbox.client(), folder)
        store = f"sqlite:///{folder / 'mlflow.db'}"
        environment = os.environ | {
            "ASTRIA_API_KEY": sandbox.api_key,
            "ASTRIA_BASE_URL": sandbox.url,
            "MLFLOW_TRACKING_URI": store,
            "PYTHONPATH": str(ROOT),
        }
        kill(python, folder, environment, 0)  # once the store is made
        chance = random.Random(options.seed)
        killed = sum(kill(python, folder, environment, chance.uniform(0, 0.6)) for _ in range(options.kills))
        for _ in range(2):
            subprocess.run([python, "-c", CHILD], cwd=folder, env=environment, check=True)
        (artifacts,) = folder.glob("mlruns/*/*/artifacts")  # of one run
        pictures = {path.name: path.read_bytes() for path in artifacts.glob("pictures/*.jpg")}
        assert pictures == expected
        print(f"{killed} of {options.kills} killed; 1 run with {len(pictures)} pictures, all complete")
        with serving(python, folder, store, environment) as url:
            look(url, options.pictures)


def install(folder: Path) -> str:
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", f"{ROOT}[mlflow]", "mlflow"], check=True)
    return python


def make_tune(client: anb.Client, folder: Path) -> dict[str, bytes]:
    """Train a tune, and return its pictures by the names of their files."""
    log = anb.ExperimentLog(folder / "log.sqlite")
    tune = anb.Tune(pack=260, title=TITLE, name="woman", image_urls=["https://example.com/1.jpg"])
    row = anb.wait(anb.submit(tune, client, log=log), client, until="prompts", poll=0.01, log=log)
    log.tag(row, "good likeness")
    log.close()
    saved = anb.download(row, client, folder / "saved")
    return {Path(file).name: Path(file).read_bytes() for file in saved["file"]}


def kill(python: str, folder: Path, environment: dict[str, str], seconds: float) -> bool:
    """Start a call and kill it after some seconds; return whether it was still running."""
    with subprocess.Popen(
        [python, "-c", CHILD], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(seconds)
        is_running = child.poll() is None
        child.kill()
    return is_running


@contextmanager
def serving(python: str, folder: Path, store: str, environment: dict[str, str]) -> Iterator[str]:
    """Run MLflow's page, and yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [python, "-m", "mlflow", "ui", "--backend-store-uri", store, "--port", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=folder, env=environment, **quiet) as server:
        try:
            url = f"http://127.0.0.1:{port}"
            while True:
                assert server.poll() is None, "mlflow ui has ended"
                try:
                    urlopen(url, timeout=5).close()
                    break
                except (URLError, OSError):
                    time.sleep(0.5)
            yield url
        finally:
            server.terminate()


def look(url: str, pictures: Path | None) -> None:
    """Find the run in the list, its tag on its page, and a picture among its artifacts."""
    browser = lab.find_browser()
    assert browser is not None, "needs Chromium or Chrome"
    with lab.browsing(browser) as running:
        page = running.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(f"{url}/#/experiments/1/runs")
        page.get_by_role("link", name=TITLE).click(timeout=60_000)
        expect(page.get_by_text("good likeness").first).to_be_visible(timeout=60_000)
        page.get_by_role("tab", name="Artifacts").click()
        page.get_by_text("pictures", exact=True).first.click()
        page.get_by_text("5000001-1.jpg").first.click()
        image = page.locator("img[src^='blob:'], .image-outer-container img").first
        expect(image).to_be_visible(timeout=60_000)
        if pictures is not None:
            pictures.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=pictures / "mlflow.png")
    print("the page shows the run, its tag and a picture")


if __name__ == "__main__":
    main()
