"""The routes of tunes: train, list, show, change, delete."""

from flask import Response

from astria_nb.sandbox.model import BASE_TUNES, TuneRecord, base_branch
from astria_nb.sandbox.params import Params, page
from astria_nb.sandbox.routes._service import Service, nothing, query, reply
from astria_nb.sandbox.validation import read_changes, read_tune

MAX_OFFSET = 200


class TuneRoutes:
    """One method per route."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._state = service.state
        self._views = service.views

    def create_tune(self) -> Response:
        """Train without a pack."""
        with self._service.fields("tune") as fields:
            outcome = self._service.carry_out(read_tune(fields))
        assert outcome.tune is not None
        now = self._service.poll() if outcome.is_repeat else outcome.tune.created_at
        body = self._views.tune(outcome.tune, now)
        in_array = outcome.tune.model_type == "faceid" and self._service.options.faceid_reply == "array"
        status = int(self._service.options.idempotent_status) if outcome.is_repeat else 201
        return reply([body] if in_array else body, status)

    def tunes(self) -> Response:
        """List the caller's tunes, newest first."""
        return self._list(self._state.tunes())

    def gallery_tunes(self) -> Response:
        """List the service's own models."""
        return self._list(list(BASE_TUNES.values())[::-1])

    def tune(self, id: int) -> Response:  # noqa: A002 - the API's own name
        """Show a tune."""
        now = self._service.poll()
        return reply(self._views.tune(self._service.tune(id), now))

    def change_tune(self, id: int) -> Response:  # noqa: A002 - the API's own name
        """Change a tune's title, name, characteristics or extension."""
        tune = self._service.own_tune(id)
        with self._service.fields("tune") as fields:
            changed = self._state.change(tune, read_changes(fields))
        self._views.publish(changed)
        if self._service.options.patched_tune == "204":
            return nothing(204)
        return reply(self._views.tune(changed, changed.updated_at))

    def delete_tune(self, id: int) -> Response:  # noqa: A002 - the API's own name
        """Delete a tune."""
        self._state.remove_tune(self._service.own_tune(id))
        return reply({})

    def _list(self, tunes: list[TuneRecord]) -> Response:
        now, params = self._service.poll(), query(self._service.options)
        matching = [tune for tune in tunes if _matches(tune, params)]
        rows = page(
            matching, params, max_offset=MAX_OFFSET, above_maximum=self._service.options.limit_above_maximum
        )
        return reply([self._views.tune(tune, now) for tune in rows])


def _matches(tune: TuneRecord, params: Params) -> bool:
    names = params.get("name", [tune.name])
    return (
        str(params.get("title") or "") in tune.title
        and tune.name in (names if isinstance(names, list) else [names])
        and params.get("model_type", tune.model_type) == tune.model_type
        and params.get("branch", branch := base_branch(tune)) == branch
    )
