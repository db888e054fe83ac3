"""Break-glass: accesses to residents out of scope."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Uuid

from casework.adapters.persistence.engine.encrypted_columns import EncryptedText
from casework.adapters.persistence.engine.types import Instant
from casework.adapters.persistence.tables.base import metadata

break_glass = Table(
    "break_glass",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("resident_id", Uuid, ForeignKey("resident.id"), nullable=False),
    Column("account_id", Uuid, ForeignKey("account.id"), nullable=False),
    Column("district_code", String(10), ForeignKey("district.code"), nullable=False),
    Column("reason", EncryptedText, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", Uuid),
    Column("reviewed_at", Instant),
    Column("reviewed_by", Uuid),
    Column("review_note", EncryptedText),
    Column("justified", Boolean),
    Column("version", Integer, nullable=False),
    Index(None, "resident_id"),
    Index(None, "account_id", "ends_at"),
    Index(None, "district_code", "id"),
)
