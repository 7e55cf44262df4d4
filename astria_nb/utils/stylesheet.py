"""The widgets' stylesheets: each widget's own rules among those that all share."""

from __future__ import annotations

from pathlib import Path

_PALETTE = Path(__file__).with_name("palette.css")
_DIRECTIONS = Path(__file__).with_name("directions.css")
_FORCED_COLOURS = Path(__file__).with_name("forced_colours.css")


def stylesheet(path: Path) -> str:
    """Return a widget's CSS with all that the widgets share: it may be the only one on its page."""
    sources = (_PALETTE, _DIRECTIONS, path, _FORCED_COLOURS)
    return "".join(source.read_text(encoding="utf-8") for source in sources)
