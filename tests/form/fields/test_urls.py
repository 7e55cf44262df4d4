"""The field for image URLs: what code filled in is sent as it is, and shown without its secrets."""

import pytest

from astria_nb.form.fields import UrlsField

SIGNED = "https://example.com/1.jpg?X-Amz-Signature=00ff"
OTHER = "https://me:pw@example.com/2.jpg"


def test_signatures_are_hidden_and_kept_while_the_text_is_edited():
    field = UrlsField()
    field.value = [SIGNED, OTHER]
    assert field._text.value.splitlines() == [
        "https://example.com/1.jpg?X-Amz-Signature=…",
        "https://…@example.com/2.jpg",
    ]
    field._text.value += "\nhttps://example.com/3.jpg?token=typed"
    assert field.value == [SIGNED, OTHER, "https://example.com/3.jpg?token=typed"]
    assert field._text.value.endswith("token=typed")  # what is being typed is left alone
    field._text.value = "\n".join(field._text.value.splitlines()[1:])
    assert field.value == [OTHER, "https://example.com/3.jpg?token=typed"]


@pytest.mark.parametrize(
    "urls",
    [
        [SIGNED, SIGNED],
        [SIGNED, SIGNED.replace("00ff", "11ee")],
        [SIGNED, SIGNED.replace("00ff", "…")],
        [f"{SIGNED}?", "not a web address"],
    ],
    ids=["the same twice", "alike", "with the mark itself", "malformed"],
)
def test_no_address_is_taken_for_another(urls: list[str]):
    field = UrlsField()
    field.value = urls
    assert field.value == urls
    field._text.value += "\nhttps://example.com/3.jpg"
    assert field.value == [*urls, "https://example.com/3.jpg"]
