"""A trait for rows, whose class is not imported until there are rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

if TYPE_CHECKING:
    import pandas as pd

    _Frame = traitlets.TraitType[pd.DataFrame | None, pd.DataFrame | None]
else:
    _Frame = traitlets.TraitType


class FrameTrait(_Frame):
    """A `pandas.DataFrame`, like `traitlets.Instance`, but without importing pandas for a new form."""

    info_text = "a DataFrame"

    def validate(self, obj: Any, value: Any) -> Any:
        """Return the value if it is a frame.

        Raises
        ------
        traitlets.TraitError
        """
        import pandas as pd

        if not isinstance(value, pd.DataFrame):
            self.error(obj, value)
        return value
