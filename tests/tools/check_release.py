"""Build what would be uploaded, and use it where there is no checkout.

Run ``python tests/tools/check_release.py [FOLDER]``, with the extra ``release``. It makes the sdist, a
wheel of the sdist, and one of the checkout, which has to be the same; twine looks at their metadata. Then
the wheel is installed in an environment of its own, which runs the README's lines of Python, and ``astria-
nb lab`` until its page answers. FOLDER gets sdist and wheel.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
SUFFIXES = {".py", ".js", ".css", ".typed", ".ipynb", ".jpg", ".png", ".md"}  # of the files of the package


def build(folder: Path) -> Path:
    """Return the wheel of the sdist, if it is that of the checkout."""
    for what in (["--outdir", folder], ["--wheel", "--outdir", folder / "direct"]):
        subprocess.run([sys.executable, "-m", "build", "-q", *what, ROOT], check=True)
    (wheel,) = folder.glob("*.whl")
    (direct,) = (folder / "direct").glob("*.whl")
    if contents(wheel) != contents(direct):
        raise SystemExit("the wheel of the sdist is not that of the checkout")
    (sdist,) = folder.glob("*.tar.gz")
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", wheel, sdist], check=True)
    return wheel


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def check_contents(wheel: Path) -> None:
    """Nothing but the package, the notebooks and the widgets' files, and all of them."""
    packed = {name for name in contents(wheel) if ".dist-info/" not in name}
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "astria_nb", "notebooks"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    files = {name for name in tracked.stdout.split("\0") if name}
    expected = {f"astria_nb/{name}" if name.startswith("notebooks/") else name for name in files}
    if packed != expected:
        raise SystemExit(f"the wheel differs from the checkout in {sorted(packed ^ expected)}")
    others = {name for name in packed if Path(name).suffix not in SUFFIXES}
    if others:
        raise SystemExit(f"the wheel holds {sorted(others)}")


def install(wheel: Path, folder: Path) -> Path:
    """Return the folder of programs of an environment with the wheel, and what the notebooks need."""
    venv.create(folder, with_pip=True)
    programs = folder / "bin"
    subprocess.run([programs / "pip", "install", "-q", f"astria-nb[lab] @ {wheel.as_uri()}"], check=True)
    return programs


def run_readme(programs: Path, folder: Path, environment: dict[str, str]) -> None:
    """Run the README's lines, with sample photos of the wheel's own."""
    (code,) = re.findall(r"```python\n(.*?)\n```", (ROOT / "README.md").read_text("utf-8"), flags=re.DOTALL)
    copy = "import shutil; from astria_nb.utils.examples import sample_photos\n"
    copy += "for number, photo in enumerate(sample_photos('woman'), 1): shutil.copy(photo, f'{number}.jpg')\n"
    *lines, last = code.splitlines()
    program = "\n".join([copy, *lines, f"print(len({last}), 'prompts')"])
    done = subprocess.run(
        [programs / "python", "-c", program],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    print("README:", done.stdout.strip())
    if done.stdout.strip() != "35 prompts":
        raise SystemExit(done.stdout + done.stderr)


def run_lab(programs: Path, folder: Path, environment: dict[str, str]) -> None:
    """Start ``astria-nb lab``, and ask for the page that it prints."""
    command = [programs / "astria-nb", "lab", "--no-browser"]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as lab:
        started = time.monotonic()
        try:
            assert lab.stdout
            address = lab.stdout.readline().strip()
            with urllib.request.urlopen(address, timeout=60) as answer:
                page = answer.read()
        finally:
            os.killpg(lab.pid, signal.SIGTERM)
    if b"jupyter-config-data" not in page:
        raise SystemExit(f"no JupyterLab at {address}")
    print(f"lab: its page answers after {time.monotonic() - started:.1f} s")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = build(folder / "dist")
        check_contents(wheel)
        programs = install(wheel, folder / "environment")
        empty = folder / "empty"
        empty.mkdir()
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        environment |= {"HOME": str(folder), "JUPYTER_RUNTIME_DIR": str(folder / "runtime")}
        for started in (run_readme, run_lab):
            started(programs, empty, environment)
        if len(sys.argv) > 1:
            shutil.copytree(
                folder / "dist", sys.argv[1], ignore=shutil.ignore_patterns("direct"), dirs_exist_ok=True
            )


if __name__ == "__main__":
    main()
