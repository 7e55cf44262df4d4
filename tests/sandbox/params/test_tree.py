"""Parameters, read as Rails reads them."""

import json
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astria_nb.sandbox._errors import Refusal
from astria_nb.sandbox._options import Options
from astria_nb.sandbox.params._tree import from_form, from_json, from_pairs

LIMITS = Options()
TEXT = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=8)
KEY = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\0[]"), min_size=1, max_size=6
) | st.sampled_from(["0", "1", "2024"])
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


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(KEY, TREE, min_size=1, max_size=3))
def test_a_form_and_json_give_the_same_tree(tree: dict[str, object]) -> None:
    pairs = [pair for key, value in tree.items() for pair in pairs_of(key, value)]
    assert from_form(urlencode(pairs).encode(), LIMITS) == tree
    assert from_json(json.dumps(tree).encode(), LIMITS) == tree


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.text("ab[]0", max_size=8), TEXT), max_size=8))
def test_any_keys_are_read_or_refused(pairs: list[tuple[str, str]]) -> None:
    assert refused(lambda: from_pairs(pairs, 32)) in (None, 400)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for read in (from_form, from_json):
        assert refused(lambda read=read: read(body, LIMITS)) in (None, 400)


@pytest.mark.parametrize(
    ("form", "tree"),
    [
        ("a=1&a=2", {"a": "2"}),
        ("a[]=1&a[]=&a[]=3", {"a": ["1", "", "3"]}),
        ("a[2024]=x&a[0]=y", {"a": {"2024": "x", "0": "y"}}),
        ("a[][k]=1&a[][l]=2&a[][k]=3", {"a": [{"k": "1", "l": "2"}, {"k": "3"}]}),
        ("a[][k][]=1&a[][k][]=2", {"a": [{"k": ["1", "2"]}]}),
        ("a[][k]=1&a[]=x&a[][l]=2", {"a": [{"k": "1"}, "x", {"l": "2"}]}),
        ("a[][]=1&a[][]=2", {"a": [["1"], ["2"]]}),
        ("a[0][k]=1&a[1][k]=2", {"a": {"0": {"k": "1"}, "1": {"k": "2"}}}),
        ("a[b=1", {"a": {"[b": "1"}}),
        ("a[=1&[b]=2&[]=3&c[d]e[f]=4", {"a[": "1", "[b]": "2", "[]": "3", "c": {"d": {"e[f]": "4"}}}),
        (
            '{"tune": {"image_urls": ["u"], "ids": []}}',
            {'{"tune": {"image_urls": ': {'"u"': {', "ids": []}}': None}}},
        ),
        ("a[b]=1&a=2", {"a": "2"}),
        ("a&a[b]=1&c[]&c[]=x&d", {"a": {"b": "1"}, "c": ["x"], "d": None}),
        ("a=Zoë;b=2& c=%2B+%5b&&=x", {"a": "Zoë;b=2", "c": "+ ["}),
    ],
)
def test_forms(form: str, tree: dict[str, object]) -> None:
    assert from_form(form.encode(), LIMITS) == tree


@pytest.mark.parametrize(
    "form",
    [
        "a=1&a[b]=2", "a[]=1&a[b]=2", "a[b]=1&a[]=2", "a[][][]=1", "a=%00", "a=100%", "a=%zz", "a=%ff",
        "%ff=a",
    ],
)  # fmt: skip
def test_forms_that_are_refused(form: str) -> None:
    with pytest.raises(Refusal) as caught:
        from_form(form.encode(), LIMITS)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("body", "tree"),
    [
        ('{"a": null, "b": [null, 1, [null], {"c": [null]}]}', {"a": None, "b": [1, [], {"c": []}]}),
        ('{"a": []}', {"a": []}),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ("[1]", {"_json": [1]}),
    ],
)  # fmt: skip
def test_json(body: str, tree: dict[str, object]) -> None:
    assert from_json(body.encode(), LIMITS) == tree


@pytest.mark.parametrize("body", ["{", '{"a": NaN}', '{"a": "\\ud800"}', '{"\\u0000": 1}', "", "\ufeff{}"])
def test_what_is_not_json_of_valid_text_is_refused(body: str) -> None:
    assert refused(lambda: from_json(body.encode(), LIMITS)) == 400


@pytest.mark.parametrize(
    ("read", "largest", "too_large", "status"),
    [
        (from_form, "&".join(["a[]=1"] * 4096), "&".join(["a[]=1"] * 4097), 400),
        (from_form, "a=" + "1" * (4 * 2**20 - 2), "a=" + "1" * (4 * 2**20 - 1), 400),
        (from_form, "a" + "[b]" * 31 + "=1", "a" + "[b]" * 32 + "=1", 400),
        (from_json, '{"a":' * 100 + "1" + "}" * 100, '{"a":' * 101 + "1" + "}" * 101, 400),
        (from_json, json.dumps({"a": [1] * 9_999}), json.dumps({"a": [1] * 10_000}), 413),
    ],
    ids=["pairs", "bytes", "depth", "depth of JSON", "values of JSON"],
)
def test_limits(read: Callable[..., object], largest: str, too_large: str, status: int) -> None:
    assert refused(lambda: read(largest.encode(), LIMITS)) is None
    assert refused(lambda: read(too_large.encode(), LIMITS)) == status
