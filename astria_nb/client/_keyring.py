"""The system's keyring: reading a key, and storing one where it is protected."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

SERVICE = "astria_nb"
CLEAR_TEXT_VARIABLE = "ASTRIA_NB_CLEAR_TEXT_KEYRING"
"""Name of the environment variable that allows a keyring without encryption, if it is set to 1."""
_INSTALL = "To have one, pip install 'astria-nb[keyring]' and log in again"


def read(host: str) -> str | None:
    """Return the key that is stored for a host, or None."""
    with suppress(Exception):  # not installed, no backend, locked: each backend has its own errors
        import keyring  # imported here: an optional extra, and the search for its backends is slow

        return keyring.get_password(SERVICE, host)
    return None


def protected_backend(host: str) -> tuple[Any, str]:
    """Return the backend that stores keys and its name; or None, and the reason with the next step.

    A backend that writes to a file in clear text is used only if `CLEAR_TEXT_VARIABLE` allows it. An older
    key in it for the same host is removed: otherwise it would be found before the new key, which is not
    stored there.
    """
    try:
        import keyring  # imported here: as above
        import keyring.backends.fail
        import keyring.backends.null

        backends = list(_backends(keyring.get_keyring()))
        turned_off, none_there = keyring.backends.null.Keyring, keyring.backends.fail.Keyring
    except Exception:  # noqa: BLE001  not installed, or a backend that cannot be loaded
        return None, f"no keyring is installed. {_INSTALL}"
    usable = [backend for backend in backends if not isinstance(backend, turned_off | none_there)]
    is_allowed = os.environ.get(CLEAR_TEXT_VARIABLE) == "1"
    for backend in usable:
        if is_allowed or not _is_clear_text(backend):
            return backend, str(backend.name)
    for backend in usable:
        with suppress(Exception):
            backend.delete_password(SERVICE, host)
    if usable:
        reason = f"the only keyring ({usable[0].name}) keeps keys in clear text"
        return None, f"{reason}. To allow that, set {CLEAR_TEXT_VARIABLE}=1 and log in again"
    if any(isinstance(backend, turned_off) for backend in backends):
        return None, "the keyring is turned off. To turn it on, see what keyring diagnose prints"
    return None, "this machine has no keyring"


def _backends(backend: Any) -> Iterator[Any]:
    """Yield a backend, or the backends that it delegates to, in order of priority."""
    inner = getattr(backend, "backends", None)
    if inner is None and (wrapped := getattr(backend, "_keyring", None)) is not None:
        inner = [wrapped]
    if inner is None:
        yield backend
    else:
        for part in inner:
            yield from _backends(part)


def _is_clear_text(backend: Any) -> bool:
    names = [base.__name__ for base in type(backend).__mro__]
    return any(name.startswith("Plaintext") for name in names)  # from keyrings.alt
