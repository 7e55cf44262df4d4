"""The only place that sends a paid request."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile
from typing import Protocol

import pandas as pd

from astria_nb import replies, rows
from astria_nb.client import Client, Json
from astria_nb.defaults import default_client
from astria_nb.encoding import Body, Encoding, OnSent, encode
from astria_nb.errors import AstriaError, TuneError
from astria_nb.pack import Pack
from astria_nb.progress import Progress
from astria_nb.tune import Tune


class Submittable(Protocol):
    """Something that knows how to submit itself, as a form does."""

    def submit(self, client: Client | None = None, *, encoding: Encoding | None = None) -> pd.DataFrame:
        """Send the tune and return its row."""


def submit(
    tune: Tune | Submittable,
    client: Client | None = None,
    *,
    encoding: Encoding | None = None,
    on_sent: OnSent | None = None,
) -> pd.DataFrame:
    """Create a tune and return it as a row.

    The pack is asked for first, so a wrong key, pack or class is found before anything is paid for. The
    paid request is then sent once and never repeated by itself.

    Parameters
    ----------
    tune : Tune or TuneForm
    client : Client, optional
        Default: your account if a key is configured, else the built-in sandbox; a form has its own.
    encoding : {"multipart", "form", "json"}, optional
        Default: multipart for a tune with files, else JSON.
    on_sent : callable, optional
        Called with (bytes sent, bytes in all) during the upload, instead of a progress display.

    Returns
    -------
    pandas.DataFrame
        One row, as `astria_nb.rows.tune_frame` describes it; times in UTC. A run on existing tunes makes no
        tune: its row has no ``id`` but the ``prompt_ids`` that it made (null where they could not be had).

    Raises
    ------
    TuneError
        The tune cannot be sent in this encoding, or the pack has no such class. Nothing was sent.
    ApiError, NotSentError
        The service refused, or was not reached. Nothing was created.
    OutcomeUnknownError
        The request left whole and no readable answer came: the tune may exist.

    Examples
    --------
    >>> import astria_nb as anb
    >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
    >>> with anb.Sandbox(deterministic=True) as sandbox:
    ...     row = anb.submit(tune, sandbox.client())
    >>> print(*row.loc[0, ["title", "pack", "status", "encoding"]])
    t 43 queued json
    """
    if not isinstance(tune, Tune):
        return tune.submit(client, encoding=encoding)
    client = client or default_client()
    # Encoding comes first: it finds what is wrong on this machine, and opens the files.
    with (
        Progress("Uploading") as progress,
        encode(tune, encoding, on_sent or progress.bytes) as body,
    ):
        pack = client.pack(tune.pack)
        if problem := pack.problem_with(tune.name):
            raise TuneError(problem)
        return _send(tune, pack, body, client)


def _send(tune: Tune, pack: Pack, body: Body, client: Client) -> pd.DataFrame:
    newest = {tune_id: _newest(client, tune_id) for tune_id in tune.tune_ids}
    reply = client.create_tune(tune.pack, body)
    if "error" in reply or not (tune.tune_ids or isinstance(reply.get("id"), int)):
        raise replies.unknown("an answer without a tune")
    record: Json = {
        "title": tune.title,
        "name": tune.name,
        **reply,
        "pack": pack.id,
        "encoding": body.encoding,
        "image_sha256": body.image_sha256 or None,
        "tune_ids": list(tune.tune_ids) or None,
    }
    if reply.get("id") is None:
        # Such a reply is a bare "Prompts created" (astria-api, section 4), or tells the prompts itself.
        record = {key: record[key] for key in record.keys() & set(rows.TUNE.names)}
        record["prompt_ids"] = reply.get("prompt_ids") or _made(client, newest)
    return rows.tune_frame([record], client.now())


def _made(client: Client, newest: Mapping[int, int]) -> list[int] | None:
    """Return the prompts after the newest ones; None where they cannot be had, for the run is paid for."""
    try:
        found = {each for tune_id, before in newest.items() for each in _since(client, tune_id, before)}
    except AstriaError:
        return None
    return sorted(found)


def _newest(client: Client, tune_id: int) -> int:
    return next((prompt["id"] for prompt in client.prompts(tune_id)), 0)


def _since(client: Client, tune_id: int, before: int) -> list[int]:
    return [
        prompt["id"] for prompt in takewhile(lambda prompt: prompt["id"] > before, client.prompts(tune_id))
    ]
