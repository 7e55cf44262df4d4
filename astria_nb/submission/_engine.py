"""The only way to submit a tune, used by `submit`, forms and replays."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from astria_nb.client import Client
from astria_nb.client.deadline import Deadline
from astria_nb.errors import TuneError
from astria_nb.submission._options import PACK_MAX_AGE_SECONDS, ObserverInCaller, SubmitOptions
from astria_nb.tune import Pack, Tune, check_pack, problem_with_rise
from astria_nb.utils.imports import import_whole
from astria_nb.utils.interrupts import in_caller, shield

if TYPE_CHECKING:
    import pandas as pd

# The packs that each client fetched for submissions, and when.
_fetched: WeakKeyDictionary[Client, dict[int | str, tuple[float, Pack]]] = WeakKeyDictionary()


@shield
def submit_once(tune: Tune, options: SubmitOptions) -> pd.DataFrame:
    """Create a tune, once, and return its row.

    `astria_nb.submit` validates its arguments and calls this with a progress display as the observer. A form
    calls it with its upload panel as the observer, and with the pack that it shows, unless that was fetched
    too long ago, so that the pack is fetched once for a submission, not twice. If a pack that is fetched here
    makes the tune more expensive than the form has shown, the form is informed, and nothing is sent.

    Parameters
    ----------
    tune : Tune
    options : SubmitOptions

    Returns
    -------
    pandas.DataFrame
        One row, as `astria_nb.rows.tune_frame` describes it.

    Raises
    ------
    AstriaError
        As `astria_nb.submit` documents.
    """
    options = replace(
        options, observer=ObserverInCaller(options.observer), on_pack=in_caller(options.on_pack)
    )
    # Everything that could fail after the payment is loaded and tried before anything is sent. It is loaded
    # here, since a form is shown without it.
    from astria_nb.utils.versions import check_versions

    check_versions()
    import_whole("astria_nb.submission._exactly_once")
    from astria_nb import rows
    from astria_nb.submission._exactly_once import ExactlyOnce

    rows.check_frames()
    with Deadline(options.timeout) as deadline:
        submission = ExactlyOnce(tune, options, deadline)
        # Encoding comes first: it finds problems with the files, and keeps them open.
        with submission.encode() as body:
            pack = _pack(tune, options)
            checked = check_pack(pack, tune.name, tune, options.max_cost)
            if checked.problems:
                raise TuneError(*checked.problems)
            if (problem := problem_with_rise(checked.estimate, options.shown)) is not None:
                raise TuneError(problem)
            return submission.run(pack, body)


def _pack(tune: Tune, options: SubmitOptions) -> Pack:
    """Return the tune's pack; it is not fetched again if its client did so recently, and that is allowed."""
    pack = options.pack
    if pack is not None and tune.pack in (pack.id, pack.slug):
        return pack
    fetched = _fetched.setdefault(options.client, {})
    fetched_at, pack = fetched.get(tune.pack, (-PACK_MAX_AGE_SECONDS, None))
    is_recent = monotonic() - fetched_at < PACK_MAX_AGE_SECONDS and options.max_cost is None
    if pack is None or not is_recent or check_pack(pack, tune.name, tune).problems:
        pack = options.client.pack(tune.pack)
        fetched_at = monotonic()
        fetched[tune.pack] = fetched_at, pack
    options.on_pack(pack, fetched_at)
    return pack
