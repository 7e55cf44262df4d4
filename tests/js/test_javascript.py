"""The widgets' scripts: their types, style and behaviour, and each as the module that a browser loads.

The packages come from npm into `tests/js/node_modules`, once for each lock file.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import typing
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import anywidget
import pytest

from astria_nb.form import _error_summary as error_summary
from astria_nb.form import _request_view as request_view
from astria_nb.form.images import _drop_zone as drop_zone
from astria_nb.form.images import _drop_zone_messages as drop_zone_messages
from astria_nb.form.images import _image_list as image_list
from astria_nb.form.pickers import _picker as picker
from astria_nb.form.pickers import _picker_messages as picker_messages
from astria_nb.form.progress import _notification as notification
from astria_nb.results.gallery import _messages as messages
from astria_nb.results.gallery import _widget as widget
from astria_nb.submission.batch import _widget as batch
from astria_nb.utils import script_widget
from astria_nb.utils.script import script
from helpers.paths import PACKAGE

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
LOCK = HERE / "package-lock.json"
INSTALL = ("npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund")
# Each widget, and the script that declares the traits it shares with the browser.
STATES: dict[type[anywidget.AnyWidget], str] = {
    drop_zone.DropZone: "form/images/upload_sender.js",
    error_summary.ErrorSummary: "form/error_summary.js",
    image_list.ImageList: "form/images/image_tile.js",
    notification.NotificationSwitch: "form/progress/notification.js",
    picker.Picker: "form/pickers/picker.js",
    request_view.RequestView: "form/request_view.js",
    widget.Gallery: "results/gallery/widget.js",
    batch.BatchWidget: "submission/batch/batch.js",
}
WIDGETS = list(STATES)
# The module of a widget's messages, and the script that declares the same messages.
MESSAGES = {
    batch: "submission/batch/batch.js",
    drop_zone_messages: "form/images/upload_sender.js",
    error_summary: "form/error_summary.js",
    image_list: "form/images/image_tile.js",
    messages: "results/gallery/widget.js",
    picker_messages: "form/pickers/picker.js",
    script_widget: "utils/answers.js",
}


def run(*command: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=HERE, input=stdin, capture_output=True, text=True, timeout=300)


def need(program: str) -> None:
    """Skip a test where a program is missing, unless it is required."""
    if shutil.which(program) is None:
        assert os.environ.get("ASTRIA_NB_NPM") != "required", f"{program} is required, but missing"
        pytest.skip(f"needs {program} (Node 18 or newer)")


@pytest.fixture(scope="module")
def packages() -> None:
    need("npm")
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    stamp = MODULES / ".lock-sha256"
    if not stamp.is_file() or stamp.read_text() != digest:
        done = run(*INSTALL)
        assert done.returncode == 0, done.stdout + done.stderr
        stamp.write_text(digest)


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("name", ["types", "lint", "test"])
def test_the_scripts_pass(name: str):
    command = json.loads((HERE / "package.json").read_text("utf-8"))["scripts"][name]
    # What `npm run` does, which takes as long as the shortest of them.
    path = os.pathsep.join([str(MODULES / ".bin"), os.environ["PATH"]])
    done = run("env", f"PATH={path}", "sh", "-c", command)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", [cls.__name__ for cls in WIDGETS])
def test_a_widget_is_one_module_with_a_default_export(name: str):
    need("node")
    (source,) = (str(cls._esm) for cls in WIDGETS if cls.__name__ == name)
    program = (
        "const text = require('fs').readFileSync(0, 'utf8');"
        "import('data:text/javascript;base64,' + Buffer.from(text).toString('base64'))"
        ".then(async (module) => {"
        "  const exported = module.default;"
        "  const widget = typeof exported === 'function' ? await exported() : exported;"
        "  console.log(JSON.stringify([Object.keys(module), typeof widget.render]));"
        "});"
    )
    done = run("node", "--eval", program, stdin=source)
    assert done.stdout, done.stderr
    assert json.loads(done.stdout) == [["default"], "function"]


def test_every_script_is_checked_and_part_of_a_widget():
    paths = sorted(PACKAGE.rglob("*.js"))
    sources = [path.read_text("utf-8") for path in paths]
    assert all(source.startswith("// @ts-check\n") for source in sources)
    assembled = "".join(str(cls._esm) for cls in WIDGETS)
    for path, source in zip(paths, sources, strict=True):
        headline = source.splitlines()[1]
        assert headline in assembled, f"no widget loads {path.name}"


def python_messages(module: ModuleType) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield the direction, the kind and the fields of each message that a module declares."""
    for cls in vars(module).values():
        if typing.is_typeddict(cls) and "kind" in cls.__annotations__:
            hints = typing.get_type_hints(cls)
            (kind,) = typing.get_args(hints["kind"])
            direction = "ToKernel" if cls.__doc__.startswith("Browser to kernel") else "FromKernel"
            yield direction, kind, frozenset(hints)


def javascript_messages(source: str) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield the same of each message that a script declares."""
    unions = re.compile(r"@typedef (\{\{ kind.*?\}\}?) (ToKernel|FromKernel)\b", re.DOTALL)
    for union, direction in unions.findall(source):
        flat = re.sub(r"\{[^{}]*\}\[\]", "list", union[1:-1])
        for fields in re.findall(r"\{([^{}]*)\}", flat):
            (kind,) = re.findall(r'kind: "(\w+)"', fields)
            yield direction, kind, frozenset(re.findall(r"(\w+):", fields))


@pytest.mark.parametrize("module", MESSAGES, ids=lambda module: module.__name__)
def test_both_sides_declare_the_same_messages(module: ModuleType):
    source = (PACKAGE / MESSAGES[module]).read_text("utf-8")
    ours = sorted(python_messages(module))
    assert sorted(javascript_messages(source)) == ours
    assert ours


@pytest.mark.parametrize("cls", STATES, ids=lambda cls: cls.__name__)
def test_both_sides_declare_the_same_traits(cls: type[anywidget.AnyWidget]):
    source = (PACKAGE / STATES[cls]).read_text("utf-8")
    (state,) = re.findall(r"@typedef \{\{((?:(?!@typedef).)*)\}\} State\b", source, re.DOTALL)
    inherited = anywidget.AnyWidget.class_traits(sync=True)
    shared = set(cls.class_traits(sync=True)) - set(inherited)
    assert set(re.findall(r"(\w+):", state)) == {name for name in shared if not name.startswith("_")}


def test_versions_are_exact_and_no_registry_is_named():
    manifest = json.loads((HERE / "package.json").read_text("utf-8"))
    lock = json.loads(LOCK.read_text("utf-8"))
    exact = manifest["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in exact.values())
    assert {name: lock["packages"][f"node_modules/{name}"]["version"] for name in exact} == exact
    assert not any("resolved" in package for package in lock["packages"].values())


def test_each_module_stands_once_and_after_those_it_imports(tmp_path: Path):
    (tmp_path / "shared.js").write_text("export const one = 1;\n")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "two.js").write_text(
        'import { one } from "../shared.js";\nexport function two() {}\n'
    )
    entry = tmp_path / "entry.js"
    imports = 'import {\n  two,\n} from "./parts/two.js";\nimport { one } from "./shared.js";\n'
    entry.write_text(f"{imports}export default {{ two }};\n")
    code = script(entry).partition("const NOTHING")[2].partition("\n}\n")[2]  # behind what listens
    assert code == (
        "\nconst one = 1;\n\nfunction two() {}\n\nconst ofThisWidget = { two };\n"
        "\nexport default listening(ofThisWidget);\n"
    )
