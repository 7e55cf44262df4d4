"""Tunes as pictures: when they trained, what they cost, how many images came of them."""

from astria_nb.results.plots._costs import costs as costs
from astria_nb.results.plots._image_counts import image_counts as image_counts
from astria_nb.results.plots._timeline import timeline as timeline
