"""A frame of tunes, in every form in which people have one, becomes tunes, and words about what is wrong."""

import io
import json
import uuid
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

import astria_nb as anb
from astria_nb.errors import TuneError
from astria_nb.submission.batch import Table, read_tunes
from astria_nb.tune import FIELDS, opened

URL = "https://example.com/1.jpg"


def a_frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"pack": [43, 43], "name": ["cat", "dog"], "image_urls": [[URL], [URL]], **columns})


def told(table: Table) -> list[tuple[Any, str, str]]:
    """Return the problems of a table as tuples."""
    assert list(table.problems) == ["row", "field", "message"]
    return list(table.problems.itertuples(index=False, name=None))


def test_a_row_becomes_the_tune_that_its_cells_make() -> None:
    frame = a_frame(title=["a", "b"], preset=["flux-lora-fast", None]).set_index(pd.Index(["x", "y"]))
    frame["characteristics.eye_color"] = ["blue eyes", float("nan")]
    frame["prompt_attributes.num_images"] = [4.0, float("nan")]
    table = read_tunes(frame)
    assert table.problems.empty
    assert table.index.tolist() == ["x", "y"]
    assert table.keys == (None, None)
    assert table.tunes == (
        anb.Tune(
            pack=43, title="a", name="cat", image_urls=[URL], preset="flux-lora-fast",
            characteristics={"eye_color": "blue eyes"}, prompt_attributes={"num_images": 4},
        ),
        anb.Tune(pack=43, title="b", name="dog", image_urls=[URL]),
    )  # fmt: skip


FULL = pd.DataFrame(
    {
        "pack": [43, 260, 43],
        "name": ["cat", "man", None],
        "key": ["a", "b", "c"],
        "image_urls": [[URL, f"{URL}?2"], [URL], None],
        "tune_ids": [None, None, [5, 6]],
        "characteristics": [{"age": "30 yo", "eye_color": "blue eyes"}, None, None],
        "characteristics.hair_color": [None, "red hair", None],
        "prompt_attributes": [{"num_images": 4, "inpaint_faces": True}, None, None],
        "prompt_attributes.super_resolution": [None, True, False],
        "prompt_attributes.steps": [None, 30, None],
        "auto_extend": [True, False, None],
    }
)


def through_csv(frame: pd.DataFrame, **options: Any) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(frame.to_csv(index=False)), **options)


def through_parquet(frame: pd.DataFrame, **options: Any) -> pd.DataFrame:
    file = io.BytesIO()
    frame.to_parquet(file)
    return pd.read_parquet(io.BytesIO(file.getvalue()), **options)


def with_json_cells(frame: pd.DataFrame) -> pd.DataFrame:
    written = frame.copy()
    for name in ("image_urls", "tune_ids", "characteristics", "prompt_attributes"):
        written[name] = [None if cell is None else json.dumps(cell) for cell in frame[name]]
    return written


def arrow_map(frame: pd.DataFrame) -> pd.DataFrame:
    table = pa.Table.from_pandas(frame)
    pairs = [None if cell is None else list(cell.items()) for cell in frame["characteristics"]]
    position = table.schema.get_field_index("characteristics")
    column = pa.array(pairs, pa.map_(pa.string(), pa.string()))
    return table.set_column(position, "characteristics", column).to_pandas(types_mapper=pd.ArrowDtype)


