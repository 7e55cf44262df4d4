"""A process that submits tunes in children of its own, for a judge to kill.

Reads a line of JSON for each submission, which names the log, the service's URL, a key and the mutant, if
any; forks, and prints the child's number; then, when the child has ended, how. It has everything imported, so
that a child is at work within milliseconds.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import astria_nb as anb
from astria_nb.errors import AstriaError
from astria_nb.log import Log
from astria_nb.log import _database as database
from astria_nb.log import _precedents as precedents
from astria_nb.log import _segments as segments
from astria_nb.submission import _account as account
from astria_nb.submission import _exactly_once as exactly_once
from astria_nb.submission import _search as search
from astria_nb.submission import _settling as settling


def die_at(step: int) -> None:
    """Let this process kill itself around a write to the log: step 2n before the n-th, 2n + 1 after it."""
    written = 0

    def counted(write: Any) -> Any:
        def writing(*args: Any, **named: Any) -> Any:
            nonlocal written
            if step == 2 * written:
                os.kill(os.getpid(), signal.SIGKILL)
            result = write(*args, **named)
            if step == 2 * written + 1:
                os.kill(os.getpid(), signal.SIGKILL)
            written += 1
            return result

        return writing

    Log.plan = counted(Log.plan)  # type: ignore[method-assign]
    Log.change = counted(Log.change)  # type: ignore[method-assign]


def mutate(mutant: str, log: Path) -> Path:
    """Break one of the promises, to see whether the judge finds out; return the log to use."""
    if mutant == "no intent":
        replace(account, "_of_title", lambda *_: [])  # which would find the tune without the log
        return log.with_name(f"{os.getpid()}.sqlite")
    if mutant == "no settle wait":
        replace(settling, "wait_with_progress", lambda *_: None)
    elif mutant == "no look-up":
        replace(search, "created_by", lambda _log, _client, lost: {one.id: [] for one in lost})
    elif mutant == "blind retry":
        replace(settling, "settle", lambda _log, _client, submission, *_: submission)
        replace(exactly_once.ExactlyOnce, "_raise_if_lost", lambda *_: None)
    elif mutant == "title not looked for":
        replace(account, "_of_title", lambda *_: [])
    elif mutant == "fingerprint not compared":
        replace(precedents, "claiming_run", lambda *_: None)
        replace(precedents, "has_later_with_content", lambda *_: False)
        replace(database, "with_content", lambda *_: [])
        replace(database, "has_later_with_content", lambda *_: False)
    elif mutant and mutant != "segment trusted":  # which is one of those who read the log
        raise ValueError(mutant)
    return log


def replace(owner: Any, name: str, function: Callable[..., Any]) -> None:
    """Replace a function; one that is not there would make the mutant harmless, and the proof blind."""
    assert callable(getattr(owner, name))
    setattr(owner, name, function)


def work(order: dict[str, Any]) -> int:
    """Submit one tune as the order says, and return the exit status: 0 for a row."""
    log = Log(mutate(order["mutant"], Path(order["log"])))
    if order.get("step") is not None:
        die_at(order["step"])
    client = anb.Client(order["key"], base_url=order["url"])
    try:
        anb.submit(
            _tune(order), client, encoding=order["encoding"], log=log,
            idempotent=order["idempotent"], settle=order["settle"], once="tune_id" in order,
        )  # fmt: skip
    except AstriaError as error:
        sys.stderr.write(f"{order['title']}: {error}\n")
        return 3
    return 0


def _tune(order: dict[str, Any]) -> anb.Tune:
    if "tune_id" in order:
        return anb.Tune(pack=797, tune_ids=[order["tune_id"]], prompt_ids=[797001])
    source = {"images": order["images"]} if order["images"] else {"image_urls": ["https://example.com/1.jpg"]}
    return anb.Tune(pack=797, title=order["title"], name="cat", prompt_ids=[797001], **source)


def main() -> None:
    anb.submit, anb.Client  # noqa: B018  imported once, for all children
    import_module("astria_nb.log._database")  # which a log imports only when it is opened
    import_module("astria_nb.log._frames")
    import_module("psutil")
    segments.ROWS = 1
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            status = 9
            try:
                status = work(json.loads(line))
            finally:
                os._exit(status)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
