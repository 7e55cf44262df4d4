"""Any client of the API gets from the sandbox what the API's reference says.

Each row of the table says what must come back and is played by three programs. Rows follow the reference's
list of endpoints and its checklist; where that leaves something open, they state the default.
"""

from collections.abc import Iterator

import pytest
import rows_callbacks
import rows_faults
import rows_packs
import rows_parameters
import rows_prompt_lists
import rows_prompts
import rows_runs
import rows_tunes
from conformance import Row
from programs import PROGRAMS
from stage import Stage

TABLES = (
    rows_packs,
    rows_parameters,
    rows_runs,
    rows_tunes,
    rows_prompts,
    rows_prompt_lists,
    rows_callbacks,
    rows_faults,
)
ROWS = [row for table in TABLES for row in table.ROWS]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as opened:
        yield opened


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_it_answers_as_the_api_does(stage: Stage, row: Row, program: str) -> None:
    stage.play(row, program)


def test_each_row_has_a_name_of_its_own() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
