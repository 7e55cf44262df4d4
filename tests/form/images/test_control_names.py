"""A hint for code is shown by the form in the words of its controls."""

import ast
import re
from collections.abc import Iterator

import pytest

from astria_nb.form.images import naming_controls
from astria_nb.utils.remedies import Remedy
from helpers.paths import PACKAGE

# The rooms whose problems the form shows, and the arguments that it has a control for.
_ROOMS = ("images", "tune", "client")
_ARGUMENT = re.compile(
    r"\b(max_side|keep_metadata|keep_damaged|encoding)=|(?<!such )\bas (images|image_urls)\b"
)
_REMEDY = re.compile("|".join(map(re.escape, Remedy)))


@pytest.mark.parametrize("remedy", Remedy)
def test_the_form_has_words_for_each_remedy(remedy: Remedy) -> None:
    words = naming_controls(remedy)
    assert words != remedy
    assert not _ARGUMENT.search(words) or words == "by TuneForm(keep_damaged=True)"


def texts(tree: ast.AST) -> Iterator[str]:
    """Yield the texts of a module without its docstrings."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            yield from texts(node)


@pytest.mark.parametrize("room", _ROOMS)
def test_a_hint_that_the_form_can_show_names_an_argument_as_a_remedy_only(room: str) -> None:
    spelt_out = [
        (path.name, text)
        for path in (PACKAGE / room).rglob("*.py")
        for text in texts(ast.parse(path.read_text("utf-8")))
        if _ARGUMENT.search(text) or _REMEDY.search(text)
    ]
    assert spelt_out == []
