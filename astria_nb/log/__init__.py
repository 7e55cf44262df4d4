"""The experiment log: a record on disk of every submission."""

from astria_nb.log.log import Log as Log
from astria_nb.log.log_file import DEFAULT_PATH as DEFAULT_PATH
