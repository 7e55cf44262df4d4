"""What makes two requests the same, and where they differ."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from astria_nb.tune import ImageRecord, Request, Tune, differences, unsigned_addresses
from helpers.submissions import IMAGES, SERVICE, a_request


def test_a_request_is_made_of_a_tune_without_reading_its_files(photos: list[Path]) -> None:
    tune = Tune(pack=43, title="t", name="cat", images=photos)
    for path in photos:
        path.chmod(0)
    request = Request.from_tune(tune, f"{SERVICE}/", "multipart")
    assert (request.service, request.pack, request.title, request.encoding) == (SERVICE, 43, "t", "multipart")
    assert request.parameters == {"title": "t", "name": "cat"}
    assert [image.path for image in request.images] == list(map(str, photos))
    assert [image.mtime_ns for image in request.images] == [path.stat().st_mtime_ns for path in photos]
    assert {image.sha256 for image in request.images} == {None}


def test_a_file_that_vanished_is_recorded_as_it_was(photos: list[Path]) -> None:
    tune = Tune(pack=43, title="t", name="cat", images=photos[:1])
    photos[0].unlink()
    (image,) = Request.from_tune(tune, SERVICE, "multipart").images
    assert (image.filename, image.mtime_ns) == ("1.jpg", None)


def test_the_fingerprint_is_of_what_is_sent() -> None:
    request = a_request(images=IMAGES, characteristics={"a": "1", "b": "2"})
    moved = tuple(replace(image, path=f"/elsewhere/{image.filename}", mtime_ns=9) for image in IMAGES)
    same = a_request(images=moved, characteristics={"b": "2", "a": "1"}, service="http://127.0.0.1")
    assert request.fingerprint == replace(same, encoding="multipart").fingerprint


@pytest.mark.parametrize(
    "other",
    [
        a_request("u", images=IMAGES),
        a_request(images=IMAGES, pack=44),
        a_request(images=IMAGES, name="dog"),
        a_request(images=IMAGES[:1]),
        a_request(images=(IMAGES[0], replace(IMAGES[1], size=201))),
        a_request(images=(IMAGES[0], replace(IMAGES[1], filename="3.jpg"))),
    ],
)
def test_another_request_has_another_fingerprint_and_says_why(other: Request) -> None:
    request = a_request(images=IMAGES)
    assert request.fingerprint != other.fingerprint
    assert differences(request, other)


def test_the_content_is_the_same_whatever_it_is_called() -> None:
    images = tuple(replace(image, filename=f"new {image.filename}", sha256="0") for image in IMAGES[::-1])
    hooks = {"callback": "https://example.com/1?a=1", "prompts_callback": "https://example.com/2"}
    overrides = {"prompt_attributes": {"callback": "https://example.com/3"}}
    named = replace(a_request("u", images=images, **hooks, **overrides), encoding="multipart")
    content = a_request(images=IMAGES).content_fingerprint
    assert named.content_fingerprint == named.recorded().content_fingerprint == content
    urls = [[f"https://example.com/{number}.jpg" for number in order] for order in ((1, 2), (2, 1))]
    assert len({a_request(image_urls=order).content_fingerprint for order in urls}) == 1
    signed = [f"https://example.com/1.jpg?X-Amz-Signature={signature}" for signature in ("0a1b", "2c3d")]
    assert len({a_request(image_urls=[url]).content_fingerprint for url in signed}) == 1


@pytest.mark.parametrize(
    "other",
    [
        a_request(images=IMAGES, pack=44),
        a_request(images=IMAGES, name="dog"),
        a_request(images=IMAGES[:1]),
        a_request(images=(IMAGES[0], replace(IMAGES[1], size=201))),
        a_request(images=IMAGES, characteristics={"callback": "title"}),
        a_request(images=IMAGES, prompt_attributes={"num_images": 2}),
        a_request(images=IMAGES, image_urls=["https://example.com/1.jpg"]),
    ],
)
def test_another_content_has_another_fingerprint(other: Request) -> None:
    assert a_request(images=IMAGES).content_fingerprint != other.content_fingerprint


def test_differences_are_told_key_by_key() -> None:
    a = a_request(
        characteristics={"eyes": "blue", "hair": "red"}, prompt_attributes={"w": 8}, auto_extend=True
    )
    b = a_request(pack="dogs", characteristics={"eyes": "green"}, prompt_attributes={"w": "8"}, auto_extend=1)
    assert [(difference.field, difference.a, difference.b) for difference in differences(a, b)] == [
        ("pack", 43, "dogs"),
        ("characteristics.eyes", "blue", "green"),
        ("characteristics.hair", "red", None),
        ("prompt_attributes.w", 8, "8"),
        ("auto_extend", True, 1),
    ]


def test_another_brief_is_another_request() -> None:
    a, b = a_request(brief="warm light"), a_request()
    assert a.fingerprint != b.fingerprint
    (difference,) = differences(a, b)
    assert (difference.field, difference.a, difference.b) == ("brief", "warm light", None)


def test_images_are_compared_by_content_where_it_is_known_of_both() -> None:
    sent = a_request(images=IMAGES).with_sha256(["aa", "bb"])
    renamed = a_request(images=tuple(replace(image, filename="x.jpg") for image in IMAGES))
    assert differences(sent, renamed.with_sha256(["aa", "bb"])) == []
    assert differences(sent, a_request(images=IMAGES)) == []
    (difference,) = differences(sent, a_request(images=IMAGES).with_sha256(["aa", "cc"]))
    assert difference.field == "images"
    assert (difference.a, difference.b) == ("2.jpg (200 bytes, sha256 bb…)", "2.jpg (200 bytes, sha256 cc…)")


def test_the_order_of_images_does_not_matter_but_their_number_does() -> None:
    assert differences(a_request(images=IMAGES), a_request(images=IMAGES[::-1])) == []
    (difference,) = differences(a_request(images=IMAGES), a_request(images=(*IMAGES, IMAGES[0])))
    assert (difference.field, difference.a, difference.b) == ("images", None, "1.jpg (100 bytes)")


SIGNED = [
    ("AWSAccessKeyId=A&Expires=1767225600&Signature=x", "AWSAccessKeyId=A&Expires=1769904000&Signature=y"),
    ("X-Amz-Date=20260101T000000Z&X-Amz-Signature=aa", "X-Amz-Date=20260201T000000Z&X-Amz-Signature=bb"),
    ("Expires=1&Signature=a&Key-Pair-Id=K", "Expires=2&Signature=b&Key-Pair-Id=K"),
    ("sv=2020&se=2026-01-01&sr=b&sp=r&sig=aa", "sv=2020&se=2026-02-01&sr=b&sp=r&sig=bb"),
    ("ex=66aa&is=66bb&hm=" + 64 * "a", "ex=77aa&is=77bb&hm=" + 64 * "b"),
    ("w=500&s=" + 32 * "a", "w=500&s=" + 32 * "b"),
    ("verify=1767225600-abc", "verify=1769904000-xyz"),
    ("exp=1&hmac=a", "exp=2&hmac=b"),
    (
        "q-sign-algorithm=sha1&q-ak=A&q-key-time=1767225600;1767229200&q-signature=aa",
        "q-sign-algorithm=sha1&q-ak=A&q-key-time=1769904000;1769907600&q-signature=bb",
    ),
    ("e=1767225600&token=AK:aa", "e=1769904000&token=AK:bb"),
    ("UniqueId=7&tempauth=v1.aa", "UniqueId=7&tempauth=v1.bb"),
    ("stp=x&_nc_ohc=a&oh=00_AfA&oe=66AA0000", "stp=x&_nc_ohc=b&oh=00_AfB&oe=77AA0000"),
    ("hdnts=exp=1~acl=/*~hmac=aa", "hdnts=exp=2~acl=/*~hmac=bb"),
    ("t=xoxe-1", "t=xoxe-2"),
    ("ik-t=1767225600&ik-s=aa", "ik-t=1769904000&ik-s=bb"),
    ("x-tos-date=1&x-tos-expires=9&x-tos-signature=aa", "x-tos-date=2&x-tos-expires=9&x-tos-signature=bb"),
    ("secure=rtTcMFxrj6pQ9cXqyDAKMg,1767225600", "secure=ZtTcMFxrj6pQ9cXqyDAKMg==,1769904000"),
    (
        "w=9&md5=0123456789abcdef&expires=1767225600",
        "w=9&md5=fedcba9876543210&expires=1769904000",
    ),
    ("OSSAccessKeyId=A&Expires=1&Signature=a", "OSSAccessKeyId=A&Expires=2&Signature=b"),
]
PLACES = ["https://example.com/1.jpg?{}", "https://example.com/get?file=1&{}"]
IN_PATHS = [
    ("https://x.org/hdnts=exp=1~hmac=aa/1.jpg", "https://x.org/hdnts=exp=2~hmac=bb/1.jpg"),
    ("https://x.org/bcdn_token=aa&expires=1/1.jpg", "https://x.org/bcdn_token=bb&expires=2/1.jpg"),
]


@pytest.mark.parametrize(
    ("a", "b"), [*((place.format(a), place.format(b)) for a, b in SIGNED for place in PLACES), *IN_PATHS]
)
def test_pictures_that_were_signed_again_are_the_same(a: str, b: str) -> None:
    first, second = (a_request(image_urls=[address]) for address in (a, b))
    assert differences(first.recorded(), second) == []
    assert first.recorded().content_fingerprint == second.content_fingerprint
    assert unsigned_addresses([a]) == unsigned_addresses([b])


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("w=500&sig=a", "w=600&sig=a"), ("Expires=1", "Expires=2"), ("id=1&sig=a", "id=2&sig=b"),
        ("key=1.jpg", "key=2.jpg"), ("key=1.jpg&sig=a", "key=2.jpg&sig=a"), ("s=200", "s=300"),
        ("h=600&e=1767225600", "h=700&e=1767225600"), ("rlkey=a1", "rlkey=b2"), ("pass=1", "pass=2"),
        ("t=1&tempauth=a", "t=2&tempauth=a"), ("e=1&token=a", "e=2&token=a"), ("secure=1", "secure=0"),
        ("md5=0123456789abcdef", "md5=fedcba9876543210"),
        ("md5=0123456789abcdef&expires=1767225600&sig=a", "md5=fedcba9876543210&expires=1767225600&sig=a"),
        ("q-tag=1&q-signature=a", "q-tag=2&q-signature=a"),
        ("e=100234&token=abc", "e=100235&token=abc"),
        ("timestamp=1767225600&token=abc", "timestamp=1767229200&token=abc"),
        ("time=2026-01-01&access_token=abc", "time=2026-02-01&access_token=abc"),
        ("t=1767225600&api_key=abc", "t=1767225700&api_key=abc"),
        ("t=deadbeef&token=a", "t=deadbee0&token=a"),
        ("validated=20260101&sig=a", "validated=20260102&sig=a"),
        ("hash=0123456789abcdef&t=1767225600", "hash=fedcba9876543210&t=1767225600"),
        ("md5=0123456789abcdef&expires=1767225600&t=1", "md5=0123456789abcdef&expires=1767225600&t=2"),
        ("k=0123456789abcdef&e=1767225600", "k=fedcba9876543210&e=1767225600"),
        ("s=photo-2026-anna-0001&e=1767225600", "s=photo-2026-bert-0002&e=1767225600"),
        ("oh=200", "oh=100"), ("hm=1", "hm=2"), ("secure=photo-1", "secure=photo-2"), ("pw=200", "pw=300"),
        ("_nc_cat=1&sig=a", "_nc_cat=2&sig=a"), ("x-cam-date=1&sig=a", "x-cam-date=2&sig=a"),
    ],
)  # fmt: skip
def test_other_pictures_are_not_taken_for_the_same_signed_again(a: str, b: str) -> None:
    first, second = (a_request(image_urls=[f"https://example.com/1.jpg?{query}"]) for query in (a, b))
    assert differences(first.recorded(), second)
    assert first.recorded().content_fingerprint != second.content_fingerprint


@pytest.mark.parametrize(
    "place", ["get?", "image.php?", "image?w=300&", "render?page=3&", "thumb.ashx?size=9&"]
)
def test_a_checksum_that_alone_names_the_picture_is_kept(place: str) -> None:
    ends = ("0123456789abcdef", "fedcba9876543210")
    a, b = (f"https://x.org/{place}md5={end}&expires=1767225600" for end in ends)
    first, second = (a_request(image_urls=[address]) for address in (a, b))
    assert unsigned_addresses([a]) != unsigned_addresses([b])
    assert differences(first.recorded(), second)
    assert first.recorded().content_fingerprint != second.content_fingerprint
    assert ends[0] not in str(first.recorded().parameters)


FORMER = [
    ("rlkey=abc&st=x1&dl=1", "4e2259c5227b9ddb"),
    ("e=1767225600&token=AK:sig", "a9d6d90b86532ec9"),
    ("stp=dst-jpg&_nc_cat=1&oh=00_Af&oe=66AA0000", "0a9fe1f2ee2a4138"),
    ("tempauth=v1.eyJ", "4e4b8d81ea9c9690"),
    ("key=7&oh=00_Af&pass=1", "965f868e49971268"),
    ("w=9&s=0123456789abcdef0123456789abcdef", "4792109f8424e609"),
    ("size=9", "4790e29903763233"),
]


@pytest.mark.parametrize(("query", "recorded"), FORMER)
def test_what_was_recorded_before_a_signature_was_known_is_found(query: str, recorded: str) -> None:
    """The fingerprints are those that a log has of such requests."""
    tune = Tune(pack=43, title="t", name="cat", image_urls=[f"https://example.com/1.jpg?{query}"])
    request = Request.from_tune(tune, "https://api.astria.ai", "json")
    assert request.former_content_fingerprint.startswith(recorded)
    redacted = {"image_urls": hashlib.sha256(b'["key=7"]').hexdigest()} if query.startswith("key=") else {}
    old = replace(request, recorded_fingerprint=request.fingerprint, redacted=redacted)  # with its secrets
    assert differences(old, request) == differences(request, old) == []


def test_neither_order_nor_the_kind_of_a_number_makes_other_content() -> None:
    urls = [f"https://example.com/{number}.jpg" for number in (1, 2)]
    a = a_request(image_urls=urls, prompt_ids=[9, 10], prompt_attributes={"num_images": 4, "fix": True})
    b = a_request(
        image_urls=urls[::-1], prompt_ids=[10, 9], prompt_attributes={"num_images": "4", "fix": "true"}
    )
    assert a.content_fingerprint == b.content_fingerprint
    assert [difference.field for difference in differences(a, b)] == [
        "prompt_attributes.num_images",
        "prompt_attributes.fix",
    ]


def test_neither_encoding_nor_service_nor_place_is_a_difference() -> None:
    a = a_request(images=IMAGES)
    b = replace(a, encoding="multipart", service="http://127.0.0.1", images=(
        ImageRecord("/else/1.jpg", "1.jpg", 100), ImageRecord("/else/2.jpg", "2.jpg", 200)))  # fmt: skip
    assert differences(a, b) == []
