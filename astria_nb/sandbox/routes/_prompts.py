"""The routes of prompts: create, list, show, delete, like."""

from flask import Response, request

from astria_nb.sandbox._clock import DAY
from astria_nb.sandbox._errors import invalid, not_found
from astria_nb.sandbox.model import Plan, Prompt, TuneRecord
from astria_nb.sandbox.params import Params, casts, page
from astria_nb.sandbox.routes._service import Service, created, nothing, query, reply
from astria_nb.sandbox.validation import Fields, read_copy, read_prompt, read_prompt_changes

MAX_OFFSET = 10_000


class PromptRoutes:
    """One method per route."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._state = service.state
        self._views = service.views

    def create_prompt(self, id: int) -> Response:  # noqa: A002 - the API's own name
        """Make pictures with a tune."""
        tune = self._service.tune(id)
        with self._service.fields("prompt") as fields:
            return self._create(fields, tune)

    def create_prompt_of_field(self) -> Response:
        """Make pictures with the tune that a field names."""
        with self._service.fields("prompt") as fields:
            tune = self._state.tune(fields.integer("tune_id", 1, 2**53) or 0)
            if tune is None:
                raise invalid({"tune": ["must exist"]})
            return self._create(fields, tune)

    def duplicate(self, id: int) -> Response:  # noqa: A002 - the API's own name
        """Make a prompt again; fields that are sent replace those of the first one."""
        prompt = self._service.prompt(id)
        tunes = tuple(filter(None, map(self._state.own_tune, prompt.tune_ids)))
        with self._service.fields("prompt", needed=False) as fields:
            return self._reply(read_copy(fields, prompt, self._service.tune(prompt.tune_id), tunes))

    def change_prompt(self, id: int) -> Response:  # noqa: A002 - the API's own name
        """Change what a prompt belongs to."""
        return self._change(self._service.prompt(id))

    def change_tune_prompt(self, tune_id: int, id: int) -> Response:  # noqa: A002 - the API's own name
        """Change what a prompt under a tune belongs to."""
        return self._change(self._nested(tune_id, id))

    def tune_prompts(self, id: int) -> Response:  # noqa: A002 - the API's own name
        """List the prompts that use a tune, newest first."""
        now = self._service.poll()
        return self._list(self._state.prompts(self._service.tune(id).id), now)

    def prompts(self) -> Response:
        """List the caller's prompts, newest first."""
        now = self._service.poll()
        return self._list(self._state.prompts(), now)

    def prompt(self, id: int) -> Response:  # noqa: A002 - the API's own name
        """Show a prompt."""
        now = self._service.poll()
        return reply(self._views.prompt(self._service.prompt(id), now))

    def tune_prompt(self, tune_id: int, id: int) -> Response:  # noqa: A002 - the API's own name
        """Show a prompt under a tune."""
        now = self._service.poll()
        return reply(self._views.prompt(self._nested(tune_id, id), now))

    def delete_prompt(self, id: int) -> Response:  # noqa: A002 - the API's own name
        """Delete a prompt."""
        return self._delete(self._service.prompt(id))

    def delete_tune_prompt(self, tune_id: int, id: int) -> Response:  # noqa: A002 - the API's own name
        """Delete a prompt under a tune."""
        return self._delete(self._nested(tune_id, id))

    def likes(self, id: int) -> Response:  # noqa: A002 - the API's own name
        """Like a prompt (POST) or unlike it (DELETE)."""
        liked = request.method == "POST"
        self._state.like(self._service.prompt(id), lambda _: liked)
        return nothing(201 if liked else 204)

    def like(self, id: int) -> Response:  # noqa: A002 - the API's own name
        """Toggle the like of a prompt (POST), or remove it (DELETE)."""
        toggles = request.method == "POST"
        self._state.like(self._service.prompt(id), lambda was: toggles and not was)
        return nothing(200)

    def _nested(self, tune_id: int, prompt_id: int) -> Prompt:
        prompt = self._service.prompt(prompt_id)
        anywhere = self._service.options.nested_prompt == "any"
        if tune_id == prompt.tune_id or (anywhere and prompt.uses(tune_id)):
            return prompt
        raise not_found()

    def _create(self, fields: Fields, tune: TuneRecord) -> Response:
        return self._reply(read_prompt(fields, tune, self._state.own_tune, self._service.options))

    def _reply(self, plan: Plan) -> Response:
        (prompt,) = self._service.carry_out(plan).prompts
        return created(self._views.prompt(prompt, prompt.created_at))

    def _change(self, prompt: Prompt) -> Response:
        with self._service.fields("prompt") as fields:
            changed = self._state.change_prompt(prompt, read_prompt_changes(fields))
        if self._service.options.patched_prompt == "204":
            return nothing(204)
        return reply(self._views.prompt(changed, self._state.now()))

    def _delete(self, prompt: Prompt) -> Response:
        self._state.remove_prompt(prompt)
        if self._service.options.deleted_prompt == "204":
            return nothing(204)
        return reply({"message": "Prompt successfully deleted"})

    def _list(self, prompts: list[Prompt], now: int) -> Response:
        params = query(self._service.options)
        matching = [prompt for prompt in prompts if _matches(prompt, params, now)]
        rows = page(
            matching, params, max_offset=MAX_OFFSET, above_maximum=self._service.options.limit_above_maximum
        )
        return reply([self._views.prompt(prompt, now) for prompt in rows])


def _matches(prompt: Prompt, params: Params, now: int) -> bool:
    """Apply the filters of `GET /prompts`."""
    for name in ("base_pack_id", "orig_prompt_id", "order_id"):
        if name in params and casts.integer(params[name]) != getattr(prompt, name):
            return False
    attributes = prompt.attributes
    flags = {"liked": prompt.liked, "is_api": True, "is_video": "video_prompt" in attributes}
    for name, value in flags.items():
        if name in params and casts.boolean(params[name]) != value:
            return False
    if "pack_id" in params and casts.integer(params["pack_id"]) != attributes.get("pack_id"):
        return False  # only a pack's own prompts have one; those of a run have a base_pack_id
    if "tune_id" in params and not prompt.uses(casts.integer(params["tune_id"]) or 0):
        return False
    if casts.boolean(params.get("today")) and prompt.created_at // DAY != now // DAY:
        return False
    return (casts.text(params.get("text")) or "").lower() in prompt.text.lower()