FORMS: list[Callable[[pd.DataFrame], Any]] = [
    lambda frame: frame,
    lambda frame: frame[frame.columns[::-1]],
    lambda frame: frame.astype(object),
    lambda frame: frame.astype({"pack": "float64", "name": "category"}),
    lambda frame: frame.astype({"pack": "Int64", "name": "string", "auto_extend": "boolean"}),
    lambda frame: frame.astype({"pack": "int64[pyarrow]", "auto_extend": "bool[pyarrow]"}),
    lambda frame: frame.astype({"pack": str}),
    lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    through_csv,
    lambda frame: through_csv(frame, dtype_backend="pyarrow"),
    lambda frame: through_csv(frame, dtype=str),
    lambda frame: through_csv(frame.astype({"pack": float, "auto_extend": float}), dtype=str),
    lambda frame: frame.set_index("name"),
    lambda frame: frame.set_index(["name", "pack"], append=True),
    lambda frame: [row for _, row in frame.iterrows()],
    through_parquet,
    lambda frame: through_parquet(frame, dtype_backend="pyarrow"),
    with_json_cells,
    lambda frame: through_csv(with_json_cells(frame)),
    arrow_map,
    lambda frame: frame.assign(image_urls=frame["image_urls"].map(np.array, na_action="ignore")),
    lambda frame: frame.assign(image_urls=frame["image_urls"].map(tuple, na_action="ignore")),
    lambda frame: through_csv(
        frame.assign(image_urls=frame["image_urls"].map(np.array, na_action="ignore"))
    ),
    lambda frame: pd.read_json(io.StringIO(frame.to_json(orient="records"))),
    lambda frame: frame.set_index(pd.MultiIndex.from_tuples([("x", 1), ("x", 2), ("y", 1)])),
    lambda frame: frame.to_dict("records"),
    lambda frame: iter(frame.to_dict("records")),
    lambda frame: frame.to_dict("list"),
    lambda frame: pa.Table.from_pandas(frame),
    lambda frame: pa.Table.from_pandas(frame).to_reader(),
    lambda frame: SimpleNamespace(__arrow_c_stream__=pa.Table.from_pandas(frame).__arrow_c_stream__),
    lambda frame: [row.dropna().to_dict() for _, row in frame.iterrows()],
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("has_keys", [True, False])
def test_the_form_of_a_frame_changes_neither_its_tunes_nor_their_titles(
    form: Callable[[pd.DataFrame], Any], has_keys: bool
) -> None:
    frame = FULL if has_keys else FULL.drop(columns="key")
    expected, table = read_tunes(frame), read_tunes(form(frame))
    assert told(table) == told(expected) == []
    assert table.tunes == expected.tunes
    assert len(table.index) == 3


@pytest.mark.parametrize(
    "keys", [["007", "1e3"], ["7", None], [" a", "b "], ["1.5", "x"], ["-0", "5"]], ids=repr
)
def test_keys_make_the_same_titles_after_csv(keys: list[str | None]) -> None:
    frame = a_frame(key=keys)
    assert read_tunes(through_csv(frame)).tunes == read_tunes(frame).tunes


def test_rows_that_lack_the_name_that_others_have_are_known() -> None:
    assert read_tunes(a_frame(key=["a", None])).unnamed == {1: "key"}
    assert read_tunes(a_frame(title=[None, "b"])).unnamed == {0: "title"}
    assert read_tunes(a_frame(key=["a", None], title=[None, "b"])).unnamed == {}
    assert read_tunes(a_frame(key=[None, None])).unnamed == {}
    records = [a_frame().to_dict("records")[0], a_frame(key=["a", "b"]).to_dict("records")[1]]
    assert read_tunes(records).unnamed == {}  # a mapping without the field was written like that


@pytest.mark.parametrize("end", ["", ".0"])
def test_numbers_of_a_file_that_is_read_as_text_are_ids_and_switches(end: str) -> None:
    """Its columns have gaps, so pandas wrote floats."""
    written = {"pack": "260", "tune_ids": "5", "prompt_ids": "7", "auto_extend": "0"}
    cells = {name: text + end for name, text in written.items()}
    table = read_tunes([{**cells, "prompt_attributes.inpaint_faces": f"1{end}"}])
    assert told(table) == []
    expected = {"pack": 260, "tune_ids": [5], "prompt_ids": [7], "auto_extend": False}
    attributes = {"inpaint_faces": True}
    assert table.tunes == read_tunes([{**expected, "prompt_attributes": attributes}]).tunes
    assert table.tunes[0] is not None
    assert table.tunes[0].auto_extend is False


MISSING = [None, float("nan"), pd.NA, pd.NaT, np.float32("nan"), Decimal("nan"), "", " "]


@pytest.mark.parametrize("missing", MISSING, ids=repr)
def test_a_missing_cell_is_an_absent_field_or_a_missing_one(missing: Any) -> None:
    optional = dict.fromkeys(
        ("title", "key", "callback", "characteristics", "prompt_attributes.num_images", "tune_ids", "brief"),
        pd.Series([missing, missing], dtype=object),
    )
    assert read_tunes(a_frame(**optional)).tunes == read_tunes(a_frame()).tunes
    table = read_tunes(a_frame(pack=[43, missing], name=pd.Series([missing, "dog"], dtype=object)))
    assert [(row, field) for row, field, _ in told(table)] == [(0, "name"), (1, "pack")]
    assert all("missing; give" in message for _, _, message in told(table))
    assert table.tunes == (None, None)


def test_every_problem_is_told_with_its_row_its_field_and_the_next_step() -> None:
    frame = a_frame(title=["a", 5], preset=["x", None]).set_index(pd.Index(["first", "second"]))
    frame["characteristics"] = ['{"age": 30}', "blue"]
    frame.loc["second", "image_urls"] = "example.com/1.jpg"
    table = read_tunes(frame)
    assert table.tunes == (None, None)
    assert [(row, field) for row, field, _ in told(table)] == [
        ("first", "characteristics.age"),
        ("first", "preset"),
        ("second", "title"),
        ("second", "image_urls"),
        ("second", "characteristics"),
    ]
    assert all(";" in message for _, _, message in told(table))
    assert read_tunes(frame.iloc[:0]).problems.dtypes.tolist() == table.problems.dtypes.tolist()


PRINTED: list[Callable[[list[Any]], object]] = [
    np.array,
    pd.array,
    pd.Index,
    lambda items: list(np.array(items)),
    lambda items: pd.array(items, dtype=object),
]


@pytest.mark.parametrize("print_", [str, repr])
@pytest.mark.parametrize("array", PRINTED)
@pytest.mark.parametrize(("name", "item"), [("tune_ids", 5), ("image_urls", URL)])
def test_a_list_is_read_as_it_is_printed_or_refused_if_it_was_shortened(
    name: str, item: Any, array: Callable[[list[Any]], object], print_: Callable[[object], str]
) -> None:
    fields: dict[str, Any] = {"pack": 43, "title": "t", **({"name": "cat"} if name == "image_urls" else {})}
    table = read_tunes([{**fields, name: print_(array([item, item]))}])
    assert told(table) == []
    assert getattr(table.tunes[0], name) == (item, item)
    with np.printoptions(threshold=10):
        text = print_(array([item] * 200))
    if "..." in text:
        assert told(read_tunes([{**fields, name: text}])) == [(0, name, SHORTENED)]


def test_no_pattern_of_images_hides_that_a_list_was_shortened(folder: Path) -> None:
    fields = {"pack": 43, "title": "t", "name": "cat", "images": "['p/2.jpg' ... 'p/10.jpg']"}
    assert told(read_tunes([fields])) == [(0, "images", SHORTENED)]


SHORTENED = (
    "was shortened when it was printed: items are missing where it has '...'; "
    "save the table as Parquet or JSON, which keep the whole list, and read that"
)


@pytest.mark.parametrize(
    "text",
    ["[1 - 2]", "[a, 1]", "['5' '6', '7']", "[1,,2]", "[007]", "[f(5)]", "<X>\n[5, 6]\nLength: 3, dtype: y"],
)
def test_what_is_not_wholly_understood_as_a_list_is_no_list(text: str) -> None:
    ((_, field, message),) = told(read_tunes([{"pack": 43, "title": "t", "tune_ids": text}]))
    assert (field, message.partition(";")[2]) == ("tune_ids", " give a list of ids")


def test_a_sign_in_a_list_is_not_lost() -> None:
    ((_, field, message),) = told(read_tunes([{"pack": 43, "title": "t", "tune_ids": "[-1 2 3]"}]))
    assert (field, message.partition(";")[0]) == ("tune_ids", "-1 is not an id")


@pytest.mark.parametrize(
    ("name", "written"), [("title", "007"), ("brief", "30"), ("characteristics.age", "30")]
)
@pytest.mark.parametrize("gap", [True, False])
def test_text_that_became_a_number_in_a_file_is_read_as_text_and_not_put_in_quotes(
    name: str, written: str, gap: bool
) -> None:
    content = f"key,pack,name,image_urls,{name}\na,43,cat,{URL},{written}\n" + f"b,43,dog,{URL},\n" * gap
    ((row, field, message),) = told(read_tunes(pd.read_csv(io.StringIO(content))))
    assert (row, field) == (0, name)
    assert message.endswith(f"; from a file, read it with dtype={{{name!r}: str}}: '007' is not '7'")
    table = read_tunes(pd.read_csv(io.StringIO(content), dtype={name: str}))
    assert told(table) == []
    tune = table.tunes[0]
    assert tune is not None
    assert written in (tune.title, tune.brief, tune.characteristics.get("age"))


def test_words_that_became_booleans_in_a_file_are_read_as_text_too() -> None:
    content = a_frame().assign(**{"characteristics.tall": ["True", "False"]}).to_csv(index=False)
    ((_, _, message), _) = told(read_tunes(pd.read_csv(io.StringIO(content))))
    assert message.endswith("from a file, read it with dtype={'characteristics.tall': str}")
    table = read_tunes(pd.read_csv(io.StringIO(content), dtype={"characteristics.tall": str}))
    assert [tune and tune.characteristics for tune in table.tunes] == [{"tall": "True"}, {"tall": "False"}]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Title", "rename it to 'title', or pass ignore=['Title'] if it is your own"),
        (" preset ", "rename it to 'preset', or pass"),
        ("Prompt Ids", "rename it to 'prompt_ids', or pass"),
        ("\ufefftitle", "rename it to 'title', or pass"),
        ("eye_color", "rename it to 'characteristics.eye_color', or pass"),
        ("num_images", "rename it to 'prompt_attributes.num_images', or pass"),
        ("photos", "rename it to 'images', or pass"),
        ("callback_url", "rename it to 'callback', or pass"),
        ("Pack", "drop the column, or pass ignore=['Pack'] if it is your own"),  # there is one
        ("customer", "drop the column, or pass ignore=['customer'] if it is your own"),
        ("Rate", "give it to anb.submit_many, as rate=, or pass ignore=['Rate'] if it is your own"),
        ("on_sent", "drop the column, or pass ignore=['on_sent'] if it is your own"),
        ("Unnamed: 0", "drop the column, or pass ignore=['Unnamed: 0'] if it is your own"),
        ("characteristics.", "rename it to 'characteristics', or pass"),
        ("characteristics_eye_color", "rename it to 'characteristics.eye_color', or pass"),
        ("Characteristics.eye_color", "rename it to 'characteristics.eye_color', or pass"),
        ("characteristic.eye_color", "rename it to 'characteristics.eye_color', or pass"),
        ("characteristics.eye_color ", "rename it to 'characteristics.eye_color', or pass"),
        ("\ufeffcharacteristics.Ort", "rename it to 'characteristics.Ort', or pass"),
        ("prompt_attribute.num_images", "rename it to 'prompt_attributes.num_images', or pass"),
        ("prompt attributes[style]", "rename it to 'prompt_attributes.style', or pass"),
        (0, "name columns after fields, such as 'pack', or pass ignore=[0] if it is your own"),
        (("a", "b"), "name columns after fields, such as 'pack', or pass ignore=[('a', 'b')]"),
    ],
)  # fmt: skip
def test_a_column_that_is_no_field_is_refused_and_can_be_ignored(name: Any, hint: str) -> None:
    frame = a_frame()
    frame.insert(0, name, "x", allow_duplicates=True) if not isinstance(name, tuple) else None
    if isinstance(name, tuple):
        frame = pd.DataFrame({**{column: frame[column] for column in frame}, name: ["x", "x"]})
    table = read_tunes(frame)
    assert table.tunes == (None, None)
    ((row, field, message),) = told(table)
    assert (row, field.strip("\ufffd")) == (
        None,
        name.strip("\ufeff") if isinstance(name, str) else repr(name),
    )
    assert hint in message
    assert read_tunes(frame, ignore=[name]).tunes == read_tunes(a_frame()).tunes
    if isinstance(name, str):
        assert read_tunes(frame, ignore=name).problems.empty


