"""The service's own models, which everyone can use."""

from types import MappingProxyType

from astria_nb.sandbox.model._packs import BASE_TUNE_ID, GALLERY_ID
from astria_nb.sandbox.model._records import TuneRecord

_CREATED = 1_722_513_600_000  # 2024-08-01T12:00:00Z, the release of Flux
_MODELS = (
    (623021, "Flat", "sd15"),
    (636337, "Cartoon", "sd15"),
    (666678, "SDXL 1.0", "sdxl1"),
    (690204, "Realistic Vision V5.1", "sd15"),
    (BASE_TUNE_ID, "Flux1.dev", "flux1"),
    (2739410, "Flux Kontext Max", "partner-1"),
    (2739411, "Flux Kontext Pro", "partner-1"),
    (3063697, "Krea Flux1.dev", "flux1"),
    (3159068, "Nano Banana Gemini 2.5", "gemini-2"),
    (3225353, "Seedream 4.0", "partner-1"),
    (3449218, "Riverflow 1 Mini", "partner-1"),
    (3449219, "Riverflow 1", "partner-1"),
    (3618064, "Gemini", "gemini-2"),
)
"""Ids, titles and most branches are documented (astria-api, section 16); ``partner-1`` is the branch under
which the official command line looks for other companies' models."""


def _model(number: int, title: str, branch: str) -> TuneRecord:
    return TuneRecord(
        id=number, title=title, name=None, user_id=GALLERY_ID, base_tune_id=None, model_type=None,
        branch=branch, created_at=_CREATED, updated_at=_CREATED, starts_at=_CREATED, ends_at=_CREATED,
    )  # fmt: skip


BASE_TUNES = MappingProxyType({model[0]: _model(*model) for model in _MODELS})
"""The models by their ids, in ascending order."""


def base_branch(tune: TuneRecord) -> str | None:
    """Return the branch of a tune's base model; the tune's own if that model is unknown here."""
    base = BASE_TUNES.get(tune.base_tune_id or tune.id)
    return base.branch if base else tune.branch


def branch_of(base_tune_id: int | None) -> str | None:
    """Return the branch of a base model; None if it is unknown here."""
    base = BASE_TUNES.get(base_tune_id or 0)
    return base.branch if base else None


def is_flux(base_tune_id: int | None) -> bool:
    """Return whether a base model is one of Flux, which has its own rules (astria-api, section 16)."""
    return branch_of(base_tune_id) == "flux1"
