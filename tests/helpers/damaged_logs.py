"""A log with every kind of row, and damage to its file."""

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from astria_nb.errors import LogError
from astria_nb.log import Log, Submission
from helpers.submissions import REPLY, SERVICE, a_request

Damage = Callable[[Path, random.Random], None]
PAGE = 512  # bytes: small, so that damage meets every kind of page


def fill(path: Path, tunes: int) -> None:
    """Write submissions in all states, of which the settled ones are in segments as far as they fill one."""
    log = Log(path)
    for number in range(tunes):
        title = f"title {number}"
        sent = log.plan(a_request(title, account=str(number % 2)), sending=True)
        if number % 9 == 0:
            log.change(sent, ("unknown", "needs_review", "rejected")[number // 9 % 3], problem=f"no {number}")
            continue
        reply = {**REPLY, "id": number, "title": title, "name": f"class {number}"}
        log.change(sent, "done", reply=reply)
        if number % 20 == 1:
            log.tag(sent, f"tag {number}")
    log.frame()
    log.close()
    with closing(sqlite3.connect(path)) as file, file:
        for pragma in ("journal_mode = delete", f"page_size = {PAGE}"):
            file.execute(f"PRAGMA {pragma}")
        file.execute("VACUUM")
    file.close()


@dataclass(frozen=True)
class Reading:
    """What a log says: its frame, the submission of each title, and the replies of the service."""

    frame: pd.DataFrame
    submissions: dict[str, Submission | None]
    replies: frozenset[str]


def read(path: Path, titles: list[str]) -> Reading:
    """Read a log that nobody has damaged."""
    log = Log(path)
    try:
        found = {title: log.find(SERVICE, title) for title in titles}
        return Reading(log.frame(), found, replies_in(log))
    finally:
        log.close()


def replies_in(log: Log) -> frozenset[str]:
    return frozenset(log.events()["reply"].dropna())


def differences(path: Path, expected: Reading) -> list[str]:
    """Return what a damaged log says wrongly, without a `LogError`, or as another error."""
    wrong: list[str] = []

    def note(what: str, work: Callable[[Log], Any], is_right: Callable[[Any], bool]) -> None:
        log = Log(path)
        try:
            with suppress(LogError):
                if not is_right(work(log)):
                    wrong.append(f"{what} is silently another")
        except Exception as error:  # noqa: BLE001  whatever it is, it is reported
            wrong.append(f"{what}: {type(error).__name__}: {error}"[:300])
        finally:
            log.close()

    note("replies", replies_in, lambda replies: replies <= expected.replies)
    note("frame", lambda log: log.frame(), lambda frame: frame.equals(expected.frame))
    log = Log(path)
    for title, submission in expected.submissions.items():
        try:
            if log.find(SERVICE, title) != submission:
                wrong.append(f"find({title!r}) is silently another")
        except LogError:
            pass
        except Exception as error:  # noqa: BLE001  whatever it is, it is reported
            wrong.append(f"find({title!r}): {type(error).__name__}: {error}"[:300])
    log.close()
    for what, work in OTHER_READS.items():
        note(what, work, lambda _: True)
    return wrong


# What these return is not compared. Columns of an event other than the reply have no checksum.
OTHER_READS: dict[str, Callable[[Log], Any]] = {
    "events": lambda log: log.events(),
    "unsettled": lambda log: log.unsettled(SERVICE),
    "get": lambda log: log.get(1),
    "of_tune": lambda log: log.of_tune(SERVICE, 3),
    "plan": lambda log: log.plan(a_request("of a damaged log")),
}


def flip_bits(path: Path, chance: random.Random, bits: int = 64) -> None:
    """Flip bits anywhere but in the first page's header, which SQLite itself refuses."""
    content = bytearray(path.read_bytes())
    for _ in range(bits):
        content[chance.randrange(100, len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def zero_pages(path: Path, chance: random.Random) -> None:
    _overwrite(path, chance, bytes(PAGE))


def noise_pages(path: Path, chance: random.Random) -> None:
    _overwrite(path, chance, chance.randbytes(PAGE))


def truncate(path: Path, chance: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(PAGE, len(content))])


def edit(path: Path, chance: random.Random) -> None:
    """Change rows with SQL; a title that is taken back in this way is free, as its owner meant it."""
    number = chance.randrange(1, 40)
    statements = (
        f"UPDATE submission SET tune_id = 'x', uptime = 'y' WHERE id = {number}",
        f"UPDATE body SET json = replace(json, 'class', 'klass') WHERE rowid = {number}",
        f"UPDATE body SET json = '{{' WHERE rowid = {number}",
        f"UPDATE submission SET planned_at = {10**18} WHERE id = {number}",
        f"DELETE FROM body WHERE rowid = {number}",
        f"UPDATE submission SET labels = replace(labels, 'tag', 'TAG') WHERE id > {number}",
        "DELETE FROM segment",
        "DELETE FROM segment WHERE id = 1",
        "UPDATE segment SET arrow = x'00'",
        "UPDATE segment SET id = 3 - id WHERE id < 3 AND id + 100 > 0",
        "UPDATE segment SET rows = rows - 1",
        "UPDATE submission SET sealed = 1",
        "UPDATE submission SET sealed = NULL",
    )
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = OFF")
    with suppress(sqlite3.IntegrityError):
        connection.execute(chance.choice(statements))
    connection.close()


def _overwrite(path: Path, chance: random.Random, page: bytes) -> None:
    content = bytearray(path.read_bytes())
    start = chance.randrange(1, len(content) // PAGE) * PAGE
    content[start : start + PAGE] = page
    path.write_bytes(content)


DAMAGES: tuple[Damage, ...] = (flip_bits, flip_bits, zero_pages, noise_pages, truncate, edit)