def test_a_frame_of_nothing_but_rows_lacks_every_field() -> None:
    table = read_tunes(pd.DataFrame({"mine": [1, 2]}), ignore="mine")
    assert table.tunes == (None, None)
    assert told(table)[0] == (0, "pack", "is missing; give a pack's id or slug, such as 260")
    assert read_tunes(pd.DataFrame()).tunes == read_tunes([]).tunes == ()


def test_two_columns_of_one_name_are_refused() -> None:
    frame = pd.concat([a_frame(), a_frame()[["name"]]], axis=1)
    assert told(read_tunes(frame)) == [
        (None, "name", "is the name of 2 columns; keep one of them, or give them different names")
    ]


def photo_rows(**columns: Any) -> pd.DataFrame:
    urls = [f"https://example.com/{number}.jpg" for number in range(4)]
    fields = {"pack": 43, "name": "cat", "preset": [None, None, "flux-lora-fast", "flux-lora-fast"]}
    return pd.DataFrame({**fields, "image_urls": urls, **columns})


@pytest.mark.parametrize(
    "address", ["https://x.org/a;b.jpg", "https://x.org/1.jpg?q-sign-time=1;2&q-signature=0f"]
)
def test_a_cell_with_an_address_that_has_a_semicolon_is_one_address(address: str) -> None:
    table = read_tunes(a_frame(image_urls=address, key=["a", "b"]))
    assert told(table) == []
    assert [tune and tune.image_urls for tune in table.tunes] == [(address,)] * 2


