"""A batch whose answers are all lost after its tunes were made: how many requests find them."""

from contextlib import closing
from typing import Any

from benchmarks.protocol import Case, Figure


def ours(rows: int) -> dict[str, Any]:
    import tempfile

    import astria_nb as anb
    from benchmarks.cases.batch_json import frame_of

    with tempfile.TemporaryDirectory() as folder, anb.Sandbox(tune_fields="record") as sandbox:
        sandbox.fail("504", "POST /p/*/tunes", count=None, commit="yes")
        with closing(anb.ExperimentLog(f"{folder}/log.sqlite")) as log:
            options: dict[str, Any] = {"log": log, "max_workers": 8, "say": lambda *_: None}
            adopted = anb.submit_many(frame_of(rows), sandbox.client(), settle=0.2, **options)
        assert set(adopted["state"]) == {"adopted"}
        assert adopted["id"].nunique() == rows
        return {"looks": sum(request.method == "GET" for request in sandbox.ledger)}


CASE = Case(
    what="`submit_many` of 500 tunes whose answers are lost",
    against="-",
    ours=ours,
    figures=(Figure("looks", "requests that find all of them", most=20, beside=None, unit=""),),
    sizes={"rows": 500},
    small={"rows": 4},
    rounds=1,
)
