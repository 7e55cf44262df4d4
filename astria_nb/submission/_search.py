"""What submissions created, as the account lists it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial

from astria_nb.client import PAGE_SIZE, Client, Json
from astria_nb.errors import NotFoundError
from astria_nb.log import Log, Submission
from astria_nb.submission import _account as account
from astria_nb.submission import _settle_time as settle_time
from astria_nb.submission._titles import KEPT_LENGTH, is_cut, is_of_another, standard_title
from astria_nb.utils.arguments import parse_id


def created_by(log: Log, client: Client, submissions: Sequence[Submission]) -> dict[int, list[Json]]:
    """Return what submissions created, by their numbers: tunes with the title, or prompts of a run's tunes.

    The tunes of the account are listed once for all of them.
    """
    runs = {one.id: one for one in submissions if one.request.parameters.get("tune_ids")}
    created = {number: _prompts_of(log, client, run) for number, run in runs.items()}
    titled = [submission for submission in submissions if submission.id not in runs]
    return created | (_tunes_of(log, client, titled) if titled else {})


def _tunes_of(log: Log, client: Client, submissions: Sequence[Submission]) -> dict[int, list[Json]]:
    # Filtering by title is not documented, so all newer tunes are compared.
    of_title: dict[str, list[Submission]] = {}
    for submission in submissions:
        of_title.setdefault(standard_title(str(submission.title)), []).append(submission)
    long = [submission for submission in submissions if len(str(submission.title)) > KEPT_LENGTH]
    tunes: dict[int, list[Json]] = {submission.id: [] for submission in submissions}
    for tune in _newer_than(min(map(_newest_known, submissions)), client.tunes):
        title = tune.get("title")
        same = [] if title is None else of_title.get(standard_title(str(title)), [])
        cut = [
            one for one in long if is_cut(title, one.title) and not is_of_another(log, title, str(one.title))
        ]
        for submission in (*same, *cut):
            is_later = tune["id"] > _newest_known(submission)
            if is_later and not any(account.contradictions(tune, submission.request)):
                tunes[submission.id].append(tune)
    return {
        one.id: [tune for tune in tunes[one.id] if tune["title"] == one.title] or tunes[one.id]
        for one in submissions
    }


def _prompts_of(log: Log, client: Client, run: Submission) -> list[Json]:
    tune_ids = run.request.parameters["tune_ids"]
    prompts = {
        prompt["id"]: prompt
        for tune_id in tune_ids
        for prompt in _newer_than(_newest_known(run), partial(_prompts, client, tune_id))
        if _is_of(prompt, run)
    }
    was_lost = run.state in ("unknown", "needs_review")
    for tune_id in tune_ids if prompts and was_lost else ():
        for other in log.runs_on(run.service, tune_id, run.request.account):
            for prompt_id in (other.record or {}).get("prompt_ids") or () if _is_later(other, run) else ():
                prompts.pop(prompt_id, None)
    return list(prompts.values())


def _is_later(other: Submission, run: Submission) -> bool:
    """Return whether `other` began after all prompts of `run` must have existed: its prompts are others.

    The prompts of two runs at the same time cannot be told apart, and count for both: a run whose prompts are
    not found would be paid for again.
    """
    seconds = 0.0 if run.state == "needs_review" else settle_time.SETTLE_SECONDS
    return other.id != run.id and (other.planned_at - run.changed_at).total_seconds() >= seconds


def _newest_known(submission: Submission) -> int:
    return submission.newest_known_id or 0


def _prompts(client: Client, tune_id: int, **page: int | None) -> Iterator[Json]:
    with suppress(NotFoundError):  # the tune was deleted, and its prompts with it
        yield from client.prompts(tune_id, **page)


def _is_of(prompt: Json, submission: Submission) -> bool:
    """Return whether a prompt may be of a run, as far as the service shows its pack and its template."""
    request, pack = submission.request, parse_id(prompt.get("base_pack_id") or prompt.get("pack_id"))
    if pack is not None and isinstance(request.pack, int) and pack != request.pack:
        return False
    templates, template = request.parameters.get("prompt_ids"), parse_id(prompt.get("orig_prompt_id"))
    return not templates or template is None or template in templates


def _newer_than(newest_known_id: int, pages: Callable[..., Iterator[Json]]) -> Iterator[Json]:
    # A page is read to its end: a service may sort its list by something else, such as the last change.
    before_id: int | None = None
    while page := list(pages(before_id=before_id, limit=PAGE_SIZE)):
        newer = [entity for entity in page if entity["id"] > newest_known_id]
        yield from newer
        if len(newer) < len(page):
            return
        before_id = min(entity["id"] for entity in page)
