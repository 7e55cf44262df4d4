"""The field for image URLs: what code filled in is sent as it is, and shown without its secrets."""

from pathlib import Path

import pytest

import astria_nb as anb
from astria_nb.form.fields import UrlsField
from helpers.form_widgets import messages

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


@pytest.mark.parametrize(
    ("address", "next_step"),
    [
        (
            "data:image/png;base64,iVBORw0KGgo=",
            'save it as a file, and add the file under "From this computer"',
        ),
        (
            "C:\\photos\\1.jpg",
            'add files under "From this computer" or "From the server", and addresses that begin with',
        ),
        (
            "https://photos.google.com/album/1",
            'download the photos, and add them under "From this computer"',
        ),
        (
            "https://example.com/1.jpg,https://example.com/2.jpg",
            "two addresses in one; give each on a line of its own",
        ),
    ],
)
def test_what_is_wrong_with_an_address_is_said_in_the_words_of_the_form(address: str, next_step: str):
    with anb.Sandbox() as sandbox:
        form = anb.TuneForm(sandbox.client(), image_urls=[address])
        assert next_step in messages(form)


def test_the_photos_of_a_local_address_are_added_and_not_given(monkeypatch: pytest.MonkeyPatch):
    client = anb.Client("sd_key_of_nobody_0123456789", base_url="https://example.com")
    form = anb.TuneForm(client, image_urls=["http://192.168.0.2/1.jpg"])
    assert 'add the photos under "From this computer", or put them where the service can' in messages(form)


def test_an_encoding_without_files_is_refused_in_the_words_of_the_form(photos: list[Path]):
    with anb.Sandbox() as sandbox:
        form = anb.TuneForm(sandbox.client(), pack=797, name="cat", images=photos[:1])
        form._draft.sections.selected_index = len(form._draft.sections.children) - 1
        shown = form._view._request.texts["JSON"]
    assert 'give addresses under "URLs"' in shown
