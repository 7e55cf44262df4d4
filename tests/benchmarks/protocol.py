"""What a benchmark is: two programs that do the same, what is compared of them, and how much it may be.

A case is a file of ``cases/`` that defines ``CASE``, and is called like its file. Its sides run in turn, each
time in a new process, so this module and the top of a case import little:

- A function is called with the sizes and with what `prepare` yields, by name, and returns figures by name.
- A text is run as ``python -c TEXT``. With arguments, if `prepare` yields ``argv``.

Each side has, besides, these figures of its whole process unless it returns its own: ``seconds``, from start
to end; ``processor``, seconds with those of its own processes; ``memory``, in bytes, if it is a function.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Side = str | Callable[..., Mapping[str, Any] | None]
Sizes = Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """What is compared.

    Attributes
    ----------
    name : str
        Of what the sides return: seconds, bytes or a plain number.
    what : str
        What the table calls it.
    most, least : float, optional
        The bar: for a difference or a value in the figure's own unit.
    beside : {"peer", "today", None}
        What ours is divided by: the peer's figure, that of the checkout of ``--against``, or nothing: the bar
        is for our figure itself.
    added : bool
        Whether the peer's figure is subtracted instead.
    """

    name: str
    what: str
    most: float | None = None
    least: float | None = None
    beside: Literal["peer", "today"] | None = "peer"
    added: bool = False
    unit: Literal["s", "B", ""] = "s"

    def compare(self, ours: float, base: float) -> float:
        """Return what the bar is for."""
        if self.beside is None:
            return ours
        return ours - base if self.added else ours / base

    def is_kept(self, value: float) -> bool | None:
        """Return whether a compared value keeps the bar; None if there is none."""
        if self.most is not None:
            return value <= self.most
        return None if self.least is None else value >= self.least


@contextmanager
def nothing(folder: Path, **_: Any) -> Iterator[dict[str, Any]]:
    """Prepare nothing."""
    yield {}


@dataclass(frozen=True)
class Case:
    """A benchmark.

    Attributes
    ----------
    what, against : str
        What we do, and who does the same.
    ours, peer
        The sides; some cases have no peer.
    figures : sequence of Figure
    sizes, small : mapping
        The arguments of a run, and those of a run that takes a second or two.
    rounds : int
        How often each side runs.
    prepare : context manager
        Called once in the suite's own process, with a folder and the sizes: makes files, starts servers, and
        yields further arguments for the sides, which JSON can express.
    needs : sequence of str
        Programs, such as ``curl``, without which the case is left out.
    """

    what: str
    against: str
    ours: Side
    figures: tuple[Figure, ...]
    peer: Side | None = None
    sizes: Sizes = field(default_factory=dict)
    small: Sizes = field(default_factory=dict)
    rounds: int = 5
    prepare: Callable[..., Any] = nothing
    needs: tuple[str, ...] = ()
