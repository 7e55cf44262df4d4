"""Recording tunes as MLflow runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from astria_nb.client import Client
from astria_nb.defaults import client_or_default, log_or_default
from astria_nb.errors import NotFoundError
from astria_nb.log import Log
from astria_nb.results.downloads import remote_pictures
from astria_nb.results.frames import tunes_of
from astria_nb.results.prices import DOLLAR_MC, estimates
from astria_nb.results.tracking._store import TrackingStore
from astria_nb.results.tracking._tracked_run import tracked_run
from astria_nb.results.watch import latest, prompts
from astria_nb.rows import Rows
from astria_nb.utils.progress import Progress
from astria_nb.utils.service_address import recorded_service
from astria_nb.utils.typed_frame import typed_frame

RUN = pa.schema(
    {
        "id": pa.int64(),
        "title": pa.string(),
        "run_id": pa.string(),
        "added_pictures": pa.int64(),
        "problem": pa.string(),
    }
)


def to_mlflow(
    frame: Rows, client: Client | None = None, *, experiment: str = "astria", log: Log | None = None
) -> pd.DataFrame:
    """Record tunes as MLflow runs, one each. Safe to interrupt; call it again to add new data.

    A run has the tune's parameters (``pack``, ``name``, ``title``, ``characteristics.…``,
    ``prompt_attributes.…``, ``encoding``, …), the log's tags and note as the tags ``tags`` and ``note``, and
    as metrics ``cost_dollars`` (reported, or else the price of the class), ``training_minutes``,
    ``pictures``, ``failed_prompts`` and ``likes``. The pictures are artifacts under ``pictures``, with the
    names and the manifest of `download`. A run is found again by its tags ``astria.tune_id`` and
    ``astria.service``. Keys, callbacks and training photos are not recorded.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `submit`, `wait` or ``log.frame()``, in any form that `astria_nb.rows.typed` reads; their
        latest state is fetched. A row with neither a tune nor prompts is skipped.
    client : Client, optional
        Default as in `submit`.
    experiment : str
        The name of the MLflow experiment. It is created if it does not exist.
    log : ExperimentLog, optional
        The log with the tags, the note and the fields of the request. Default: the log of `submit`, if its
        file exists.

    Returns
    -------
    pandas.DataFrame
        ``id, title, run_id, added_pictures, problem``: a row for each of `frame`. ``problem`` names a picture
        that could not be fetched; call it again later. A tune about which nothing is known has no run.

    Raises
    ------
    TuneError
        These are not tunes, or tunes of another service or account.
    AstriaError
        MLflow is not installed (``pip install 'astria-nb[mlflow]'``), or its store cannot be used.
    ApiError, NotSentError
        The prompts or packs could not be fetched.

    Notes
    -----
    The store is set with ``mlflow.set_tracking_uri`` or the environment variable ``MLFLOW_TRACKING_URI``.
    ``pip install 'astria-nb[mlflow]'`` is enough to write to a server or to SQLite; the web page comes with
    ``pip install mlflow``.

    Examples
    --------
    >>> import astria_nb as anb
    >>> anb.to_mlflow(row, client)  # doctest: +SKIP
    >>> # then, in a terminal: mlflow ui
    """
    client = client_or_default(client)
    frame = tunes_of(frame, client)
    log = log_or_default(log)
    store = TrackingStore(experiment)
    frame = latest(frame, client, log)
    costs = _costs(frame, client)
    records: list[dict[str, Any]] = []
    noun = "1 tune" if len(frame) == 1 else f"{len(frame)} tunes"
    with Progress(f"Recording {noun} in MLflow") as progress:
        for position, dollars in enumerate(costs):
            progress.update(position / len(frame), f"{position} of {len(frame)}")
            records.append(_record(frame.iloc[[position]], dollars, client, log, store))
    return typed_frame(records, RUN)


def _record(
    row: pd.DataFrame, dollars: float | None, client: Client, log: Log, store: TrackingStore
) -> dict[str, Any]:
    values: Mapping[Any, Any] = row.to_dict("records")[0]
    service = values["service"] if isinstance(values["service"], str) else recorded_service(client.service)
    own_prompts = _prompts(row, client)
    submission, labels = log.recorded(values)
    record = {"id": values["id"], "title": values["title"]}
    if own_prompts is None and submission is None and not isinstance(values["title"], str):
        return {**record, "problem": f"no tune {values['id']} at {service.partition(' ')[0]}"}
    run = tracked_run(values, own_prompts, dollars, submission, labels, service)
    if run is None:
        return record
    while True:
        run_id = store.put(run)
        pictures = [] if own_prompts is None else remote_pictures(own_prompts, row, client)
        added, problems = store.add_pictures(run_id, pictures, client)
        store.finish(run_id, run)
        if store.is_only(run_id, run):
            break
    problem = f"{len(problems)} pictures could not be fetched: {problems[0]}" if problems else None
    return {**record, "run_id": run_id, "added_pictures": added, "problem": problem}


def _prompts(row: pd.DataFrame, client: Client) -> pd.DataFrame | None:
    """Return the prompts of a tune, or None if they are gone and nothing is known about them."""
    try:
        own_prompts = prompts(row, client)
    except NotFoundError:
        return None
    is_lost = row["status"].isin(["deleted", "expired"]).all()
    return None if own_prompts.empty and is_lost else own_prompts


def _costs(frame: pd.DataFrame, client: Client) -> list[float | None]:
    """Return the cost of each tune in dollars, as reported by the service, or else by its pack's prices."""
    frame = frame.reset_index(drop=True)
    reported = pd.to_numeric(frame["cost_mc"]).astype("Float64") / DOLLAR_MC
    costs = reported.fillna(estimates(frame[reported.isna()], client).reindex(frame.index))
    return [None if pd.isna(cost) else float(cost) for cost in costs]
