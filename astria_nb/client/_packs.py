"""The packs of a client."""

from __future__ import annotations

from astria_nb.client import _replies as replies
from astria_nb.client import responses
from astria_nb.client._client_base import ClientBase
from astria_nb.errors import (
    NotFoundError,
    Problem,
    TuneError,
)
from astria_nb.tune import Pack, validators
from astria_nb.utils.arguments import check_bool
from astria_nb.utils.formatting import short


class PackMethods(ClientBase):
    """Packs: `packs` lists them, `pack` looks one up."""

    def packs(
        self, *, gallery: bool = False, listed: bool | None = None, public: bool | None = None
    ) -> list[Pack]:
        """Return your own packs, or those of the public gallery.

        Parameters
        ----------
        gallery : bool
            Return the packs of the public gallery instead of your own.
        listed : bool, optional
            Only packs that are listed, or only those that are not. Default: both.
        public : bool, optional
            Only packs that are public, or only those that are not. Default: both.

        Returns
        -------
        list of Pack
            With ``id``, ``slug``, ``title`` and ``classes``, each with its ``name`` and price.

        Examples
        --------
        >>> import astria_nb as anb
        >>> with anb.Sandbox() as sandbox:
        ...     [pack.title for pack in sandbox.client().packs(gallery=True)]
        ['Corporate Headshots', 'Portraits']
        """
        path = "/gallery/packs" if check_bool("gallery", gallery) else "/packs"
        filters = {
            name: None if value is None else check_bool(name, value)
            for name, value in (("listed", listed), ("public", public))
        }
        return replies.get_packs(self._transport, path, **filters)

    def pack(self, pack: int | str) -> Pack:
        """Return one pack.

        Parameters
        ----------
        pack : int or str
            Id or slug.

        Returns
        -------
        Pack
            With the same attributes as from `packs`.

        Raises
        ------
        TuneError
            The value is neither an id nor a slug.
        NotFoundError
            The service has no such pack.

        Examples
        --------
        >>> import astria_nb as anb
        >>> with anb.Sandbox() as sandbox:
        ...     for offer in sandbox.client().pack(260).classes:
        ...         print(offer.summary)
        man · 28 pictures · $3.31
        woman · 35 pictures · $3.60
        """
        try:
            return replies.pack_of(replies.get_object(self._transport, pack_path(pack)))
        except NotFoundError as error:
            status, page = error.status, error.page
        if page:
            raise responses.page_error(status, page)
        hint = "choose one of client.packs() or client.packs(gallery=True)"
        problem = Problem("pack", f"{short(pack)} is not known to {self.base_url}", hint, kind="not_found")
        raise NotFoundError(problem, status=status)


def pack_path(pack: int | str) -> str:
    """Return the path of a pack. Anything but an id or a slug, such as ``..``, could lead elsewhere."""
    problems: list[Problem] = []
    valid = validators.pack(pack, lambda what, hint, key="": problems.append(Problem("pack", what, hint)))  # noqa: ARG005
    if problems:
        raise TuneError(*problems)
    return f"/p/{valid}"
