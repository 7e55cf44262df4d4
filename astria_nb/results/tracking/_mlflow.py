"""MLflow, loaded when it is needed, and without its output."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from astria_nb.errors import AstriaError, Problem
from astria_nb.utils.formatting import short

_OUTPUT = {
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


def load() -> Any:
    """Return MLflow.

    Raises
    ------
    AstriaError
        It is not installed, or cannot be loaded.
    """
    try:
        import mlflow.artifacts
        import mlflow.entities
        import mlflow.exceptions
        import mlflow.tracking
    except ImportError as error:
        reason = short(str(error))
    else:
        return mlflow
    what = f"cannot be loaded ({reason})"
    raise AstriaError(Problem("mlflow", what, "run pip install 'astria-nb[mlflow]', and restart the kernel"))


@contextmanager
def without_output() -> Iterator[None]:
    """Keep MLflow from printing progress, and addresses, which may hold a password."""
    before = {name: os.environ.get(name) for name in _OUTPUT}
    os.environ.update(_OUTPUT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
