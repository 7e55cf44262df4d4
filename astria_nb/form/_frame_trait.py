"""A trait for rows, of a class that is not imported before there are any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

if TYPE_CHECKING:
    import pandas as pd

    _Frame = traitlets.TraitType[pd.DataFrame | None, pd.DataFrame | None]
else:
    _Frame = traitlets.TraitType


class FrameTrait(_Frame):
    """A `pandas.DataFrame`: as `traitlets.Instance`, which would need pandas as soon as a form is made."""

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
