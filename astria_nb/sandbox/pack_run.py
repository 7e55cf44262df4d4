"""The rules of `POST /p/:pack/tunes`: a request's parameters as a valid run, or all that is wrong."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from . import casts, prompt_attributes
from .errors import bad_request, invalid
from .images import image_fault
from .packs import Pack, Template
from .params import Param, Params
from .records import PackRun, Tune
from .uploads import Upload

PRESETS = ("flux-lora-focus", "flux-lora-portrait", "flux-lora-fast")
_URL = re.compile(r"https?://(?:%[0-9A-Fa-f]{2}|[!#$&'()*+,/0-9:;=?@A-Z\[\]_a-z~.-])+")


def tune_params(params: Params) -> Params:
    """Return what was sent under `tune`.

    Raises
    ------
    Refusal
        400 when there is no such object.
    """
    tune = params.get("tune")
    if not isinstance(tune, dict) or not tune:
        raise bad_request("param is missing or the value is empty: tune")
    return tune


def read_run(sent: Params, pack: Pack, find_tune: Callable[[int], Tune | None]) -> PackRun:
    """Check a request to run a pack.

    Parameters
    ----------
    sent : mapping
        What was sent under `tune`.
    pack : Pack
        The pack to run.
    find_tune : callable
        Returns the tune of an id, or None.

    Raises
    ------
    Refusal
        422 with every rule that is broken, field → messages.

    Notes
    -----
    The fields are those of `astria-api.md` section 4.
    """
    return _Reader(sent, pack).run(find_tune)


class _Reader:
    """One request being read; `errors` collects what is wrong."""

    def __init__(self, sent: Params, pack: Pack) -> None:
        self.sent = sent
        self.pack = pack
        self.errors: dict[str, list[str]] = {}

    def run(self, find_tune: Callable[[int], Tune | None]) -> PackRun:
        tunes = self._tunes(find_tune)
        train = not self._list("tune_ids")
        name = casts.filled(self.sent.get("name")) or ""
        if train:
            self._check_new_tune(name)
        wanted = {name} & set(self.pack.classes) if train else {tune.run.name for tune in tunes}
        attributes, wrong = prompt_attributes.read(self.sent.get("prompt_attributes"))
        self.errors |= wrong
        if "prompts_attributes" in self.sent:
            self._wrong("prompts_attributes", "is a field of POST /tunes; a pack run takes prompt_attributes")
        run = PackRun(
            pack=self.pack,
            templates=self._templates(wanted),
            title=casts.text(self.sent.get("title")) or "",
            name=name,
            images=self._images(),
            image_urls=self._image_urls(),
            callback=casts.filled(self.sent.get("callback")),
            prompts_callback=casts.filled(self.sent.get("prompts_callback")),
            characteristics=self._characteristics(),
            attributes=attributes,
            tunes=tunes,
            preset=self._preset(),
            branch=casts.filled(self.sent.get("branch")),
            auto_extend=casts.boolean(self.sent.get("auto_extend")),
        )
        if self.errors:
            raise invalid(self.errors)
        return run

    def _wrong(self, field: str, message: str) -> None:
        self.errors.setdefault(field, []).append(message)

    def _list(self, field: str) -> list[Param]:
        found = casts.items(self.sent.get(field))
        if found is None and field not in self.errors:
            self._wrong(field, "must be an array")
        return found or []

    def _check_new_tune(self, name: str) -> None:
        if not casts.filled(self.sent.get("title")):
            self._wrong("title", "can't be blank")
        if not name:
            self._wrong("name", "can't be blank")
        elif name not in self.pack.classes:
            classes = ", ".join(self.pack.classes)
            self._wrong("name", f"is not included in the list: pack {self.pack.id} has {classes}")
        pictures = self._list("images") + self._list("image_urls")
        if not pictures and not self.errors.keys() & {"images", "image_urls"}:
            self._wrong("images", "can't be blank: send images or image_urls")

    def _tunes(self, find_tune: Callable[[int], Tune | None]) -> tuple[Tune, ...]:
        tunes = []
        for value in self._list("tune_ids"):
            number = casts.whole(value)
            tune = None if number is None else find_tune(number)
            if tune is None:
                self._wrong("tune_ids", f"{_shown(value)} is not a tune of this account")
            elif tune.run.name not in self.pack.classes:
                self._wrong("tune_ids", f"{tune.id} is a {tune.run.name}, which pack {self.pack.id} lacks")
            else:
                tunes.append(tune)
        return tuple(tunes)

    def _templates(self, classes: set[str]) -> dict[str, tuple[Template, ...]]:
        by_class = {name: self.pack.of_class(name) for name in sorted(classes)}
        values = self._list("prompt_ids")
        known = {template.id for template in self.pack.templates}
        chosen = set()
        for value in values:
            number = casts.whole(value)
            if number is None or number not in known:
                self._wrong("prompt_ids", f"{_shown(value)} is not a template of pack {self.pack.id}")
            else:
                chosen.add(number)
        if not values:
            return by_class
        kept = {name: tuple(t for t in ts if t.id in chosen) for name, ts in by_class.items()}
        if classes and "prompt_ids" not in self.errors and not any(kept.values()):
            self._wrong("prompt_ids", f"none is a template for {', '.join(sorted(classes))}")
        return kept

    def _images(self) -> tuple[Upload, ...]:
        uploads = []
        for value in self._list("images"):
            fault = image_fault(value) if isinstance(value, Upload) else f"{_shown(value)} is not a file"
            if fault:
                self._wrong("images", fault)
            elif isinstance(value, Upload):
                uploads.append(value)
        return tuple(uploads)

    def _image_urls(self) -> tuple[str, ...]:
        urls = []
        for value in self._list("image_urls"):
            if isinstance(value, str) and _is_url(value):
                urls.append(value)
            else:
                self._wrong("image_urls", f"{_shown(value)} is not a percent-encoded http(s) URL")
        return tuple(urls)

    def _characteristics(self) -> dict[str, str]:
        found = casts.strings(self.sent.get("characteristics"))
        if found is None:
            self._wrong("characteristics", "must be an object of strings")
        return found or {}

    def _preset(self) -> str | None:
        preset = self.sent.get("preset")
        if preset not in (None, "", *PRESETS):
            self._wrong("preset", f"is not included in the list: {', '.join(PRESETS)}")
        return preset if isinstance(preset, str) and preset else None


def _is_url(value: str) -> bool:
    try:
        return bool(_URL.fullmatch(value) and urlsplit(value).hostname)
    except ValueError:  # a host in broken brackets
        return False


def _shown(value: Param) -> str:
    """Return a short text for a value in a message."""
    shown = value.filename if isinstance(value, Upload) else str(value)
    return shown if len(shown) <= 100 else f"{shown[:99]}…"
