"""The styles of our widgets: one palette, and what each has of its own."""

from __future__ import annotations

from pathlib import Path

_PALETTE = Path(__file__).with_name("palette.css")


def stylesheet(path: Path) -> str:
    """Return a stylesheet with the palette before it: each widget may be the only one on its page."""
    return "".join(each.read_text(encoding="utf-8") for each in (_PALETTE, path))
