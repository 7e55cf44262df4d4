"""Images from the kernel's disk: many at once, or all of a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import ipywidgets as widgets
from ipyfilechooser import FileChooser
from markupsafe import Markup

from astria_nb.form.fields.base import LABEL, WIDE, displayable
from astria_nb.images.image import SUFFIXES


class ServerFiles(widgets.VBox):
    """A chooser of a folder, and the images in it.

    Parameters
    ----------
    add : callable
        Called with the paths that were chosen.
    """

    def __init__(self, add: Callable[[Iterable[Path]], None]) -> None:
        # ipyfilechooser takes one path at a time and evaluates its default folder when it is imported: it
        # chooses the folder, and the images in it are chosen below, many at once.
        self._chooser = FileChooser(
            str(Path.cwd()),
            show_only_dirs=True,
            select_default=True,
            select_desc="Choose folder",
            change_desc="Choose folder",
            dir_icon="/",
            dir_icon_append=True,
            layout=WIDE,
        )
        # Its label is black on any theme and unescaped; `_where` says the same.
        self._chooser._label.layout.display = "none"
        for control, label in (
            (self._chooser._pathlist, "Folder"),
            (self._chooser._dircontent, "Folders in it"),
        ):
            control.description, control.style = label, LABEL
        self._chooser._dircontent.rows = 5
        self._chooser._select.layout.width = "auto"
        self._chooser.add_class("astria-chooser")
        self._chooser.register_callback(self._list)
        self._where = widgets.HTML()
        self._where.add_class("astria-note")
        self._files = widgets.SelectMultiple(
            description="Images", style=LABEL, rows=6, layout=widgets.Layout(width="auto")
        )
        self._files.add_class("astria-files")
        chosen, everything = widgets.Button(description="Add selected"), widgets.Button(description="Add all")
        chosen.on_click(lambda _: add(self._files.value))
        everything.on_click(lambda _: add(path for _, path in self._files.options))
        # A layout of its own, since it is hidden at times.
        self._found = widgets.VBox(
            [self._files, widgets.HBox([chosen, everything])], layout=widgets.Layout(width="100%")
        )
        super().__init__([self._where, self._chooser, self._found], layout=WIDE)
        self._list()

    def _list(self, _: Any = None) -> None:
        folder = Path(self._chooser.selected_path or Path.cwd())
        try:
            found = sorted(each for each in folder.iterdir() if each.suffix.lower() in SUFFIXES)
        except OSError as error:
            found = []
            what = f"cannot be read: {error.strerror}"
        else:
            what = f"{len(found) or 'no'} image{'' if len(found) == 1 else 's'}"
        self._where.value = Markup("<b>{}</b> · {}").format(displayable(_short(folder)), what)
        self._found.layout.display = None if found else "none"
        self._files.options = [(displayable(each.name), each) for each in found]


def _short(folder: Path) -> str:
    """Name a folder as the reader thinks of it: from the kernel's working folder where it is inside."""
    here = Path.cwd()
    return str(folder.relative_to(here.parent) if folder.is_relative_to(here) else folder)
