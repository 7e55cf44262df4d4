"""The routes of packs, the account, and pictures."""

from pathlib import Path

from flask import Response

from astria_nb.sandbox._errors import not_found
from astria_nb.sandbox.model import BASE_TUNE_ID, CALLER_ID, PackRecord
from astria_nb.sandbox.params import casts, page
from astria_nb.sandbox.routes._service import Service, created, query, reply
from astria_nb.sandbox.validation import read_run


class PackRoutes:
    """One method per route."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._state = service.state
        self._views = service.pack_views

    def packs(self) -> Response:
        """List the caller's own packs."""
        return self._list([pack for pack in self._state.packs() if pack.user_id == CALLER_ID])

    def gallery_packs(self) -> Response:
        """List the packs that everyone can run."""
        packs = [pack for pack in self._state.packs() if pack.public_at is not None]
        if self._service.options.gallery == "listed":
            packs = [pack for pack in packs if pack.unlisted_at is None]
        return self._list(packs)

    def create_pack(self) -> Response:
        """Create a pack without templates."""
        with self._service.fields("pack") as fields:
            title = fields.required("title")
            base_tune_id = fields.integer("base_tune_id", 1, 2**53) or BASE_TUNE_ID
            fields.check()
            pack = self._state.add_pack(
                title,
                base_tune_id=base_tune_id,
                model_type=fields.text("model_type"),
                subtitle=fields.text("subtitle"),
            )
        return reply(self._views.detail(pack), int(self._service.options.created_pack))

    def pack(self, id_or_slug: str) -> Response:
        """Show a pack."""
        return reply(self._views.detail(self._pack(id_or_slug)))

    def run_pack(self, id_or_slug: str) -> Response:
        """Train a tune on a pack, or make a pack's pictures with existing tunes."""
        pack = self._pack(id_or_slug)
        service = self._service
        with service.fields("tune") as fields:
            outcome = service.carry_out(read_run(fields, pack, self._state.own_tune, service.options))
        if outcome.order:
            return created(service.views.order(outcome.order, outcome.prompts))
        if outcome.tune is None:
            return created({"status": 201, "message": "Prompts created"})
        if outcome.is_repeat:
            body = service.views.created_tune(outcome.tune, service.poll())
            return reply(body, int(service.options.idempotent_status))
        return created(service.views.created_tune(outcome.tune, outcome.tune.created_at))

    def user(self) -> Response:
        """Show the account."""
        return reply(self._views.user(self._state.balance_mc))

    def picture_redirect(self, token: str, filename: str) -> Response:  # noqa: ARG002 - it only ends the address
        """Send the client to a picture, as an address of 2024 does."""
        if self._service.pictures.fetch(token) is None:
            raise not_found()
        return Response(status=302, headers={"Location": f"{self._service.address.url}/pictures/{token}"})

    def picture(self, token: str) -> Response:
        """Show a picture; its address is enough to see it."""
        picture = self._service.pictures.fetch(token)
        if picture is None:
            raise not_found()
        data, content_type = picture
        # Uploads were checked for size, so they can be read at once.
        content = data.read_bytes() if isinstance(data, Path) else data
        return Response(content, content_type=content_type, headers={"X-Content-Type-Options": "nosniff"})

    def _list(self, packs: list[PackRecord]) -> Response:
        params = query(self._service.options)
        if casts.boolean(params.get("public")):
            packs = [pack for pack in packs if pack.public_at is not None]
        if casts.boolean(params.get("listed")):
            packs = [pack for pack in packs if pack.unlisted_at is None]
        rows = page(packs, params, above_maximum=self._service.options.limit_above_maximum)
        return reply([self._views.row(pack) for pack in rows])

    def _pack(self, id_or_slug: str) -> PackRecord:
        pack = self._state.pack(id_or_slug)
        if pack is None:
            raise not_found()
        return pack
