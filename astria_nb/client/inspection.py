"""The service's look at training images: what makes a bad one, and what the one on them looks like."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

from astria_nb.client.client import Client
from astria_nb.client.deadline import Deadline
from astria_nb.errors import AstriaError
from astria_nb.images.image import Image
from astria_nb.tune.characteristics import WARNINGS

SECONDS = 25.0
_AT_ONCE = 4
_NOTHING = ("", "NONE")

Inspectable = str | os.PathLike[str] | Image


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the service said of one image.

    Attributes
    ----------
    image : path, address or Image
        As it was given.
    said : mapping
        The service's answer (astria-api, section 10); empty where there is none.
    warnings : tuple of str
        What makes it a bad image to train with, in words.
    problem : str or None
        Why there is no answer.
    """

    image: Inspectable
    said: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    problem: str | None = None


def inspect_each(
    images: Sequence[Inspectable], client: Client, *, name: str, seconds: float = SECONDS
) -> Iterator[Inspection]:
    """Have the service look at images, four at a time, and yield what it says as it comes.

    Only a copy of at most 512 pixels a side is sent, without metadata. What goes wrong with one image is told
    with it and does not stop the others. Stop when you like: what was not asked yet is not asked then.

    Parameters
    ----------
    images : sequence of path, web address or Image
    client : Client
    name : str
        The class that is to be trained, such as ``woman``.
    seconds : float
        For each image.

    Yields
    ------
    Inspection
        One an image, in the order of the answers.

    Examples
    --------
    >>> import astria_nb as anb
    >>> with anb.Sandbox() as sandbox:
    ...     for each in inspect_each(["https://example.com/wearing_hat.jpg"], sandbox.client(), name="man"):
    ...         print(*each.warnings)
    a hat: the hair cannot be seen
    """
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="astria_nb-inspect")
    try:
        started = [pool.submit(_inspect, each, client, name, seconds) for each in images]
        for done in as_completed(started):
            yield done.result()
    finally:
        # Those that are being asked end by their deadline; nobody waits for them.
        pool.shutdown(wait=False, cancel_futures=True)


def warnings(said: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return what to warn of in an answer of the service, in words.

    Parameters
    ----------
    said : mapping
        The answer.
    name : str
        The class that is to be trained.

    Examples
    --------
    >>> warnings({"name": "dog", "blurry": True, "selfie": False}, "woman")
    ('a dog, as the service sees it, not a woman', 'blurry: take a sharper one')
    """
    found = [text for key, text in WARNINGS.items() if said.get(key) is True]
    seen = said.get("name")
    if seen in _NOTHING:
        found.insert(0, f"no {name}, as the service sees it")
    elif isinstance(seen, str) and seen != name:
        found.insert(0, f"a {seen}, as the service sees it, not a {name}")
    return tuple(found)


def majority(inspections: Iterable[Inspection]) -> dict[str, str]:
    """Return the characteristics that most images agree on.

    Of each key the value that is told most often, the earliest where some are told equally often. Left out
    are keys that fewer than half of the images with an answer tell, values that say nothing (``""`` and
    ``"NONE"``), what is no text, and ``name``, which a tune has of its own.

    Examples
    --------
    >>> said = [{"age": "30 yo", "glasses": "NONE"}, {"age": "30 yo", "glasses": "glasses"}, {"age": "40 yo"}]
    >>> majority(Inspection("1.jpg", each) for each in said)
    {'age': '30 yo'}
    """
    answers = [each.said for each in inspections if each.problem is None]
    told: dict[str, Counter[str]] = {}
    for said in answers:
        for key, value in said.items():
            if isinstance(value, str) and value not in _NOTHING and key != "name":
                told.setdefault(key, Counter())[value] += 1
    return {
        key: values.most_common(1)[0][0] for key, values in told.items() if 2 * values.total() >= len(answers)
    }


def _inspect(image: Inspectable, client: Client, name: str, seconds: float) -> Inspection:
    try:
        with Deadline(seconds):
            said = client.inspect(image, name=name)
    except AstriaError as error:
        return Inspection(image, problem=str(error))
    return Inspection(image, said, warnings(said, name))
