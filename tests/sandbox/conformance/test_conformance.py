"""Every client of the API gets from the sandbox what the API's reference says.

Each row of the table states the expected answers and is played by three programs. Rows follow the
reference's list of endpoints and its checklist; where that leaves something open, they state the default.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

import sandbox.conformance.callbacks as rows_callbacks
import sandbox.conformance.faults as rows_faults
import sandbox.conformance.packs as rows_packs
import sandbox.conformance.parameters as rows_parameters
import sandbox.conformance.prompt_lists as rows_prompt_lists
import sandbox.conformance.prompts as rows_prompts
import sandbox.conformance.rails as rows_rails
import sandbox.conformance.runs as rows_runs
import sandbox.conformance.section_16 as rows_section_16
import sandbox.conformance.tunes as rows_tunes
from astria_nb.sandbox import SandboxServer
from helpers.soak import sizes
from sandbox.conformance.programs import PROGRAMS
from sandbox.conformance.stage import Stage
from sandbox.conformance.vocabulary import URL, Row
from sandbox.helpers.api import Api

TABLES = (
    rows_packs,
    rows_parameters,
    rows_rails,
    rows_runs,
    rows_tunes,
    rows_prompts,
    rows_prompt_lists,
    rows_callbacks,
    rows_faults,
    rows_section_16,
)
ROWS = [row for table in TABLES for row in table.ROWS]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as opened:
        yield opened


@pytest.mark.parametrize(
    "program",
    ["requests", *(pytest.param(name, marks=pytest.mark.slow) for name in PROGRAMS if name != "requests")],
)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_it_answers_as_the_api_does(stage: Stage, row: Row, program: str) -> None:
    stage.play(row, program)


def test_row_names_are_unique() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.slow
@sizes(250, 1_000)
def test_the_tunes_from_sixteen_connections_are_each_made_once(size: int) -> None:
    with SandboxServer(balance_mc=10**9) as sandbox, ThreadPoolExecutor(16) as pool:
        statuses_by_client = list(pool.map(partial(create_tunes, sandbox, size), range(16)))
        assert Counter(status for statuses in statuses_by_client for status in statuses) == {201: size}
        with Api(sandbox) as api:
            titles: list[str] = []
            page = api.get("/tunes?limit=120").json()
            while page:
                titles += [tune["title"] for tune in page]
                page = api.get(f"/tunes?limit=120&before_id={page[-1]['id']}").json()
            assert sorted(titles) == sorted(str(number) for number in range(size))
            assert api.get("/users").json()["usd_balance_mc"] == 10**9 - size * 198_000


def create_tunes(sandbox: SandboxServer, count: int, first: int) -> list[int]:
    """Create every sixteenth of some tunes, as forms over one connection."""
    with Api(sandbox) as api:
        whole = {"tune[name]": "cat", "tune[image_urls][]": URL}
        numbers = range(first, count, 16)
        return [
            api.post("/p/797/tunes", data=whole | {"tune[title]": str(number)}).status_code
            for number in numbers
        ]
