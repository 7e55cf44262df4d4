"""Tunes in tools for experiment tracking."""

from astria_nb.results.tracking._to_mlflow import to_mlflow

__all__ = ["to_mlflow"]
