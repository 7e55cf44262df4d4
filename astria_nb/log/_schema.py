"""The tables of the experiment log."""

from __future__ import annotations

import sqlalchemy as sa

from astria_nb.log._states import RELEASED, UNSETTLED

VERSION = 5
"""Version of the tables. A change only adds tables or nullable columns, and increments this."""
APPLICATION = 0x61737472
"""SQLite's application id of a log: "astr"."""

metadata = sa.MetaData()
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # whose ids have 64 bits under this name only

# Times are microseconds since 1970 in UTC: every database compares them, and Arrow reads them directly.
session = sa.Table(
    "session",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("host", sa.Text),
    sa.Column("place", sa.Text),
    sa.Column("pid", sa.BigInteger),
    sa.Column("process_started", sa.Text),
    sa.Column("python", sa.Text),
    sa.Column("packages", sa.Text),
    sa.Column("git_commit", sa.Text),
    sa.Column("git_dirty", sa.Boolean),
    sa.Column("notebook", sa.Text),
)

body = sa.Table(
    "body",
    metadata,
    sa.Column("sha256", sa.LargeBinary(32), primary_key=True),
    sa.Column("json", sa.Text, nullable=False),
)

submission = sa.Table(
    "submission",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("service", sa.Text, nullable=False),
    sa.Column("account", sa.Text),  # the account's id on the service; null if unknown: may be any
    sa.Column("title", sa.Text().with_variant(sa.Text(collation="C"), "postgresql")),  # sorted as in SQLite
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("tune_id", sa.BigInteger),
    sa.Column("newest_known_id", sa.BigInteger),
    sa.Column("request", sa.LargeBinary(32), sa.ForeignKey("body.sha256"), nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("content_fingerprint", sa.Text),  # null in some rows of format 3
    sa.Column("image_sha256", sa.Text),
    sa.Column("record", sa.LargeBinary(32), sa.ForeignKey("body.sha256")),
    sa.Column("problem", sa.Text),
    sa.Column("planned_at", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("session", sa.Text, sa.ForeignKey("session.id"), nullable=False),
    sa.Column("uptime", sa.BigInteger),  # of the writing machine, in microseconds, at `changed_at`
    sa.Column("sealed", _ID),  # the segment that holds the current row, if there is one
    sa.Column("checksum", sa.BigInteger),  # of `astria_nb.log._checksums.of_row`
    sa.Column("labels", sa.Text),  # the JSON of `astria_nb.log._labels.Labels`; null if there are none
    sqlite_autoincrement=True,  # ids are not reused after `prune`
)
_may_exist = submission.c.title.is_not(None) & submission.c.state.not_in(RELEASED)
sa.Index(
    "claimed_by_account",
    submission.c.service,
    submission.c.title,
    sa.func.coalesce(submission.c.account, ""),
    unique=True,
    sqlite_where=_may_exist,
    postgresql_where=_may_exist,
)
sa.Index("submission_of_title", submission.c.service, submission.c.title)
sa.Index("submission_of_tune", submission.c.tune_id)
_has_content = submission.c.content_fingerprint.is_not(None)
sa.Index(
    "submission_of_content",
    submission.c.content_fingerprint,
    sqlite_where=_has_content,
    postgresql_where=_has_content,
)
sa.Index("submission_in_state", submission.c.state)
_unsettled = submission.c.state.in_(UNSETTLED)
sa.Index(
    "submission_unsettled",
    submission.c.service,
    submission.c.id,
    sqlite_where=_unsettled,
    postgresql_where=_unsettled,
)
_open = submission.c.sealed.is_(None)
sa.Index("submission_not_sealed", submission.c.id, sqlite_where=_open, postgresql_where=_open)
sa.Index("submission_in_segment", submission.c.sealed, sqlite_where=~_open, postgresql_where=~_open)
_is_labelled = submission.c.labels.is_not(None)
sa.Index(
    "submission_with_labels", submission.c.labels, sqlite_where=_is_labelled, postgresql_where=_is_labelled
).ddl_if(dialect="sqlite")  # an index of PostgreSQL takes no more than 2,704 bytes

# A cache for speed, derived from the other tables: thousands of rows of the frame as one Arrow value.
segment = sa.Table(
    "segment",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("arrow", sa.LargeBinary, nullable=False),
    sa.Column("checksum", sa.BigInteger),  # of `astria_nb.log._checksums.of_segment`
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("submission", _ID, sa.ForeignKey("submission.id")),
    sa.Column("session", sa.Text, sa.ForeignKey("session.id"), nullable=False),
    sa.Column("service", sa.Text),
    sa.Column("title", sa.Text),
    sa.Column("tune_id", sa.BigInteger),
    sa.Column("attempt", sa.Integer),
    sa.Column("state", sa.Text),
    sa.Column("fingerprint", sa.Text),
    sa.Column("reply", sa.LargeBinary(32), sa.ForeignKey("body.sha256")),
    sa.Column("problem", sa.Text),
    sqlite_autoincrement=True,
)
sa.Index("event_of_submission", event.c.submission)
# Without these, each body that `prune` deletes would scan the tables that may refer to it.
sa.Index("event_of_reply", event.c.reply)
sa.Index("submission_of_request", submission.c.request)
sa.Index("submission_of_record", submission.c.record)
