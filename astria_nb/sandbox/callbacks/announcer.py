"""What callbacks say (astria-api, section 9)."""

from collections.abc import Iterable
from functools import partial

from astria_nb.sandbox.callbacks.courier import Courier
from astria_nb.sandbox.model.records import Announcement
from astria_nb.sandbox.model.state import State
from astria_nb.sandbox.options import Options
from astria_nb.sandbox.views.tunes import Views


class Announcer:
    """Hands callbacks to the courier; each shows its objects as they are when it is due."""

    def __init__(self, courier: Courier, state: State, views: Views, options: Options) -> None:
        self._courier = courier
        self._state = state
        self._views = views
        self._wrapped = options.callback_body == "wrapped"

    def announce(self, news: Iterable[Announcement]) -> None:
        """Have callbacks sent when they are due."""
        for each in news:
            self._courier.plan(each.due, each.event, each.url, partial(self._body, each))

    def wake(self) -> None:
        """See which callbacks are due: the clock was moved."""
        self._courier.wake()

    def _body(self, news: Announcement) -> object:
        if news.event == "tune":
            tune = self._state.own_tune(news.subjects[0])
            shown = [self._views.tune(tune, news.due)] if tune else []
        else:
            prompts = map(self._state.prompt, news.subjects)
            shown = [self._views.prompt(prompt, news.due) for prompt in prompts if prompt]
        if news.event == "prompts":
            return shown
        if not shown:
            raise ValueError(f"not sent: the {news.event} was deleted")
        return {news.event: shown[0]} if self._wrapped else shown[0]
