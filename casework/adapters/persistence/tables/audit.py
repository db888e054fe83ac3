"""Audit entries and their hash chain, reviews of them, and access requests."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    Uuid,
    text,
)

from casework.adapters.persistence.engine.encrypted_columns import EncryptedText
from casework.adapters.persistence.engine.types import Instant, Json
from casework.adapters.persistence.tables.base import code, id_column, metadata

audit_entry = Table(
    "audit_entry",
    metadata,
    id_column(),
    Column("at", Instant, nullable=False),
    Column("actor_id", Uuid),
    Column("actor", String(120)),
    code("role", nullable=True),
    Column("action", String(60), nullable=False),
    Column("task", String(200), nullable=False),
    Column("subjects", Json, nullable=False),
    Column("asked_for", Text),
    Column("district_code", String(10)),
    code("outcome"),
    Column("code", String(60)),
    Column("source", String(80)),
    Column("request_id", String(80)),
    CheckConstraint("outcome IN ('ok', 'refused', 'failed')", name="outcome_known"),
    # In the order of the pages: of one instant there may be many.
    Index("ix_audit_entry_at", "at", "id"),
    # What is rare, among all that is not.
    Index("ix_audit_entry_of_action", "action", "at", "id"),
)

# Who looked at a resident. On SQLite the entries of a single centre are read through.
Index(
    "ix_audit_entry_subjects",
    audit_entry.c.subjects,
    postgresql_using="gin",
    postgresql_ops={"subjects": "jsonb_path_ops"},
).ddl_if(dialect="postgresql")
# Refused requests for an id.
Index(
    "ix_audit_entry_refused",
    audit_entry.c.asked_for,
    sqlite_where=text("outcome <> 'ok'"),
    postgresql_where=text("outcome <> 'ok'"),
)
# What an account did; the last three so that a summary is counted from the index alone.
Index(
    "ix_audit_entry_of_account",
    *audit_entry.c["actor", "at", "id", "outcome", "action", "task"],
)

audit_seal = Table(
    "audit_seal",
    metadata,
    Column("chain", String(10), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("entry_id", Uuid, nullable=False, unique=True),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("sealed_at", Instant, nullable=False),
)
audit_head = Table(
    "audit_head",
    metadata,
    Column("chain", String(10), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("last_hash", String(64), nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("anchor", String(64), nullable=False),
    Column("mac", String(64), nullable=False),
)
# Entries that wait for their seal. On PostgreSQL a trigger puts each of them here.
audit_pending = Table(
    "audit_pending",
    metadata,
    Column("entry_id", Uuid, primary_key=True),
)
audit_review = Table(
    "audit_review",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("month", String(7), nullable=False),
    Column("chain", String(10)),
    Column("account", String(120)),
    Column("left_out", String(120)),
    Column("entries", Integer, nullable=False),
    Column("findings", Text, nullable=False),
    Column("measures", Text),
    Column("reviewed_at", Instant, nullable=False),
    Column("reviewed_by", Uuid, nullable=False),
    Column("reviewer", String(120), nullable=False),
    Index(None, "month", "id"),
)
access_request = Table(
    "access_request",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("resident_id", Uuid, ForeignKey("resident.id"), nullable=False, index=True),
    Column("received_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("requested_by", String(40), nullable=False),
    Column("requester", EncryptedText),
    Column("identity_how", String(40)),
    Column("identity_checked_at", Instant),
    Column("identity_checked_by", Uuid),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Uuid),
    Column("answer", String(40)),
    Column("answered_on", Date),
    Column("handed_over", String(40)),
    Column("reason", EncryptedText),
    Column("answered_at", Instant),
    Column("answered_by", Uuid),
    Column("version", Integer, nullable=False),
    Index(
        "ix_access_request_open",
        "due_on",
        "id",
        sqlite_where=text("answered_at IS NULL"),
        postgresql_where=text("answered_at IS NULL"),
    ),
)
