"""The examples that `help` shows run as they are, in a notebook where nothing was imported."""

import doctest
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

import astria_nb as anb


def members(place: str, owner: Any) -> Iterator[tuple[str, str]]:
    """Yield the name and the examples of what a class or a module of ours offers."""
    for name in getattr(owner, "__all__", dir(owner)):
        member = inspect.getattr_static(owner, name)
        member = getattr(member, "fget", None) or getattr(member, "__func__", member)
        is_ours = str(getattr(member, "__module__", "")).startswith("astria_nb")
        if is_ours and not name.startswith("_") and ">>> " in (text := inspect.getdoc(member) or ""):
            yield f"{place}.{name}", text


def documented() -> dict[str, str]:
    examples = dict(members("anb.errors", anb.errors)) | dict(members("anb.rows", anb.rows))
    for name in anb.__all__:
        public = getattr(anb, name)
        examples[f"anb.{name}"] = inspect.getdoc(public) or ""
        examples |= dict(members(f"anb.{name}", public)) if inspect.isclass(public) else {}
    return examples


EXAMPLES = documented()


def test_what_is_public_has_examples() -> None:
    assert [name for name, text in EXAMPLES.items() if ">>> " not in text] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_needs_nothing_that_it_does_not_import(name: str) -> None:
    example = doctest.DocTestParser().get_doctest(EXAMPLES[name], {}, name, None, None)
    reports: list[str] = []
    doctest.DocTestRunner().run(example, out=reports.append)
    assert "".join(reports) == ""
