"""The account: packs, tunes, prompts, callbacks, and their storage."""

from astria_nb.sandbox.model._base_models import BASE_TUNES, base_branch, branch_of, is_flux
from astria_nb.sandbox.model._packs import (
    BASE_TUNE_ID,
    CALLER_ID,
    PICTURE_MC,
    TRAINING_MC,
    PackRecord,
    Template,
)
from astria_nb.sandbox.model._plans import NewPrompt, Plan
from astria_nb.sandbox.model._records import LIFETIME, NEVER, Announcement, NewTune, Order, Prompt, TuneRecord
from astria_nb.sandbox.model._state import Outcome, State
from astria_nb.sandbox.model._store import Store

__all__ = [
    "BASE_TUNES",
    "BASE_TUNE_ID",
    "CALLER_ID",
    "LIFETIME",
    "NEVER",
    "PICTURE_MC",
    "TRAINING_MC",
    "Announcement",
    "NewPrompt",
    "NewTune",
    "Order",
    "Outcome",
    "PackRecord",
    "Plan",
    "Prompt",
    "State",
    "Store",
    "Template",
    "TuneRecord",
    "base_branch",
    "branch_of",
    "is_flux",
]
