"""The address of a log's database on a PostgreSQL server, without showing its password."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from astria_nb.errors import LogError, Problem

_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
# Options of the PostgreSQL library whose values are secret.
_SECRETS = ("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")
_HINT = (
    "write it as 'postgresql://user@host:5432/database', and special characters of a password as "
    "urllib.parse.quote(password, safe='') gives them"
)
# Passwords given in this process, by the address: copies of a log find them, other processes do not.
_secrets: dict[str, dict[str, str]] = {}


def is_server_address(location: object) -> bool:
    """Return whether a value is the address of a database on a server."""
    return isinstance(location, str) and location.strip().lower().startswith(("postgres://", "postgresql"))


class ServerAddress(str):
    """The address of a database, without the password.

    It is the `path` of a log on a server. It is pickled as this text: another process needs the password in
    ``PGPASSWORD``, in ``~/.pgpass`` or in a service file, where the PostgreSQL library looks for it.

    Parameters
    ----------
    address : str
        ``postgresql://user:password@host:5432/database?sslmode=verify-full``, where only the database is
        needed; ``postgres://`` and ``postgresql+psycopg://`` are the same. The options are those of the
        PostgreSQL library.

    Raises
    ------
    LogError
        The address is not valid, or the library is not installed.

    Examples
    --------
    >>> ServerAddress("postgres://ann:secret@db.example.com/lab?sslmode=verify-full")
    'postgresql://ann@db.example.com/lab?sslmode=verify-full'
    """

    _options: dict[str, str]

    def __new__(cls, address: str) -> ServerAddress:
        options = _parsed(str(address).strip())
        secrets = {name: options.pop(name) for name in _SECRETS if name in options}
        self = super().__new__(cls, _address_of(options))
        if secrets:
            _secrets[self] = secrets
        self._options = options
        return self

    def connect_options(self) -> dict[str, str]:
        """Return the options for the PostgreSQL library, with the password if it is known in this process."""
        return self._options | _secrets.get(self, {})

    def without_secrets(self, text: object) -> str:
        """Return a message of the library without the password."""
        message = str(text)
        for secret in _secrets.get(self, {}).values():
            message = message.replace(secret, "…") if secret else message
        return " ".join(message.split())

    def __reduce__(self) -> tuple[type[ServerAddress], tuple[str]]:
        return ServerAddress, (str.__str__(self),)


LogPath = Path | ServerAddress
"""Where a log is."""


def _parsed(address: str) -> dict[str, str]:
    """Return the options in an address. Messages never quote it: the password may be anywhere in it."""
    scheme, _, rest = address.partition("://")
    if scheme.lower() not in _SCHEMES:
        what = "an address of PostgreSQL begins with postgresql://"
        raise LogError(Problem("log", what, _HINT))
    for library in ("psycopg", "sqlalchemy"):
        if find_spec(library) is None:
            hint = "install it with: pip install 'astria-nb[postgres]'"
            raise LogError(Problem("log", f"a log on a server needs the library {library}", hint))
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    # Otherwise a part of the password may be taken for the host or the database, and be shown.
    before_options = rest.partition("?")[0]
    before_database, _, database = before_options.partition("/")
    options: dict[str, Any] | None = None
    if before_database.count("@") < 2 and "@" not in database:
        try:
            options = conninfo_to_dict(f"postgresql://{rest}")
        except (psycopg.Error, UnicodeError):
            options = None
    if options is None:
        raise LogError(Problem("log", "the address of the database cannot be understood", _HINT))
    if not (options.get("dbname") or options.get("service") or _in_environment()):
        raise LogError(Problem("log", "the address names no database", _HINT))
    return {name: str(value) for name, value in options.items() if value not in (None, "")}


def _in_environment() -> bool:
    return bool(os.environ.get("PGDATABASE") or os.environ.get("PGSERVICE"))


def _address_of(options: dict[str, str]) -> str:
    others = dict(options)
    user, database = others.pop("user", ""), others.pop("dbname", "")
    place = f"{quote(user, safe='')}@" if user else ""
    if not any(character in others.get("host", "") for character in "/,:%"):  # no socket, one host, no IPv6
        place += others.pop("host", "")
        place += f":{others.pop('port')}" if "port" in others else ""
    query = f"?{urlencode(sorted(others.items()), safe='/,:', quote_via=quote)}" if others else ""
    return f"postgresql://{place}/{quote(database, safe='')}{query}"
