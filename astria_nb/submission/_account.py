"""The state of the account before anything is paid: its newest entry, and whether the title is taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from astria_nb.client import PAGE_SIZE, Client, Json
from astria_nb.errors import AstriaError, NotFoundError, Problem, RejectedError, ServerError, TuneError
from astria_nb.submission._titles import filter_of, is_same_title
from astria_nb.tune import Request
from astria_nb.utils.arguments import parse_id
from astria_nb.utils.formatting import short

_SMALLEST_PAGE = 20  # the API's default: a page of more may continue, whatever was requested
_SEARCHED = 5 * PAGE_SIZE  # tunes that are listed if no filter works; more would delay each submission
# By service, account and key: the oldest tune of an account that was listed to its end. Nothing older comes.
_oldest: dict[tuple[str, str | None, str], int] = {}


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account before a request is sent.

    Attributes
    ----------
    newest_id : int
        The newest id of a tune, or of a prompt of the tunes that a run uses; 0 if there is none.
    tune : dict or None
        The tune that has the request's title already, as the API's JSON.
    """

    newest_id: int
    tune: Json | None = None


def look(client: Client, request: Request) -> AccountState:
    """Return the state of the account.

    One request, or one for each tune of a run on existing tunes; another one if it is not known yet whether
    the newest tunes are all. A title that is not among the newest tunes of a large account is searched for.

    Raises
    ------
    TuneError
        The title is taken by a tune of another class or pack.
    """
    if tune_ids := request.parameters.get("tune_ids"):
        prompts = (prompt for tune_id in tune_ids for prompt in client.prompts(tune_id, limit=PAGE_SIZE))
        return AccountState(max((prompt["id"] for prompt in prompts), default=0))
    pages = newest_pages(client, 2)
    page, is_all = next(pages)
    newest_id = max((tune["id"] for tune in page), default=0)
    same_title = list(_of_title(page, request.title))
    # Behind a whole page there are most likely more: then the search tells at once.
    if not same_title and not is_all and len(page) < PAGE_SIZE:
        with suppress(AstriaError):  # then the search tells, too
            page, is_all = next(pages)
            same_title = list(_of_title(page, request.title))
    if not same_title and not is_all:
        found = _of_title(_search(client, str(request.title)), request.title)
        return AccountState(newest_id, own_tune(found, request))
    return AccountState(newest_id, own_tune(same_title, request))


def contradictions(tune: Json, request: Request) -> Iterator[str]:
    """Yield the differences between a tune and a request, as far as the account shows them."""
    name, pack = tune.get("name"), parse_id(tune.get("base_pack_id"))
    if isinstance(name, str) and name.casefold() != str(request.parameters.get("name")).casefold():
        yield f"is of the class {short(name)}"
    if pack is not None and isinstance(request.pack, int) and pack != request.pack:
        yield f"was made from pack {pack}"


def newest_pages(client: Client, most: int) -> Iterator[tuple[list[Json], bool]]:
    """Yield at most so many pages of the account's tunes, newest first, each with whether it is the last."""
    owner, before_id = (client.service, client.account, client.key_end), None
    for _ in range(most):
        page = list(client.tunes(before_id=before_id, limit=PAGE_SIZE))
        oldest = page[-1]["id"] if page else before_id
        # A service may give fewer than it was asked for, and leave out what it does not show.
        is_last = len(page) < _SMALLEST_PAGE or (len(page) < PAGE_SIZE and _oldest.get(owner) == oldest)
        if is_last and oldest is not None:
            _oldest[owner] = oldest
        yield page, is_last
        if is_last:
            return
        before_id = oldest


def _search(client: Client, title: str) -> Iterator[Json]:
    """Yield the tunes that may have a title: those found by the service's filter, or else the newest."""
    part = filter_of(title)
    is_filtered = True
    try:
        for number, tune in enumerate(client.tunes(title=part), 1):
            yield tune
            is_filtered = is_filtered and part.casefold() in str(tune.get("title")).casefold()
            if number >= _SEARCHED and not is_filtered:
                return
    except (NotFoundError, RejectedError, ServerError):  # the filter is not supported, or not for this title
        yield from client.tunes(limit=_SEARCHED)


def _of_title(tunes: Iterable[Json], title: str | None) -> Iterator[Json]:
    return (tune for tune in tunes if is_same_title(tune.get("title"), title))


def own_tune(same_title: Iterable[Json], request: Request) -> Json | None:
    """Return the newest tune with the request's title that may belong to the request."""
    conflict = ""
    for tune in same_title:
        differences = " and ".join(contradictions(tune, request))
        if not differences:
            return tune
        conflict = conflict or f"is taken by tune {tune['id']} on your account, which {differences}"
    if not conflict:
        return None
    what, hint = f"{short(request.title)} {conflict}", "give another title; nothing was sent"
    raise TuneError(Problem("title", what, hint, kind="conflict"))
