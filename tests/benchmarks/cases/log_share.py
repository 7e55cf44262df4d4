"""Tunes that are submitted one after the other to a service of 50 ms, with a log and with none."""

from contextlib import closing
from typing import Any

from benchmarks.protocol import Case, Figure

SECONDS = 0.05
URLS = [f"https://example.com/{number}.jpg" for number in range(4)]


def submit_all(tunes: int, *, is_logged: bool) -> dict[str, Any]:
    import tempfile
    import time

    import astria_nb as anb
    from benchmarks.null_log import NullLog
    from benchmarks.services import serving

    with tempfile.TemporaryDirectory() as folder, serving("service.py", SECONDS) as url:
        log: Any = (anb.ExperimentLog if is_logged else NullLog)(f"{folder}/log.sqlite")
        with closing(anb.Client("sd_benchmark", base_url=url)) as client:
            for number in range(-1, tunes):
                if number == 0:  # everything is imported
                    started = time.perf_counter()
                tune = anb.Tune(pack=797, name="cat", title=f"t{number}", image_urls=URLS)
                anb.submit(tune, client, log=log, say=lambda *_: None, on_sent=lambda *_: None)
            seconds = time.perf_counter() - started
        log.close()
    return {"seconds": seconds}


def peer(tunes: int) -> dict[str, Any]:
    return submit_all(tunes, is_logged=False)


def ours(tunes: int) -> dict[str, Any]:
    return submit_all(tunes, is_logged=True)


CASE = Case(
    what="tunes submitted one after the other, a service of 50 ms",
    against="the same with a log that stores nothing",
    ours=ours,
    peer=peer,
    figures=(Figure("seconds", "time", most=1.05),),
    sizes={"tunes": 200},
    small={"tunes": 2},
    rounds=3,
)