@pytest.mark.parametrize("formula", ['=HYPERLINK("{}", "my photo")', "=HYPERLINK('{}';'x')", '=IMAGE("{}")'])
def test_a_formula_of_a_spreadsheet_is_to_be_its_address(formula: str) -> None:
    frame = a_frame(image_urls=formula.format(URL), key=["a", "b"])
    assert {message.split("; ")[-1] for _, _, message in told(read_tunes(frame))} == {f"write {URL}"}


def test_numbers_of_a_database_are_numbers() -> None:
    columns = {"prompt_attributes.cfg_scale": Decimal("3.5"), "prompt_attributes.steps": Decimal(30)}
    (tune, _) = read_tunes(a_frame(**columns, key=["a", "b"])).tunes
    assert tune is not None
    assert tune.prompt_attributes == {"cfg_scale": 3.5, "steps": 30}


@pytest.mark.parametrize("column", ["key", "title"])
def test_photos_that_have_a_row_each_become_a_list_by_the_code_that_is_proposed(column: str) -> None:
    """To give each row a key of its own would be to pay for each photo."""
    frame = photo_rows(**{column: [*"aabb"], "file": [*"1234"]})
    table = read_tunes(frame, ignore="file")
    assert [(row, field) for row, field, _ in told(table)] == [(1, column), (3, column)]
    code = told(table)[0][2].split("put them into one row: ")[1].split("; else give each row its own ")[0]
    assert code.startswith("frame.groupby([")
    tunes = read_tunes(eval(code), ignore="file").tunes
    assert [tune and tune.image_urls for tune in tunes] == [
        ("https://example.com/0.jpg", "https://example.com/1.jpg"),
        ("https://example.com/2.jpg", "https://example.com/3.jpg"),
    ]
    assert [tune and tune.preset for tune in tunes] == [None, "flux-lora-fast"]


