"""The rules of `POST /p/:pack/tunes`: turn a request's fields into a plan, or report all errors."""

from collections.abc import Callable, Mapping

from astria_nb.sandbox._options import Options
from astria_nb.sandbox.model import (
    NewPrompt,
    NewTune,
    PackRecord,
    Plan,
    Template,
    TuneRecord,
    branch_of,
    templates,
)
from astria_nb.sandbox.params import casts
from astria_nb.sandbox.validation import _prompt_attributes as prompt_attributes
from astria_nb.sandbox.validation._fields import Fields, shortened

PRESETS = ("flux-lora-focus", "flux-lora-portrait", "flux-lora-fast")


def read_run(
    fields: Fields, pack: PackRecord, find_tune: Callable[[int], TuneRecord | None], options: Options
) -> Plan:
    """Check a request to run a pack.

    Parameters
    ----------
    fields : Fields
        What was sent under `tune`.
    pack : PackRecord
        The pack to run.
    find_tune : callable
        Returns the caller's tune with an id, or None.
    options : Options
        The sandbox's options.

    Raises
    ------
    Refusal
        422 with all errors, field → messages.

    Notes
    -----
    The fields are described in astria-api, section 4. ``brief`` is only checked and recorded in the ledger:
    how it changes the prompts, and whether a reply shows it, is not documented.
    """
    return _Reader(fields, pack, options).plan(find_tune)


class _Reader:
    def __init__(self, fields: Fields, pack: PackRecord, options: Options) -> None:
        self.fields = fields
        self.pack = pack
        self.options = options

    def plan(self, find_tune: Callable[[int], TuneRecord | None]) -> Plan:
        tunes = self._tunes(find_tune)
        train = not self.fields.items("tune_ids")
        attributes = prompt_attributes.read(
            self.fields, "prompt_attributes", "prompts.", base_tune_id=self.pack.base_tune_id
        )
        if "prompts_attributes" in self.fields:
            self.fields.add_error(
                "prompts_attributes", "is a field of POST /tunes; a pack run takes prompt_attributes"
            )
        if self.fields.sent.get("brief") is not None and casts.text(self.fields.sent["brief"]) is None:
            self.fields.add_error("brief", "must be text")
        new = self._new_tune() if train else None
        characteristics = self.fields.strings("characteristics")
        if new is None:
            prompts = self._prompts_of(tunes, characteristics, attributes)
        else:
            prompts = self._prompts(str(new.name), (), characteristics, attributes)
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
            fields.add_error("tune_ids", f"can't be blank: pack {self.pack.id} composes several tunes")
            title, name = fields.text("title") or "", fields.text("name") or ""
        else:
            title, name = fields.required("title"), fields.required("name").strip()
            if name and name not in self.pack.classes:
                classes = ", ".join(self.pack.classes)
                fields.add_error("name", f"is not included in the list: pack {self.pack.id} has {classes}")
            fields.check_enough_images()
        is_mock = fields.text("branch") == "fast" and self.options.branch_on_packs == "mock"
        extends = self.options.auto_extend_on_packs == "kept" and fields.flag("auto_extend")
        return NewTune(
            title=title,
            name=name,
            base_tune_id=self.pack.base_tune_id,
            base_pack_id=self.pack.id,
            model_type=self.pack.model_type,
            preset=fields.choice("preset", PRESETS),
            branch="fast" if is_mock else branch_of(self.pack.base_tune_id),
            is_mock=is_mock,
            images=fields.images(),
            image_urls=fields.image_urls(),
            characteristics=fields.strings("characteristics"),
            callback=fields.text("callback"),
            prompts_callback=fields.text("prompts_callback"),
            auto_extend=extends,
            cost_mc=0 if is_mock else self.pack.training_mc(name),
        )

    def _tunes(self, find_tune: Callable[[int], TuneRecord | None]) -> tuple[TuneRecord, ...]:
        tunes = []
        for value in self.fields.items("tune_ids"):
            number = casts.integer(value)
            tune = None if number is None else find_tune(number)
            if tune is None:
                self.fields.add_error("tune_ids", f"{shortened(value)} is not a tune of this account")
            elif tune.name not in self.pack.subjects:
                self.fields.add_error(
                    "tune_ids", f"{tune.id} is a {tune.name}, which pack {self.pack.id} lacks"
                )
            else:
                tunes.append(tune)
        return tuple(tunes)

    def _prompts_of(
        self, tunes: tuple[TuneRecord, ...], sent: Mapping[str, str], attributes: Mapping[str, object]
    ) -> list[NewPrompt]:
        """Plan the prompts of existing tunes: of each tune, or in a multi pack of all together."""
        if self.pack.is_multi:
            merged = {key: text for tune in tunes for key, text in tune.characteristics.items()}
            return self._prompts(self.pack.classes[0], tunes, merged | dict(sent), attributes)
        return [
            prompt
            for tune in tunes
            for prompt in self._prompts(str(tune.name), (tune,), {**tune.characteristics, **sent}, attributes)
        ]

    def _prompts(
        self,
        name: str,
        tunes: tuple[TuneRecord, ...],
        characteristics: Mapping[str, str],
        attributes: Mapping[str, object],
    ) -> list[NewPrompt]:
        keep = self.options.unfilled_placeholder == "keep"
        without_text = {key: value for key, value in attributes.items() if key != "text"}
        return [
            NewPrompt(
                text=templates.fill(str(attributes.get("text", template.text)), characteristics, keep=keep),
                attributes=without_text,
                tunes=tunes,
                base_pack_id=self.pack.id,
                orig_prompt_id=template.id,
            )
            for template in self._chosen(name)
        ]

    def _chosen(self, name: str) -> list[Template]:
        """Return the templates of a class, or only those that were chosen by `prompt_ids`."""
        template_ids = {template.id for template in self.pack.templates}
        values = self.fields.items("prompt_ids")
        chosen_ids = {casts.integer(value) for value in values}
        for value in values:
            if casts.integer(value) not in template_ids:
                message = f"{shortened(value)} is not a template of pack {self.pack.id}"
                self.fields.add_error("prompt_ids", message)
        templates_of_class = self.pack.of_class(name)
        return [template for template in templates_of_class if not values or template.id in chosen_ids]

    def _check_some_prompt(
        self, prompts: list[NewPrompt], new: NewTune | None, tunes: tuple[TuneRecord, ...]
    ) -> None:
        names = {str(new.name)} & set(self.pack.classes) if new else {str(tune.name) for tune in tunes}
        chose = self.fields.items("prompt_ids") and not self.fields.has_error("prompt_ids")
        if names and chose and not prompts:
            self.fields.add_error("prompt_ids", f"none is a template for {', '.join(sorted(names))}")
