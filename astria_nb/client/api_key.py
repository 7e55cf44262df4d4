"""An API key that can be used but not seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from astria_nb.errors import CredentialsError, Problem

KEY_PAGE = "https://www.astria.ai/users/edit#api"


class ApiKey:
    """A key that can be used but not seen.

    It shows its last four letters in ``print``, ``repr``, f-strings and format, and refuses to be pickled or
    copied.

    Parameters
    ----------
    secret : str
        The key, ``sd_`` and what follows.

    Raises
    ------
    CredentialsError
        When the text cannot be a key.

    Examples
    --------
    >>> ApiKey("sd_not_a_real_key")
    sd_…_key
    """

    __slots__ = ("__secret",)

    def __init__(self, secret: str) -> None:
        try:
            # Anything but plain visible ASCII could not travel in a header, or would end it early.
            if not isinstance(secret, str) or not _is_key(secret.strip()):
                raise CredentialsError(
                    Problem(
                        "api_key", "is not an Astria key (they begin with sd_)", f"copy yours from {KEY_PAGE}"
                    )
                )
            self.__secret = secret.strip()
        finally:
            del secret  # a traceback can show the variables of each frame

    def bearer(self) -> str:
        """Return the value of the ``Authorization`` header."""
        return f"Bearer {self.__secret}"

    def hide(self, text: str) -> str:
        """Return a text with the key in it, should someone have repeated it, made unreadable."""
        return text.replace(self.__secret, repr(self))

    def hide_in(self, data: Any) -> Any:
        """Return JSON likewise, at any depth."""
        if isinstance(data, str):
            return self.hide(data)
        if isinstance(data, list):
            return [self.hide_in(each) for each in data]
        if isinstance(data, dict):
            return {self.hide(key): self.hide_in(each) for key, each in data.items()}
        return data

    def store(self, keep: Callable[[str], None]) -> None:
        """Hand the key to something that keeps it safely, such as the system's keyring."""
        keep(self.__secret)

    def __repr__(self) -> str:
        return f"sd_…{self.__secret[-4:]}"

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ApiKey) and self.__secret == other.__secret

    def __hash__(self) -> int:
        return hash(self.__secret)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(
            "an API key is not written anywhere: pickle the tune or the row, and make a new Client"
        )


def _is_key(text: str) -> bool:
    return text.startswith("sd_") and len(text) >= 8 and all("!" <= c <= "~" for c in text)
