"""The route that inspects a training image."""

from flask import Response

from astria_nb.sandbox._errors import invalid
from astria_nb.sandbox.params import casts
from astria_nb.sandbox.params.body_parser import discard
from astria_nb.sandbox.routes._service import Service, reply
from astria_nb.sandbox.uploads import Upload
from astria_nb.sandbox.uploads.fetch import FetchError
from astria_nb.sandbox.validation import inspect, inspect_url, is_url, shortened


class ImageRoutes:
    """One method per route."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def inspect(self) -> Response:
        """Describe an image, and what makes it unsuitable for training."""
        with self._service.params() as params:
            name = casts.non_blank(params.get("name")) or ""
            file, url = params.get("file"), params.get("file_url")
            if isinstance(file, Upload):
                report = inspect(file.path, file.filename, name)
            elif isinstance(url, str) and is_url(url):
                report = self._from_url(url, name)
            elif casts.non_blank(url):
                raise invalid({"file_url": [f"{shortened(url)} is not a percent-encoded http(s) URL"]})
            else:
                raise invalid({"file": ["can't be blank: send file or file_url"]})
            discard(params)
        return reply(report)

    def _from_url(self, url: str, name: str) -> dict[str, object]:
        if not self._service.options.fetch_urls:
            return inspect_url(url, name)
        try:
            upload = self._service.download(url)
        except FetchError as error:
            raise invalid({"file_url": [f"could not download {shortened(url)}: {error}"]}) from None
        try:
            return inspect(upload.path, upload.filename, name)
        finally:
            upload.path.unlink(missing_ok=True)
