"""Tunes as pictures: when they trained, what they cost, how many images came of them."""

from astria_nb.plots.cost_bars import costs as costs
from astria_nb.plots.image_bars import image_counts as image_counts
from astria_nb.plots.time_bars import timeline as timeline
