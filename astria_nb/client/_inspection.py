"""Inspection of training images by the service: warnings, and suggested characteristics."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

from astria_nb.client._client import Client
from astria_nb.client.deadline import Deadline
from astria_nb.errors import AstriaError, printable
from astria_nb.images import Image
from astria_nb.tune import WARNINGS

SECONDS = 25.0
_WORKERS = 4
_NOTHING = ("", "NONE")

Inspectable = str | os.PathLike[str] | Image


@dataclass(frozen=True, slots=True)
class Inspection:
    """The service's inspection of one image.

    Attributes
    ----------
    image : path, web address or Image
        As passed to `inspect_each`.
    answer : mapping of str to object
        The service's answer (astria-api, section 10); empty if there is a problem.
    warnings : tuple of str
        Reasons why it is a poor training image.
    problem : str or None
        Why there is no answer.
    """

    image: Inspectable
    answer: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    problem: str | None = None


def inspect_each(
    images: Sequence[Inspectable], client: Client, *, name: str, seconds: float = SECONDS
) -> Iterator[Inspection]:
    """Have the service inspect images, four at a time, and yield the results as they arrive.

    Only a copy of at most 512 pixels a side is sent, without metadata. A failure is reported in the result of
    its image and does not stop the others. Closing the iterator cancels the inspections that have not begun.

    Parameters
    ----------
    images : sequence of path, web address or Image
    client : Client
    name : str
        The class to train, such as ``woman``.
    seconds : float
        Time limit for each image.

    Yields
    ------
    Inspection
        One per image, in the order of the answers.

    Examples
    --------
    >>> import astria_nb as anb
    >>> with anb.Sandbox() as sandbox:
    ...     urls = ["https://example.com/wearing_hat.jpg"]
    ...     for inspection in inspect_each(urls, sandbox.client(), name="man"):
    ...         print(*inspection.warnings)
    a hat: the hair cannot be seen
    """
    pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="astria_nb-inspect")
    try:
        futures = [pool.submit(_inspect, image, client, name, seconds) for image in images]
        for future in as_completed(futures):
            yield future.result()
    finally:
        # Running requests end by their deadline; nothing waits for them.
        pool.shutdown(wait=False, cancel_futures=True)


def warnings(answer: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return the warnings in an answer of the service as text.

    Parameters
    ----------
    answer : mapping of str to object
    name : str
        The class to train.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> warnings({"name": "dog", "blurry": True, "selfie": False}, "woman")
    ('looks like a dog, not a woman', 'blurry: take a sharper one')
    """
    texts = [text for key, text in WARNINGS.items() if answer.get(key) is True]
    detected = answer.get("name")
    if detected in _NOTHING:
        texts.insert(0, f"no {name} recognized")
    elif isinstance(detected, str) and detected != name:
        texts.insert(0, f"looks like a {printable(detected)}, not a {name}")
    return tuple(texts)


def majority(inspections: Iterable[Inspection]) -> dict[str, str]:
    """Return the characteristics that most images agree on.

    For each key this is the most frequent value; of several equally frequent ones, the earliest. Keys in
    fewer than half of the answers are omitted, as are empty values (``""`` and ``"NONE"``), values other than
    text, and ``name``, which is a separate field.

    Parameters
    ----------
    inspections : iterable of Inspection
        Those with a problem are ignored.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> answers = [{"age": "30 yo", "glasses": "NONE"}, {"age": "30 yo", "glasses": "yes"}, {"age": "40 yo"}]
    >>> majority(Inspection("1.jpg", answer) for answer in answers)
    {'age': '30 yo'}
    """
    answers = [inspection.answer for inspection in inspections if inspection.problem is None]
    counters: dict[str, Counter[str]] = {}
    for answer in answers:
        for key, value in answer.items():
            if isinstance(value, str) and value not in _NOTHING and key != "name":
                counters.setdefault(printable(key), Counter())[printable(value)] += 1
    return {
        key: counter.most_common(1)[0][0]
        for key, counter in counters.items()
        if 2 * counter.total() >= len(answers)
    }


def _inspect(image: Inspectable, client: Client, name: str, seconds: float) -> Inspection:
    try:
        with Deadline(seconds):
            answer = client.inspect(image, name=name)
    except AstriaError as error:
        return Inspection(image, problem=str(error))
    return Inspection(image, answer, warnings(answer, name))
