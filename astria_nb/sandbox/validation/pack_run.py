"""The rules of `POST /p/:pack/tunes`: a request's fields as a plan, or all that is wrong."""

from collections.abc import Callable, Mapping

from astria_nb.sandbox.model import templates
from astria_nb.sandbox.model.packs import Pack, Template
from astria_nb.sandbox.model.plans import NewPrompt, NewTune, Plan
from astria_nb.sandbox.model.records import Tune
from astria_nb.sandbox.options import Options
from astria_nb.sandbox.params import casts
from astria_nb.sandbox.validation import prompt_attributes
from astria_nb.sandbox.validation.fields import Fields, shown

PRESETS = ("flux-lora-focus", "flux-lora-portrait", "flux-lora-fast")


def read_run(fields: Fields, pack: Pack, find_tune: Callable[[int], Tune | None], options: Options) -> Plan:
    """Check a request to run a pack.

    Parameters
    ----------
    fields : Fields
        What was sent under `tune`.
    pack : Pack
        The pack to run.
    find_tune : callable
        Returns the caller's tune of an id, or None.
    options : Options
        Settles what the specification leaves open.

    Raises
    ------
    Refusal
        422 with every rule that is broken, field → messages.

    Notes
    -----
    The fields are those of astria-api, section 4. ``brief`` is only checked and kept in the ledger: how it
    changes the prompts, and whether a reply shows it, is not documented.
    """
    return _Reader(fields, pack, options).plan(find_tune)


class _Reader:
    def __init__(self, fields: Fields, pack: Pack, options: Options) -> None:
        self.fields = fields
        self.pack = pack
        self.options = options

    def plan(self, find_tune: Callable[[int], Tune | None]) -> Plan:
        tunes = self._tunes(find_tune)
        train = not self.fields.items("tune_ids")
        attributes = prompt_attributes.read(self.fields, "prompt_attributes", "prompts.")
        if "prompts_attributes" in self.fields:
            self.fields.wrong(
                "prompts_attributes", "is a field of POST /tunes; a pack run takes prompt_attributes"
            )
        if self.fields.sent.get("brief") is not None and casts.text(self.fields.sent["brief"]) is None:
            self.fields.wrong("brief", "must be text")
        new = self._new_tune() if train else None
        characteristics = self.fields.strings("characteristics")
        if new is None:
            prompts = self._prompts_of(tunes, characteristics, attributes)
        else:
            prompts = self._prompts(new.name, (), characteristics, attributes)
        self._check_some_prompt(prompts, new, tunes)
        self.fields.check()
        return Plan(
            tune=new,
            prompts=tuple(prompts),
            prompts_callback=self.fields.text("prompts_callback"),
            is_order=self.pack.is_multi,
        )

    def _new_tune(self) -> NewTune:
        fields = self.fields
        if self.pack.is_multi:
            fields.wrong("tune_ids", f"can't be blank: pack {self.pack.id} composes several tunes")
            title, name = fields.text("title") or "", fields.text("name") or ""
        else:
            title, name = fields.required("title"), fields.required("name").strip()
            if name and name not in self.pack.classes:
                classes = ", ".join(self.pack.classes)
                fields.wrong("name", f"is not included in the list: pack {self.pack.id} has {classes}")
            fields.check_enough_images()
        branch = fields.text("branch")
        is_mock = branch == "fast" and self.options.branch_on_packs == "mock"
        keeps = self.options.auto_extend_on_packs == "kept"
        return NewTune(
            title=title,
            name=name,
            base_pack_id=self.pack.id,
            preset=fields.choice("preset", PRESETS),
            branch=branch,
            is_mock=is_mock,
            images=fields.images(),
            image_urls=fields.image_urls(),
            characteristics=fields.strings("characteristics"),
            callback=fields.text("callback"),
            prompts_callback=fields.text("prompts_callback"),
            auto_extend=keeps and fields.flag("auto_extend"),
            cost_mc=0 if is_mock else self.pack.training_mc(name),
        )

    def _tunes(self, find_tune: Callable[[int], Tune | None]) -> tuple[Tune, ...]:
        tunes = []
        for value in self.fields.items("tune_ids"):
            number = casts.whole(value)
            tune = None if number is None else find_tune(number)
            if tune is None:
                self.fields.wrong("tune_ids", f"{shown(value)} is not a tune of this account")
            elif tune.name not in self.pack.subjects:
                self.fields.wrong("tune_ids", f"{tune.id} is a {tune.name}, which pack {self.pack.id} lacks")
            else:
                tunes.append(tune)
        return tuple(tunes)

    def _prompts_of(
        self, tunes: tuple[Tune, ...], sent: Mapping[str, str], attributes: Mapping[str, object]
    ) -> list[NewPrompt]:
        """Plan the prompts of existing tunes: of each by itself, or of all together."""
        if self.pack.is_multi:
            known = {key: text for tune in tunes for key, text in tune.characteristics.items()}
            return self._prompts(self.pack.classes[0], tunes, known | dict(sent), attributes)
        return [
            prompt
            for tune in tunes
            for prompt in self._prompts(str(tune.name), (tune,), {**tune.characteristics, **sent}, attributes)
        ]

    def _prompts(
        self,
        name: str,
        tunes: tuple[Tune, ...],
        characteristics: Mapping[str, str],
        attributes: Mapping[str, object],
    ) -> list[NewPrompt]:
        keep = self.options.unfilled_placeholder == "keep"
        own = {key: value for key, value in attributes.items() if key != "text"}
        return [
            NewPrompt(
                text=templates.fill(str(attributes.get("text", template.text)), characteristics, keep=keep),
                attributes=own,
                tunes=tunes,
                base_pack_id=self.pack.id,
                orig_prompt_id=template.id,
            )
            for template in self._chosen(name)
        ]

    def _chosen(self, name: str) -> list[Template]:
        """Return the templates of a class, or those of them that were asked for."""
        known = {template.id for template in self.pack.templates}
        values = self.fields.items("prompt_ids")
        chosen = {casts.whole(value) for value in values}
        for value in values:
            if casts.whole(value) not in known:
                self.fields.wrong("prompt_ids", f"{shown(value)} is not a template of pack {self.pack.id}")
        return [each for each in self.pack.of_class(name) if not values or each.id in chosen]

    def _check_some_prompt(
        self, prompts: list[NewPrompt], new: NewTune | None, tunes: tuple[Tune, ...]
    ) -> None:
        names = {new.name} & set(self.pack.classes) if new else {str(tune.name) for tune in tunes}
        chose = self.fields.items("prompt_ids") and not self.fields.is_wrong("prompt_ids")
        if names and chose and not prompts:
            self.fields.wrong("prompt_ids", f"none is a template for {', '.join(sorted(names))}")
