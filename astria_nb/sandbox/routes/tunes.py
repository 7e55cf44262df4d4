"""Tunes: train, list, show, change, delete."""

from flask import Response

from astria_nb.sandbox.model.records import Tune
from astria_nb.sandbox.model.state import BASE_TUNE
from astria_nb.sandbox.params.paging import page
from astria_nb.sandbox.params.tree import Params
from astria_nb.sandbox.routes.service import Service, nothing, query, reply
from astria_nb.sandbox.validation.tunes import read_changes, read_tune

MAX_OFFSET = 200


class TuneRoutes:
    """One method a route."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._state = service.state
        self._views = service.views

    def create_tune(self) -> Response:
        """Train without a pack."""
        with self._service.fields("tune") as fields:
            made = self._service.carry_out(read_tune(fields))
        assert made.tune is not None
        now = self._service.look() if made.found else made.tune.created_at
        shown = self._views.tune(made.tune, now)
        in_array = made.tune.model_type == "faceid" and self._service.options.faceid_reply == "array"
        status = int(self._service.options.idempotent_status) if made.found else 201
        return reply([shown] if in_array else shown, status)

    def tunes(self) -> Response:
        """List the caller's tunes, newest first."""
        return self._list(self._state.tunes())

    def gallery_tunes(self) -> Response:
        """List the service's own models."""
        return self._list([BASE_TUNE])

    def tune(self, id: int) -> Response:  # noqa: A002 - the API's own name
        """Show a tune."""
        now = self._service.look()
        return reply(self._views.tune(self._service.tune(id), now))

    def change_tune(self, id: int) -> Response:  # noqa: A002 - the API's own name
        """Rename a tune, or change what goes into its prompts."""
        tune = self._service.own_tune(id)
        with self._service.fields("tune") as fields:
            changed = self._state.change(tune, read_changes(fields))
        if self._service.options.patched_tune == "204":
            return nothing(204)
        return reply(self._views.tune(changed, changed.updated_at))

    def delete_tune(self, id: int) -> Response:  # noqa: A002 - the API's own name
        """Delete a tune."""
        self._state.remove_tune(self._service.own_tune(id))
        return reply({})

    def _list(self, tunes: list[Tune]) -> Response:
        now, asked = self._service.look(), query()
        rows = [tune for tune in tunes if _is_wanted(tune, asked)]
        shown = page(
            rows, asked, max_offset=MAX_OFFSET, above_maximum=self._service.options.limit_above_maximum
        )
        return reply([self._views.tune(tune, now) for tune in shown])


def _is_wanted(tune: Tune, asked: Params) -> bool:
    names = asked.get("name", [tune.name])
    return (
        asked.get("title", tune.title) == tune.title
        and tune.name in (names if isinstance(names, list) else [names])
        and asked.get("model_type", tune.model_type) == tune.model_type
        and asked.get("branch", tune.branch) == tune.branch
    )
