"""A bare interpreter, and one that imports the package."""

from benchmarks.protocol import Case, Figure

CASE = Case(
    what="import astria_nb",
    against="bare interpreter",
    ours="import astria_nb",
    peer="pass",
    figures=(Figure("seconds", "added to its start", most=0.009, added=True),),
    rounds=41,
)
