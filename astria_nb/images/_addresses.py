"""Images at addresses that fsspec opens: ``s3://``, ``gs://``, ``memory://``, ``file://`` and others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any

from astria_nb.images._content import read_block
from astria_nb.images._decoding import InvalidImageError
from astria_nb.images._folder import SUFFIXES, is_hidden, natural_order
from astria_nb.utils.redaction import PLACEHOLDER, redact_text

# "C:\\" is a Windows path. Web addresses have their own field.
_ADDRESS = re.compile(r"(?!https?://|data:)[a-z][a-z0-9+.-]+(?:://|::)\S", re.IGNORECASE)
_USER = re.compile(r"://([^/?#]+)@")
_MAGIC = frozenset("*[")  # a question mark begins a version or a signature


def is_address(text: str) -> bool:
    """Return whether a text is an address that fsspec may open.

    Examples
    --------
    >>> is_address("s3://bucket/1.jpg"), is_address("https://example.com/1.jpg"), is_address("photos/1.jpg")
    (True, False, False)
    """
    return _ADDRESS.match(text) is not None


def name_of(address: str) -> str:
    """Return the file name in an address.

    Examples
    --------
    >>> name_of("s3://bucket/photos/1.jpg"), name_of("zip://1.jpg::s3://bucket/photos.zip")
    ('1.jpg', '1.jpg')
    """
    first = address.partition("::")[0] if "://" in address.partition("::")[0] else address
    return PurePosixPath(first.partition("?")[0]).name


def is_many(address: str) -> bool:
    """Return whether an address is that of a folder, which ends with ``/``, or a pattern.

    Examples
    --------
    >>> is_many("s3://bucket/photos/"), is_many("s3://bucket/*.jpg"), is_many("s3://bucket/1.jpg?versionId=5")
    (True, True, False)
    """
    return address.endswith("/") or bool(_MAGIC & set(address))


def blocks_at(address: str) -> Iterator[bytes]:
    """Yield the content at an address, block by block.

    Raises
    ------
    InvalidImageError
        The content cannot be read; the error says why.
    """
    with _translated(address):
        fs, path = _resolved(address)
        try:
            file = fs.open(path, "rb")
        except (FileNotFoundError, IsADirectoryError):
            if fs.isdir(path):
                hint = "end the address with / for the images in it"
                raise InvalidImageError("is a folder", hint) from None
            raise
        with file:
            while block := read_block(file):
                yield block


def images_at(address: str) -> list[str] | None:
    """Return the addresses of the images in a folder, or of those that a pattern matches; None for a file.

    As in a folder on disk, hidden and empty files are left out, and the order is natural.

    Raises
    ------
    InvalidImageError
        It cannot be listed, or there is no image.
    """
    with _translated(address):
        fs, path = _resolved(address)
        is_pattern = bool(_MAGIC & set(path)) and not fs.exists(path)
        if not is_pattern and not fs.isdir(path):
            return None
        details = fs.glob(path, detail=True).values() if is_pattern else fs.ls(path, detail=True)
        paths = [entry["name"] for entry in details if _is_image(entry)]
        if not paths:
            what = "matches no image" if is_pattern else "is a folder without an image"
            raise InvalidImageError(what, "check the address")
        _, separator, chain = address.partition("::")
        suffix = separator + chain if "://" in address.partition("::")[0] else ""
        return [f"{fs.unstrip_protocol(path)}{suffix}" for path in sorted(paths, key=natural_order)]


def _is_image(entry: dict[str, Any]) -> bool:
    name = PurePosixPath(entry["name"]).name
    is_file = entry.get("type") == "file" and entry.get("size") != 0
    return is_file and not is_hidden(name) and name.lower().endswith(SUFFIXES)


def _resolved(address: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path on it."""
    try:
        from fsspec.core import url_to_fs  # an extra
    except ImportError:
        hint = "pip install 'astria-nb[fsspec]', or download it, and give the path of the file"
        raise InvalidImageError("is an address, which cannot be opened here", hint) from None
    fs, path = url_to_fs(address)
    return fs, str(path)


@contextmanager
def _translated(address: str) -> Iterator[None]:
    """Explain why an address cannot be read: its file system may raise anything."""
    try:
        yield
        return
    except InvalidImageError:
        raise
    except FileNotFoundError:
        what, hint = "does not exist", "check the address, or remove it"
    except ImportError as error:  # fsspec names the package of the file system
        what, hint = (
            f"needs a package that is not installed ({_without_secrets(error, address)})",
            "install it",
        )
    except PermissionError:
        what, hint = "may not be read", "check your credentials for it, or download it and give its path"
    except Exception as error:  # noqa: BLE001
        what = f"cannot be read ({type(error).__name__}: {_without_secrets(error, address)})"
        hint = "check the address and your credentials for it, or download it and give its path"
    raise InvalidImageError(what, hint)


def _without_secrets(error: Exception, address: str) -> str:
    """Return the text of a file system's error, which may quote a part of the address."""
    text = redact_text(str(error))
    for secret in _USER.findall(address):
        text = text.replace(secret, PLACEHOLDER)
    return text
