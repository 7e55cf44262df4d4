"""The queries of submissions, of their polls and of the processes that wrote them."""

from __future__ import annotations

from astria_nb.log._schema import IS_UNSETTLED, MAY_EXIST, LogTable, listed, session, submission
from astria_nb.log._statements import Query
from astria_nb.log._states import HAS_TUNE, UNSETTLED

RETURNED = "returned"
"""The kind of event for a row that may have been lost and was returned to its caller."""

BODIES = """
    LEFT JOIN body AS request_body ON request_body.sha256 = submission.request
    LEFT JOIN body AS record_body ON record_body.sha256 = submission.record
"""
"""An inner join would hide a submission whose body is missing."""


def columns_of(table: LogTable) -> str:
    """Return all known columns of a table for a SELECT: others may be added while it is open."""
    return ", ".join(f"{table.name}.{name}" for name in table.columns)


_SUBMISSIONS = f"""
    SELECT {columns_of(submission)}, request_body.json AS request_json, record_body.json AS record_json
    FROM submission {BODIES}
"""  # noqa: S608  constants
# PostgreSQL needs the type of a parameter that may be null.
_ACCOUNT = "CAST(:of_account AS TEXT)"
_OF_ACCOUNT = f"({_ACCOUNT} IS NULL OR submission.account IS NULL OR submission.account = {_ACCOUNT})"
_OF_SERVICE = f"submission.service = :of_service AND {_OF_ACCOUNT}"
_HAS_TUNE = f"submission.state IN {listed(HAS_TUNE)}"
_HAS_CONTENT = "submission.content_fingerprint IN (:of_content, :of_former_content)"
_LATEST_FIRST = "ORDER BY submission.id DESC"
_WITH_CONTENT = f"{_SUBMISSIONS} WHERE {_OF_SERVICE} AND {_HAS_CONTENT} AND {MAY_EXIST}"

ROW = Query(f"SELECT {columns_of(submission)} FROM submission WHERE id = :of_id")  # noqa: S608  constants
BY_ID = Query(f"{_SUBMISSIONS} WHERE submission.id = :of_id")
OF_TUNE = Query(f"{_SUBMISSIONS} WHERE {_OF_SERVICE} AND submission.tune_id = :of_tune {_LATEST_FIRST}")
RUNS_ON = Query(
    f"{_SUBMISSIONS} WHERE {_OF_SERVICE} AND submission.tune_id IS NULL AND {_HAS_TUNE} "
    f"AND request_body.json LIKE '%' || CAST(:of_digits AS TEXT) || '%' {_LATEST_FIRST}"
)
ALL_OF_TUNE = Query(f"{_SUBMISSIONS} WHERE submission.tune_id = :of_tune {_LATEST_FIRST}")
RUNS = Query(f"{_SUBMISSIONS} WHERE submission.tune_id IS NULL AND {_HAS_TUNE} {_LATEST_FIRST}")
ALL_UNSETTLED = Query(f"{_SUBMISSIONS} WHERE {_OF_SERVICE} AND {IS_UNSETTLED} ORDER BY submission.id")
ANY_UNSETTLED = Query(f"SELECT submission.id FROM submission WHERE {_OF_SERVICE} AND {IS_UNSETTLED}")  # noqa: S608
_CLAIMANT = f"{_SUBMISSIONS} WHERE {_OF_SERVICE} AND submission.title = :of_title AND {MAY_EXIST}"
CLAIMANT = Query(_CLAIMANT)
# Older releases recorded titles with surrounding blanks. First and last of each range of white space.
BLANKS = (
    *("\t\r", "\x1c ", "\x85\x85", "\xa0\xa0", "\u1680\u1680"),
    *("\u2000\u200a", "\u2028\u2029", "\u202f\u202f", "\u205f\u205f", "\u3000\u3000"),
)
_AROUND = ("\t ", "\x85\xa0", "\u1680\u1680", "\u2000\u205f", "\u3000\u3000")
"""The same in fewer ranges, including characters that rarely occur in titles."""
# A query for each range: one with `or` would read all titles of the service.
WITH_BLANKS = Query(
    " UNION ALL ".join(
        "SELECT submission.title FROM submission WHERE submission.service = :of_service "  # noqa: S608
        f"AND submission.title >= {before} || '{ends[0]}' "
        f"AND submission.title < {before} || '{chr(ord(ends[1]) + 1)}' AND {MAY_EXIST}"
        for ends in _AROUND
        for before in ("''", ":of_title")
    )
)
"""More titles than those that differ from a title only in surrounding blanks."""
_ALL_BLANKS = "".join(rf"\u{code:04x}" for ends in BLANKS for code in range(ord(ends[0]), ord(ends[1]) + 1))
_TRIMMED = f"btrim(title, E'{_ALL_BLANKS}')"
HAS_BLANKS = f"title <> {_TRIMMED}"
"""The same for PostgreSQL, where such titles have an index, and are few or none."""
_TRIMMED_CLAIMANT = (
    f"{_SUBMISSIONS} WHERE {_OF_SERVICE} AND {HAS_BLANKS} AND {_TRIMMED} = :of_title AND {MAY_EXIST}"
)
# Two queries, each with an index: a query with `or` or `in` would read all titles of the service.
CLAIMANT_ON_SERVER = Query(f"""
    SELECT *, 0 AS place FROM ({_CLAIMANT}) AS exact
    UNION ALL SELECT *, 1 AS place FROM ({_TRIMMED_CLAIMANT}) AS trimmed ORDER BY place
""")  # noqa: S608  constants
"""One query in place of two or more in a file."""
LATEST_WITH_CONTENT = Query(f"{_WITH_CONTENT} {_LATEST_FIRST} LIMIT :of_limit")
LATER_WITH_CONTENT = Query(
    "SELECT submission.id FROM submission "  # noqa: S608  constants
    f"WHERE submission.id > :of_id AND {_HAS_CONTENT} AND {_OF_SERVICE} AND {MAY_EXIST}"
)
_IS_RETURNED = f"event.submission = submission.id AND event.kind = '{RETURNED}'"
CLAIMING_RUN = Query(
    f"{_WITH_CONTENT} AND submission.title IS NULL AND NOT ({_HAS_TUNE} "  # noqa: S608  constants
    f"AND EXISTS (SELECT 1 FROM event WHERE {_IS_RETURNED})) {_LATEST_FIRST}"
)
RETURNS = Query(f"SELECT id FROM event WHERE submission = :of_id AND kind = '{RETURNED}'")  # noqa: S608
SESSION = Query(f"SELECT {columns_of(session)} FROM session WHERE id = :of_id")  # noqa: S608  constants
POLLS = Query("""
    SELECT event.id, event.reply, body.json FROM event LEFT JOIN body ON event.reply = body.sha256
    WHERE event.submission = :of_id AND event.kind = 'poll' AND event.reply IS NOT NULL ORDER BY event.id
""")
# Rows of format 3. Without the service, so that the index of the states is used.
OLD_CLAIMING_RUNS = Query(
    f"{_SUBMISSIONS} WHERE submission.state IN {listed((*UNSETTLED, 'needs_review'))} "
    f"AND submission.title IS NULL AND submission.content_fingerprint IS NULL {_LATEST_FIRST}"
)
