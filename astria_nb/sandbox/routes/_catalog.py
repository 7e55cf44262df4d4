"""The routes that the service's own programs read first: models, workspaces, the gallery, and themes."""

from flask import Response

from astria_nb.sandbox._clock import SECOND
from astria_nb.sandbox.model import BASE_TUNE_ID, BASE_TUNES, PICTURE_MC, Prompt
from astria_nb.sandbox.params import page
from astria_nb.sandbox.routes._service import Service, nothing, query, reply
from astria_nb.sandbox.validation import read_theme

_GEMINI = 3618064
_RATIOS = ("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3")
_BY_NAME = {"gemini": _GEMINI, "seedream": 3225353, "flux": BASE_TUNE_ID}


class CatalogRoutes:
    """One method per route."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._state = service.state

    def plugin_models(self) -> Response:
        """List the models that a plug-in of an image editor offers."""
        models = {
            f"tune-{tune.id}": {
                "id": tune.id,
                "title": tune.title,
                "group": "Public",
                "aspect_ratios": _RATIOS,
                "fields": {"prompt": True, "prompt_optional": False, "num_images": True},
                "avg_time": 5,
                "timeout": 60,
            }
            for tune in BASE_TUNES.values()
        }
        return reply(
            {
                "models": models,
                "default_model": f"tune-{_GEMINI}",
                "num_images": [1, 2, 3, 4, 8],
                "agent_enabled": False,
                "default_modifier": "none",
                "modifiers": {},
            }
        )

    def cli_models(self) -> Response:
        """List the models that the command line knows by name; it sends no key."""
        models = {name: {"tune_id": tune_id} for name, tune_id in _BY_NAME.items()}
        return reply(
            {
                "default": "gemini",
                "default_video_model": None,
                "models": models,
                "video_models": {},
                "cli": {},
                "skills": {},
                "cache_ttl": 86_400,
            }
        )

    def workspaces(self) -> Response:
        """List the caller's workspaces: none."""
        return reply([])

    def gallery(self) -> Response:
        """List prompts that others have shared."""
        now, samples = self._service.poll(), self._samples()
        rows = page(
            samples, query(self._service.options), above_maximum=self._service.options.limit_above_maximum
        )
        return reply([self._service.views.prompt(prompt, now) | self._picture(prompt) for prompt in rows])

    def create_theme(self) -> Response:
        """Make prompts on a theme with existing tunes; they are listed with their tunes."""
        with self._service.fields("theme") as fields:
            self._service.carry_out(read_theme(fields, self._state.own_tune))
        return nothing(201)

    def _samples(self) -> list[Prompt]:
        """Return a prompt for each template of the listed packs, newest first."""
        packs = [pack for pack in self._state.packs() if pack.public_at and pack.unlisted_at is None]
        return [
            Prompt(
                id=template.id,
                text=template.text,
                tune_id=pack.base_tune_id,
                tune_ids=(),
                created_at=pack.created_at,
                starts_at=pack.created_at,
                ends_at=pack.created_at + 5 * SECOND,
                attributes={"community": True},
                cost_mc=PICTURE_MC,
            )
            for pack in packs
            for template in reversed(pack.templates)
        ]

    def _picture(self, prompt: Prompt) -> dict[str, object]:
        return {"images": [self._service.pack_views.sample(prompt.id, prompt.text)]}
