"""Looking at one training image."""

from flask import Response

from . import casts
from .bodies import discard
from .errors import invalid
from .fields import is_url, shown
from .images import image_fault
from .inspection import inspect, inspect_url
from .service import Service, reply
from .uploads import Upload


class ImageRoutes:
    """One method a route."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def inspect(self) -> Response:
        """Say what is on an image, and what makes it a bad one to train with."""
        with self._service.params() as params:
            name = casts.filled(params.get("name")) or ""
            file, url = params.get("file"), params.get("file_url")
            if isinstance(file, Upload):
                if fault := image_fault(file):
                    raise invalid({"file": [fault]})
                said = inspect(file.path, file.filename, name)
            elif isinstance(url, str) and is_url(url):
                said = self._from_url(url, name)
            elif casts.filled(url):
                raise invalid({"file_url": [f"{shown(url)} is not a percent-encoded http(s) URL"]})
            else:
                raise invalid({"file": ["can't be blank: send file or file_url"]})
            discard(params)
        return reply(said)

    def _from_url(self, url: str, name: str) -> dict[str, object]:
        return inspect_url(url, name)
