"""The colours of the form in frontends that define few of JupyterLab's."""

import re
from pathlib import Path

import pytest

import astria_nb

STYLES = sorted(Path(astria_nb.__file__).parent.glob("**/*.css"))
# Frontends that define JupyterLab's colours define these consistently with their theme. Of the others, Colab
# keeps the light ones on a dark page, and VS Code defines all layers as one colour.
TRUSTED = {
    "--jp-ui-font-color1",
    "--jp-layout-color2",
    "--jp-brand-color1",
    "--jp-error-color1",
    "--jp-warn-color1",
}
# These follow `color-scheme`, which a dark theme may not set.
OF_THE_SYSTEM = (
    r"\b(Canvas|CanvasText|GrayText|LinkText|Mark|MarkText|Field|FieldText|ButtonText|Highlight)\b"
)


@pytest.mark.parametrize("style", STYLES, ids=lambda path: path.name)
def test_colours_contrast_with_the_text_in_every_frontend(style: Path):
    text = re.sub(r"/\*.*?\*/", "", style.read_text(encoding="utf-8"), flags=re.DOTALL)
    # The last rules, of pages whose colours are the system's.
    text = re.sub(r"@media \(forced-colors: active\) \{.*^\}$", "", text, flags=re.DOTALL | re.MULTILINE)
    used = set(re.findall(r"var\((--jp-[\w-]*color\d?)", text))
    assert used <= TRUSTED
    assert re.findall(OF_THE_SYSTEM, text) == []
    assert re.findall(r"var\((--jp-[\w-]+)\)", text) == [], "these have no fallback"
