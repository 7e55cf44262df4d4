"""The fields of a request, read one by one; all that is wrong with them is told at once."""

import re
from urllib.parse import urlsplit

from . import casts
from .errors import bad_request, invalid
from .images import image_fault
from .params import Param, Params
from .uploads import Upload

_URL = re.compile(r"https?://(?:%[0-9A-Fa-f]{2}|[!#$&'()*+,/0-9:;=?@A-Z\[\]_a-z~.-])+")


class Fields:
    """What was sent under one name, such as `tune`.

    Parameters
    ----------
    params : mapping
        All parameters of the request.
    wrapper : str
        The name.

    Raises
    ------
    Refusal
        400 when nothing was sent under it.
    """

    def __init__(self, params: Params, wrapper: str) -> None:
        sent = params.get(wrapper)
        if not isinstance(sent, dict) or not sent:
            raise bad_request(f"param is missing or the value is empty: {wrapper}")
        self.sent = sent
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
        """Return the uploaded images."""
        uploads = []
        for value in self.items("images"):
            fault = image_fault(value) if isinstance(value, Upload) else f"{shown(value)} is not a file"
            if fault:
                self.wrong("images", fault)
            elif isinstance(value, Upload):
                uploads.append(value)
        return tuple(uploads)

    def image_urls(self) -> tuple[str, ...]:
        """Return the addresses of images."""
        urls = []
        for value in self.items("image_urls"):
            if isinstance(value, str) and is_url(value):
                urls.append(value)
            else:
                self.wrong("image_urls", f"{shown(value)} is not a percent-encoded http(s) URL")
        return tuple(urls)

    def check_some_image(self) -> None:
        """Insist on an image, uploaded or named by its address."""
        sent = self.items("images") + self.items("image_urls")
        if not sent and not (self.is_wrong("images") or self.is_wrong("image_urls")):
            self.wrong("images", "can't be blank: send images or image_urls")


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
