"""The tables of designations and of what was changed in the directory."""

from __future__ import annotations

from sqlalchemy import (
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
)

from casework.adapters.persistence.tables import metadata
from casework.adapters.persistence.types import Instant, Json

designation = Table(
    "designation",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("provider_id", Uuid, ForeignKey("provider.id"), nullable=False),
    Column("code", String(40), nullable=False),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("designated_by", Text, nullable=False),
    Column("recorded_at", Instant),
    Column("recorded_by", Uuid),
    Column("version", Integer, nullable=False),
    CheckConstraint("valid_from <= valid_to", name="ends_after_it_begins"),
    Index(None, "provider_id", "code"),
)
directory_change = Table(
    "directory_change",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("subject_type", String(40), nullable=False),
    Column("subject_id", String(40), nullable=False),
    Column("provider_id", Uuid, ForeignKey("provider.id")),
    Column("did", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    Column("by_id", Uuid),
    Column("by_role", String(40), nullable=False),
    Column("before", Json, nullable=False),
    Column("after", Json, nullable=False),
    Index(None, "subject_type", "subject_id", "id"),
)
