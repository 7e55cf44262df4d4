"""The name of the type that our rows have for text."""

import pandas as pd
from packaging.version import Version

TEXT = "str" if Version(pd.__version__) >= Version("2.3") else "string"
