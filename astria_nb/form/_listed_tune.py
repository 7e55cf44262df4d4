"""A tune in the form's list: its values, the tune they make, and its price."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from markupsafe import Markup

from astria_nb.client import Client
from astria_nb.errors import AstriaError, Problem
from astria_nb.images import Preprocessing
from astria_nb.tune import Encoding, Estimate, Pack, Tune, check, check_pack, estimate, from_checked

_UNSAVED = "was not saved with the draft, because it seems to hold an API key"


@dataclass(eq=False, slots=True)
class ListedTune:
    """A tune that waits for Submit.

    Attributes
    ----------
    values : dict of str to object
        The filled-in values, by the fields' names in the API.
    tune : Tune or None
        None if its fields are wrong, for example after its files were moved.
    price : Estimate or None
        None if it is unknown.
    encoding : {"multipart", "form", "json"} or None
    preprocessing : Preprocessing
    problems : sequence of Problem
        Why it could not be sent; empty if it was not tried, or the reason is unknown.
    unsaved : sequence of str
        The fields that its draft did not save, because they seem to hold an API key.
    """

    values: dict[str, Any]
    tune: Tune | None
    price: Estimate | None = None
    encoding: Encoding | None = None
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    problems: Sequence[Problem] = ()
    unsaved: Sequence[str] = ()

    @classmethod
    def of_saved(cls, saved: Mapping[str, Any]) -> ListedTune:
        """Return a tune from the plain data of `saved`."""
        values = {name: value for name, value in saved.items() if value is not None}
        preprocessing = Preprocessing.taken_from(values)
        encoding = values.pop("encoding", None)
        listed = cls(values, None, None, encoding, preprocessing)
        listed.unsaved = [name for name, value in saved.items() if value is None]
        listed.check()
        return listed

    def check(self) -> None:
        """Create the tune from its values again: missing files may have been restored."""
        fields, problems = check(self.values)
        unsaved = [Problem(name, _UNSAVED, "press Edit, and fill it in again") for name in self.unsaved]
        self.problems = [*unsaved, *(problem for problem in problems if problem.field not in self.unsaved)]
        self.tune = None if self.problems else from_checked(fields)

    def price_by(self, pack: Pack, _fetched_at: float) -> None:
        """Set the price from a pack that a submission has fetched."""
        self.price = None if self.tune is None else estimate(self.tune, pack)

    @property
    def title(self) -> str | None:
        """Its title; None if it has none."""
        return self.values.get("title")

    @property
    def saved(self) -> dict[str, Any]:
        """The tune as a draft saves it."""
        more = {**asdict(self.preprocessing), "encoding": self.encoding}
        filled = {**self.values, **{name: value for name, value in more.items() if value}}
        return {**filled, **dict.fromkeys(self.unsaved)}

    @property
    def text(self) -> str:
        """A one-line summary."""
        return " · ".join([self._name, *self._details])

    @property
    def html(self) -> Markup:
        """The summary as HTML, in this order even after a title that is written from right to left."""
        return Markup(" · ").join([Markup("<bdi>{}</bdi>").format(self._name), *self._details])

    @property
    def _name(self) -> str:
        return str(self.title or "run on existing tunes")

    @property
    def _details(self) -> list[str]:
        photos = len(self.values.get("images", ())) + len(self.values.get("image_urls", ()))
        count = f"{photos} photo{'' if photos == 1 else 's'}" if photos else ""
        return [*filter(None, [str(self.values.get("name", "")), count, str(self.price or "")])]


def look_up_prices(tunes: Iterable[ListedTune], client: Client, max_cost: float | None) -> None:
    """Look up the prices of tunes, each pack once; tunes that their pack would refuse get a problem.

    A price stays unknown if the pack cannot be read: Submit says why.

    Parameters
    ----------
    tunes : iterable of ListedTune
    client : Client
    max_cost : float or None
        US dollars, for each.
    """
    complete = [(listed, listed.tune) for listed in tunes if listed.tune is not None]
    for pack_id in dict.fromkeys(tune.pack for _, tune in complete):
        try:
            pack = client.pack(pack_id)
        except AstriaError:
            continue
        for listed, tune in complete:
            if tune.pack == pack_id:
                result = check_pack(pack, tune.name, tune, max_cost)
                listed.price = result.estimate
                if result.problems:
                    listed.problems = result.problems
