"""The queries of submissions, of their polls and of the processes that wrote them."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from astria_nb.log._schema import body, event, session, submission
from astria_nb.log._statements import Query
from astria_nb.log._states import HAS_TUNE, RELEASED, UNSETTLED

RETURNED = "returned"
"""The kind of the event that a row which may have been lost was handed to its caller."""


def _literals(states: Sequence[str]) -> list[sa.ColumnElement[str]]:
    """Return states as a part of the statement: SQLite uses a partial index only for literals."""
    return [sa.literal_column(f"'{state}'", sa.Text) for state in states]


_request_body, _record_body = body.alias("request_body"), body.alias("record_body")
_SUBMISSIONS = (
    sa.select(
        submission,
        _request_body.c.json.label("request_json"),
        _record_body.c.json.label("record_json"),
    )
    # An inner join would hide a submission whose body is missing.
    .outerjoin(_request_body, _request_body.c.sha256 == submission.c.request)
    .outerjoin(_record_body, _record_body.c.sha256 == submission.c.record)
)
# PostgreSQL has to be told the type of a parameter that may be null.
_account = sa.cast(sa.bindparam("of_account", type_=sa.Text), sa.Text)
_of_service = sa.and_(
    submission.c.service == sa.bindparam("of_service"),
    _account.is_(None) | submission.c.account.is_(None) | (submission.c.account == _account),
)
_OF_SERVICE = _SUBMISSIONS.where(_of_service)
_is_unsettled = submission.c.state.in_(_literals(UNSETTLED))
_may_exist = submission.c.state.not_in(_literals(RELEASED))
_has_content = submission.c.content_fingerprint == sa.bindparam("of_content")
_WITH_CONTENT = _OF_SERVICE.where(_has_content, _may_exist).order_by(submission.c.id.desc())

ROW = Query(submission.select().where(submission.c.id == sa.bindparam("of_id")))
BY_ID = Query(_SUBMISSIONS.where(submission.c.id == sa.bindparam("of_id")))
OF_TUNE = Query(
    _OF_SERVICE.where(submission.c.tune_id == sa.bindparam("of_tune")).order_by(submission.c.id.desc())
)
RUNS_ON = Query(
    _OF_SERVICE.where(
        submission.c.tune_id.is_(None),
        submission.c.state.in_(_literals(HAS_TUNE)),
        _request_body.c.json.contains(sa.bindparam("of_digits")),
    ).order_by(submission.c.id.desc())
)
ALL_OF_TUNE = Query(
    _SUBMISSIONS.where(submission.c.tune_id == sa.bindparam("of_tune")).order_by(submission.c.id.desc())
)
RUNS = Query(
    _SUBMISSIONS.where(
        submission.c.tune_id.is_(None),
        submission.c.state.in_(_literals(HAS_TUNE)),
    ).order_by(submission.c.id.desc())
)
ALL_UNSETTLED = Query(_OF_SERVICE.where(_is_unsettled).order_by(submission.c.id))
ANY_UNSETTLED = Query(sa.select(submission.c.id).where(_of_service, _is_unsettled))
CLAIMANT = Query(_OF_SERVICE.where(submission.c.title == sa.bindparam("of_title"), _may_exist))
# Older releases recorded titles with the blanks around them. First and last of each range of white space.
BLANKS = (
    *("\t\r", "\x1c ", "\x85\x85", "\xa0\xa0", "\u1680\u1680"),
    *("\u2000\u200a", "\u2028\u2029", "\u202f\u202f", "\u205f\u205f", "\u3000\u3000"),
)
_title: sa.BindParameter[str] = sa.bindparam("of_title", type_=sa.Text)
# A query for each range: one with `or` would read all titles of the service.
WITH_BLANKS = Query(
    sa.union_all(
        *(
            sa.select(submission.c.title).where(
                submission.c.service == sa.bindparam("of_service"),
                submission.c.title >= before + ends[0],
                submission.c.title < before + chr(ord(ends[1]) + 1),
                _may_exist,
            )
            for ends in BLANKS
            for before in (sa.literal("", sa.Text), _title)
        )
    )
)
_ALL_BLANKS = "".join(rf"\u{code:04x}" for ends in BLANKS for code in range(ord(ends[0]), ord(ends[1]) + 1))
HAS_BLANKS = f"title <> btrim(title, E'{_ALL_BLANKS}')"
"""Of those titles, in PostgreSQL: there they have an index, and are few or none."""
_trimmed = sa.select(submission.c.title).where(
    submission.c.service == sa.bindparam("of_service"),
    sa.literal_column(HAS_BLANKS),
    sa.literal_column(f"btrim(title, E'{_ALL_BLANKS}')") == sa.bindparam("of_title"),
)
CLAIMANT_ON_SERVER = Query(
    _OF_SERVICE.where(
        submission.c.title.in_(sa.union_all(sa.select(sa.cast(_title, sa.Text)), _trimmed)), _may_exist
    ).order_by((submission.c.title == sa.bindparam("of_title")).desc())
)
"""Does in one query what takes two, or more, in a file."""
LATEST_WITH_CONTENT = Query(_WITH_CONTENT.limit(sa.bindparam("of_limit", type_=sa.Integer)))
LATER_WITH_CONTENT = Query(
    sa.select(submission.c.id).where(
        submission.c.id > sa.bindparam("of_id"), _has_content, _of_service, _may_exist
    )
)
_is_returned = sa.exists().where(event.c.submission == submission.c.id, event.c.kind == RETURNED)
CLAIMING_RUN = Query(
    _WITH_CONTENT.where(
        submission.c.title.is_(None), ~(submission.c.state.in_(_literals(HAS_TUNE)) & _is_returned)
    )
)
RETURNS = Query(
    sa.select(event.c.id).where(event.c.submission == sa.bindparam("of_id"), event.c.kind == RETURNED)
)
SESSION = Query(session.select().where(session.c.id == sa.bindparam("of_id")))
POLLS = Query(
    sa.select(event.c.id, event.c.reply, body.c.json)
    .outerjoin(body, event.c.reply == body.c.sha256)
    .where(event.c.submission == sa.bindparam("of_id"), event.c.kind == "poll", event.c.reply.is_not(None))
    .order_by(event.c.id)
)
# Rows of format 3. Without the service, so that the index of the states is used.
OLD_CLAIMING_RUNS = Query(
    _SUBMISSIONS.where(
        submission.c.state.in_(_literals((*UNSETTLED, "needs_review"))),
        submission.c.title.is_(None),
        submission.c.content_fingerprint.is_(None),
    ).order_by(submission.c.id.desc())
)
