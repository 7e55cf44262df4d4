"""No secret is written to disk: keys, signatures, passwords, values in a callback's URL."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astria_nb.log import Log
from astria_nb.tune import ImageRecord, differences
from astria_nb.utils.redaction import redact_json, redact_name, redact_text, redact_title
from helpers.submissions import KEY, REPLY, SERVICE, a_request, everything_on_disk

SECRET = "CaNaRy0123456789"
S3 = f"https://b.s3.amazonaws.com/a.jpg?X-Amz-Date=1&size=9&X-Amz-Signature={SECRET}"
SIGNED = [
    S3,
    f"https://storage.googleapis.com/a.jpg?X-Goog-Credential={SECRET}&X-Goog-Signature={SECRET}",
    f"https://a.cloudfront.net/a.jpg?Policy={SECRET}&Signature={SECRET}&Key-Pair-Id={SECRET}",
    f"https://a.blob.core.windows.net/a.jpg?sv={SECRET}&se={SECRET}&sp={SECRET}&sig={SECRET}",
    f"https://example.com/a.jpg?token={SECRET}",
    f"https://example.com/a.jpg?access_token={SECRET}#id_token={SECRET}",
    f"https://example.com/a.jpg?a=1;token={SECRET}",
    f"https://example.com/a.jpg?a=1&amp;x-amz-signature={SECRET}",
    f"https://example.com/a.jpg?X%2DAmz%2DSignature={SECRET}",
    f"https://me:{SECRET}@example.com/a.jpg",
    f"https://{SECRET}@example.com/a.jpg",
    f"https://me:p@{SECRET}@example.com/a.jpg",
    f"https://contoso.sharepoint.com/download.aspx?UniqueId=7&tempauth={SECRET}",
    f"https://www.dropbox.com/a.jpg?rlkey={SECRET}&dl=1",
    f"https://drive.google.com/uc?id=1&resourcekey={SECRET}",
    f"https://scontent.cdninstagram.com/a.jpg?_nc_ohc=1&oh=00_{SECRET}&oe=66AA0000",
    f"https://example.com/a.jpg?q-sign-algorithm=sha1&q-ak={SECRET}&q-signature={SECRET}",
    f"https://example.com/a.jpg?verify=1700000000-{SECRET}",
    f"https://example.com/a.jpg?ik-t=1&ik-s={SECRET}",
    f"https://example.com/a.jpg?secure={SECRET}abcdEF,1767225600",
    f"https://example.com/a.jpg?pass={SECRET}&pw={SECRET}",
    f"https://example.com/a.jpg?t=xoxe-{SECRET}",
    f"https://example.com/a.jpg?hdnts=exp=1~hmac={SECRET}",
    f"https://example.com/hdnts=exp=1~hmac={SECRET}/a.jpg",
    f"https://example.com/bcdn_token={SECRET}&expires=1/a.jpg",
    f"https://example.com/a.jpg?w=9&md5={SECRET}abcdEF&expires=1767225600",
    f"https://proxy.example.com/?url={quote(S3, safe='')}",
    f"https://proxy.example.com/?url={quote(quote(S3, safe=''), safe='')}",
]
CALLBACKS = [
    f"https://example.com/done?run={SECRET}",
    f"https://example.com/done?{SECRET}",
    f"https://example.com/done?a={SECRET}&b={SECRET}#{SECRET}",
    f"https://me:{SECRET}@example.com/done",
    f"https://example.com/hdnts=exp=1~hmac={SECRET}/done?run={SECRET}",
]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log.sqlite")


def is_clean(log: Log, secret: str = SECRET) -> bool:
    return secret.encode() not in everything_on_disk(log.path)


@pytest.mark.parametrize("url", SIGNED)
def test_a_signature_is_kept_nowhere(log: Log, url: str) -> None:
    submission = log.change(log.plan(a_request(image_urls=[url])), "sending")
    done = log.change(submission, "done", reply={**REPLY, "orig_images": [url]}, problem=f"odd: '{url}'")
    log.record_event("poll", submission=done, reply={"id": 7, "nested": [{"url": url}]}, problem=url)
    assert is_clean(log)
    assert list(done.request.redacted) == ["image_urls"]


def test_what_discord_signs_is_not_kept() -> None:
    redacted = "https://cdn.discordapp.com/a.jpg?ex=66aa0000&is=66a90000&hm=…"
    assert redact_text(redacted.replace("…", 4 * "5ec0e7abcdef")) == redacted


def test_a_password_is_not_kept_where_the_scheme_is_missing() -> None:
    assert redact_text(f"//me:{SECRET}@x.org/a.jpg is none") == "//…@x.org/a.jpg is none"


def test_the_rest_of_an_address_is_kept() -> None:
    assert redact_text(S3) == "https://b.s3.amazonaws.com/a.jpg?X-Amz-Date=…&size=9&X-Amz-Signature=…"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/1.jpg?w=9&h=600&s=2&t=1&hash=0123456789abcdef&secure=1",
        "https://example.com/1.jpg?ow=100&oh=200&pw=200&ph=100&hm=1&_nc_cat=1",
        "https://example.com/1.jpg?secure=true-photo-of-2026-anna",
        "https://example.com/1.jpg?k=IMG_20260101_120000&ts=20260101",
        "https://example.com/1.jpg?s=profile-2026-anna-01&t=1767225600&e=1767225600",
        "https://example.com/image?hash=0123456789abcdef01&t=1767225600",
        "https://example.com/1.jpg?ticket=photo-2026-anna-0001&expires=1767225600",
        "https://example.com/1.jpg?x-cam-date=20260101",
        "https://example.com/1.jpg?v=3&w=%20x",
        "data: 5 < 6 & 7?",
        "http://[::1]:80/a;b",
    ],
)
def test_what_is_not_secret_stays_as_it_is(url: str) -> None:
    assert redact_text(url) == url
    assert a_request(image_urls=[url]).recorded().redacted == {}


@pytest.mark.parametrize("url", CALLBACKS)
def test_a_callbacks_values_are_kept_nowhere(log: Log, url: str) -> None:
    request = a_request(callback=url, prompts_callback=url, prompt_attributes={"callback": url, "w": 8})
    submission = log.change(log.plan(request), "sending")
    done = log.change(submission, "done", reply={**REPLY, "callback": url})
    log.record_event("callback", submission=done, reply={"callback": [f"{url} is not reachable"]})
    assert is_clean(log)
    assert list(done.request.redacted) == ["callback", "prompts_callback", "prompt_attributes.callback"]


def test_a_callbacks_keys_are_kept() -> None:
    parameters = a_request(callback="https://example.com/done?run=7&b=#x").recorded().parameters
    assert parameters["callback"] == "https://example.com/done?run=…&b=#…"


@pytest.mark.parametrize(
    "field",
    [
        *("authorization", "Proxy-Authorization", "password", "api_key", "Set-Cookie"),
        *("cook\u0131e", "COOK\u0130E", "pa\u017fsword", "api_\u212aey"),  # the same in any letter case
    ],
)
def test_a_header_that_lets_someone_in_is_kept_nowhere(log: Log, field: str) -> None:
    log.record_event("poll", reply={"headers": {field: f"Basic {SECRET}"}})
    log.plan(a_request(prompt_attributes={field: SECRET}))
    assert is_clean(log)


def test_a_key_is_kept_nowhere(log: Log) -> None:
    text = f"Bearer {KEY} was refused"
    image = ImageRecord(f"/photos/{KEY}.jpg", f"{KEY}.jpg", 1)
    request = a_request(name=text, characteristics={"a": KEY, KEY: "b"}, images=(image,))
    submission = log.change(log.plan(request), "sending")
    done = log.change(submission, "done", reply={**REPLY, "title": KEY, KEY: [{"x": text}]}, problem=text)
    log.record_event(KEY, submission=done, reply=text, problem=text)
    log.record_event("poll", service=f"https://{KEY}@api.example.com", reply=[KEY])
    assert is_clean(log, KEY)
    assert {"name", "characteristics.a", "images"} <= set(done.request.redacted)


def test_files_called_sd_are_found_again() -> None:
    image = ImageRecord("/home/me/sd_images/1.jpg", "1.jpg", 1)
    assert a_request(images=(image,)).recorded().images == (image,)


TEXTS = st.text("ab .,:;?&=/'\"\\<>\n…é%@#", max_size=12)


NAMED_SECRETS = [
    f"https://x.org/1.jpg?key={SECRET}",
    *(url for url in SIGNED if "oken=" in url and "/b" not in url),
]


@pytest.mark.parametrize("url", [S3, *NAMED_SECRETS, f"https://x.org/?u={quote(S3, safe='')}"])
def test_a_reply_has_no_title_with_a_secret_that_its_name_tells(url: str) -> None:
    assert SECRET not in json.dumps(redact_json({"title": url}))


@pytest.mark.parametrize(
    "title",
    [
        *(
            "https://www.dropbox.com/scl/fi/a/1.jpg?rlkey=abc&raw=1",
            "https://x.org/1.jpg?oh=00_A&oe=66AA0000",
        ),
        *("https://x.org/1.jpg?hm=0f&pass=1", "//anna@home", "https://x.org/hdnts=exp=1~hmac=0f/1.jpg"),
        *("https://x.org/?u=https%3A%2F%2Fy.org%2F1.jpg%3Frlkey%3Dabc", "room #2&pw=anna"),
        *("https://x.org/1.jpg?tempauth=v1.eyJ", "https://x.org/1.jpg?md5=0123456789abcdef&e=1767225600"),
    ],
)
def test_a_title_that_was_accepted_before_more_signatures_were_known_stays_one(log: Log, title: str) -> None:
    """Under another title, the tune would be paid for again."""
    submission = log.plan(a_request(title))
    assert submission.title == submission.request.parameters["title"] == title
    assert submission.request.redacted == {}


@given(TEXTS, TEXTS)
def test_no_text_around_it_saves_a_key(before: str, after: str) -> None:
    assert KEY not in redact_text(f"{before}{KEY}{after}")
    assert KEY not in redact_text(f"{before}{KEY}{after}", is_callback=True)
    assert KEY not in redact_name(f"{before}{KEY}{after}")
    assert KEY not in redact_title(f"{before}{KEY}{after}")


@given(TEXTS, st.sampled_from(SIGNED), st.text(' \n"<>', min_size=1, max_size=3), TEXTS)
def test_no_text_around_it_saves_a_signature(before: str, url: str, gap: str, after: str) -> None:
    assert SECRET not in redact_text(f"{before} {url}{gap}{after}")


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | TEXTS | st.sampled_from([*SIGNED, KEY]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(TEXTS | st.sampled_from(["callback", "token", KEY]), inner, max_size=3)
        ),
        max_leaves=12,
    )
)
def test_no_reply_is_deep_enough_to_hide_a_secret(reply: Any) -> None:
    redacted = json.dumps(redact_json(reply))
    assert SECRET not in redacted
    assert KEY not in redacted
    assert json.dumps(redact_json(redact_json(reply))) == redacted


@given(
    st.lists(st.tuples(st.text("abc", max_size=3), st.just(SECRET) | st.just("")), max_size=5), st.booleans()
)
def test_no_query_string_of_a_callback_survives(pairs: list[tuple[str, str]], has_fragment: bool) -> None:
    query = "&".join(f"{key}={value}" for key, value in pairs)
    url = f"https://example.com/done?{query}{'#' + SECRET if has_fragment else ''}"
    redacted = redact_text(url, is_callback=True)
    assert SECRET not in redacted
    assert redacted.count("=") == url.count("=")


PIECES = ["x", "?", "&", ";", "?a=;", "://", "a:", "?a", "sd_", "@", "://a@", "&amp;", "%3A", "?a=%25"]


@pytest.mark.slow
@pytest.mark.parametrize("piece", PIECES)
def test_a_long_text_takes_no_time_to_speak_of(piece: str) -> None:
    # A pattern with too much lookahead is quadratic: with this text, it would take an hour.
    assert redact_text(piece * 200_000)
    assert redact_text(f"{piece * 200_000} .", is_callback=True)


# Redacted values still count when requests are compared


def test_a_recorded_request_is_the_same_as_the_one_that_was_made(log: Log) -> None:
    request = a_request(
        image_urls=SIGNED, callback=CALLBACKS[0], prompt_attributes={"callback": CALLBACKS[1]}
    )
    recorded = log.get(log.plan(request).id).request
    assert differences(request, recorded) == []
    assert recorded.fingerprint == request.fingerprint


def test_another_value_in_a_callback_is_a_difference(log: Log) -> None:
    recorded = log.plan(a_request(callback="https://example.com/?run=1")).request
    (difference,) = differences(recorded, a_request(callback="https://example.com/?run=2"))
    assert difference.field == "callback"
    assert (difference.a, difference.b) == (
        "https://example.com/?run=…",
        "https://example.com/?run=… (other values)",
    )


def test_another_signature_of_the_same_image_is_none(log: Log) -> None:
    recorded = log.plan(a_request(image_urls=[S3])).request
    again = a_request(image_urls=[S3.replace(SECRET, "fresh")])
    assert differences(recorded, again) == []
    assert recorded.fingerprint != again.fingerprint
    assert recorded.service == SERVICE
