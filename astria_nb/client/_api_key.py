"""An API key that can be used but not read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from astria_nb.errors import CredentialsError, Problem

SANDBOX_PREFIX = "sd_sandbox_"
_RULE = "they begin with sd_ and have at least 8 characters, all visible ASCII"
KEY_PAGE = "https://www.astria.ai/users/edit#api"


class ApiKey:
    """An API key that can be used but not read.

    ``print``, ``repr``, f-strings and ``format`` show only its last four letters, and it cannot be pickled or
    copied.

    Parameters
    ----------
    secret : str
        The key; it begins with ``sd_``. White space around it is removed.

    Raises
    ------
    CredentialsError
        The text cannot be a key.

    Examples
    --------
    >>> ApiKey("sd_not_a_real_key")
    sd_…_key
    """

    __slots__ = ("__secret",)

    def __init__(self, secret: str) -> None:
        self.__secret = ""  # first: a traceback also shows an object whose creation failed
        try:
            # Other characters cannot be sent in a header, or would end the header early.
            if not isinstance(secret, str) or not _is_key(secret.strip()):
                hint = f"copy yours from {KEY_PAGE}"
                raise CredentialsError(Problem("api_key", f"is not an Astria key ({_RULE})", hint))
            self.__secret = secret.strip()
        finally:
            del secret  # a traceback can show the variables of each frame

    @property
    def is_of_sandbox(self) -> bool:
        """Whether it is the key of a sandbox, which gives access to nothing else."""
        return self.__secret.startswith(SANDBOX_PREFIX)

    def bearer(self) -> str:
        """Return the value of the ``Authorization`` header."""
        return f"Bearer {self.__secret}"

    def redact(self, text: str) -> str:
        """Return a text with the key replaced by its ``repr``.

        Parameters
        ----------
        text : str
        """
        return text.replace(self.__secret, repr(self))

    def redact_json(self, data: Any) -> Any:
        """Return JSON data with the key replaced in every key and value, at any depth.

        Parameters
        ----------
        data : dict, list, str, float, bool or None
        """
        if isinstance(data, str):
            return self.redact(data)
        if isinstance(data, list):
            return [self.redact_json(value) for value in data]
        if isinstance(data, dict):
            return {self.redact(key): self.redact_json(value) for key, value in data.items()}
        return data

    def store(self, keep: Callable[[str], None]) -> None:
        """Pass the key to a function that stores it safely, such as the system's keyring.

        Parameters
        ----------
        keep : callable
            Called with the secret.
        """
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
            "an API key cannot be pickled or copied: pickle the tune or the row, and make a new Client"
        )


def _is_key(text: str) -> bool:
    return text.startswith("sd_") and len(text) >= 8 and all("!" <= c <= "~" for c in text)
