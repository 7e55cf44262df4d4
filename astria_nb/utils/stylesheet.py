"""The widgets' stylesheets: a shared palette followed by each widget's own rules."""

from __future__ import annotations

from pathlib import Path

_PALETTE = Path(__file__).with_name("palette.css")


def stylesheet(path: Path) -> str:
    """Return a widget's CSS, preceded by the palette: it may be the only widget on its page."""
    return "".join(source.read_text(encoding="utf-8") for source in (_PALETTE, path))
