"""Bodies of each type with their queries, read as a stock Rails reads them."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from astria_nb.sandbox._errors import Refusal
from astria_nb.sandbox._options import Options
from astria_nb.sandbox.params import described
from astria_nb.sandbox.params.body_parser import Incoming, read_params
from astria_nb.sandbox.uploads import Spool

MULTIPART, JSON = "multipart/form-data; boundary=b", "application/json"
FORM = "application/x-www-form-urlencoded"
FILE = '; filename="1"'
CHARSET = "\r\nContent-Type: text/plain; charset=x"
LIMITS = Options(max_files=3, max_parts=5, max_text=200, max_disposition=60)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "uploads")
    yield spool
    spool.close()


def body_of(*parts: tuple[str, bytes]) -> bytes:
    """Return a multipart body of (headers, content)."""
    written = [b"--b\r\n%b\r\n\r\n%b\r\n" % (head.encode(), content) for head, content in parts]
    return b"".join(written) + b"--b--\r\n"


def part(name: str, content: bytes = b"x", more: str = "") -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="{name}"{more}', content


def read(spool: Spool, content_type: str, body: bytes, query: bytes = b"", method: str = "POST") -> object:
    incoming = Incoming(BytesIO(body), content_type, query, method)
    return described(read_params(incoming, spool, LIMITS, "tune"))


JAVA_BODY = body_of(part("tune[title]")).replace(b"--b", b"----=_1.2")


def files_in(folder: Path) -> int:
    return sum(path.suffix == "" and not path.name.startswith(".") for path in folder.glob("uploads/*"))


@pytest.mark.parametrize(
    ("content_type", "body", "query", "tune"),
    [
        ("", b"tune[title]=a", b"", {"title": "a"}),
        ("Application/X-WWW-Form-Urlencoded; charset=latin1", b"tune[title]=a", b"", {"title": "a"}),
        (FORM, b"tune[title]=a\0", b"", {"title": "a"}),
        ("APPLICATION/JSON; charset=utf-16", b'{"tune": {"title": 1}}', b"", {"title": 1}),
        (JSON, b'{"tune": {"title": "a", "name": "man"}}', b"tune[title]=b", {"title": "b"}),
        (JSON, b"", b"tune[title]=b", {"title": "b"}),
        (JSON, b'{"title": "a", "image_urls": ["u"], "token": null}', b"", {"title": "a", "token": None}),
        (JSON, b"[1]", b"", {}),
        ("application/pdf", b"x", b"tune[title]=b", {"title": "b"}),
        ('Multipart/Form-Data; Boundary="b"', body_of(part("tune[title]")), b"", {"title": "x"}),
        ("multipart/form-data; boundary=--=_1.2", JAVA_BODY, b"", {"title": "x"}),
        ("multipart/form-data, boundary=b", body_of(part("tune[title]")), b"", {"title": "x"}),
        ("multipart/mixed; boundary=b", body_of(part("tune[title]")), b"", {"title": "x"}),
    ],
)
def test_types_queries_and_wrapping(
    spool: Spool, content_type: str, body: bytes, query: bytes, tune: object
) -> None:
    params = read(spool, content_type, body, query)
    assert isinstance(params, dict)
    assert params["tune"] == tune


def test_only_a_post_without_a_type_is_a_form(spool: Spool) -> None:
    with pytest.raises(Refusal, match="400"):
        read(spool, "", b"tune[title]=a", method="PATCH")


def test_names_of_parts(spool: Spool) -> None:
    body = body_of(
        part(r"m[a\"b\\c]"),
        part("m[%22;name=]"),
        part("t", "Zoë".encode("latin-1"), "\r\nContent-Type: text/plain; charset=ISO-8859-1"),
        ("content-disposition: form-data; NAME=u", b"y"),
        ("Content-Disposition: form-data", b"z"),
    )
    maps = {'a"b\\c': "x", "%22;name=": "x"}
    assert read(spool, MULTIPART, body) == {"m": maps, "t": "Zoë", "u": "y", "text/plain": ["z"]}


@pytest.mark.parametrize(
    ("sent", "filename"),
    [
        ('"a%22b c%41.jpg"', 'a"b cA.jpg'),
        ('"100%.jpg"', "100%.jpg"),
        ('"a%20b%2.jpg"', "a%20b%2.jpg"),
        (r'"a\"b.jpg"', 'a"b.jpg'),
        (r'"C:\me\a.jpg"', "a.jpg"),
        ('"me/a%2Fb.jpg"', "b.jpg"),
        ('"a; name=b.jpg"', "a; name=b.jpg"),
        ("a.jpg", "a.jpg"),
    ],
)
def test_names_of_files(spool: Spool, sent: str, filename: str) -> None:
    params = read(spool, MULTIPART, body_of(part("f", more=f"; filename={sent}")))
    assert params["f"]["filename"] == filename  # type: ignore[index]


def test_a_file_that_was_not_chosen_is_skipped(spool: Spool) -> None:
    assert read(spool, MULTIPART, body_of(part("f", b"", '; filename=""'), part("t"))) == {"t": "x"}


def test_files_that_are_replaced_do_not_stay(spool: Spool, tmp_path: Path) -> None:
    first, second, third = (part(name, more=FILE) for name in "abc")
    body = body_of(first, part("a"), second, third)
    params = read(spool, MULTIPART, body, b"b=2")
    assert isinstance(params, dict)
    assert {"a": params["a"], "b": params["b"]} == {"a": "x", "b": "2"}
    assert files_in(tmp_path) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (body_of(*[part("f", more=FILE)] * 4), 500),
        (body_of(*[part("f", more='; filename=""')] * 4), 500),
        (body_of(*[part("t")] * 6), 500),
        (body_of(part("t", b"x" * 201)), 500),
        (body_of(part("f", more=FILE), part("t", b"\xff")), 400),
        (body_of(part("f", more=FILE), part("t", more=CHARSET)), 400),
        (body_of(part("f", more=FILE))[:-6], 400),
        (body_of(part("f", more=FILE), part("f[a]")), 400),
        (body_of(part("f", more=FILE)).replace(b"\r\n", b"\n"), 400),
        (body_of(part("f", more=FILE)).replace(b"--b\r", b"--b \r"), 400),
    ],
    ids=[
        *("files", "files without a name", "parts", "text", "not UTF-8", "charset", "cut off", "conflict"),
        *("line feeds", "blank after the boundary"),
    ],
)
def test_what_is_refused_is_read_to_its_end_and_leaves_no_file(
    spool: Spool, tmp_path: Path, body: bytes, status: int
) -> None:
    stream = BytesIO(body)
    with pytest.raises(Refusal) as caught:
        read_params(Incoming(stream, MULTIPART), spool, LIMITS)
    assert (caught.value.status, stream.read()) == (status, b"")
    assert files_in(tmp_path) == 0


def test_a_part_with_a_long_disposition_is_lost(spool: Spool) -> None:
    body = body_of(part("tune[characteristics][" + "a" * 20 + "]"), part("t"))
    assert read(spool, MULTIPART, body) == {"text/plain": ["x"], "t": "x"}


@pytest.mark.parametrize("size", [200, 201])
def test_the_largest_json(spool: Spool, size: int) -> None:
    body = b'{"tune": 1}'.ljust(size)
    if size == 200:
        assert read(spool, JSON, body) == {"tune": 1}
        return
    with pytest.raises(Refusal, match="413"):
        read(spool, JSON, body)
