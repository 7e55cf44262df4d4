"""Packs and the account as JSON."""

from astria_nb.sandbox._clock import iso
from astria_nb.sandbox._options import Options
from astria_nb.sandbox.model import CALLER_ID, PICTURE_MC, PackRecord, State, Template
from astria_nb.sandbox.views._pictures import Cover, Drawn, Pictures
from astria_nb.sandbox.views._prompts import PORTRAIT, Json

_DETAIL = (
    "id", "slug", "title", "cover_url", "created_at", "updated_at", "public_at", "unlisted_at",
)  # fmt: skip
"""Of the fields of a list, those that the detail has too, in the shape of 2025 (astria-api, section 16)."""


class PackViews:
    """Packs as JSON (astria-api, section 3)."""

    def __init__(self, pictures: Pictures, state: State, options: Options) -> None:
        self._state = state
        self._pictures = pictures
        self._options = options

    def row(self, pack: PackRecord) -> Json:
        """Return a pack as it is shown in lists."""
        return self._pack(pack) | self._prices(pack, in_list=True)

    def detail(self, pack: PackRecord) -> Json:
        """Return a pack as `GET /p/:id` shows it."""
        body = self._pack(pack)
        if self._options.price_shape == "2025":
            body = {name: body[name] for name in _DETAIL}
        detail: Json = body | self._prices(pack, in_list=False) | {"logo": None}
        detail["prompts_per_class"] = {
            name: [
                {"id": template.id, "images": [self.sample(template.id, template.text)]}
                for template in self._most_liked_first(pack, name)
            ]
            for name in pack.classes
        }
        if self._options.price_shape == "2026":
            detail["template_prompts"] = [
                {"id": template.id, "cost_mc": PICTURE_MC} for template in pack.templates
            ]
        return detail

    def user(self, balance_mc: int) -> Json:
        """Return the account."""
        return {
            "id": self._state.account_id,
            "name": "Sandbox",
            "email": "sandbox@example.com",
            "usd_balance_mc": balance_mc,
            "auto_extend_tunes": False,
            "payer": {
                "id": self._state.account_id,
                "name": "Sandbox",
                "self": True,
                "usd_balance_mc": balance_mc,
            },
        }

    def _pack(self, pack: PackRecord) -> Json:
        public_at = None if pack.public_at is None else iso(pack.public_at)
        return {
            "id": pack.id,
            "slug": pack.slug,
            "title": pack.title,
            "subtitle": pack.subtitle,
            "base_tune_id": pack.base_tune_id,
            "user_id": self._state.account_id if pack.user_id == CALLER_ID else pack.user_id,
            "token": "ohwx",
            "multiplier": 1,
            "model_type": pack.model_type,
            "main_class_name": pack.classes[0] if pack.classes else None,
            "public_at": public_at,
            "unlisted_at": None if pack.unlisted_at is None else iso(pack.unlisted_at),
            "created_at": iso(pack.created_at),
            "updated_at": public_at or iso(pack.created_at),
            "cover_url": self._pictures.publish(f"cover/{pack.id}", Cover(pack.title, pack.classes, pack.id)),
        }

    def _prices(self, pack: PackRecord, *, in_list: bool) -> Json:
        shape = self._options.price_shape
        if shape == "2024" or (shape == "2025" and in_list):
            return {"cost_mc_hash": dict(pack.prices)}
        unit, millicents = ("cost", 1_000) if shape == "2025" else ("cost_mc", 1)
        return {
            "costs": {
                name: {unit: price // millicents, "num_images": len(pack.of_class(name))}
                for name, price in pack.prices.items()
            }
        }

    def _most_liked_first(self, pack: PackRecord, name: str) -> list[Template]:
        # A like of a prompt counts for its template, and packs are sorted by likes (astria-api, section 11).
        return sorted(pack.of_class(name), key=lambda template: -self._state.template_likes(template.id))

    def sample(self, template_id: int, text: str) -> str:
        """Return the address of an example picture of a template."""
        return self._pictures.publish(f"template/{template_id}", Drawn((), text, template_id, *PORTRAIT))
