"""The latest state of many, held against a service whose list may lack some of them."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from astria_nb.errors import NotFoundError
from astria_nb.latest import latest

IDS = st.sets(st.integers(1, 400), max_size=120)


@given(there=IDS, hidden=IDS, wanted=IDS, size=st.integers(1, 30))
def test_all_are_found_however_the_list_is_cut_and_what_it_lacks_is_asked_for(
    there: set[int], hidden: set[int], wanted: set[int], size: int
) -> None:
    requests: list[int] = []

    def page(before: int) -> Iterator[dict[str, Any]]:
        requests.append(before)
        older = sorted((each for each in there - hidden if each < before), reverse=True)
        return ({"id": each} for each in older[:size])

    def one(each: int) -> dict[str, Any]:
        requests.append(each)
        if each not in there:
            raise NotFoundError(status=404)
        return {"id": each}

    found = latest(wanted, page, one)
    assert found == {each: {"id": each} if each in there else None for each in wanted}
    listed = wanted & (there - hidden)
    assert len(requests) <= len(listed) + 2 * len(wanted - listed)
