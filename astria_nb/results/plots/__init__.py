"""Plots of tunes: training times, costs, and numbers of images."""

from astria_nb.results.plots._costs import costs
from astria_nb.results.plots._image_counts import image_counts
from astria_nb.results.plots._timeline import timeline

__all__ = [
    "costs",
    "image_counts",
    "timeline",
]
