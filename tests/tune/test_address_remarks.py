"""Remarks on addresses that the service can hardly use; a tune with them is sent all the same."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest

import astria_nb as anb
from astria_nb.tune import address_remarks
from helpers.scripted_server import KEY, ScriptedServer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TRAIN: dict[str, Any] = {"pack": 43, "title": "t", "name": "cat"}
DRIVE_ID = "1AbCdEfGhIjKlMnOp"
DRIVE = f"https://drive.google.com/file/d/{DRIVE_ID}/view?usp=sharing"


def remarks(*addresses: str, is_local: bool = False, **fields: Any) -> list[str]:
    values = {"image_urls": addresses, **fields}
    return [str(remark) for remark in address_remarks(values, is_local=is_local, now=NOW)]


@pytest.mark.parametrize(
    ("site", "address"),
    [
        ("Google Drive", DRIVE),
        ("Google Drive", "https://drive.google.com/open?id=1AbCdEfGhIjKlMnOp"),
        ("Google Drive", "https://drive.google.com/drive/folders/1AbCdEfGhIj"),
        ("Google Photos", "https://photos.app.goo.gl/AbCdEf"),
        ("Google Photos", "https://photos.google.com/share/AF1Qip/photo/AF1Qip"),
        ("Dropbox", "https://www.dropbox.com/s/abc/1.jpg?dl=0"),
        ("Dropbox", "https://www.dropbox.com/scl/fi/abc/1.jpg?rlkey=x&dl=0"),
        ("Dropbox", "https://www.dropbox.com/scl/fi/abc/1.jpg?rlkey=x"),
        ("Dropbox", "https://dropbox.com/sh/abc/def?dl=1"),
        ("OneDrive", "https://1drv.ms/i/s!AbC"),
        ("OneDrive", "https://onedrive.live.com/?cid=1&id=2"),
        ("SharePoint", "https://acme-my.sharepoint.com/:i:/g/personal/me/abc?e=1"),
        ("iCloud", "https://www.icloud.com/sharedalbum/#B0a"),
        ("iCloud", "https://share.icloud.com/photos/0ab"),
        ("GitHub", "https://github.com/me/photos/blob/main/1.jpg"),
        ("GitHub", "https://GitHub.com/me/photos/blob/main/1.jpg#L1"),
        ("GitHub", "https://gist.github.com/me/0123"),
        ("GitLab", "https://gitlab.com/me/photos/-/blob/main/1.jpg"),
        ("Bitbucket", "https://bitbucket.org/me/photos/src/main/1.jpg"),
        ("Hugging Face", "https://huggingface.co/datasets/me/x/blob/main/1.jpg"),
        ("Flickr", "https://www.flickr.com/photos/me/123/"),
        ("Flickr", "https://flic.kr/p/abc"),
        ("Instagram", "https://www.instagram.com/p/AbC/"),
        ("Facebook", "https://www.facebook.com/photo?fbid=1"),
        ("Pinterest", "https://www.pinterest.com/pin/123/"),
        ("Pinterest", "https://www.pinterest.co.uk/pin/123/"),
        ("Pinterest", "https://pin.it/abc"),
        ("X", "https://x.com/me/status/1/photo/1"),
        ("Reddit", "https://www.reddit.com/r/cats/comments/abc/"),
        ("Imgur", "https://imgur.com/HLHBnl9"),
        ("Imgur", "https://imgur.com/a/HLHBnl9"),
        ("ImgBB", "https://ibb.co/abc"),
        ("Postimages", "https://postimg.cc/abc"),
        ("Unsplash", "https://unsplash.com/photos/abc"),
        ("Pexels", "https://www.pexels.com/photo/cat-123/"),
        ("Wikimedia", "https://commons.wikimedia.org/wiki/File:Cat.jpg"),
        ("WeTransfer", "https://we.tl/t-abc"),
        ("MEGA", "https://mega.nz/file/abc#key"),
        ("Yandex Disk", "https://disk.yandex.ru/i/abc"),
        ("Box", "https://app.box.com/s/abc"),
        ("the S3 console", "https://s3.console.aws.amazon.com/s3/object/bucket?prefix=1.jpg"),
        ("the S3 console", "https://eu-west-1.console.aws.amazon.com/s3/object/bucket?prefix=1.jpg"),
        ("the Google Cloud console", "https://console.cloud.google.com/storage/browser/_details/bucket/1.jpg"),
        ("the Google Cloud console", "https://storage.cloud.google.com/bucket/1.jpg"),
        ("Discord", "https://discord.com/channels/1/2/3"),
    ],
)  # fmt: skip
def test_a_share_link_is_called_a_page_with_the_way_to_the_picture(site: str, address: str) -> None:
    (remark,) = remarks(address, is_local=True)
    assert remark.startswith("image_urls: 'http")
    assert f"is a page of {site}, not the picture; " in remark


@pytest.mark.parametrize(
    "page",
    ["file/d/{}/view?usp=sharing", "file/d/{}/preview", "u/0/file/d/{}/edit", "open?id={}&usp=drive_fs"],
)
def test_the_direct_address_of_a_drive_file_is_proposed(page: str) -> None:
    (remark,) = remarks(f"https://drive.google.com/{page.format(DRIVE_ID)}")
    _, proposal = remark.rsplit(maxsplit=1)
    assert proposal == f"https://drive.google.com/uc?export=download&id={DRIVE_ID}"
    assert remarks(proposal) == []


@pytest.mark.parametrize(
    "page",
    [
        f"https://drive.google.com/drive/folders/{DRIVE_ID}",
        f"https://drive.google.com/drive/u/0/folders/{DRIVE_ID}?resourcekey=0-x",
        f"https://drive.google.com/file/d/{DRIVE_ID}/view?resourcekey=0-x",  # does not open without that key
        f"https://docs.google.com/document/d/{DRIVE_ID}/edit",
        "https://drive.google.com/open?id=…",
        "https://drive.google.com/",
    ],
)
def test_no_address_is_proposed_where_none_works(page: str) -> None:
    (remark,) = remarks(page)
    assert remark.endswith("; download the photos, and give them as images")


@pytest.mark.parametrize(
    ("page", "step", "followed"),
    [
        ("https://www.dropbox.com/s/abc/1.jpg?dl=0", "dl=1 instead of dl=0", ("dl=0", "dl=1")),
        ("https://acme.sharepoint.com/:i:/g/abc?e=1", "add download=1 to it", ("?", "?download=1&")),
        ("https://gitlab.com/me/x/-/blob/main/1.jpg", "write /-/raw/ instead", ("/-/blob/", "/-/raw/")),
        ("https://bitbucket.org/me/x/src/main/1.jpg", "write /raw/ instead of /src/", ("/src/", "/raw/")),
        ("https://hf.co/datasets/me/x/blob/main/1.jpg", "write /resolve/ instead", ("/blob/", "/resolve/")),
        (
            "https://dropbox.com/scl/fi/a/1.jpg?rlkey=x",
            "with dl=1 instead of dl=0",
            ("rlkey=x", "rlkey=x&dl=1"),
        ),
    ],
)
def test_a_step_that_is_followed_ends_the_matter(page: str, step: str, followed: tuple[str, str]) -> None:
    assert step in remarks(page)[0]
    assert remarks(page.replace(*followed)) == []


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("https://example.com/1.jpg,https://example.com/2.jpg", "looks like two addresses in one"),
        ("https://example.com/1.jpghttps://example.com/2.jpg", "looks like two addresses in one"),
        ("https://example.com/1.jpg,", "ends in ','"),
        ("https://example.com/1.png)", "ends in ')'"),
        ("https://example.com/IMG_1.HEIC", "ends in .HEIC, and the service documents JPEG and PNG"),
        ("https://example.com/album.zip?x=1", "ends in .zip, and the service documents JPEG and PNG"),
        ("https://example.com", "is a whole site, not a picture"),
        ("https://example.com/#top", "is a whole site, not a picture"),
    ],
)
def test_an_odd_end_is_remarked_on(address: str, what: str) -> None:
    (remark,) = remarks(address, is_local=True)
    assert what in remark


@pytest.mark.parametrize(
    "address",
    [
        "https://example.com/1.jpg",
        "https://example.com/1.webp?size=large#top",
        "https://example.com/?image=1",
        "https://res.cloudinary.com/d/image/fetch/w_1,h_2/https://example.com/1.jpg",
        "https://example.com/file_(1).jpg",
        "https://drive.google.com/uc?export=download&id=1AbCdEfGhIjKlMnOp",
        "https://drive.usercontent.google.com/download?id=1AbC&export=download",
        "https://lh3.googleusercontent.com/pw/AbC=w2048",
        "https://www.dropbox.com/s/abc/1.jpg?dl=1",
        "https://www.dropbox.com/scl/fi/abc/1.jpg?rlkey=x&raw=1",
        "https://dl.dropboxusercontent.com/s/abc/1.jpg",
        "https://cdn.dropboxusercontent.com/s/abc/1.jpg",
        "https://raw.githubusercontent.com/me/photos/main/1.jpg",
        "https://github.com/me/photos/blob/main/1.jpg?raw=true",
        "https://github.com/me/photos/raw/main/1.jpg",
        "https://github.com/user-attachments/assets/0123",
        "https://huggingface.co/datasets/me/x/resolve/main/1.jpg",
        "https://live.staticflickr.com/1/2_b.jpg",
        "https://i.pinimg.com/originals/1.jpg",
        "https://i.imgur.com/HLHBnl9.jpeg",
        "https://imgur.com/HLHBnl9.jpeg",
        "https://i.redd.it/abc.jpg",
        "https://pbs.twimg.com/media/abc.jpg",
        "https://images.unsplash.com/photo-1",
        "https://upload.wikimedia.org/wikipedia/commons/1/1a/Cat.jpg",
        "https://commons.wikimedia.org/wiki/Special:FilePath/Cat.jpg",
        "https://bucket.s3.amazonaws.com/1.jpg",
        "https://storage.googleapis.com/bucket/1.jpg",
        "https://account.blob.core.windows.net/c/1.jpg",
        "https://notgithub.com/me/photos/blob/main/1.jpg",
        "https://github.com.example.org/me/photos/blob/main/1.jpg",
        "https://8.8.8.8/1.jpg",
        "https://[2606:4700:4700::1111]/1.jpg",
        "https://local.example.com/1.jpg",
        "https://internal.example.com/1.jpg",
        "https://example.com/1.jpg?Expires=1000000000",  # not signed: it may mean anything
        "https://example.com/1.jpg?X-Amz-Date=soon&X-Amz-Expires=60",
        "https://example.com/1.jpg?se=2020-01-01",
    ],
)
def test_a_picture_is_not_remarked_on(address: str) -> None:
    assert remarks(address) == []


@pytest.mark.parametrize(
    "host",
    [
        "localhost:8888",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0.0.0.0",
        "10.0.0.1",
        "172.17.0.1",
        "192.168.1.2:8080",
        "169.254.169.254",
        "100.64.0.1",
        "[::1]",
        "[fe80::1]",
        "[fd00::1]",
        "[::ffff:10.0.0.1]",
        "nas",
        "nas.local",
        "NAS.Local.",
        "printer.lan",
        "api.internal",
        "host.docker.internal",
        "x.localhost",
        "router.home.arpa",
        "wiki.corp",
    ],
)
def test_an_address_that_only_this_network_knows_is_remarked_on(host: str) -> None:
    address = f"http://{host}/1.jpg"
    assert "which the service cannot reach; give the photos as images" in remarks(address)[0]
    for field in ("callback", "prompts_callback"):
        (remark,) = remarks(**{field: address})
        assert remark.startswith(f"{field}: ")
        assert "anb.Callbacks(public_url=…)" in remark
    assert remarks(prompt_attributes={"callback": address})[0].startswith("prompt_attributes.callback: ")
    assert remarks(address, is_local=True, callback=address) == []


def stamp(time: datetime) -> str:
    return f"{time:%Y%m%dT%H%M%SZ}"


def signed(end: datetime) -> Iterator[str]:
    """Yield addresses that are valid until a time, as the storage services sign them."""
    start = stamp(end - HOUR)
    yield f"https://b.s3.amazonaws.com/1.jpg?X-Amz-Date={start}&X-Amz-Expires=3600&X-Amz-Signature=ab"
    yield f"https://storage.googleapis.com/b/1.jpg?X-Goog-Date={start}&X-Goog-Expires=3600&X-Goog-Signature=ab"
    yield f"https://b.oss-cn.aliyuncs.com/1.jpg?x-oss-date={start}&x-oss-expires=3600&x-oss-signature=ab"
    seconds = int(end.timestamp())
    yield f"https://b.s3.amazonaws.com/1.jpg?AWSAccessKeyId=AK&Signature=ab%3D&Expires={seconds}"
    yield f"https://d1.cloudfront.net/1.jpg?Expires={seconds}&Signature=ab&Key-Pair-Id=K"
    yield f"https://storage.googleapis.com/b/1.jpg?GoogleAccessId=x&Expires={seconds}&Signature=ab"
    yield f"https://a.blob.core.windows.net/c/1.jpg?sv=2022&se={end:%Y-%m-%dT%H:%M:%SZ}&sp=r&sig=ab"
    yield f"https://cdn.discordapp.com/attachments/1/2/1.jpg?ex={seconds:x}&is=1&hm=ab"


@pytest.mark.parametrize("number", range(8))
def test_a_signature_is_remarked_on_once_it_has_expired(number: int) -> None:
    (remark,) = remarks(list(signed(NOW - HOUR))[number], is_local=True)
    assert "expired on 2026-03-01 at 11:00 UTC; sign it again" in remark
    assert "=ab" not in remark
    assert remarks(list(signed(NOW + HOUR))[number]) == []


def test_many_addresses_of_one_kind_get_one_remark() -> None:
    folder = "https://drive.google.com/drive/folders/abc"
    (remark,) = remarks(*(f"{folder}{number}" for number in range(20)), "https://example.com/1.jpg")
    assert "(and 19 more)" in remark


def test_a_submission_warns_before_it_sends_and_sends(client: anb.Client, server: ScriptedServer) -> None:
    with pytest.warns(
        UserWarning, match=r"image_urls: .* is a page of Google Drive, not the picture; share it"
    ):
        row = anb.submit(anb.Tune(**TRAIN, image_urls=[DRIVE]), client)
    assert len(row) == 1


def test_where_warnings_are_errors_nothing_is_sent(client: anb.Client, server: ScriptedServer) -> None:
    with pytest.raises(UserWarning, match="Google Drive"):
        anb.submit(anb.Tune(**TRAIN, image_urls=[DRIVE]), client)
    assert [request.method for request in server.requests if request.method == "POST"] == []


def test_nothing_is_remarked_on_where_nothing_is_sent(tmp_path: Path) -> None:
    with anb.Sandbox() as sandbox:
        client = sandbox.client()
        with pytest.warns(UserWarning, match="Google Drive") as warned:
            row = anb.submit(anb.Tune(**TRAIN, image_urls=[DRIVE]), client)
        assert len(warned) == 1
        # On record, an equal request, and on the account but in no log: each returns the row without a word.
        again = anb.Tune(**{**TRAIN, "title": "again"}, image_urls=[DRIVE])
        assert anb.submit(anb.Tune(**TRAIN, image_urls=[DRIVE]), client)["id"].equals(row["id"])
        assert anb.submit(again, client, once=True)["id"].equals(row["id"])
        log = anb.ExperimentLog(tmp_path / "other.sqlite")
        with pytest.warns(UserWarning, match="is on your account already") as warned:
            anb.submit(anb.Tune(**TRAIN, image_urls=[DRIVE]), client, log=log)
        assert len(warned) == 1
        assert len(sandbox.received()) == 1


def test_a_local_address_is_fine_for_a_service_on_this_machine(client: anb.Client) -> None:
    assert len(anb.submit(anb.Tune(**TRAIN, image_urls=["http://localhost:3000/1.jpg"]), client)) == 1


def texts(form: anb.TuneForm) -> str:
    found: list[str] = []

    def walk(widget: widgets.Widget) -> None:
        for child in getattr(widget, "children", ()):
            walk(child)
        if isinstance(widget, widgets.HTML) and widget.layout.display != "none":
            found.append(widget.value)

    walk(form)
    return "\n".join(found)


def test_the_form_shows_the_remark_at_the_field_and_can_be_submitted(client: anb.Client) -> None:
    form = anb.TuneForm(client, **TRAIN, image_urls=[DRIVE])
    assert texts(form).count("is a page of Google Drive, not the picture") == 2  # at the field, and at Submit
    assert "Ready to submit, but &#39;https://drive.google.com/file/d/" in texts(form)
    assert form._draft._images.sources.selected_index == 2
    assert "Ready to submit, but " in form._repr_mimebundle_()[0]["text/html"]
    assert form.valid
    assert form.problems == []
    form._draft._images.sources.selected_index = 0  # stays where the user puts it
    form.fill(image_urls=[DRIVE, "https://example.com/a.heic"])
    assert "Ready to submit, but there are 2 remarks: see image URLs<" in texts(form)
    assert form._draft._images.sources.selected_index == 0
    form.fill(image_urls=["https://example.com/1.jpg"])
    assert "Ready to submit<" in texts(form)
    assert "Google Drive" not in texts(form)


def test_code_that_submits_a_form_is_warned(client: anb.Client, server: ScriptedServer) -> None:
    form = anb.TuneForm(client, **TRAIN, image_urls=[DRIVE])
    with pytest.raises(UserWarning, match="Google Drive"):
        form.submit()
    assert [request.method for request in server.requests if request.method == "POST"] == []
    with pytest.warns(UserWarning, match="Google Drive"):
        assert len(form.submit()) == 1


def test_the_form_for_a_service_elsewhere_remarks_on_a_callback_to_this_machine() -> None:
    form = anb.TuneForm(
        anb.Client(KEY, base_url="https://127.0.0.2.invalid"), callback="http://localhost:3000/hook"
    )
    assert "which the service cannot reach; give the https address of a tunnel" in texts(form)
