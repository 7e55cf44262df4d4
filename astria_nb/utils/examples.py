"""The example notebooks and their sample photos, which come with the package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def examples() -> Path:
    """Return the folder of the example notebooks: in the package, or next to it in a checkout."""
    packaged = _PACKAGE / "notebooks"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "notebooks"


def sample_photos(name: str) -> list[Path]:
    """Return the sample photos of a class: a woman, a cat or a dog; empty for any other class.

    Examples
    --------
    >>> [path.name for path in sample_photos("cat")], sample_photos("baby")
    (['cat-1.jpg', 'cat-2.jpg', 'cat-3.jpg', 'cat-4.jpg'], [])
    """
    samples = examples() / "samples"
    return sorted(path for path in samples.glob("*-*.jpg") if path.name.rpartition("-")[0] == name)
