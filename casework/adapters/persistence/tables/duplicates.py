"""Pairs that may be one person, merges, and households."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)

from casework.adapters.persistence.engine.encrypted_columns import EncryptedJson, EncryptedText
from casework.adapters.persistence.engine.types import Instant, Json
from casework.adapters.persistence.tables.base import metadata
from casework.domain.duplicates.suspicions import SuspicionState
from casework.domain.residents.households import KINDS

_VERDICTS = ", ".join(f"'{verdict}'" for verdict in sorted(SuspicionState))
_KINDS = ", ".join(f"'{kind}'" for kind in sorted(KINDS))

# Residents whose duplicates are to be looked for: written with what may have made some.
duplicate_check = Table(
    "duplicate_check",
    metadata,
    Column("resident_id", Uuid, ForeignKey("resident.id"), primary_key=True),
    Column("asked_at", Instant, nullable=False),
)
duplicate_suspicion = Table(
    "duplicate_suspicion",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("resident_id", Uuid, ForeignKey("resident.id"), nullable=False),
    Column("centre_code", String(10), nullable=False),
    Column("district_code", String(10), nullable=False),
    Column("other_id", Uuid, ForeignKey("resident.id"), nullable=False),
    Column("other_centre_code", String(10), nullable=False),
    Column("other_district_code", String(10), nullable=False),
    Column("reasons", Json, nullable=False),
    Column("found_at", Instant, nullable=False),
    Column("state", String(40), nullable=False),
    Column("decided_at", Instant),
    Column("decided_by", Uuid),
    Column("note", EncryptedText),
    Column("is_parked", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    UniqueConstraint("resident_id", "other_id"),
    CheckConstraint("resident_id < other_id", name="ordered"),
    CheckConstraint(f"state IN ({_VERDICTS})", name="state_known"),
    Index(None, "district_code", "state", "id"),
    Index(None, "other_district_code", "state", "id"),
    Index(None, "other_id"),
)
resident_merge = Table(
    "resident_merge",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("survivor_id", Uuid, ForeignKey("resident.id"), nullable=False, index=True),
    Column("duplicate_id", Uuid, ForeignKey("resident.id"), nullable=False),
    Column("reason", EncryptedText, nullable=False),
    Column("merged_at", Instant, nullable=False),
    Column("merged_by", Uuid),
    Column("survivor_centre", String(10), nullable=False),
    Column("duplicate_centre", String(10), nullable=False),
    Column("undone_at", Instant),
    Column("undone_by", Uuid),
    Column("undo_reason", EncryptedText),
    Column("before", EncryptedJson, nullable=False),
    CheckConstraint("survivor_id <> duplicate_id", name="two"),
    Index(None, "duplicate_id"),
    Index(
        "uq_resident_merge_standing",
        "duplicate_id",
        unique=True,
        sqlite_where=text("undone_at IS NULL"),
        postgresql_where=text("undone_at IS NULL"),
    ),
)
# What a merge moved, made or put to rest, row by row: undoing touches exactly these.
merge_child = Table(
    "merge_child",
    metadata,
    Column("merge_id", Uuid, ForeignKey("resident_merge.id"), primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("child_id", Uuid, primary_key=True),
    Column("before", Json),
)
household = Table(
    "household",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("made_by", Uuid),
    Column("version", Integer, nullable=False),
    CheckConstraint(f"kind IN ({_KINDS})", name="kind_known"),
)
household_member = Table(
    "household_member",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("household_id", Uuid, ForeignKey("household.id"), nullable=False, index=True),
    Column("resident_id", Uuid, ForeignKey("resident.id"), nullable=False),
    Column("joined_at", Instant, nullable=False),
    Column("joined_by", Uuid),
    Column("left_at", Instant),
    Column("left_by", Uuid),
    Index(None, "resident_id"),
    Index(
        "uq_household_member_one_household",
        "resident_id",
        unique=True,
        sqlite_where=text("left_at IS NULL"),
        postgresql_where=text("left_at IS NULL"),
    ),
)
