"""Waiting for many tunes: a poll of all that are training."""

from typing import Any

from benchmarks.growth import LAST_STEP, grown, processor_of
from benchmarks.protocol import Case

TIMES = 9


def poll(tunes: int) -> float:
    """Return the seconds of a round, of our process: the service is another one."""
    import astria_nb as anb
    from benchmarks.services import serving

    with serving("service.py", 0, tunes) as url:
        client = anb.Client("sd_benchmark", base_url=url)
        frame = anb.rows.tune_frame(list(client.tunes()), client.now())
        assert len(frame) == tunes
        seconds = processor_of(lambda: anb.wait(frame, client, timeout=0), TIMES)
        client.close()
    return seconds


def ours(counts: list[int]) -> dict[str, Any]:
    poll(1)  # imports what it needs
    return grown([poll(count) for count in counts], counts)


CASE = Case(
    what="a round of `wait` on up to 10,000 tunes",
    against="itself",
    ours=ours,
    figures=(LAST_STEP,),
    sizes={"counts": [100, 1_000, 10_000]},
    small={"counts": [1, 2, 4]},
    rounds=1,
)
