"""What each route of the API does."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flask import Response, jsonify, request

from . import casts
from .bodies import discard, read_params
from .callbacks import Courier
from .errors import not_found
from .guard import Guard
from .options import Options
from .pack_run import read_run, tune_params
from .packs import BASE_TUNE_ID, CALLER_ID, PACKS, Pack, find_pack
from .paging import page
from .params import Params, from_query
from .pictures import Pictures
from .records import PackRun, Prompt, Tune
from .state import Made, State
from .uploads import Spool
from .views import Json, Views

MAX_TUNES_OFFSET = 200
MAX_PROMPTS_OFFSET = 10_000


@dataclass(frozen=True)
class Service:
    """The parts of one running sandbox."""

    options: Options
    guard: Guard
    state: State
    spool: Spool
    pictures: Pictures
    views: Views
    courier: Courier


class Routes:
    """The API's routes, one method each, named after what they show."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._state = service.state
        self._views = service.views

    def packs(self) -> Response:
        """List the caller's own packs."""
        return self._list_packs([pack for pack in PACKS if pack.user_id == CALLER_ID])

    def gallery_packs(self) -> Response:
        """List the packs that everybody may run."""
        return self._list_packs([pack for pack in PACKS if pack.public_at is not None])

    def pack(self, id_or_slug: str) -> Response:
        """Show a pack."""
        return jsonify(self._views.pack_detail(_pack(id_or_slug)))

    def run_pack(self, id_or_slug: str) -> Response:
        """Train a tune on a pack, or make a pack's pictures with existing tunes."""
        pack = _pack(id_or_slug)
        content_type = request.headers.get("Content-Type", "")
        body, entry = request.environ["wsgi.input"], request.environ["astria.request"]
        params = read_params(body, content_type, self._service.spool, self._service.options.max_fields)
        try:
            sent = tune_params(params)
            entry.read(sent)
            run = read_run(sent, pack, self._state.tune)
        except BaseException:
            discard(params)
            raise
        made = self._state.run(run)
        entry.made([made.tune.id] if made.tune else [], [prompt.id for prompt in made.prompts])
        self._plan_callbacks(run, made)
        if made.tune is None:
            reply: Json = {"status": 201, "message": "Prompts created"}
        else:
            reply = self._views.created_tune(made.tune, made.tune.created_at)
        response = jsonify(reply)
        response.status_code = 201
        return response

    def tunes(self) -> Response:
        """List tunes, newest first."""
        now, query = self._look(), _query()
        rows = self._state.tunes()
        if "title" in query:
            rows = [tune for tune in rows if tune.run.title == query["title"]]
        if names := query.get("name"):
            wanted = names if isinstance(names, list) else [names]
            rows = [tune for tune in rows if tune.run.name in wanted]
        shown = page(rows, query, max_offset=MAX_TUNES_OFFSET)
        return jsonify([self._views.tune(tune, now) for tune in shown])

    def tune(self, id: int) -> Response:  # noqa: A002 - the API's own name
        """Show a tune."""
        now = self._look()
        return jsonify(self._views.tune(self._tune(id), now))

    def tune_prompts(self, id: int) -> Response:  # noqa: A002 - the API's own name
        """List the prompts that use a tune, newest first."""
        now = self._look()
        tune = self._tune(id)
        return self._list_prompts(self._state.prompts(tune.id), now)

    def tune_prompt(self, tune_id: int, id: int) -> Response:  # noqa: A002 - the API's own name
        """Show a prompt under a tune."""
        now = self._look()
        prompt = self._prompt(id)
        found = [BASE_TUNE_ID]
        if self._service.options.nested_prompt == "any":
            found.append(prompt.tune.id)
        if tune_id not in found:
            raise not_found()
        return jsonify(self._views.prompt(prompt, now))

    def prompts(self) -> Response:
        """List all prompts, newest first."""
        now, query = self._look(), _query()
        tune_id = casts.whole(query["tune_id"]) or 0 if "tune_id" in query else None
        prompts = self._state.prompts(None if tune_id == BASE_TUNE_ID else tune_id)
        if "base_pack_id" in query:
            pack_id = casts.whole(query["base_pack_id"])
            prompts = [prompt for prompt in prompts if prompt.run.pack.id == pack_id]
        return self._list_prompts(prompts, now)

    def prompt(self, id: int) -> Response:  # noqa: A002 - the API's own name
        """Show a prompt."""
        now = self._look()
        return jsonify(self._views.prompt(self._prompt(id), now))

    def user(self) -> Response:
        """Show the account."""
        return jsonify(self._views.user(self._state.balance_mc))

    def picture(self, token: str) -> Response:
        """Show a picture; its address is its key."""
        found = self._service.pictures.fetch(token)
        if found is None:
            raise not_found()
        data, content_type = found
        # Of our own folder and size-checked, so in one piece.
        content = data.read_bytes() if isinstance(data, Path) else data
        return Response(content, content_type=content_type, headers={"X-Content-Type-Options": "nosniff"})

    def _look(self) -> int:
        now = self._state.look()
        self._service.courier.wake()
        return now

    def _tune(self, tune_id: int) -> Tune:
        tune = self._state.tune(tune_id)
        if tune is None:
            raise not_found()
        return tune

    def _prompt(self, prompt_id: int) -> Prompt:
        prompt = self._state.prompt(prompt_id)
        if prompt is None:
            raise not_found()
        return prompt

    def _list_packs(self, packs: list[Pack]) -> Response:
        query = _query()
        if casts.boolean(query.get("public")):
            packs = [pack for pack in packs if pack.public_at is not None]
        if casts.boolean(query.get("listed")):
            packs = [pack for pack in packs if pack.unlisted_at is None]
        return jsonify([self._views.pack_row(pack) for pack in page(packs[::-1], query)])

    def _list_prompts(self, prompts: list[Prompt], now: int) -> Response:
        shown = page(prompts, _query(), max_offset=MAX_PROMPTS_OFFSET)
        return jsonify([self._views.prompt(prompt, now) for prompt in shown])

    def _plan_callbacks(self, run: PackRun, made: Made) -> None:
        """Plan a run's callbacks; each shows its objects as they are at its moment."""
        plan, views = self._service.courier.plan, self._views
        wrapped = self._service.options.callback_body == "wrapped"

        def one(name: str, show: "partial[Json]") -> object:
            return {name: show()} if wrapped else show()

        def everything(prompts: list[Prompt], now: int) -> object:
            return [views.prompt(prompt, now) for prompt in prompts]

        if made.tune and run.callback:
            due = made.tune.ends_at
            plan(due, "tune", run.callback, partial(one, "tune", partial(views.tune, made.tune, due)))
        url = run.attributes.get("callback")
        for prompt in made.prompts if isinstance(url, str) else ():
            due = prompt.ends_at
            plan(due, "prompt", str(url), partial(one, "prompt", partial(views.prompt, prompt, due)))
        if made.prompts and run.prompts_callback:
            due = max(prompt.ends_at for prompt in made.prompts)
            plan(due, "prompts", run.prompts_callback, partial(everything, list(made.prompts), due))


def _pack(id_or_slug: str) -> Pack:
    pack = find_pack(id_or_slug)
    if pack is None:
        raise not_found()
    return pack


def _query() -> Params:
    return from_query(request.query_string)
