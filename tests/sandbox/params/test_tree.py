"""Parameters, parsed as Rails does."""

import json
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astria_nb.sandbox._errors import Refusal
from astria_nb.sandbox.params import from_query
from astria_nb.sandbox.params._tree import MAX_DEPTH, from_json, from_pairs

TEXT = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=8)
KEY = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\0[]"), min_size=1, max_size=6
).filter(lambda key: not key.isdigit())
LIST = st.lists(TEXT, min_size=1, max_size=4)
TREE = st.recursive(
    TEXT | LIST, lambda inner: st.dictionaries(KEY, inner, min_size=1, max_size=3), max_leaves=8
)


def pairs_of(prefix: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for key, item in value.items() for pair in pairs_of(f"{prefix}[{key}]", item)]
    if isinstance(value, list):
        return [(f"{prefix}[]", item) for item in value]
    return [(prefix, str(value))]


def refused(read: Callable[[], object]) -> int | None:
    try:
        read()
    except Refusal as refusal:
        return refusal.status
    return None


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(KEY, TREE, min_size=1, max_size=3))
def test_a_form_and_json_give_the_same_tree(tree: dict[str, object]) -> None:
    pairs = [pair for key, value in tree.items() for pair in pairs_of(key, value)]
    assert from_query(urlencode(pairs).encode()) == tree
    assert from_json(json.dumps(tree).encode()) == tree


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.text("ab[]0", max_size=8), TEXT), max_size=8))
def test_any_keys_are_read_or_refused(pairs: list[tuple[str, str]]) -> None:
    assert refused(lambda: from_pairs(pairs)) in (None, 400)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for read in (from_query, from_json):
        assert refused(lambda read=read: read(body)) in (None, 400)


@pytest.mark.parametrize(
    ("pairs", "tree"),
    [
        ([("a", "1"), ("a", "2")], {"a": "2"}),
        ([("a[]", "1"), ("a[]", ""), ("a[]", "3")], {"a": ["1", "", "3"]}),
        ([("a[b][1]", "y"), ("a[b][0]", "x")], {"a": {"b": ["x", "y"]}}),
        ([("a[][k]", "1"), ("a[][l]", "2"), ("a[][k]", "3")], {"a": [{"k": "1", "l": "2"}, {"k": "3"}]}),
        ([("a[][k][]", "1"), ("a[][k][]", "2")], {"a": [{"k": ["1", "2"]}]}),
        ([("a[0][k]", "1"), ("a[1][k]", "2")], {"a": [{"k": "1"}, {"k": "2"}]}),
        ([("a[b", "1")], {"a[b": "1"}),
    ],
)
def test_keys_with_brackets(pairs: list[tuple[str, str]], tree: dict[str, object]) -> None:
    assert from_pairs(pairs) == tree


@pytest.mark.parametrize(
    "pairs",
    [
        [("a", "1"), ("a[b]", "2")],
        [("a[b]", "1"), ("a", "2")],
        [("a[]", "1"), ("a[b]", "2")],
        [("a[b]", "1"), ("a[]", "2")],
        [("a[][]", "1")],
        [("a" + "[b]" * MAX_DEPTH, "1")],
        [("a", "\0")],
    ],
)
def test_shapes_that_conflict_are_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(Refusal) as caught:
        from_pairs(pairs)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "body", ["[1]", "{", '{"a": NaN}', '{"a": "\\ud800"}', '{"a":' * 99 + "1" + "}" * 99, ""]
)
def test_json_that_is_not_an_object_of_valid_text_is_refused(body: str) -> None:
    with pytest.raises(Refusal) as caught:
        from_json(body.encode())
    assert caught.value.status == 400


def test_too_many_fields_are_refused() -> None:
    with pytest.raises(Refusal) as caught:
        from_pairs([("a[]", "1")] * 11, max_fields=10)
    assert caught.value.status == 413
