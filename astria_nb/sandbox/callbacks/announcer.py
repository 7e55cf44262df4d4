"""The contents of callbacks (astria-api, section 9)."""

from collections.abc import Iterable, Mapping
from functools import partial

from astria_nb.sandbox._options import Options
from astria_nb.sandbox.callbacks._courier import Courier
from astria_nb.sandbox.model import Announcement, State
from astria_nb.sandbox.views import SHORT_PROMPT, SHORT_TUNE, Address, Views


class Announcer:
    """Plans callbacks with the courier; their contents are written when they are due."""

    def __init__(
        self, courier: Courier, state: State, views: Views, address: Address, options: Options
    ) -> None:
        self._courier = courier
        self._state = state
        self._views = views
        self._address = address
        self._is_short = options.callback_fields == "short"
        self._wrapped = options.callback_body == "wrapped"

    def announce(self, announcements: Iterable[Announcement]) -> None:
        """Plan callbacks for the time when they are due."""
        for announcement in announcements:
            body = partial(self._body, announcement)
            self._courier.plan(announcement.due, announcement.event, announcement.url, body)

    def wake(self) -> None:
        """Check which callbacks are due, after the clock was moved."""
        self._courier.wake()

    def _body(self, announcement: Announcement) -> object:
        event, due = announcement.event, announcement.due
        self._address.ask_again(announcement.service_url)
        if event == "tune":
            tune = self._state.own_tune(announcement.subjects[0])
            bodies = [self._shown(self._views.tune(tune, due), SHORT_TUNE)] if tune else []
        else:
            prompts = map(self._state.prompt, announcement.subjects)
            bodies = [
                self._shown(self._views.prompt(prompt, due), SHORT_PROMPT) for prompt in prompts if prompt
            ]
        if event == "prompts":
            return bodies
        if not bodies:
            raise ValueError(f"not sent: the {event} was deleted")
        return {event: bodies[0]} if self._wrapped else bodies[0]

    def _shown(self, body: Mapping[str, object], short: Iterable[str]) -> Mapping[str, object]:
        return {name: body[name] for name in short} if self._is_short else body
