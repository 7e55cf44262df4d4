"""The declaration of a field of a tune; everything else about the field is derived from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from astria_nb.tune.validators import Validator

Holds = Literal["text", "address", "value"]
"""Text that may say anything, such as ``007``; an address, of a photo or with a secret; any other value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """The declaration of one field of `Tune`.

    Attributes
    ----------
    validate : callable
        Returns the value as `Tune` holds it, and reports what is wrong with it.
    label : str
        The field's name in running text, such as ``image URLs``.
    holds : {"text", "address", "value"}
        What it holds, or each entry of its list or map.
    may_be_blank : bool
        Whether blank text is a value; otherwise it means that the field was not given.
    shape : {"scalar", "list", "map"}
    placeholder : str
        An example, or a hint, for an empty input.
    is_parameter : bool
        Whether it is sent under ``tune`` as text. The pack is part of the address; images are files.
    """

    validate: Validator
    label: str
    holds: Holds
    may_be_blank: bool = False
    shape: Literal["scalar", "list", "map"] = "scalar"
    placeholder: str = ""
    is_parameter: bool = True

    @property
    def heading(self) -> str:
        """The label at the start of a line, such as ``Image URLs``."""
        return self.label[:1].upper() + self.label[1:]

    @property
    def empty(self) -> Any:
        """The value of a field that was not given: None, an empty tuple or an empty dict."""
        return {} if self.shape == "map" else () if self.shape == "list" else None


def declared(validate: Validator, label: str, holds: Holds, **options: Any) -> dict[str, FieldSpec]:
    """Return the metadata of a dataclass field; parameters as the attributes of `FieldSpec`."""
    return {"spec": FieldSpec(validate=validate, label=label, holds=holds, **options)}
