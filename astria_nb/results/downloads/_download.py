"""Downloading the pictures of tunes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from astria_nb.client import PAGE_SIZE, Client, fetch_latest
from astria_nb.defaults import client_or_default
from astria_nb.errors import AstriaError, Problem
from astria_nb.results.downloads._fetcher import RemotePicture
from astria_nb.results.downloads._run import DownloadRun
from astria_nb.results.downloads._safe_folder import SafeFolder
from astria_nb.results.frames import tunes_of
from astria_nb.results.watch import prompts_of
from astria_nb.rows import Rows
from astria_nb.utils.arguments import parse_id, to_path
from astria_nb.utils.formatting import short
from astria_nb.utils.progress import Progress
from astria_nb.utils.redaction import PLACEHOLDER, redact_text
from astria_nb.utils.times import TIME, parse_time
from astria_nb.utils.typed_frame import typed_frame

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
_MAX_WORKERS = 64
_EXPIRES = re.compile(r"(?i)(?<=[?&])(expires=)[^&#]*")  # not a secret, but differs for each signature


def download(
    frame: Rows,
    client: Client | None = None,
    folder: str | os.PathLike[str] = "astria_pictures",
    *,
    max_workers: int = 8,
) -> pd.DataFrame:
    """Download the pictures of tunes into a folder. Safe to interrupt; call it again to continue.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `submit` or `wait`, in any form that `astria_nb.rows.typed` reads.
    client : Client, optional
        Default as in `submit`.
    folder : path
        Created if it does not exist. A file is named ``<prompt_id>-<number>.jpg``, with the suffix of its
        type; ``manifest.jsonl`` has a line of JSON for each: address (without signatures), tune, prompt, size
        and SHA-256. Lines and fields that others add to it are kept.
    max_workers : int
        The number of pictures to download at a time, from 1 to 64.

    Returns
    -------
    pandas.DataFrame
        A row per picture. ``status`` is ``saved``, ``there`` (the file existed already, with the recorded
        size and hash) or ``failed``, with the reason in ``problem``. ``expires_at`` is when the service
        deletes the picture, in UTC. Pending prompts have no row; a tune that no longer exists, or whose
        prompts could not be listed, has a row without a picture. ``problem`` also says if another file had
        the name of a picture, which is then saved as ``<prompt_id>-<number>_2.jpg``, and if the address of a
        picture that is ``there`` has changed since.

    Raises
    ------
    TuneError
        These are not tunes, or tunes of another service or account.
    AstriaError
        An argument is not valid, the folder cannot be used, or its disk is full (field ``folder``). Complete
        files are kept.
    ApiError, NotSentError
        The prompts could not be listed for any tune, or for three tunes in a row.

    Notes
    -----
    The service keeps pictures for 30 days after training (astria-api, section 13). Several processes may
    download into the same folder. Nothing is written outside of it, and links in it are not followed. A file
    is replaced only if its content is the beginning of the picture, as after an interrupted download. A
    picture or video may have up to 1 GiB.

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
    frame = tunes_of(frame, client)
    path = _to_folder(folder)
    workers = parse_id(max_workers)
    if workers is None or workers > _MAX_WORKERS:
        what = f"{short(max_workers)} is not a valid number of pictures at a time"
        raise AstriaError(Problem("max_workers", what, f"choose from 1 to {_MAX_WORKERS}"))
    pictures, missing = list_pictures(frame, client)
    noun = "1 picture" if len(pictures) == 1 else f"{len(pictures)} pictures"
    with SafeFolder(path) as safe_folder, Progress(f"Downloading {noun}", patience=0) as progress:
        rows = DownloadRun(client, safe_folder, pictures, workers, progress.update).run()
    order = {picture.key: position for position, picture in enumerate(pictures)}
    rows.sort(key=lambda row: order[row["prompt_id"], row["number"]])
    for row in rows:
        row["file"] = str(path / row["file"]) if "file" in row else None
    return typed_frame([*rows, *missing], PICTURE)


def _to_folder(folder: str | os.PathLike[str]) -> Path:
    try:
        path = to_path(folder)
        what, hint = f"{short(folder)} is not a valid path", "give the path of a folder"
    except OSError as error:
        path, hint = None, "give an absolute path, or change the working directory with os.chdir"
        what = f"{short(folder)} is relative, and there is no working directory ({error.strerror or error})"
    if path is None:
        raise AstriaError(Problem("folder", what, hint))
    return path


def list_pictures(frame: pd.DataFrame, client: Client) -> tuple[list[RemotePicture], list[dict[str, Any]]]:
    """Return the pictures of tunes, oldest prompt first, and a row for each tune that cannot be listed.

    Parameters
    ----------
    frame : pandas.DataFrame
    client : Client

    Raises
    ------
    AstriaError
        As in `download`.
    """
    listing = prompts_of(frame, client, skip_failures=True)
    problems = dict.fromkeys(listing.gone, "the service no longer has this tune")
    for tune_id, error in listing.failures.items():
        problems[tune_id] = "; ".join(f"{problem.what}; {problem.hint}" for problem in error.problems)
    missing = [
        {"tune_id": tune_id, "status": "failed", "problem": problem} for tune_id, problem in problems.items()
    ]
    return list(remote_pictures(listing.frame, frame, client)), missing


def remote_pictures(
    prompt_frame: pd.DataFrame, frame: pd.DataFrame, client: Client
) -> Iterator[RemotePicture]:
    """Yield the pictures of prompts.

    Parameters
    ----------
    prompt_frame : pandas.DataFrame
    frame : pandas.DataFrame
        The rows of their tunes.
    client : Client
    """
    finished = [prompt for prompt in prompt_frame.to_dict("records") if len(prompt["images"])]
    ids = [None if pd.isna(prompt["tune_id"]) else int(prompt["tune_id"]) for prompt in finished]
    expires_at = _expiry_dates(frame, {tune_id for tune_id in ids if tune_id is not None}, client)
    for prompt, tune_id in zip(finished, ids, strict=True):
        for number, url in enumerate(prompt["images"], 1):
            yield RemotePicture(
                prompt_id=int(prompt["id"]),
                number=number,
                tune_id=tune_id,
                text=redact_text(prompt["text"]) if isinstance(prompt["text"], str) else "",
                url=url,
                redacted_url=_EXPIRES.sub(rf"\1{PLACEHOLDER}", redact_text(url)),
                expires_at=expires_at.get(tune_id),
            )


def _expiry_dates(frame: pd.DataFrame, ids: set[int], client: Client) -> dict[int | None, datetime | None]:
    """Return when tunes expire, from their rows or else from the service."""
    with_date = frame.dropna(subset=["id", "expires_at"])
    pairs = zip(with_date["id"], with_date["expires_at"], strict=True)
    dates: dict[int | None, datetime | None] = {int(tune_id): parse_time(date) for tune_id, date in pairs}
    without_date = ids - dates.keys()
    with suppress(AstriaError):  # a missing date must not prevent the download
        tunes = fetch_latest(
            without_date, lambda before: client.tunes(before_id=before, limit=PAGE_SIZE), client.tune
        )
        dates |= {
            tune_id: parse_time(tune.get("expires_at")) for tune_id, tune in tunes.items() if tune is not None
        }
    return dates