def test_no_code_is_proposed_that_would_not_work() -> None:
    lists = photo_rows(key=[*"aabb"], image_urls=[[URL], [f"{URL}?2"], [URL], [f"{URL}?2"]])
    maps = photo_rows(key=[*"aabb"], characteristics=[{"age": "30 yo"}] * 4)
    index = photo_rows(key=[*"aabb"]).set_index("key")
    for tunes in (lists, maps, index, photo_rows(key=[*"aabb"]).dropna(axis=1).to_dict("records")):
        words = (
            "if they are photos of one tune, give them as a list in one row; else give each row its own key"
        )
        assert words in told(read_tunes(tunes))[0][2]
    assert "photos" not in told(read_tunes(a_frame(key=["a", "a"])))[0][2]  # a cat and a dog


@pytest.mark.parametrize("numbers", [("1", "2"), (" 1", " 2"), ("_01", "_02"), (" URL 1", " URL 2")])
@pytest.mark.parametrize("kind", ["addresses", "files"])
def test_photos_that_have_a_column_each_become_a_list_by_the_code_that_is_proposed(
    numbers: tuple[str, str], kind: str, folder: Path
) -> None:
    cells = ([URL, URL], [None, f"{URL}?2"]) if kind == "addresses" else (["p/2.jpg"] * 2, [None, "q.png"])
    names = [f"image{number}" for number in numbers]
    frame = a_frame(**dict(zip(names, cells, strict=True)), key=["a", "b"]).drop(columns="image_urls")
    ((_, field, message),) = told(read_tunes(frame))
    assert field == names[0]
    code, ignore = message.split("; write ")[1].split(", and pass ignore=")
    exec(code)
    table = read_tunes(frame, ignore=eval(ignore))
    assert told(table) == []
    field = "image_urls" if kind == "addresses" else "images"
    assert [len(getattr(tune, field)) for tune in table.tunes] == [1, 2]


