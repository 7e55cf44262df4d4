"""Pictures on the disk, and what the service will delete."""

from astria_nb.results.downloads._download import download as download
from astria_nb.results.downloads._expiring import expiring as expiring
