"""The record on disk of every submission."""

from astria_nb.log.log import DEFAULT_PATH as DEFAULT_PATH
from astria_nb.log.log import Log as Log
