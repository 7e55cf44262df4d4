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
    """Browser to kernel: like a prompt, or remove the like. Answered by a `LikedMessage`."""

    kind: Literal["like"]
    id: str
    liked: bool


class StopPolling(TypedDict):
    """Browser to kernel: stop polling the service."""

    kind: Literal["stop"]


class ResumePolling(TypedDict):
    """Browser to kernel: poll the service again."""

    kind: Literal["resume"]


class SaveRequest(TypedDict):
    """Browser to kernel: send a picture, or all as one zip file if `id` is empty.

    Answered by `PieceMessage` until a `SavedMessage` or a `SaveFailedMessage`. The page chooses the name of
    the transfer, which is unique among all pages.
    """

    kind: Literal["save"]
    transfer: str
    id: str


class PieceReceived(TypedDict):
    """Browser to kernel: everything before `offset` was received."""

    kind: Literal["received"]
    transfer: str
    offset: int


class CancelSave(TypedDict):
    """Browser to kernel: stop sending."""

    kind: Literal["cancel_save"]
    transfer: str


class KeepRequest(TypedDict):
    """Browser to kernel: keep the tunes longer, after the question about its price; or stop keeping them.

    Answered by the trait `keep`.
    """

    kind: Literal["keep"]
    keep: bool


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


class PieceMessage(TypedDict):
    """Kernel to browser, with at most 1 MiB as its buffer, which begins at `offset` of the file.

    Without a buffer it only reports the progress, as text and from 0 to 1.
    """

    kind: Literal["piece"]
    transfer: str
    offset: int
    progress: str
    fraction: float


class SavedMessage(TypedDict):
    """Kernel to browser: the file is complete, with its name, its size in bytes, and what is missing."""

    kind: Literal["saved"]
    transfer: str
    name: str
    size: int
    summary: str


class SaveFailedMessage(TypedDict):
    """Kernel to browser: the file will not be completed."""

    kind: Literal["save_failed"]
    transfer: str
    problem: str
