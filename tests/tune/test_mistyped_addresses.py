"""Addresses as people copy and type them: what a hint proposes is valid, and what was meant."""

from typing import Any

import pytest

from astria_nb.tune import check

URL = "https://example.com/1.jpg"
TRAIN: dict[str, Any] = {"pack": 43, "title": "t", "name": "cat", "image_urls": [URL]}


def checked(**fields: Any) -> tuple[dict[str, Any], list[str]]:
    values, problems = check({**TRAIN, **fields})
    return values, [problem.hint for problem in problems]


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("https\uff1a//example.com/1.jpg", URL),  # a colon of full width
        ("https:\uff0f\uff0fexample.com\uff0f1.jpg", URL),
        ("\uff48\uff54\uff54\uff50\uff53://example.com/1.jpg", URL),
        ("https://example\u3002com/1.jpg", URL),
        ("https://exam\u200bple.com/1.jpg", URL),
        ("https://example.com/\u200b1.jpg", URL),
        ("https://example.com/\t1.jpg", URL),
        ("https://exam\n  ple.com/1.jpg", URL),
        ("https://example.com\\1.jpg", URL),
        ("'https://example.com/1.jpg',", URL),
        ('<img src="https://example.com/1.jpg">', URL),
        ("<a href='https://example.com/1.jpg'>", URL),
        ("view-source:https://example.com/1.jpg", URL),
        ('=HYPERLINK("https://example.com/1.jpg", "my photo")', URL),
        ("=HYPERLINK('https://example.com/1.jpg';'x')", URL),
        ('=IMAGE("https://example.com/1.jpg")', URL),
        ('=HYPERLINK("https://example.com/1.jpg?a=(1,2)&b=3", A1)', "https://example.com/1.jpg?a=(1,2)&b=3"),
        ("https://www.https://example.com/1.jpg", URL),
        ("https://münchen.de/1.jpg", "https://xn--mnchen-3ya.de/1.jpg"),
        ("https://straße.de/1.jpg", "https://xn--strae-oqa.de/1.jpg"),
        ("https://пример.рф/ф.jpg", "https://xn--e1afmkfd.xn--p1ai/%D1%84.jpg"),
        ("https://example.com/100%.jpg", "https://example.com/100%25.jpg"),
        ("https://example.com/a b_(c)", "https://example.com/a%20b_(c)"),
    ],
)
def test_the_address_that_was_meant_is_proposed(address: str, meant: str) -> None:
    assert checked(image_urls=[address])[1] == [f"write {meant}"]
    assert checked(callback=address)[1] == [f"write {meant}"]
    assert checked(image_urls=[meant])[1] == []


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("https://example.com/<id>.jpg", "fill in what is in braces"),
        ("https://example.com/1.jpg\r\nX: y", "write it in one line, without control characters"),
        ("https://example.com/\x7f.jpg", "write it in one line, without control characters"),
        ("blob:https://example.com/1", "save it as a file, and give the file as images=[…]"),
        ("data:image/jpeg;base64,/9j/4AAQ", "save it as a file, and give the file as images=[…]"),
        *(
            (formula, "give files as images=[…], and addresses that begin with https:// as image_urls")
            for formula in (
                '=HYPERLINK("https://example.com/"&A1)',
                '=HYPERLINK(CONCAT("https://example.com/",A1))',
                "=IMAGE(A1)",
            )
        ),
        ("hf://datasets/me/x/1.jpg", "give the https:// address of the file, such as a presigned one"),
        ("https://999.1.1.1/1.jpg", "check the host, and the port, which is 1 to 65535"),
        (f"https://{'a' * 64}.com/1.jpg", "check the host, and the port, which is 1 to 65535"),
    ],
)
def test_no_address_is_invented(address: str, hint: str) -> None:
    assert checked(image_urls=[address])[1] == [hint]


@pytest.mark.parametrize(
    "address", [f"\u202a{URL}\u202c", f"\u200e{URL}\xa0", f"{URL}\u200e\n", f"\ufeff {URL}"]
)
def test_what_nobody_sees_around_an_address_is_removed(address: str) -> None:
    values, hints = checked(image_urls=[address], callback=address)
    assert (values["image_urls"], values["callback"], hints) == ((URL,), URL, [])


@pytest.mark.parametrize(
    "address",
    [
        "HTTPS://EXAMPLE.com/1.jpg", "https://user:password@example.com:8443/1.jpg#top", "https://[::1]/1.jpg",
        "https://a_b.example.com/1.jpg", "https://1.2.3.4/1.jpg", "https://example.com/%E2%82%AC.jpg?a=100%25",
        "https://res.cloudinary.com/d/image/fetch/w_1,h_2/https://example.com/1.jpg", "https://xn--mnchen-3ya.de/",
    ],
)  # fmt: skip
def test_what_is_valid_is_kept_as_it_is(address: str) -> None:
    values, hints = checked(image_urls=[address])
    assert (values["image_urls"], hints) == ((address,), [])


@pytest.mark.parametrize("separator", [",", ", ", ";", " ", "\n", " | "])
def test_addresses_in_one_text_are_proposed_as_a_list(separator: str) -> None:
    two = "https://example.com/2.jpg"
    assert checked(image_urls=f"{URL}{separator}{two}")[1] == [f"write {[URL, two]}"]
