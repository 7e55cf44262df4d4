"""Values and sizes in messages."""

import pytest

from astria_nb.utils.formatting import format_size, short


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (r"C:\a.jpg", r"'C:\a.jpg'"),
        (r"\\server\1.jpg", r"'\\server\1.jpg'"),
        ("it's", '"it\'s"'),
        ("C:\\photos\\", r"'C:\photos\\'"),  # or the quote would look escaped
        ("C:\\\\", r"'C:\\\\'"),
        ("two\nlines", r"'two\nlines'"),
        ("\\\n", r"'\\n'"),
        ([r"C:\a.jpg"], r"['C:\\a.jpg']"),  # a list is shown as code
    ],
)
def test_text_is_shown_as_it_was_typed(value: object, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 kB"), (1, "1 kB"), (1_499, "1 kB"), (999_499, "999 kB"), (999_500, "1.0 MB"),
        (6_020_000, "6.0 MB"), (9_949_999, "9.9 MB"), (9_950_000, "10 MB"), (2_000_000_000, "2000 MB"),
    ],
)  # fmt: skip
def test_a_size_has_two_digits_or_more_and_a_unit(size: int, text: str) -> None:
    assert format_size(size) == text


@pytest.mark.parametrize(
    ("size", "total", "text"),
    [
        (0, 16_600_000, "0.0 of 17 MB"), (16_600_000, 16_600_000, "17 of 17 MB"),
        (400_000, 2_500_000, "0.4 of 2.5 MB"), (3_000, 40_000, "3 of 40 kB"),
    ],
)  # fmt: skip
def test_a_part_has_the_unit_of_the_whole(size: int, total: int, text: str) -> None:
    assert format_size(size, total) == text
