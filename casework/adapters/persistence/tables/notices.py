"""Notices, the messages they leave in, and who listens."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from casework.adapters.persistence.engine.encrypted_columns import EncryptedText
from casework.adapters.persistence.engine.types import Instant, Json
from casework.adapters.persistence.tables.base import (
    code,
    id_column,
    metadata,
    one_of,
    reference,
    where,
)
from casework.domain.notices.pausing import PauseReason

notice = Table(
    "notice",
    metadata,
    id_column(),
    code("kind"),
    code("subject_type"),
    Column("subject_id", Uuid, nullable=False),
    Column("case_id", Uuid),
    Column("centre_code", String(10), nullable=False),
    Column("district_code", String(10), nullable=False),
    Column("worker_id", Uuid),
    Column("provider_id", Uuid),
    Column("tell", Json, nullable=False),
    Column("at_once", Boolean, nullable=False),
    Column("since", Instant, nullable=False),
    code("about"),
    Column("tier", SmallInteger),
    Column("due_at", Instant),
    Column("run_id", Uuid),
    Column("addressed_at", Instant),
    Index("ix_notice_waiting", "id", "run_id", "district_code", **where("addressed_at IS NULL")),
    Index("ix_notice_again", "subject_id", "since", **where("kind = 'still_overdue'")),
)

# How many notices one run of a job has for one district, and whether the flood limit holds it back.
run_notices = Table(
    "run_notices",
    metadata,
    Column("run_id", Uuid, ForeignKey("job_run.id"), primary_key=True),
    Column("district_code", String(10), primary_key=True),
    Column("counted_at", Instant, nullable=False),
    Column("notices", Integer, nullable=False),
    Column("is_held", Boolean, nullable=False),
    Column("released_at", Instant),
    Column("released_by", Uuid),
    Index(None, "district_code", "counted_at"),
)

subscription = Table(
    "subscription",
    metadata,
    id_column(),
    Column("url", Text, nullable=False),
    Column("secret", EncryptedText, nullable=False),
    Column("kinds", Json, nullable=False),
    reference("provider_id", "provider", nullable=True),
    Column("district_code", String(10), ForeignKey("district.code")),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Uuid),
    Column("ended_at", Instant),
    Column("failures", Integer, nullable=False),
    Column("retry_at", Instant),
    Column("version", Integer, nullable=False),
)

# The outbox: one message to one person or one endpoint.
message = Table(
    "message",
    metadata,
    id_column(),
    code("kind"),
    reference("account_id", "account", nullable=True),
    reference("subscription_id", "subscription", nullable=True),
    Column("district_code", String(10)),
    Column("digest_on", Date),
    Column("payload", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    code("state"),
    Column("tries", Integer, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("leased_until", Instant),
    Column("sent_at", Instant),
    Column("error", String(120)),
    one_of("state", ("waiting", "sent", "dead")),
    CheckConstraint("(account_id IS NULL) <> (subscription_id IS NULL)", name="one_receiver"),
    UniqueConstraint("account_id", "digest_on"),
    Index("ix_message_waiting", "next_at", "id", **where("state = 'waiting'")),
    Index(None, "state", "created_at", "id"),
)

# From which database the relay sends, and why it is paused: one row, once a relay ran.
relay_state = Table(
    "relay_state",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("database", String(60)),
    Column("paused_at", Instant),
    code("because", nullable=True),
    one_of("because", PauseReason),
    CheckConstraint("id = 1", name="one_row"),
    CheckConstraint("(paused_at IS NULL) = (because IS NULL)", name="pause_has_reason"),
)

# Whom a notice is for; a digest gathers those that have no message yet.
addressee = Table(
    "addressee",
    metadata,
    Column("notice_id", Uuid, ForeignKey("notice.id"), primary_key=True),
    Column("account_id", Uuid, ForeignKey("account.id"), primary_key=True),
    Column("message_id", Uuid),
    Index("ix_addressee_waiting", "account_id", **where("message_id IS NULL")),
)
