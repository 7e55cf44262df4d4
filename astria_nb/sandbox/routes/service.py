"""What the routes of one running sandbox share."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event

from flask import Response, jsonify, request

from astria_nb.sandbox.callbacks.announcer import Announcer
from astria_nb.sandbox.errors import not_found
from astria_nb.sandbox.http.auth import Guard
from astria_nb.sandbox.model.plans import Plan
from astria_nb.sandbox.model.records import Prompt, Tune
from astria_nb.sandbox.model.state import Made, State
from astria_nb.sandbox.options import Options
from astria_nb.sandbox.params.body_parser import discard, read_params
from astria_nb.sandbox.params.tree import Params, from_query
from astria_nb.sandbox.uploads.fetch import fetch
from astria_nb.sandbox.uploads.spool import Spool, Upload
from astria_nb.sandbox.validation.fields import Fields
from astria_nb.sandbox.views.packs import PackViews
from astria_nb.sandbox.views.pictures import Pictures
from astria_nb.sandbox.views.tunes import Views


@dataclass(frozen=True)
class Service:
    """The parts of one running sandbox, and the steps that several routes take."""

    options: Options
    guard: Guard
    state: State
    spool: Spool
    pictures: Pictures
    views: Views
    pack_views: PackViews
    announcer: Announcer
    stopped: Event
    """Set when downloads are to be broken off."""

    @contextmanager
    def params(self) -> Iterator[Params]:
        """Read the parameters of a request; its files go again if it fails."""
        body, content_type = request.environ["wsgi.input"], request.headers.get("Content-Type", "")
        params = read_params(body, content_type, self.spool, self.options.max_fields)
        try:
            yield params
        except BaseException:
            discard(params)
            raise

    @contextmanager
    def fields(self, wrapper: str) -> Iterator[Fields]:
        """Read what a request has under one name; its files go again if it fails."""
        with self.params() as params:
            fields = Fields(params, wrapper, self.options, self.download if self.options.fetch_urls else None)
            request.environ["astria.request"].record_params(fields.sent)
            try:
                yield fields
            except BaseException:
                for upload in fields.downloaded:
                    upload.path.unlink(missing_ok=True)
                raise

    def download(self, url: str) -> Upload:
        """Download the image at a URL, from a host that `fetch_urls` names."""
        return fetch(url, spool=self.spool, hosts=self.options.fetch_urls, stopped=self.stopped)

    def carry_out(self, plan: Plan) -> Made:
        """Make what a request asks for, and have it announced."""
        made = self.state.carry_out(plan, request.environ.get("astria.fault"))
        if made.found and plan.tune:  # it has images of its own
            for upload in plan.tune.images:
                upload.path.unlink(missing_ok=True)
        tune_ids = [made.tune.id] if made.tune and not made.found else []
        request.environ["astria.request"].record_created(tune_ids, [prompt.id for prompt in made.new_prompts])
        self.announcer.announce(made.announcements)
        return made

    def look(self) -> int:
        """Return the time at which a client looks at tunes or prompts."""
        now = self.state.look()
        self.announcer.wake()
        return now

    def tune(self, tune_id: int) -> Tune:
        """Return a tune, the base model included; 404 when there is none."""
        tune = self.state.tune(tune_id)
        if tune is None:
            raise not_found()
        return tune

    def own_tune(self, tune_id: int) -> Tune:
        """Return a tune of the caller's; 404 when there is none."""
        tune = self.state.own_tune(tune_id)
        if tune is None:
            raise not_found()
        return tune

    def prompt(self, prompt_id: int) -> Prompt:
        """Return a prompt; 404 when there is none."""
        prompt = self.state.prompt(prompt_id)
        if prompt is None:
            raise not_found()
        return prompt


def query() -> Params:
    """Return the parameters of the request's query string."""
    return from_query(request.query_string)


def reply(body: object, status: int = 200) -> Response:
    """Answer with JSON."""
    response = jsonify(body)
    response.status_code = status
    return response


def nothing(status: int) -> Response:
    """Answer without content."""
    return Response(status=status, content_type="application/json; charset=utf-8")


def created(body: Mapping[str, object]) -> Response:
    """Answer with what was made."""
    return reply(body, 201)
