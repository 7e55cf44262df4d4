"""A tune of the form's list: its values, what they make, and what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from markupsafe import Markup

from astria_nb.client import Client
from astria_nb.errors import AstriaError, Problem
from astria_nb.form._saved_draft import as_plain
from astria_nb.images import Preprocessing
from astria_nb.tune import Encoding, Estimate, Pack, Tune, check, check_pack, estimate, from_checked


@dataclass(eq=False, slots=True)
class ListedTune:
    """A tune that waits for Submit.

    Attributes
    ----------
    values : dict of str to object
        What was filled in, by the fields' names in the API.
    tune : Tune or None
        None if its fields are wrong, such as after its files were moved.
    price : Estimate or None
        None if it is unknown.
    encoding : {"multipart", "form", "json"} or None
    preprocessing : Preprocessing
    problems : sequence of Problem
        Why it could not be sent; empty if it was not tried, or that is not known.
    """

    values: dict[str, Any]
    tune: Tune | None
    price: Estimate | None = None
    encoding: Encoding | None = None
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    problems: Sequence[Problem] = ()

    @classmethod
    def of_saved(cls, saved: Mapping[str, Any]) -> ListedTune:
        """Return a tune as `saved` gives it."""
        values = dict(saved)
        switches = {"keep_metadata": False, "max_side": None, "keep_damaged": False}
        preprocessing = Preprocessing(*(values.pop(name, default) for name, default in switches.items()))
        encoding = values.pop("encoding", None)
        listed = cls(values, None, None, encoding, preprocessing)
        listed.check()
        return listed

    def check(self) -> None:
        """Make the tune of its values: files may be back where they were."""
        fields, self.problems = check(self.values)
        self.tune = None if self.problems else from_checked(fields)

    def price_by(self, pack: Pack, _fetched_at: float) -> None:
        """Take the price from a pack as a submission has fetched it."""
        self.price = None if self.tune is None else estimate(self.tune, pack)

    @property
    def title(self) -> str | None:
        """Its title; None if it has none."""
        return self.values.get("title")

    @property
    def saved(self) -> dict[str, Any]:
        """It as plain data."""
        more = {**asdict(self.preprocessing), "encoding": self.encoding}
        return as_plain({**self.values, **{name: value for name, value in more.items() if value}})

    @property
    def text(self) -> str:
        """It in a line."""
        return " · ".join([self._name, *self._details])

    @property
    def html(self) -> Markup:
        """The same as HTML, in this order also after a title that is written from right to left."""
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
    """Look up what tunes cost, each pack once; those that their pack would refuse get a problem.

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
