"""What all routes of one sandbox share."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event

from flask import Response, jsonify, request

from astria_nb.sandbox._errors import not_found
from astria_nb.sandbox._options import Options
from astria_nb.sandbox.callbacks.announcer import Announcer
from astria_nb.sandbox.http import Guard
from astria_nb.sandbox.model import Outcome, Plan, Prompt, State, TuneRecord
from astria_nb.sandbox.params import Params, from_form
from astria_nb.sandbox.params.body_parser import Incoming, discard, read_params
from astria_nb.sandbox.uploads import Spool, Upload
from astria_nb.sandbox.uploads.fetch import fetch
from astria_nb.sandbox.validation import Fields
from astria_nb.sandbox.views import Address, PackViews, Pictures, Views


@dataclass(frozen=True)
class Service:
    """The parts of one running sandbox, and the steps that several routes have in common."""

    options: Options
    guard: Guard
    address: Address
    state: State
    spool: Spool
    pictures: Pictures
    views: Views
    pack_views: PackViews
    announcer: Announcer
    stopped: Event
    """Set when the sandbox stops: downloads are broken off."""

    @contextmanager
    def params(self, wrapper: str | None = None) -> Iterator[Params]:
        """Read the parameters of a request; if it fails, its files are removed."""
        body, content_type = request.environ["wsgi.input"], request.headers.get("Content-Type", "")
        incoming = Incoming(body, content_type, request.query_string, request.method)
        params = read_params(incoming, self.spool, self.options, wrapper)
        try:
            yield params
        except BaseException:
            discard(params)
            raise

    @contextmanager
    def fields(self, wrapper: str, *, needed: bool = True) -> Iterator[Fields]:
        """Read the parameters under one name; if the request fails, its files are removed."""
        with self.params(wrapper) as params:
            download = self.download if self.options.fetch_urls else None
            fields = Fields(params, wrapper, self.options, download, needed=needed)
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

    def carry_out(self, plan: Plan) -> Outcome:
        """Create what a request asks for, record it in the ledger, and plan its callbacks."""
        plan = replace(plan, service_url=self.address.asked)
        outcome = self.state.carry_out(plan, request.environ.get("astria.fault"))
        unused: list[Upload] = []
        if outcome.is_repeat and plan.tune:  # the earlier tune has its own images
            unused += plan.tune.images
        if not outcome.new_prompts:
            used = {upload.path for prompt in outcome.prompts for upload in prompt.images}
            sent = [upload for prompt in plan.prompts for upload in prompt.images]
            unused += [upload for upload in sent if upload.path not in used]
        for upload in unused:
            upload.path.unlink(missing_ok=True)
        tune_ids = [outcome.tune.id] if outcome.tune and not outcome.is_repeat else []
        prompt_ids = [prompt.id for prompt in outcome.new_prompts]
        request.environ["astria.request"].record_created(tune_ids, prompt_ids)
        self.announcer.announce(outcome.announcements)
        return outcome

    def poll(self) -> int:
        """Return the time at which a client polls tunes or prompts."""
        now = self.state.poll()
        self.announcer.wake()
        return now

    def tune(self, tune_id: int) -> TuneRecord:
        """Return a tune or a base model; 404 if it does not exist."""
        tune = self.state.tune(tune_id)
        if tune is None:
            raise not_found()
        return tune

    def own_tune(self, tune_id: int) -> TuneRecord:
        """Return a tune of the caller; 404 if it does not exist."""
        tune = self.state.own_tune(tune_id)
        if tune is None:
            raise not_found()
        return tune

    def prompt(self, prompt_id: int) -> Prompt:
        """Return a prompt; 404 if it does not exist."""
        prompt = self.state.prompt(prompt_id)
        if prompt is None:
            raise not_found()
        return prompt


def query(options: Options) -> Params:
    """Return the parameters of the query string; a blank filter is ignored (astria-api, section 16)."""
    params = from_form(request.query_string, options)
    return {name: value for name, value in params.items() if value not in ("", [""])}


def reply(body: object, status: int = 200) -> Response:
    """Answer with JSON."""
    response = jsonify(body)
    response.status_code = status
    return response


def nothing(status: int) -> Response:
    """Answer without content."""
    return Response(status=status, content_type="application/json; charset=utf-8")


def created(body: Mapping[str, object]) -> Response:
    """Answer with what was created (201)."""
    return reply(body, 201)
