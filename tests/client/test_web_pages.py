"""A gateway's page in place of an answer: shown by its title, and never taken for the service's word."""

import pytest

import astria_nb as anb
from astria_nb import errors
from astria_nb.errors import ApiError, AstriaError, OutcomeUnknownError
from astria_nb.tune import Body, encode
from helpers.scripted_server import KEY, ScriptedServer, hang_up, reply
from helpers.web_pages import PAGES, WebPage

BY_STATUS: dict[int, type] = {
    400: errors.RejectedError, 401: errors.UnauthorizedError, 429: errors.TooManyRequestsError,
}  # fmt: skip
NAMES = [page.who for page in PAGES]


class Deletions:
    """A log of deletions."""

    def __init__(self) -> None:
        self.tune_ids: list[int] = []

    def mark_deleted(
        self, service: str, tune_id: int, account: str | None, *, is_confirmed: bool = True
    ) -> bool:
        self.tune_ids.append(tune_id)
        return True


def body() -> Body:
    return encode(anb.Tune(pack=43, title="t", name="cat", image_urls=["https://e.com/1.jpg"]))


def is_clean(error: AstriaError) -> bool:
    """Return whether a message has no markup and no key, and names a next step."""
    text = str(error)
    return not any(bad in text for bad in ("<", "{", "\x1b", KEY)) and all(one.hint for one in error.problems)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_a_page_is_shown_by_its_title(server: ScriptedServer, client: anb.Client, page: WebPage) -> None:
    server.on("GET", "/tunes/7", page.answer())
    with pytest.raises(ApiError) as caught:
        client.tune(7)
    error = caught.value
    expected: type = errors.ServerError if page.status >= 500 else errors.UnexpectedReplyError
    assert type(error) is BY_STATUS.get(page.status, expected)
    assert is_clean(error)
    shown = f"the web page '{page.title}'" if page.title else "gave no reason"
    assert shown in str(error).replace('"', "'")
    assert error.page == page.title


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_after_a_page_it_is_unknown_whether_a_tune_was_created_or_changed(
    server: ScriptedServer, client: anb.Client, page: WebPage
) -> None:
    server.on("POST", "/p/43/tunes", page.answer())
    server.on("PATCH", "/tunes/7", page.answer())
    for call in (lambda: client.create_tune(43, body()), lambda: client.update_tune(7, auto_extend=True)):
        before = len(server.requests)
        with pytest.raises(AstriaError) as caught:
            call()
        error = caught.value
        assert len(server.requests) == before + 1
        assert is_clean(error)
        if page.status in (400, 401, 404, 429):  # mean the same, whoever answers
            either = (errors.NotFoundError, errors.UnexpectedReplyError)
            assert isinstance(error, BY_STATUS.get(page.status, either))
            assert page.title in str(error)
        else:
            assert type(error) is OutcomeUnknownError
            assert f"status {page.status}" in error.reason
            assert page.title in error.reason


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_a_page_is_no_word_on_whether_a_tune_or_a_like_is_gone(
    server: ScriptedServer, client: anb.Client, page: WebPage
) -> None:
    log = Deletions()
    server.on("DELETE", "/tunes/7", page.answer())
    server.on("GET", "/tunes/7", reply({"id": 7}))
    server.on("POST", "/prompts/7/likes", page.answer())
    for call in (lambda: client.delete_tune(7, log=log), lambda: client.like(7)):
        with pytest.raises(ApiError) as caught:
            call()
        assert type(caught.value) is not errors.NotFoundError
        assert page.title in str(caught.value)
    assert log.tune_ids == []


def test_a_page_is_no_word_on_whether_a_tune_is_gone_after_a_lost_answer(
    server: ScriptedServer, client: anb.Client
) -> None:
    log, (page,) = Deletions(), (page for page in PAGES if page.status == 404)
    server.on("DELETE", "/tunes/7", hang_up)
    server.on("GET", "/tunes/7", page.answer())
    with pytest.raises(errors.NotSentError):
        client.delete_tune(7, log=log)
    assert log.tune_ids == []


def test_a_page_shows_no_part_of_a_key_that_looks_like_markup(server: ScriptedServer) -> None:
    key = "sd_left<right_1234"
    server.on("GET", "/tunes/7", reply(body=f"<html><title>{key} is bad".encode(), status=403))
    with pytest.raises(ApiError) as caught:
        anb.Client(key, base_url=server.url).tune(7)
    assert "left" not in str(caught.value)
    assert "sd_…1234 is bad" in str(caught.value)


def test_a_page_is_not_taken_for_a_picture(server: ScriptedServer, client: anb.Client) -> None:
    (page,) = (page for page in PAGES if page.who == "a sign-in page")
    server.on("GET", "/1", page.answer())
    with pytest.raises(
        ApiError, match=r"images: the picture .* \(the web page 'Sign in to your account' came\)"
    ):
        client.picture(f"{server.url}/1")
    server.on("GET", "/1", reply(body=b"\xff\xd8\xff", Content_Type="text/html"))  # it is mislabelled
    assert client.picture(f"{server.url}/1") == b"\xff\xd8\xff"


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (
            reply(body=b"HTTP Token: Access denied.\n", status=401, Content_Type="text/plain; charset=utf-8"),
            errors.UnauthorizedError,
            r"api_key: sd_…1234 was refused \(HTTP Token: Access denied\.\); check the key; yours .*",
        ),
        (
            reply({"error": "Invalid token"}, 401),
            errors.UnauthorizedError,
            r"api_key: sd_…1234 was refused \(Invalid token\); check the key; .*",
        ),
        (
            reply(body=b"", status=401),
            errors.UnauthorizedError,
            r"api_key: sd_…1234 was refused \(the service answered 401 and gave no reason\); .*",
        ),
        (
            reply(body=b"upstream connect error", status=503, Content_Type="text/plain"),
            errors.ServerError,
            r"base_url: the service failed \(503: upstream connect error\); try again in a minute",
        ),
        (
            reply(body=b"", status=204),
            errors.UnexpectedReplyError,
            r"base_url: the server answered with an empty body, which is not what .*; check base_url",
        ),
        (
            reply(body=b"", status=302, Location="https://sso.example.com/login?secret=1"),
            errors.UnexpectedReplyError,
            r"base_url: the server answered with a redirect \(302\) to sso.example.com, which .*",
        ),
        (
            reply(body=b"", status=302, Location="http://[bad"),
            errors.UnexpectedReplyError,
            r"base_url: the server answered with a redirect \(302\), which .*",
        ),
    ],
    ids=["plain 401", "JSON 401", "empty 401", "plain 503", "204", "redirect", "odd redirect"],
)  # fmt: skip
def test_what_is_no_page_is_shown_as_it_is(
    server: ScriptedServer, client: anb.Client, answer: object, kind: type, text: str
) -> None:
    server.on("GET", "/tunes/7", answer)  # type: ignore[arg-type]
    with pytest.raises(kind, match=f"^{text}$") as caught:
        client.tune(7)
    assert "json" not in str(caught.value).casefold()
    assert "secret" not in str(caught.value)
