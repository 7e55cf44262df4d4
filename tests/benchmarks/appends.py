"""A request and its answer, as the benchmarks of the log record them."""

from typing import Any

from astria_nb.tune import Request

_URLS = [f"https://example.com/{number}.jpg" for number in range(4)]


def a_request(title: str) -> Request:
    fields = {"title": title, "name": "cat", "image_urls": _URLS}
    return Request("https://api.astria.ai", 43, title, "json", fields)


def a_reply(number: int) -> dict[str, Any]:
    at = "2026-01-01T12:00:00.000Z"
    return {
        "id": number, "title": str(number), "name": "cat", "eta": at, "created_at": at, "updated_at": at,
        "url": f"https://www.astria.ai/tunes/{number}.json", "orig_images": _URLS,
    }  # fmt: skip
