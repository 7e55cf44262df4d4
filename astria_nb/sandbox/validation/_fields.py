"""Read the fields of a request one by one, and report all their errors at once."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from astria_nb.sandbox._errors import bad_request, invalid
from astria_nb.sandbox._options import Options
from astria_nb.sandbox.params import Param, Params, casts
from astria_nb.sandbox.uploads import Upload
from astria_nb.sandbox.uploads.fetch import FetchError
from astria_nb.sandbox.uploads.image_check import image_problem

_MAX_CAPTION = 2**16
_URL = re.compile(r"https?://(?:%[0-9A-Fa-f]{2}|[!#$&'()*+,/0-9:;=?@A-Z\[\]_a-z~.-])+")


class Fields:
    """What was sent under one name, such as `tune`.

    Parameters
    ----------
    params : mapping
        All parameters of the request.
    wrapper : str
        The name.
    options : Options
        Says which images are accepted.
    download : callable, optional
        Returns the file at a URL; by default URLs are not downloaded.
    needed : bool
        Whether there must be parameters under that name.

    Attributes
    ----------
    sent : dict
        The parameters under that name.
    downloaded : list of Upload
        The files that were downloaded.

    Raises
    ------
    Refusal
        400 if there are no parameters under that name.
    """

    def __init__(
        self,
        params: Params,
        wrapper: str,
        options: Options,
        download: Callable[[str], Upload] | None = None,
        *,
        needed: bool = True,
    ) -> None:
        sent = params.get(wrapper) or ({} if not needed else None)
        if not isinstance(sent, dict) or (needed and not sent):
            raise bad_request(f"param is missing or the value is empty: {wrapper}")
        self.sent = sent
        self.options = options
        self.downloaded: list[Upload] = []
        self._download = download
        self._errors: dict[str, list[str]] = {}

    def __contains__(self, field: str) -> bool:
        return field in self.sent

    def add_error(self, field: str, message: str) -> None:
        """Add an error of a field; duplicates are ignored."""
        messages = self._errors.setdefault(field, [])
        if message not in messages:
            messages.append(message)

    def report_to(self, other: "Fields", prefix: str) -> None:
        """Add all errors to those of other fields, under their names with a prefix."""
        for field, messages in self._errors.items():
            for message in messages:
                other.add_error(prefix + field, message)

    def has_error(self, field: str) -> bool:
        """Return whether a field has an error."""
        return field in self._errors

    def check(self) -> None:
        """Refuse the request if any field has an error (422)."""
        if self._errors:
            raise invalid(self._errors)

    def text(self, field: str) -> str | None:
        """Return text; None if it is missing or blank."""
        return casts.non_blank(self.sent.get(field))

    def required(self, field: str) -> str:
        """Return text that must not be blank."""
        if self.text(field) is None:
            self.add_error(field, "can't be blank")
        return casts.text(self.sent.get(field)) or ""

    def flag(self, field: str) -> bool:
        """Return a boolean; False if it is missing."""
        return casts.boolean(self.sent.get(field))

    def optional_flag(self, field: str) -> bool | None:
        """Return a boolean; None if it is missing or blank."""
        return None if self.sent.get(field) in (None, "") else self.flag(field)

    def integer(self, field: str, low: int, high: int) -> int | None:
        """Return a whole number within bounds; None if it is missing or blank."""
        value = self.sent.get(field)
        if value in (None, ""):
            return None
        number = casts.integer(value)
        if number is None or not low <= number <= high:
            self.add_error(field, f"must be a whole number from {low} to {high}")
        return number

    def choice(self, field: str, choices: tuple[str, ...]) -> str | None:
        """Return one of these choices; None if it is missing or blank."""
        value = self.sent.get(field)
        if value in (None, "", "null"):
            return None
        if value not in choices:
            self.add_error(field, f"is not included in the list: {', '.join(choices)}")
        return casts.text(value)

    def items(self, field: str, *, by_index: bool = False) -> list[Param]:
        """Return the elements of a list without the blank ones; `by_index` as `index_keys` of the options."""
        value, by_index = self.sent.get(field), by_index or self.options.index_keys == "list"
        items = casts.items(value, by_index=by_index)
        if items is None and isinstance(value, dict) and casts.items(value, by_index=True) is not None:
            return []  # as by strong parameters, which permit a list only
        if items is None:
            self.add_error(field, "must be an array")
        return items or []

    def strings(self, field: str) -> dict[str, str]:
        """Return an object of strings, sent as an object or as JSON text."""
        strings = casts.strings(self.sent.get(field))
        if strings is None:
            self.add_error(field, "must be an object of strings")
        return strings or {}

    def images(self) -> tuple[Upload, ...]:
        """Return the images that were uploaded or downloaded, without captions."""
        uploads = []
        for value in self.items("images"):
            if not isinstance(value, Upload):
                self.add_error("images", f"{shortened(value)} is not a file")
            elif not _is_caption(value):
                uploads.append(value)
                if problem := self._image_problem(value):
                    self.add_error("images", problem)
        return (*uploads, *self._downloads())

    def image_urls(self) -> tuple[str, ...]:
        """Return the URLs of images, unless they are downloaded."""
        return () if self._download else self._urls()

    def _urls(self) -> tuple[str, ...]:
        urls = []
        for value in self.items("image_urls"):
            if isinstance(value, str) and is_url(value):
                urls.append(value)
            else:
                self.add_error("image_urls", f"{shortened(value)} is not a percent-encoded http(s) URL")
        return tuple(urls)

    def _downloads(self) -> list[Upload]:
        """Download the images named by URL, unless there are errors already."""
        if self._download is None or not (urls := self._urls()) or self._errors:
            return []
        for url in urls:
            try:
                self.downloaded.append(self._download(url))
            except FetchError as error:
                self.add_error("image_urls", f"could not download {shortened(url)}: {error}")
            else:
                if problem := self._image_problem(self.downloaded[-1]):
                    self.add_error("image_urls", f"could not use {shortened(url)}: {problem}")
        return self.downloaded

    def check_enough_images(self) -> None:
        """Require as many images as a tune needs, uploaded or named by URL."""
        files = [
            value for value in self.items("images") if not (isinstance(value, Upload) and _is_caption(value))
        ]
        count, minimum = len(files) + len(self.items("image_urls")), self.options.min_images
        if self.has_error("images") or self.has_error("image_urls"):
            return
        if not count:
            self.add_error("images", "can't be blank: send images or image_urls")
        elif count < minimum:
            self.add_error("images", f"are too few (minimum is {minimum})")

    def _image_problem(self, upload: Upload) -> str | None:
        if upload.content_type == "image/webp" and not self.options.accept_webp:
            return f"{upload.filename} is not a JPEG or PNG image"
        return image_problem(upload)


def _is_caption(upload: Upload) -> bool:
    """Return whether a file is the caption of an image (astria-api, section 12)."""
    if not upload.filename.lower().endswith(".txt") or upload.size > _MAX_CAPTION:
        return False
    try:
        return "\0" not in upload.path.read_text("utf-8")
    except UnicodeDecodeError:
        return False


def is_url(value: str) -> bool:
    """Return whether a text is a percent-encoded http(s) URL.

    Examples
    --------
    >>> is_url("https://example.com/a%20b.jpg"), is_url("https://example.com/a b.jpg")
    (True, False)
    """
    try:
        return bool(_URL.fullmatch(value) and urlsplit(value).hostname)
    except ValueError:  # a host in broken brackets
        return False


def shortened(value: Param) -> str:
    """Return a value as text for a message, at most 100 characters long."""
    text = value.filename if isinstance(value, Upload) else str(value)
    return text if len(text) <= 100 else f"{text[:99]}…"
