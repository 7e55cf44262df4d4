"""The images to train with, from the kernel's disk: choose many, see them, take them out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import ipywidgets as widgets
from ipyfilechooser import FileChooser
from markupsafe import Markup

from astria_nb.errors import TuneError
from astria_nb.form import background
from astria_nb.form.fields import WIDE, Field
from astria_nb.form.static import picture_html
from astria_nb.images import SUFFIXES, Image, thumbnail

_SIDE = 96  # pixels of a thumbnail


class ImageField(Field):
    """A list of image files, filled from folders on the kernel's disk.

    Its value holds an `Image` for each file that was found fit, and the bare path of one that was not: so
    that nothing is lost, and the rules can say what is wrong with it.
    """

    def __init__(self) -> None:
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
        self._chooser._select.layout.width = "auto"
        self._chooser.add_class("astria-chooser")
        self._chooser.register_callback(self._list)
        self._where = widgets.HTML()
        self._where.add_class("astria-note")
        self._files = widgets.SelectMultiple(rows=6, layout=WIDE)
        self._files.add_class("astria-files")
        add = widgets.Button(description="Add selected")
        add.on_click(lambda _: self._add(self._files.value))
        add_all = widgets.Button(description="Add all")
        add_all.on_click(lambda _: self._add(path for _, path in self._files.options))
        self._tiles = widgets.Box(layout=widgets.Layout(flex_flow="row wrap", width="100%"))
        self._tiles.add_class("astria-tiles")
        self._found = widgets.VBox(
            [self._files, widgets.HBox([add, add_all])], layout=widgets.Layout(width="100%")
        )
        super().__init__(self._where, self._chooser, self._found, self._tiles)
        self._drawn: dict[Any, widgets.VBox] = {}
        self.observe(self._set, "value")
        self._list()

    @property
    def summary(self) -> str:
        """How many images there are, and how large: ``4 images · 1.2 MB``."""
        found = self.value or []
        size = sum(each.size for each in found if isinstance(each, Image)) / 1e6
        noun = "1 image" if len(found) == 1 else f"{len(found)} images"
        return f"{noun} · {size:.1f} MB" if found else "none"

    def _list(self, _: Any = None) -> None:
        folder = Path(self._chooser.selected_path or Path.cwd())
        try:
            found = sorted(each for each in folder.iterdir() if each.suffix.lower() in SUFFIXES)
        except OSError as error:
            found = []
            what = f"cannot be read: {error.strerror}"
        else:
            what = f"{len(found) or 'no'} image{'' if len(found) == 1 else 's'}"
        self._where.value = Markup("<b>{}</b> · {}").format(_shown(_short(folder)), what)
        self._found.layout.display = None if found else "none"
        self._files.options = [(_shown(each.name), each) for each in found]

    def _add(self, paths: Iterable[Path]) -> None:
        known = list(self.value or [])
        have = {each.path if isinstance(each, Image) else each for each in known}
        self.value = [*known, *(_opened(path) for path in paths if path.absolute() not in have)] or None

    def _remove(self, item: Any) -> None:
        self.value = [each for each in self.value if each is not item] or None

    def _set(self, change: Mapping[str, Any]) -> None:
        items = [_opened(each) for each in change["new"] or []]
        if items != (change["new"] or []):
            self.value = items
            return
        self._drawn = {id(each): self._drawn.get(id(each)) or self._tile(each) for each in items}
        self._tiles.children = tuple(self._drawn.values())

    def _tile(self, item: Any) -> widgets.VBox:
        picture = widgets.HTML()
        picture.add_class("astria-picture")
        name = item.filename if isinstance(item, Image) else _shown(os.fspath(item))
        detail = f"{item.width} x {item.height} px" if isinstance(item, Image) else "not an image"
        caption = widgets.HTML(Markup("<div title='{0}'>{0}</div><div>{1}</div>").format(name, detail))
        caption.add_class("astria-caption")
        remove = widgets.Button(description="Remove", tooltip=f"Take {name} out")
        remove.on_click(lambda _: self._remove(item))
        if isinstance(item, Image):
            background.start(_draw, picture, item)
        tile = widgets.VBox([picture, caption, remove])
        tile.add_class("astria-tile")
        return tile


def _opened(source: Any) -> Any:
    """Return a path as an image, or as it is where it is none."""
    if isinstance(source, Image):
        return source
    try:
        return Image.open(source)
    except (TuneError, TypeError, ValueError):
        return source


def _draw(picture: widgets.HTML, image: Image) -> None:
    try:
        picture.value = picture_html(thumbnail(image.path, _SIDE * 2), image.filename)
    except OSError:
        picture.value = Markup("<span>{}</span>").format("cannot be shown")


def _short(folder: Path) -> str:
    """Name a folder as the reader thinks of it: from the kernel's working folder where it is inside."""
    here = Path.cwd()
    return str(folder.relative_to(here.parent) if folder.is_relative_to(here) else folder)


def _shown(name: str) -> str:
    """Return a file's name as text: one that is no UTF-8 on the disk could not reach the browser."""
    return name.encode("utf-8", "replace").decode()
