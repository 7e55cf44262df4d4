"""Images from the kernel's disk: several at once, or all in a folder."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import ipywidgets as widgets
from markupsafe import Markup

from astria_nb.form.fields import AUTO, LABEL, WIDE, controls, displayable
from astria_nb.images import pictures_in

_MAX_LISTED = 1000  # more than a tune may have; each is sent to the browser


class ServerFiles(controls.VBox):
    """Choose a folder, and images in it.

    Parameters
    ----------
    on_add : callable
        Called with the chosen paths.
    """

    def __init__(self, on_add: Callable[[Iterable[Path]], None]) -> None:
        self._current = controls.HTML(classes="astria-note")
        self._files = controls.SelectMultiple(
            description="Images", style=LABEL, rows=6, layout=AUTO, classes="astria-files"
        )
        add_selected = controls.Button(description="Add selected")
        add_all = controls.Button(description="Add all")
        add_selected.on_click(lambda _: on_add(self._files.value))
        add_all.on_click(lambda _: on_add(path for _, path in self._files.options))
        # Not the shared layout, because it is hidden while there are no images.
        self._images = controls.VBox(
            [self._files, controls.HBox([add_selected, add_all])], layout=widgets.Layout(display="none")
        )
        self._chooser: Any = None
        super().__init__([self._current, self._images], layout=WIDE)

    def begin(self) -> None:
        """Offer the working directory and its content, which is only read on demand."""
        if self._chooser is not None:
            return
        try:
            self._chooser = _folder_chooser()
            self._chooser.register_callback(self._list_images)
            self._list_images()
        except OSError as error:
            self._images.layout.display = "none"
            self._current.value = Markup(
                "The working directory cannot be used ({}). Change it with os.chdir, then create the form."
            ).format(error.strerror or error)
        else:
            self.children = [self._current, self._chooser, self._images]

    def _list_images(self, _: Any = None) -> None:
        folder = Path(self._chooser.selected_path or Path.cwd())
        try:
            paths = pictures_in(folder)
        except OSError as error:
            paths = []
            status = f"cannot be read: {error.strerror or error}"
        else:
            status = f"{len(paths) or 'no'} image{'' if len(paths) == 1 else 's'}"
            if len(paths) > _MAX_LISTED:
                paths = paths[:_MAX_LISTED]
                status += f", of which the first {_MAX_LISTED} are listed"
        self._current.value = Markup("<b>{}</b> · {}").format(displayable(_relative(folder)), status)
        self._images.layout.display = None if paths else "none"
        self._files.options = [(displayable(path.name), path) for path in paths]


def _folder_chooser() -> Any:
    """Return a chooser of one folder: ipyfilechooser cannot select several files.

    Raises
    ------
    OSError
        The working directory cannot be used.
    """
    here = Path.cwd()
    here.stat()  # the chooser would raise its own error
    from ipyfilechooser import FileChooser  # imported here: its import also needs the working directory
    from ipyfilechooser.errors import InvalidPathError

    try:
        chooser = FileChooser(
            str(here),
            show_only_dirs=True,
            select_default=True,
            select_desc="Choose folder",
            change_desc="Choose folder",
            dir_icon="/",
            dir_icon_append=True,
            layout=WIDE,
        )
    except InvalidPathError:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from None
    # Its label is black in every theme and not escaped; ours shows the same.
    chooser._label.layout.display = "none"
    for control, label in ((chooser._pathlist, "Folder"), (chooser._dircontent, "Folders in it")):
        control.description, control.style = label, LABEL
    chooser._dircontent.rows = 5
    chooser._select.layout.width = "auto"
    chooser.add_class("astria-chooser")
    return chooser


def _relative(folder: Path) -> str:
    """Return a folder's path relative to the parent of the working directory, if it is inside that."""
    try:
        here = Path.cwd()
    except OSError:
        return str(folder)
    return str(folder.relative_to(here.parent) if folder.is_relative_to(here) else folder)
