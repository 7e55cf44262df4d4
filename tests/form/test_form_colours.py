"""The colours of the form, in frontends that have few of JupyterLab's."""

import re
from pathlib import Path

import pytest

import astria_nb

STYLES = sorted(Path(astria_nb.__file__).parent.glob("**/*.css"))
# Of these, a frontend that has JupyterLab's colours gives what goes together in its own theme. Colab leaves
# the others as they are on a light page, and VS Code gives all layers as one colour.
TRUSTED = {
    "--jp-ui-font-color1",
    "--jp-layout-color2",
    "--jp-brand-color1",
    "--jp-error-color1",
    "--jp-warn-color1",
}
# They follow `color-scheme`, which a frontend's dark theme need not set.
OF_THE_SYSTEM = (
    r"\b(Canvas|CanvasText|GrayText|LinkText|Mark|MarkText|Field|FieldText|ButtonText|Highlight)\b"
)


@pytest.mark.parametrize("style", STYLES, ids=lambda path: path.name)
def test_a_colour_is_one_that_fits_the_text_beside_it(style: Path):
    text = re.sub(r"/\*.*?\*/", "", style.read_text(encoding="utf-8"), flags=re.DOTALL)
    used = set(re.findall(r"var\((--jp-[\w-]*color\d?)", text))
    assert used <= TRUSTED
    assert re.findall(OF_THE_SYSTEM, text) == []
    assert re.findall(r"var\((--jp-[\w-]+)\)", text) == [], "these have no fallback"
