"""The fields of a request, read one by one; all that is wrong with them is told at once."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from astria_nb.sandbox.errors import bad_request, invalid
from astria_nb.sandbox.options import Options
from astria_nb.sandbox.params import casts
from astria_nb.sandbox.params.tree import Param, Params
from astria_nb.sandbox.uploads.fetch import FetchError
from astria_nb.sandbox.uploads.image_check import image_problem
from astria_nb.sandbox.uploads.spool import Upload

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
        Settles what the specification leaves open about images.
    download : callable, optional
        Returns the file at an address; by default addresses are only noted down.

    Attributes
    ----------
    downloaded : list of Upload
        The files that were downloaded.

    Raises
    ------
    Refusal
        400 when nothing was sent under it.
    """

    def __init__(
        self,
        params: Params,
        wrapper: str,
        options: Options,
        download: Callable[[str], Upload] | None = None,
    ) -> None:
        sent = params.get(wrapper)
        if not isinstance(sent, dict) or not sent:
            raise bad_request(f"param is missing or the value is empty: {wrapper}")
        self.sent = sent
        self.options = options
        self.downloaded: list[Upload] = []
        self._download = download
        self._errors: dict[str, list[str]] = {}

    def __contains__(self, field: str) -> bool:
        return field in self.sent

    def wrong(self, field: str, message: str) -> None:
        """Note what is wrong with a field."""
        messages = self._errors.setdefault(field, [])
        if message not in messages:
            messages.append(message)

    def is_wrong(self, field: str) -> bool:
        """Tell whether something is wrong with a field."""
        return field in self._errors

    def check(self) -> None:
        """Refuse the request if anything is wrong (422): field → messages."""
        if self._errors:
            raise invalid(self._errors)

    def text(self, field: str) -> str | None:
        """Return text that is not blank, else None."""
        return casts.filled(self.sent.get(field))

    def required(self, field: str) -> str:
        """Return text as it was sent, which must not be blank."""
        if self.text(field) is None:
            self.wrong(field, "can't be blank")
        return casts.text(self.sent.get(field)) or ""

    def flag(self, field: str) -> bool:
        """Return a boolean; false when it was not sent."""
        return casts.boolean(self.sent.get(field))

    def optional_flag(self, field: str) -> bool | None:
        """Return a boolean; None when it was not sent."""
        return None if self.sent.get(field) in (None, "") else self.flag(field)

    def whole(self, field: str, low: int, high: int) -> int | None:
        """Return a whole number within bounds; None when it was not sent."""
        value = self.sent.get(field)
        if value in (None, ""):
            return None
        number = casts.whole(value)
        if number is None or not low <= number <= high:
            self.wrong(field, f"must be a whole number from {low} to {high}")
        return number

    def choice(self, field: str, choices: tuple[str, ...]) -> str | None:
        """Return one of a few texts; None when it was not sent."""
        value = self.sent.get(field)
        if value in (None, "", "null"):
            return None
        if value not in choices:
            self.wrong(field, f"is not included in the list: {', '.join(choices)}")
        return casts.text(value)

    def items(self, field: str) -> list[Param]:
        """Return the elements of a list without blank ones."""
        found = casts.items(self.sent.get(field))
        if found is None:
            self.wrong(field, "must be an array")
        return found or []

    def strings(self, field: str) -> dict[str, str]:
        """Return an object of strings, sent as one or as JSON text."""
        found = casts.strings(self.sent.get(field))
        if found is None:
            self.wrong(field, "must be an object of strings")
        return found or {}

    def images(self) -> tuple[Upload, ...]:
        """Return the images that were uploaded or downloaded; captions beside them are left out."""
        for value in self.items("images"):
            if not isinstance(value, Upload):
                self.wrong("images", f"{shown(value)} is not a file")
            elif not _is_caption(value) and (fault := self._fault(value)):
                self.wrong("images", fault)
        uploads = [
            each for each in self.items("images") if isinstance(each, Upload) and not _is_caption(each)
        ]
        return (*uploads, *self._downloads())

    def image_urls(self) -> tuple[str, ...]:
        """Return the addresses of images that were not downloaded."""
        return () if self._download else self._urls()

    def _urls(self) -> tuple[str, ...]:
        urls = []
        for value in self.items("image_urls"):
            if isinstance(value, str) and is_url(value):
                urls.append(value)
            else:
                self.wrong("image_urls", f"{shown(value)} is not a percent-encoded http(s) URL")
        return tuple(urls)

    def _downloads(self) -> list[Upload]:
        """Download what is named by its address, unless something is wrong already."""
        if self._download is None or not (urls := self._urls()) or self._errors:
            return []
        for url in urls:
            try:
                self.downloaded.append(self._download(url))
            except FetchError as error:
                self.wrong("image_urls", f"could not download {shown(url)}: {error}")
            else:
                if fault := self._fault(self.downloaded[-1]):
                    self.wrong("image_urls", f"could not use {shown(url)}: {fault}")
        return self.downloaded

    def check_enough_images(self) -> None:
        """Insist on as many images as a tune needs, uploaded or named by their addresses."""
        files = [
            each for each in self.items("images") if not (isinstance(each, Upload) and _is_caption(each))
        ]
        sent, least = len(files) + len(self.items("image_urls")), self.options.min_images
        if self.is_wrong("images") or self.is_wrong("image_urls"):
            return
        if not sent:
            self.wrong("images", "can't be blank: send images or image_urls")
        elif sent < least:
            self.wrong("images", f"are too few (minimum is {least})")

    def _fault(self, upload: Upload) -> str | None:
        if upload.content_type == "image/webp" and not self.options.accept_webp:
            return f"{upload.filename} is not a JPEG or PNG image"
        return image_problem(upload)


def _is_caption(upload: Upload) -> bool:
    """Tell whether a file is text beside an image (astria-api, section 12)."""
    if not upload.filename.lower().endswith(".txt") or upload.size > _MAX_CAPTION:
        return False
    try:
        return "\0" not in upload.path.read_text("utf-8")
    except UnicodeDecodeError:
        return False


def is_url(value: str) -> bool:
    """Tell whether a text is a percent-encoded http(s) URL.

    Examples
    --------
    >>> is_url("https://example.com/a%20b.jpg"), is_url("https://example.com/a b.jpg")
    (True, False)
    """
    try:
        return bool(_URL.fullmatch(value) and urlsplit(value).hostname)
    except ValueError:  # a host in broken brackets
        return False


def shown(value: Param) -> str:
    """Return a short text for a value in a message."""
    text = value.filename if isinstance(value, Upload) else str(value)
    return text if len(text) <= 100 else f"{text[:99]}…"
