"""The scripts of our widgets, each as a single ES module, as anywidget needs it."""

from __future__ import annotations

import re
from pathlib import Path

_IMPORT = re.compile(r"^import \{[^}]*\} from \"(\.{1,2}/[\w./-]+\.js)\";\n", re.MULTILINE)
_DEFAULT = re.compile(r"^export default ", re.MULTILINE)
_LATE = Path(__file__).with_name("late_script.js")
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|let|class)\b)", re.MULTILINE)


def script(path: Path) -> str:
    """Return a script with the modules it imports placed before it, each once.

    anywidget loads a widget's script from a string, where a relative import has nothing to be relative to.
    All modules then share one scope, so their top-level names must differ: a duplicate is a syntax error.

    Parameters
    ----------
    path : Path
        The module with the default export. It and its modules import relative paths by name, such as
        ``import { make } from "../utils/dom.js";``.

    Returns
    -------
    str
        One ES module without imports. Its only export is the default one, a widget that receives Python's
        messages even if it is loaded late.
    """
    modules: dict[Path, str] = {}
    for module in (_LATE, path):
        _collect(module.resolve(), modules)
    source = "\n".join(_EXPORT.sub("", source) for source in modules.values())
    return _DEFAULT.sub("const ofThisWidget = ", source) + "\nexport default listening(ofThisWidget);\n"


def _collect(path: Path, modules: dict[Path, str]) -> None:
    """Add a module after those it imports."""
    source = path.read_text(encoding="utf-8")
    for name in _IMPORT.findall(source):
        module = (path.parent / name).resolve()
        if module not in modules:
            _collect(module, modules)
    modules[path] = _IMPORT.sub("", source)
