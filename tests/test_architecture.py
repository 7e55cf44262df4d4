"""The package keeps its layers, its names, its types and its style, and imports fast."""

import ast
import os
import pkgutil
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import astria_nb as anb
from helpers.paths import PACKAGE, ROOT, TESTS

SLOW = {"pandas", "pyarrow", "numpy", "PIL", "requests", "urllib3", "ipywidgets", "IPython", "flask"}
SLOW |= {"sqlalchemy", "matplotlib", "psutil"}
NAMES = [
    "Callbacks",
    "Client",
    "ExperimentLog",
    "Sandbox",
    "Tune",
    "TuneForm",
    "as_curl",
    "as_javascript",
    "as_python",
    "costs",
    "download",
    "expiring",
    "gallery",
    "image_counts",
    "keep_longer",
    "login",
    "prompts",
    "submit",
    "submit_many",
    "timeline",
    "to_mlflow",
    "wait",
]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run Python on this checkout, whatever else is installed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True
    )


def test_imports_run_downwards_only() -> None:
    done = run(
        "-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def modules() -> Iterator[tuple[str, Path]]:
    """Yield the name of each module, and its file."""
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def test_a_module_that_only_its_own_room_uses_has_an_underscore() -> None:
    importers: dict[str, set[str]] = {}
    for name, path in modules():
        room = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                for imported in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                    importers.setdefault(imported, set()).add(room)
    public = {name for name, path in modules() if not path.name.startswith("_") and name.count(".") > 1}
    assert len(public) > 40
    assert {name for name in public if importers.get(name, set()) <= {name.rpartition(".")[0]}} == set()


def test_the_contracts_fit_on_a_screen() -> None:
    lines = (ROOT / "pyproject.toml").read_text("utf-8").splitlines()
    contracts = lines[lines.index("[tool.importlinter]") :]
    following = [number for number, line in enumerate(contracts) if line.startswith("[tool.") and number]
    assert len(contracts[: following[0] if following else None]) <= 60


def test_there_are_few_loose_modules_and_the_tests_have_the_same_rooms() -> None:
    assert len([path for path in PACKAGE.glob("*.py") if path.name != "__init__.py"]) <= 6
    rooms = {path.parent.relative_to(PACKAGE) for path in PACKAGE.rglob("__init__.py")}
    untested = {room for room in rooms if not list((TESTS / room).rglob("test_*.py"))}
    assert untested == set()


# Names that say nothing of what they hold.
VAGUE = frozenset({"each", "found", "told", "said", "seen", "shown", "known", "given", "made", "kept"})
VAGUE |= {"left", "one", "other", "fresh", "rest"}


@cache
def trees(folder: Path) -> list[ast.Module]:
    return [ast.parse(path.read_text("utf-8")) for path in folder.rglob("*.py")]


def stored_names(folder: Path) -> list[str]:
    """Return every name that is assigned to, by any statement, with its repetitions."""
    return [
        node.id
        for tree in trees(folder)
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]


@pytest.mark.parametrize("folder", [PACKAGE, TESTS], ids=["package", "tests"])
def test_variables_say_what_they_hold(folder: Path) -> None:
    names = stored_names(folder)
    assert len(names) > 1000
    vague = Counter(name for name in names if name in VAGUE)
    assert vague.total() < 0.02 * len(names), vague.most_common()


def test_no_two_classes_have_the_same_name() -> None:
    names = Counter(
        node.name for tree in trees(PACKAGE) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []


def documented_names(docstring: str) -> list[str]:
    """Return the lines of a docstring that name parameters or attributes, as numpydoc writes them."""
    headings = re.split(r"^(\w[\w ]*)\n-{3,}$", docstring, flags=re.MULTILINE)
    sections = zip(headings[1::2], headings[2::2], strict=True)
    texts = [text for heading, text in sections if heading in ("Parameters", "Attributes")]
    return [line for text in texts for line in text.splitlines() if line and not line.startswith(" ")]


def test_a_documented_parameter_has_a_type() -> None:
    documented = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    nodes = (node for tree in trees(PACKAGE) for node in ast.walk(tree) if isinstance(node, documented))
    lines = [line for node in nodes for line in documented_names(ast.get_docstring(node) or "")]
    assert len(lines) > 1000
    assert [line for line in lines if " : " not in line and not line.startswith("*")] == []


@pytest.mark.slow
def test_types_are_strict() -> None:
    done = run("-m", "mypy")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_module_is_typed_and_marked_so() -> None:
    ignored = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in (ROOT / "astria_nb").rglob("*.py")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if "# mypy:" in line or line.rstrip().endswith("# type: ignore")
    ]
    assert ignored == []
    assert (ROOT / "astria_nb" / "py.typed").is_file()


@pytest.mark.parametrize("check", [["check"], ["format", "--check"]], ids=["lint", "format"])
def test_style_is_kept(check: list[str]) -> None:
    done = run("-m", "ruff", *check, ".")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_public_names_are_these() -> None:
    assert sorted(anb.__all__) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_can_be_used_and_is_documented(name: str) -> None:
    public = getattr(anb, name)
    assert callable(public)
    assert public.__doc__
    assert vars(anb)[name] is public  # the next time, it is not looked for
    assert name in dir(anb)


@pytest.mark.parametrize("name", ["errors", "rows"])
def test_a_public_module_needs_no_import_of_its_own(name: str) -> None:
    done = run("-c", f"import astria_nb; print(astria_nb.{name}.__name__)")
    assert done.stdout.strip() == f"astria_nb.{name}", done.stderr


def test_dir_lists_the_public_names_and_no_plumbing() -> None:
    used = "anb.Tune, anb.Client, anb.TuneForm, anb.submit, anb.gallery, anb.costs, anb.rows.tune_frame"
    done = run("-c", f"import astria_nb as anb; {used}; print(*dir(anb))")
    names = [name for name in done.stdout.split() if not name.startswith("__")]
    assert names == sorted([*NAMES, "errors", "rows"]), done.stderr


@pytest.mark.parametrize("name", ["tune_form", "Tunes", "submit_all", "__wrapped__"])
def test_an_unknown_name_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError, match=name):
        getattr(anb, name)


def loaded(code: str) -> set[str]:
    """Return the top-level modules that are there after some code."""
    done = run("-c", f"{code}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})")
    assert "astria_nb" in done.stdout.split(), done.stderr
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_slow() -> None:
    assert loaded("import astria_nb") & SLOW == set()


def test_a_tune_of_addresses_loads_nothing_slow() -> None:
    code = "import astria_nb as anb; anb.Tune(pack=1, title='t', name='n', image_urls=['https://a.b/c'])"
    assert loaded(code) & SLOW == set()


MODULES = [module.name for module in pkgutil.iter_modules(anb.__path__, "astria_nb.")]
# Each module in a process without any of ours, forked after the slow libraries were imported.
EACH_FIRST = f"""
import importlib, os, sys, traceback
for name in {sorted(SLOW)}:
    importlib.import_module(name)
assert "astria_nb" not in sys.modules
for name in {MODULES}:
    child = os.fork()
    if child == 0:
        try:
            importlib.import_module(name)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        print(name, flush=True)
"""


@pytest.fixture(scope="module")
def imported_first() -> tuple[set[str], str]:
    """Return the modules that can be imported first, and the errors of the others."""
    done = run("-c", EACH_FIRST)
    return set(done.stdout.split()), done.stderr


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.parametrize("name", MODULES)
def test_a_module_can_be_imported_first(imported_first: tuple[set[str], str], name: str) -> None:
    modules, errors = imported_first
    assert name in modules, errors