@pytest.mark.parametrize(("cell", "field"), [(URL, "image_urls"), ("p/2.jpg", "images")])
@pytest.mark.parametrize("name", ["image_1", "photos", "Image"])
def test_a_column_of_photos_is_called_after_what_is_in_it(name: str, cell: str, field: str) -> None:
    frame = a_frame(key=["a", "b"]).drop(columns="image_urls").assign(**{name: [None, cell]})
    assert f"rename it to {field!r}, or pass" in told(read_tunes(frame))[0][2]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_a_file_that_was_read_as_one_column_has_another_separator(separator: str) -> None:
    content = a_frame(image_urls=URL, key=["a", "b"]).to_csv(index=False, sep=separator)
    ((row, _, message),) = told(read_tunes(pd.read_csv(io.StringIO(content))))
    assert row is None
    option = message.split("read the file with ")[1].split(", and decimal")[0]
    table = read_tunes(pd.read_csv(io.StringIO(content), **eval(f"dict({option})")))
    assert told(table) == []


@pytest.mark.parametrize(
    "label", ["Pack;Name;Image URL", '"pack";"name";"key"', "\ufeffpack ; class ; photos"]
)
def test_a_separator_is_found_however_the_columns_are_spelt(label: str) -> None:
    ((_, _, message),) = told(read_tunes(pd.DataFrame({label: ["43;cat;x"]})))
    assert "read the file with sep=';'" in message


def test_blank_cells_do_not_tell_what_is_in_columns_of_photos() -> None:
    columns: dict[str, list[Any]] = {"image 1": [" ", None], "image 2": [None, URL]}
    ((_, _, message), *_) = told(read_tunes(a_frame(key=["a", "b"], **columns).drop(columns="image_urls")))
    assert "write frame['image_urls'] = " in message


def test_an_entry_in_two_columns_has_to_be_one() -> None:
    frame = a_frame(characteristics=[{"age": "30 yo"}, {"age": "30 yo"}])
    frame["characteristics.age"] = ["30 yo", "40 yo"]
    table = read_tunes(frame)
    assert [(row, field) for row, field, _ in told(table)] == [(1, "characteristics.age")]
    assert table.tunes[0] is not None
    assert table.tunes[0].characteristics == {"age": "30 yo"}


def test_a_list_whose_stream_fails_is_read_as_a_list() -> None:
    """A column of objects of polars is one: Arrow has no type for tunes."""

    class Objects(list[anb.Tune]):
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            raise NotImplementedError

    tune = anb.Tune(pack=43, tune_ids=[5])
    assert read_tunes(Objects([tune])).tunes == read_tunes([tune]).tunes


