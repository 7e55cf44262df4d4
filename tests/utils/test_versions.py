"""A kernel goes on with the libraries that it has loaded, whatever pip installs meanwhile."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pandas as pd
import pyarrow as pa
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import astria_nb as anb
from astria_nb import rows
from astria_nb.errors import AstriaError
from astria_nb.utils import versions
from astria_nb.utils.versions import version_problems
from helpers.paths import ROOT
from helpers.scripted_server import ScriptedServer

TUNE = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
REQUIREMENTS = ["psutil>=5.9", "pandas>=2.2.2", "requests>=2.32.3", "matplotlib>=99; extra == 'plot'"]
RESTART = "restart the kernel, and run the cell again"


class Library:
    """A required library in a folder of its own, loaded and installed in versions that a test chooses."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self._module = folder, ModuleType("psutil")
        self._module.__file__ = str(folder / "psutil" / "__init__.py")
        monkeypatch.setitem(sys.modules, "psutil", self._module)

    def load(self, version: str) -> None:
        self._module.__version__ = version  # type: ignore[attr-defined]

    def install(self, version: str) -> Path:
        return install(self._folder, "psutil", version)

    def problems(self) -> list[str]:
        return [str(problem) for problem in version_problems()]


def install(folder: Path, name: str, version: str, *requirements: str) -> Path:
    """Put into a folder what pip leaves there about a distribution."""
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    lines = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {text}" for text in requirements)]
    (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", *lines, ""]))
    return info


@pytest.fixture
def required(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Require these versions, whichever this package was installed with."""
    pa.array(pd.Series(["x"]))  # pyarrow looks at the version of pandas once, which a test changes
    folder = tmp_path_factory.mktemp("site")
    install(folder, "astria_nb", anb.__version__, *REQUIREMENTS)
    monkeypatch.syspath_prepend(folder)
    versions._requirements.cache_clear()
    yield folder
    versions._requirements.cache_clear()


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, required: Path) -> Library:
    return Library(tmp_path, monkeypatch)


def test_the_libraries_of_these_tests_fit() -> None:
    assert version_problems() == []


@pytest.mark.parametrize("version", ["5.9", "5.9.0", "6.1.1", "12.0.0rc1", "6.1+local", "0+unknown"])
def test_a_version_that_fits_is_no_problem(library: Library, version: str) -> None:
    library.load(version)
    assert library.problems() == []


@pytest.mark.parametrize("installed", [["6.1"], ["6.1.0"], ["6.1", "5.9"], ["6.1+cpu"], []])
def test_a_version_that_is_still_installed_is_no_problem(library: Library, installed: list[str]) -> None:
    library.load("6.1")
    for version in installed:
        library.install(version)
    assert library.problems() == []


def test_a_version_that_is_too_old_wants_a_restart_if_a_newer_one_is_installed(library: Library) -> None:
    library.load("5.8.1")
    library.install("6.1")
    assert library.problems() == [f"psutil: version 5.8.1 is loaded, and >=5.9 is needed; {RESTART}"]


def test_a_version_that_is_too_old_wants_a_newer_one_first_if_none_is_installed(library: Library) -> None:
    library.load("5.8.1")
    library.install("5.8.1")
    (problem,) = library.problems()
    assert problem.endswith(f"is needed; run pip install 'psutil>=5.9', then {RESTART}")


def test_a_version_that_is_not_loaded_yet_is_checked_as_well(
    library: Library, required: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "psutil")
    monkeypatch.setattr(versions, "_of_installed", versions._of_installed.__wrapped__)
    assert library.problems() == []
    install(required, "psutil", "5.8.1")
    (problem,) = library.problems()
    assert problem.startswith("psutil: version 5.8.1 is installed, and >=5.9 is needed; run pip install")


def test_a_library_that_was_replaced_since_is_noticed_at_once(library: Library) -> None:
    library.load("6.0")
    before = library.install("6.0")
    assert library.problems() == []
    shutil.rmtree(before)
    library.install("7.0")
    assert library.problems() == [f"psutil: version 6.0 is loaded, but 7.0 is installed; {RESTART}"]


@pytest.mark.usefixtures("required")
def test_nothing_is_sent_from_a_kernel_with_an_unfit_version(
    server: ScriptedServer, client: anb.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pd, "__version__", "2.1.4")
    with pytest.raises(
        AstriaError, match=rf"pandas: version 2\.1\.4 is loaded, and >=2\.2\.2 is needed; {RESTART}"
    ):
        anb.submit(TUNE, client)
    assert server.requests == []


@pytest.mark.usefixtures("required")
def test_the_form_says_so_when_it_is_displayed(
    server: ScriptedServer, client: anb.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pd, "__version__", "2.1.4")
    form = anb.TuneForm(client)
    assert "pandas" in [problem.field for problem in form.problems]
    assert (
        "pandas: version 2.1.4 is loaded, and &gt;=2.2.2 is needed"
        in form._repr_mimebundle_()[0]["text/html"]
    )
    form.fill(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    assert (form.valid, form.status) == (False, "incomplete")
    with pytest.raises(AstriaError, match="restart the kernel"):
        anb.submit(form)
    assert server.received("POST") == []


def test_a_row_that_cannot_be_made_is_not_paid_for(
    server: ScriptedServer, client: anb.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise TypeError("unexpected keyword argument 'na_value'")

    monkeypatch.setattr("astria_nb.rows._tunes.typed_frame", fail)
    rows.check_frames.cache_clear()
    with pytest.raises(
        AstriaError, match=r"pandas: .* cannot make the row of a tune \(TypeError: .*; restart"
    ):
        anb.submit(TUNE, client)
    assert server.requests == []


@pytest.mark.slow
@pytest.mark.parametrize("use", ["astria_nb.rows", "astria_nb.wait", "astria_nb.submit(tune, client)"])
def test_a_library_that_is_too_old_to_import_the_package_is_named(required: Path, use: str) -> None:
    (required / "pandas.py").write_text("__version__ = '2.1.4'\n")
    lines = [
        f"import sys; sys.path.insert(0, {str(required)!r}); import astria_nb",
        "tune = astria_nb.Tune(pack=43, title='t', name='cat', image_urls=['https://example.com/1.jpg'])",
        "client = astria_nb.Client('sd_sandbox_0', base_url='http://127.0.0.1:9')",
        use,
    ]
    result = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True)
    last_line = result.stderr.splitlines()[-1]
    assert last_line.startswith("astria_nb.errors.AstriaError: pandas: version 2.1.4 is loaded, and >=2.2.2")


def test_every_requirement_of_the_package_is_understood() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for line in project["dependencies"]:
        requirement = Requirement(line)
        match = versions._REQUIREMENT.fullmatch(line)
        assert match, line
        assert (match["name"], SpecifierSet(match["versions"])) == (requirement.name, requirement.specifier)
