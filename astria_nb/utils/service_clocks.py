"""The clocks of services, as this process has read them: a service's clock may be far from this machine's."""

from __future__ import annotations

from datetime import timedelta

from astria_nb.utils.service_address import recorded_service

_ahead: dict[str, timedelta] = {}


def note_clock(service: str, ahead: timedelta) -> None:
    """Note by how much a service's clock is ahead of this machine's.

    Parameters
    ----------
    service : str
        As a client names it: its address, and the end of a sandbox's key.
    ahead : timedelta
        Negative for a clock that is behind.
    """
    _ahead[recorded_service(service)] = ahead


def clock_of(service: str) -> timedelta:
    """Return by how much a service's clock is ahead of this machine's; zero if that is not known.

    Parameters
    ----------
    service : str
        As in `note_clock`.
    """
    return _ahead.get(recorded_service(service), timedelta(0))


def clocks() -> dict[str, timedelta]:
    """Return by how much the known clocks of services are ahead of this machine's.

    The keys are those of the column ``service`` of rows.
    """
    return dict(_ahead)
