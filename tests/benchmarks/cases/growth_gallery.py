"""A gallery of many pictures: until it can be displayed, without the pictures themselves."""

from typing import Any

from benchmarks.growth import LAST_STEP, grown, processor_of
from benchmarks.protocol import Case

PROMPTS, IMAGES = 25, 4  # of each tune
TIMES = 9


def show(pictures: int) -> float:
    """Return the seconds until there is a gallery, of our process: the service is another one."""
    import astria_nb as anb
    from benchmarks.services import serving

    with serving("service.py", 0, max(1, pictures // (PROMPTS * IMAGES)), PROMPTS) as url:
        client = anb.Client("sd_benchmark", base_url=url)
        frame = anb.rows.tune_frame(list(client.tunes()), client.now())

        def display() -> None:
            gallery = anb.gallery(frame, client)
            assert sum(len(card["pictures"]) for card in gallery.cards) >= pictures, repr(gallery)
            gallery.close()

        seconds = processor_of(display, TIMES)
        client.close()
    return seconds


def ours(counts: list[int]) -> dict[str, Any]:
    show(1)  # imports what it needs
    return grown([show(count) for count in counts], counts)


CASE = Case(
    what="a gallery of up to 10,000 pictures",
    against="itself",
    ours=ours,
    figures=(LAST_STEP,),
    sizes={"counts": [100, 1_000, 10_000]},
    small={"counts": [100, 200, 400]},
    rounds=5,  # the time of 100 pictures differs much between processes
)
