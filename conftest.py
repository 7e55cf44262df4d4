"""What pytest loads first, wherever it is started."""

import gc
import sys

# Of what is collected, nothing becomes garbage: to look for some takes a quarter of the time.
gc.disable()

# jsonschema, which nbformat imports, builds 38 grammars if it finds this package: a second in each process of
# the tests. They are for the format "iri", which no notebook has.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

# Loaded here rather than by its entry point (`-p no:nbval`), which comes before any file of ours.
pytest_plugins = ["nbval.plugin"]


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives as long as the tests: a tenth of their time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    gc.enable()
