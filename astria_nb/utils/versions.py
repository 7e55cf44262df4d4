"""Whether the libraries that this process has loaded have suitable versions."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from astria_nb.errors import AstriaError, Problem

_DISTRIBUTION = "astria-nb"
_MODULES = {
    "pillow": "PIL",
    _DISTRIBUTION: "astria_nb",
}  # names that differ from the package's
# A requirement of this package; those of extras have a condition after a semicolon. The complete parser of
# `packaging` takes 10 ms to import.
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)\s*(?P<versions>[^;\[]*)")
_VERSION = re.compile(r"^Version:[ \t]*(?P<version>\S+)", re.MULTILINE | re.IGNORECASE)
_RESTART = "restart the kernel, and run the cell again"


def version_problems() -> list[Problem]:
    """Return a problem for each library whose version does not fit.

    A kernel keeps using the versions that it has loaded, whatever pip installs later. They may be older than
    this package requires, or parts that are imported later may come from another version.

    Returns
    -------
    list of Problem
        The field is the library's name.
    """
    changed_at = cache(_time_of_change)  # most libraries are in one folder
    problems = (_of_module(name, required, changed_at) for name, required in _requirements().items())
    return [problem for problem in problems if problem is not None]


def check_versions() -> None:
    """Raise an error if a loaded library does not fit.

    Raises
    ------
    AstriaError
        With the problems that `version_problems` returns.
    """
    if problems := version_problems():
        raise AstriaError(*problems)


def installed_version(name: str) -> str | None:
    """Return the version of a package that is installed, or None.

    Parameters
    ----------
    name : str
        The name that pip uses.
    """
    try:
        return _version_of(metadata.distribution(name))
    except (metadata.PackageNotFoundError, OSError):
        return None


def _version_of(distribution: metadata.Distribution) -> str | None:
    """Return its version. Python would parse all metadata, even a README, which takes ten times as long."""
    texts = map(distribution.read_text, ("METADATA", "PKG-INFO", ""))
    match = _VERSION.search(next(filter(None, texts), ""))
    return None if match is None else match["version"]


@cache
def _requirements() -> dict[str, SpecifierSet]:
    """Return what this package requires, as pip recorded it; empty if it is not installed by pip."""
    try:
        lines = metadata.requires(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return {}
    required = [match for line in lines if (match := _REQUIREMENT.fullmatch(line))]
    needed = {match["name"].lower(): SpecifierSet(match["versions"]) for match in required}
    return {**needed, _DISTRIBUTION: SpecifierSet()}


def _of_module(name: str, required: SpecifierSet, changed_at: Callable[[Path | None], int]) -> Problem | None:
    module = sys.modules.get(_MODULES.get(name, name))
    if module is None:
        return _of_installed(name, required)
    # Not with getattr: some modules warn on access.
    version, file = vars(module).get("__version__"), vars(module).get("__file__")
    if not isinstance(version, str):
        return None
    folder = _folder_of(file) if isinstance(file, str) else None
    return _of_loaded(name, version, required, folder, changed_at(folder))


@cache
def _folder_of(file: str) -> Path:
    """Return the folder that contains the package of this file."""
    return Path(file).parents[1]


@cache
def _of_installed(name: str, required: SpecifierSet) -> Problem | None:
    """Return what is wrong with a version that is not loaded yet: pip may have ignored requirements."""
    if (version := installed_version(name)) is None:
        return None
    try:
        fits = _base(Version(version)) in required
    except InvalidVersion:
        return None
    what = f"version {version} is installed, and {required} is needed"
    return None if fits else Problem(name, what, f"{_installing(name, required)}, then {_RESTART}")


@lru_cache  # it reads files, and a form asks at each keystroke
def _of_loaded(
    name: str, loaded: str, required: SpecifierSet, folder: Path | None, _changed_at: int
) -> Problem | None:
    """Return what is wrong with a loaded version. When pip changes the folder, `_changed_at` changes."""
    found = metadata.distributions(name=name, path=[str(folder)]) if folder else ()
    try:
        installed = [Version(str(_version_of(distribution))) for distribution in found]
        version = _base(Version(loaded))
    except InvalidVersion:  # pip left a broken installation
        return None
    if version not in required and version != Version("0"):  # 0: built outside version control
        is_replaced = any(_base(other) in required for other in installed)
        hint = _RESTART if is_replaced else f"{_installing(name, required)}, then {_RESTART}"
        return Problem(name, f"version {loaded} is loaded, and {required} is needed", hint)
    if installed and version not in map(_base, installed):
        return Problem(name, f"version {loaded} is loaded, but {max(installed)} is installed", _RESTART)
    return None


def _installing(name: str, required: SpecifierSet) -> str:
    return f"run pip install '{name}{required}'"


def _base(version: Version) -> Version:
    """Return a version without the parts for a build or a release candidate."""
    return Version(version.base_version)


def _time_of_change(folder: Path | None) -> int:
    try:
        return folder.stat().st_mtime_ns if folder else 0
    except OSError:
        return 0
