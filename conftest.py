"""What pytest loads first, wherever it is started."""

import sys

# jsonschema, which nbformat imports, builds 38 grammars if it finds this package: a second in each process of
# the tests. They are for the format "iri", which no notebook has.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

# Loaded here rather than by its entry point (`-p no:nbval`), which comes before any file of ours.
pytest_plugins = ["nbval.plugin"]
