"""The custom messages between the browser and `Gallery`."""

from __future__ import annotations

from typing import Literal, TypedDict


class ThumbnailRequest(TypedDict):
    """Browser to kernel: these pictures came into view. Each is answered by a `ThumbnailMessage`."""

    kind: Literal["thumbnails"]
    ids: list[str]


class LargeRequest(TypedDict):
    """Browser to kernel: show this picture large. Answered by `LargeMessage` or `LargeFailedMessage`."""

    kind: Literal["enlarge"]
    id: str


class LikeRequest(TypedDict):
    """Browser to kernel: like a prompt, or take the like back. Answered by a `LikedMessage`."""

    kind: Literal["like"]
    id: str
    liked: bool


class StopPolling(TypedDict):
    """Browser to kernel: stop polling the service."""

    kind: Literal["stop"]


class ResumePolling(TypedDict):
    """Browser to kernel: poll the service again."""

    kind: Literal["resume"]


class ThumbnailMessage(TypedDict):
    """Kernel to browser, with the JPEG as its buffer; without a buffer if there is no picture to show."""

    kind: Literal["thumbnail"]
    id: str


class LargeMessage(TypedDict):
    """Kernel to browser, with the file of the picture as its buffer."""

    kind: Literal["large"]
    id: str
    media_type: str


class LargeFailedMessage(TypedDict):
    """Kernel to browser: the picture could not be loaded."""

    kind: Literal["large_failed"]
    id: str
    problem: str


class LikedMessage(TypedDict):
    """Kernel to browser: whether a prompt is liked, and what went wrong (empty if nothing did)."""

    kind: Literal["liked"]
    id: str
    liked: bool
    problem: str