@pytest.mark.parametrize(
    ("tunes", "hint"),
    [
        (anb.Tune(pack=43, tune_ids=[5]), "put it in a list: [tune]"),
        ("tunes.csv", "give a frame, or a list of tunes"),
        (5, "give a frame, or a list of tunes"),
        (a_frame().iloc[0], "row.to_frame().T"),
        (
            SimpleNamespace(__arrow_c_stream__=pa.chunked_array([[1]]).__arrow_c_stream__),
            "give a frame, or a list of tunes",
        ),
        ({"pack": [43, 260], "name": ["cat"]}, "give columns of one length, or a list of mappings"),
        ({"pack": {43, 260}}, "give columns of one length, or a list of mappings"),
        ({"pack": 43, "name": "cat"}, "put it in a list: [fields]"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_table_is_refused_with_what_to_give(tunes: Any, hint: str) -> None:
    with pytest.raises(TuneError) as caught:
        read_tunes(tunes)
    assert str(caught.value).endswith(hint)


def test_tunes_are_a_table_too() -> None:
    tunes = [anb.Tune(pack=43, title=title, name="cat", image_urls=[URL]) for title in ("a", "b", "a")]
    table = read_tunes(tune for tune in [*tunes, 5])
    assert table.tunes == (*tunes[:2], None, None)
    assert table.index.equals(pd.RangeIndex(4))
    assert told(table) == [
        (2, "title", "'a' is the title of row 2 and of row 0; give each row its own title"),
        (3, "tunes", "5 is not a tune; give anb.Tune(…), or a mapping of its fields"),
    ]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("p/2.jpg", "p/10.jpg", "q.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Pillow.new("RGB", (64, 64), "teal").save(tmp_path / name)
    (tmp_path / "no.jpg").write_text("no photo")
    return tmp_path


def test_images_of_every_kind_stand_in_cells_and_are_opened_when_they_are_sent(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = (folder / "q.png").read_bytes()
    cells = [
        "p",
        "p/*.jpg",
        ["p/2.jpg", Path("p/10.jpg"), None],
        '["p/2.jpg", "p/10.jpg"]',
        np.array(["p/2.jpg", "p/10.jpg"]),
        content,
        [io.BytesIO(content)],
        {"a.png": content},
        np.zeros((9, 9, 3), "u1"),
        f"file://{folder}/q.png",
    ]
    frame = pd.DataFrame({"pack": 43, "name": "cat", "key": range(len(cells))})
    frame["images"] = pd.Series(cells, dtype=object)
    table = read_tunes(frame)
    assert told(table) == []
    monkeypatch.chdir("/")
    (folder / "p").rename(folder / "gone")
    (folder / "gone").rename(folder / "p")
    names = [[image.filename for image in opened(tune).images] for tune in table.tunes if tune is not None]
    assert names[:5] == [["2.jpg", "10.jpg"]] * 5
    assert [len(row) for row in names[5:]] == [1] * 5


def test_a_photo_that_is_not_there_is_told_at_once_and_one_that_is_none_later(folder: Path) -> None:
    frame = pd.DataFrame({"pack": 43, "name": "cat", "images": [["p/2.jpg", "gone.jpg"], ["no.jpg"]]})
    table = read_tunes(frame)
    assert told(table) == [(0, "images", "'gone.jpg' does not exist; check the path, or remove it")]
    assert table.tunes[1] is not None
    with pytest.raises(TuneError, match=r"'no\.jpg' is not a JPEG"):
        opened(table.tunes[1])


def test_ids_and_titles_of_other_libraries_are_taken() -> None:
    title = uuid.UUID(int=7)
    frame = a_frame(title=[title, np.str_("b")], auto_extend=[np.bool_(True), None], prompt_ids=[[7.0], 8])
    table = read_tunes(frame)
    assert told(table) == []
    assert [tune.title for tune in table.tunes if tune] == [str(title), "b"]
    assert [tune.prompt_ids for tune in table.tunes if tune] == [(7,), (8,)]


TEXTS = st.text() | st.sampled_from([URL, "[1 2]", "{'a': 1}", "[nan]", "[...]", "file://", "*", "s3://"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.binary(), st.dates(), st.decimals(),
    st.uuids(), st.complex_numbers(),
)  # fmt: skip
CELLS = st.recursive(
    SCALARS,
    lambda cells: (
        st.lists(cells, max_size=3)
        | st.tuples(cells, cells)
        | st.dictionaries(st.text() | st.integers(), cells, max_size=2)
    ),
    max_leaves=4,
)
NAMES = (*FIELDS, "key", "characteristics.age", "prompt_attributes.callback")


@pytest.mark.slow
@settings(max_examples=60)
@given(st.lists(st.dictionaries(st.sampled_from(NAMES), CELLS), max_size=3))
def test_whatever_is_in_the_cells_there_are_tunes_or_words(rows: list[dict[str, Any]]) -> None:
    valid = {"pack": 43, "name": "cat", "image_urls": [URL]}
    table = read_tunes([{**valid, **row} for row in rows])
    wrong = set(table.problems["row"])
    assert [tune is None for tune in table.tunes] == [position in wrong for position in range(len(rows))]
    assert all(field and ";" in message for _, field, message in told(table))


def test_what_pq_reads_is_read(tmp_path: Path) -> None:
    FULL.to_parquet(tmp_path / "tunes.parquet")
    assert read_tunes(pq.read_table(tmp_path / "tunes.parquet")).tunes == read_tunes(FULL).tunes
