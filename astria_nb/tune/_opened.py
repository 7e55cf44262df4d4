"""A tune with deferred images, as it is sent."""

from __future__ import annotations

from astria_nb.errors import Problem, TuneError
from astria_nb.tune._tune import FIELDS, Tune, from_checked


def opened(tune: Tune) -> Tune:
    """Return a tune with all its images opened; the same tune if they are open.

    The temporary copies of images that were in memory exist as long as the returned tune.

    Raises
    ------
    TuneError
        With the problems of all images.

    Examples
    --------
    >>> tune = Tune(pack=43, tune_ids=[5])
    >>> opened(tune) is tune
    True
    """
    images, problems = [], list[Problem]()
    for image in tune.images:
        try:
            images.append(image.opened())
        except TuneError as error:
            problems += error.problems
    if problems:
        raise TuneError(*problems)
    if all(image is deferred for image, deferred in zip(images, tune.images, strict=True)):
        return tune
    return from_checked({name: getattr(tune, name) for name in FIELDS} | {"images": tuple(images)})
