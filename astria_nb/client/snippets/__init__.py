"""The request of a tune as cURL, Python, JavaScript and JSON."""

from astria_nb.client.snippets._common import as_json
from astria_nb.client.snippets._curl import as_curl
from astria_nb.client.snippets._javascript import as_javascript
from astria_nb.client.snippets._python import as_python

__all__ = [
    "as_curl",
    "as_javascript",
    "as_json",
    "as_python",
]
