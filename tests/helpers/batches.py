"""Frames of tunes to send, and what the sandbox got of them."""

from typing import Any

import pandas as pd

import astria_nb as anb

ROUTE = "POST /p/*/tunes"


def frame(number: int, **columns: Any) -> pd.DataFrame:
    """Return rows of tunes; `columns` replace or add some."""
    urls = [[f"https://example.com/{row}.jpg"] for row in range(number)]
    values = {"key": [f"k{row}" for row in range(number)], "pack": 797, "name": "cat", "image_urls": urls}
    return pd.DataFrame({**values, **columns})


def posts(sandbox: anb.Sandbox) -> int:
    """Return how many requests for a tune were received."""
    return sum(request.method == "POST" for request in sandbox.ledger)
