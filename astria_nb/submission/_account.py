"""What the account shows before anything is paid: its newest entry, and whether the title is taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from astria_nb.client import Client, Json
from astria_nb.errors import NotFoundError, Problem, RejectedError, TuneError
from astria_nb.tune import Request
from astria_nb.tune.plain import stripped
from astria_nb.utils.formatting import short

_PAGE = 120  # the API's maximum: one request (astria-api, section 7)
_SEARCHED = 5 * _PAGE  # tunes that a search for a title may list; more would delay each submission


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account before a request is sent.

    Attributes
    ----------
    newest_id : int
        Of a tune, or of a prompt of the tunes that a run uses; 0 if there is none.
    tune : dict or None
        The tune that has the request's title already, as the API's JSON.
    """

    newest_id: int
    tune: Json | None = None


def look(client: Client, request: Request) -> AccountState:
    """Return what the account shows.

    One request, or one for each tune of a run on existing tunes. A title that is not among the newest tunes
    of a large account is searched for.

    Raises
    ------
    TuneError
        The title is taken by a tune of another class or pack.
    """
    if tune_ids := request.parameters.get("tune_ids"):
        newest = [next(client.prompts(tune_id, limit=_PAGE), {"id": 0}) for tune_id in tune_ids]
        return AccountState(max(prompt["id"] for prompt in newest))
    tunes = list(client.tunes(limit=_PAGE))
    same_title = _of_title(tunes, request.title)
    if not same_title and len(tunes) >= _PAGE:
        same_title = _of_title(_search(client, request.title), request.title)
    return AccountState(max((tune["id"] for tune in tunes), default=0), _same_request(same_title, request))


def _search(client: Client, title: str | None) -> Iterator[Json]:
    # The filter matches a part of the title; a service without it lists all tunes, or refuses.
    with suppress(NotFoundError, RejectedError):
        yield from client.tunes(title=title, limit=_SEARCHED)


def _of_title(tunes: Sequence[Json] | Iterator[Json], title: str | None) -> list[Json]:
    # A title that was sent with blanks around it is the same.
    return [tune for tune in tunes if stripped(str(tune.get("title"))) == stripped(str(title))]


def _same_request(tunes: Sequence[Json], request: Request) -> Json | None:
    """Return the newest of the tunes with the request's title that may be the request's own."""
    for tune in tunes:
        if not any(_contradictions(tune, request)):
            return tune
    if not tunes:
        return None
    contradictions = " and ".join(_contradictions(tunes[0], request))
    what = f"{short(request.title)} is taken by tune {tunes[0]['id']} on your account, which {contradictions}"
    raise TuneError(Problem("title", what, "give another title; nothing was sent", kind="conflict"))


def _contradictions(tune: Json, request: Request) -> Iterator[str]:
    """Yield in what a tune differs from a request, as far as the account shows it."""
    name, pack = tune.get("name"), tune.get("base_pack_id")
    if isinstance(name, str) and name != request.parameters.get("name"):
        yield f"is of the class {short(name)}"
    if isinstance(pack, int) and pack != request.pack:
        yield f"was made from pack {pack}"
