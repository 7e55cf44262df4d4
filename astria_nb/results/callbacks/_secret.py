"""The secret that callbacks carry in their address."""

from __future__ import annotations

import hmac
import re
import secrets
from typing import NoReturn
from urllib.parse import parse_qsl, urlsplit

from astria_nb.errors import AstriaError, Problem

_NAME = "secret"  # values with this name are removed from all records (`astria_nb.utils.redaction`)
_VALID = re.compile(r"[A-Za-z0-9._~-]{20,200}")
_MAX_FIELDS = 50  # of a query string


class Secret:
    """A secret that can be compared and added to an address, but is never shown.

    Parameters
    ----------
    text : str, optional
        20 to 200 letters, digits and ``. _ ~ -``. Default: a random one.

    Raises
    ------
    AstriaError
        The text does not have that form.

    Examples
    --------
    >>> secret = Secret("a-secret-of-an-example")
    >>> secret, secret.is_in("/?secret=a-secret-of-an-example"), secret.is_in("/?secret=guessed")
    (Secret(…), True, False)
    """

    __slots__ = ("__text",)

    def __init__(self, text: str | None = None) -> None:
        try:
            if text is not None and not (isinstance(text, str) and _VALID.fullmatch(text)):
                what = "is not text of 20 to 200 letters, digits and . _ ~ -"
                raise AstriaError(
                    Problem("secret", what, "remove it, or create one with secrets.token_urlsafe()")
                )
            self.__text = text if text is not None else secrets.token_urlsafe(32)
        finally:
            del text  # tracebacks may show local variables

    def is_in(self, target: str) -> bool:
        """Return whether the target of a request contains the secret, in constant time."""
        try:
            fields = dict(parse_qsl(urlsplit(target).query, max_num_fields=_MAX_FIELDS))
        except ValueError:
            return False
        return hmac.compare_digest(fields.get(_NAME, "").encode("utf-8", "replace"), self.__text.encode())

    def added_to(self, url: str) -> str:
        """Return an address with the secret in its query string."""
        return f"{url}{'&' if urlsplit(url).query else '?'}{_NAME}={self.__text}"

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret cannot be pickled: give its text to a new Secret")
