"""Tunes in the tools that people track their experiments with."""

from astria_nb.results.tracking._to_mlflow import to_mlflow

__all__ = ["to_mlflow"]
