"""Plots of tunes: training times, costs, and numbers of images."""

from astria_nb.results.plots._costs import costs as costs
from astria_nb.results.plots._image_counts import image_counts as image_counts
from astria_nb.results.plots._timeline import timeline as timeline
