"""Pictures of tunes on the disk: whole, once, and on record."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from astria_nb.client.by_id import fetch_latest
from astria_nb.client.client import Client
from astria_nb.defaults import client_or_default
from astria_nb.errors import AstriaError, NotFoundError, Problem
from astria_nb.results.downloads.fetcher import Wanted
from astria_nb.results.downloads.run import DownloadRun
from astria_nb.results.downloads.safe_folder import SafeFolder
from astria_nb.results.watch._wait import prompts
from astria_nb.results.watch.states import PAGE_SIZE
from astria_nb.rows import tune_id_of, tune_ids
from astria_nb.utils.arguments import parse_id, to_path
from astria_nb.utils.arrow import TIME, parse_time, typed_frame
from astria_nb.utils.formatting import short
from astria_nb.utils.progress import Progress
from astria_nb.utils.redaction import PLACEHOLDER, redact_text

PICTURE = pa.schema(
    {
        "prompt_id": pa.int64(),
        "number": pa.int64(),
        "tune_id": pa.int64(),
        "status": pa.string(),
        "file": pa.string(),
        "bytes": pa.int64(),
        "sha256": pa.string(),
        "problem": pa.string(),
        "expires_at": TIME,
        "url": pa.string(),
    }
)
_MOST_WORKERS = 64
_EXPIRES = re.compile(r"(?i)(?<=[?&])(expires=)[^&#]*")  # no secret, but of each signature another one


def download(
    frame: pd.DataFrame,
    client: Client | None = None,
    folder: str | os.PathLike[str] = "astria_pictures",
    *,
    max_workers: int = 8,
) -> pd.DataFrame:
    """Keep the pictures of tunes in a folder. Interrupt it at will; called again, it fetches what is missing.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `submit` or `wait`.
    client : Client, optional
        Default as in `submit`.
    folder : path
        Is made where there is none. A picture is called ``<prompt_id>-<number>.jpg`` or as its type is;
        ``manifest.jsonl`` beside them has a line of JSON for each: address (without signatures), tune,
        prompt, size and SHA-256.
    max_workers : int
        Pictures to fetch at a time, up to 64.

    Returns
    -------
    pandas.DataFrame
        A row per picture. ``status`` is ``saved``, ``there`` (it was, with the size and hash on record) or
        ``failed``, with the reason in ``problem``. ``expires_at`` is when the service deletes it, in UTC. A
        prompt that is pending has no row yet; a tune that the service has no more has one, without a picture.

    Raises
    ------
    AstriaError
        The folder cannot be used, or its disk is full (field ``folder``); what was there stays.
    ApiError, NotSentError
        The prompts could not be had.

    Notes
    -----
    The service keeps pictures for 30 days after training (astria-api, section 13). Two processes may fill
    one folder. Nothing outside of it is written, and no link in it is followed.

    Examples
    --------
    >>> import tempfile, astria_nb as anb
    >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> with anb.Sandbox(deterministic=True) as sandbox, tempfile.TemporaryDirectory() as folder:
    ...     client = sandbox.client()
    ...     row = anb.wait(anb.submit(tune, client), client, until="prompts", poll=0.01)
    ...     first, second = anb.download(row, client, folder), anb.download(row, client, folder)
    >>> len(first), first.loc[0, "status"], second.loc[0, "status"]
    (8, 'saved', 'there')
    """
    client = client_or_default(client)
    path = to_path(folder)
    if path is None:
        raise AstriaError(Problem("folder", f"{short(folder)} is no possible path", "give that of a folder"))
    workers = parse_id(max_workers)
    if workers is None or workers > _MOST_WORKERS:
        what = f"{short(max_workers)} is no number of pictures to fetch at a time"
        raise AstriaError(Problem("max_workers", what, f"choose from 1 to {_MOST_WORKERS}"))
    found, lost = _listed(frame, client)
    wanted = list(_wanted(found, frame, client))
    noun = "1 picture" if len(wanted) == 1 else f"{len(wanted)} pictures"
    with SafeFolder(path) as safe, Progress(f"Downloading {noun}", patience=0) as progress:
        rows = DownloadRun(client, safe, wanted, workers, progress.update).run()
    order = {each.key: at for at, each in enumerate(wanted)}
    rows.sort(key=lambda each: order[each["prompt_id"], each["number"]])
    for each in rows:
        each["file"] = str(path / each["file"]) if "file" in each else None
    return typed_frame([*rows, *lost], PICTURE)


def _listed(frame: pd.DataFrame, client: Client) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return the prompts of tunes, and a row for each tune that is no more."""
    try:
        return prompts(frame, client), []
    except NotFoundError:
        if len(frame) == 1:
            raise
    found, lost = [], []
    for at in range(len(frame)):
        row = frame.iloc[[at]]
        try:
            found.append(prompts(row, client))
        except NotFoundError:
            problem = "the service has no such tune any more"
            lost.append({"tune_id": row["id"].iloc[0], "status": "failed", "problem": problem})
    return pd.concat([prompts(frame.iloc[:0], client), *found]), lost


def _wanted(found: pd.DataFrame, frame: pd.DataFrame, client: Client) -> Iterator[Wanted]:
    own = tune_ids(frame)
    made = [(each, tune_id_of(each, own)) for each in found.to_dict("records") if len(each["images"])]
    expires_at = _expiry(frame, {tune_id for _, tune_id in made if tune_id is not None}, client)
    for prompt, tune_id in made:
        for number, url in enumerate(prompt["images"], 1):
            yield Wanted(
                prompt_id=int(prompt["id"]),
                number=number,
                tune_id=tune_id,
                text=redact_text(str(prompt["text"])),
                url=url,
                address=_EXPIRES.sub(rf"\1{PLACEHOLDER}", redact_text(url)),
                expires_at=expires_at.get(tune_id),
            )


def _expiry(frame: pd.DataFrame, ids: set[int], client: Client) -> dict[int | None, datetime | None]:
    """Return when tunes expire; the service is asked where a row does not tell."""
    known: dict[int | None, datetime | None] = {}
    if "expires_at" in frame.columns:
        told = frame.dropna(subset=["id", "expires_at"])
        known = {int(each): parse_time(at) for each, at in zip(told["id"], told["expires_at"], strict=True)}

    unknown = ids - known.keys()
    with suppress(AstriaError):  # a picture is worth more than its date
        found = fetch_latest(
            unknown, lambda before: client.tunes(before_id=before, limit=PAGE_SIZE), client.tune
        )
        known |= {
            each: parse_time(tune.get("expires_at")) for each, tune in found.items() if tune is not None
        }
    return known
