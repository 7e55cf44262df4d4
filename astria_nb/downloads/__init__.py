"""Pictures on the disk, and what the service will delete."""

from astria_nb.downloads.downloading import download as download
from astria_nb.downloads.expiry import expiring as expiring
