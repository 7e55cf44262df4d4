"""What a sender of callbacks has to know, as part of an address."""

from __future__ import annotations

import hmac
import re
import secrets
from typing import NoReturn
from urllib.parse import parse_qsl, urlsplit

from astria_nb.errors import AstriaError, Problem

_NAME = "secret"  # a value of this name is taken out of whatever is recorded (`astria_nb.redaction`)
_GOOD = re.compile(r"[A-Za-z0-9._~-]{20,200}")
_MOST_PAIRS = 50  # of a query string that is looked at


class Secret:
    """A secret that can be compared and put into an address, but is not shown.

    Parameters
    ----------
    text : str, optional
        Default: a fresh one.

    Raises
    ------
    AstriaError
        It is too short to be one, or would have to be encoded in an address.

    Examples
    --------
    >>> secret = Secret("a-secret-of-an-example")
    >>> secret, secret.is_in("/?secret=a-secret-of-an-example"), secret.is_in("/?secret=guessed")
    (Secret(…), True, False)
    """

    __slots__ = ("__text",)

    def __init__(self, text: str | None = None) -> None:
        try:
            if text is not None and not (isinstance(text, str) and _GOOD.fullmatch(text)):
                what = "is no text of 20 to 200 letters, digits and . _ ~ -"
                raise AstriaError(
                    Problem("secret", what, "leave it out, or make one with secrets.token_urlsafe()")
                )
            self.__text = text if text is not None else secrets.token_urlsafe(32)
        finally:
            del text  # a traceback can show the variables of each frame

    def is_in(self, target: str) -> bool:
        """Tell whether the target of a request holds it; how long that takes tells nothing."""
        try:
            given = dict(parse_qsl(urlsplit(target).query, max_num_fields=_MOST_PAIRS))
        except ValueError:
            return False
        return hmac.compare_digest(given.get(_NAME, "").encode("utf-8", "replace"), self.__text.encode())

    def added_to(self, url: str) -> str:
        """Return an address with it in its query string."""
        return f"{url}{'&' if urlsplit(url).query else '?'}{_NAME}={self.__text}"

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not written anywhere: give it to a new one")
