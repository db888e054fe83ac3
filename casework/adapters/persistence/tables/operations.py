"""Runs of jobs, idempotency keys and the configuration."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from casework.adapters.persistence.engine.types import Instant, JsonOrNull
from casework.adapters.persistence.tables.base import code, id_column, metadata

idempotency = Table(
    "idempotency",
    metadata,
    Column("principal_id", Uuid, primary_key=True),
    Column("route", String(200), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("claimed_at", Instant, nullable=False),
    # Whether what holds the key is still going on, in many transactions.
    Column("in_progress", Boolean, nullable=False, server_default=text("false")),
    Column("made", JsonOrNull),
    Index(None, "claimed_at"),
)

job_run = Table(
    "job_run",
    metadata,
    id_column(),
    code("job"),
    Column("slot", Instant),
    Column("as_of", Instant, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("started_by", Uuid),
    Column("found", Integer),
    Column("changed", Integer),
    Column("failed", Integer),
    Column("held", Integer),
    Column("error", Text),
    UniqueConstraint("job", "slot"),
    Index(None, "job", "started_at"),
)

configuration = Table(
    "configuration",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("version", Integer, nullable=False),
)

# A known value under each key of the ring, by which another ring is found out.
key_check = Table(
    "key_check",
    metadata,
    Column("id", String(8), primary_key=True),
    code("kind"),
    Column("sealed", Text, nullable=False),
)
