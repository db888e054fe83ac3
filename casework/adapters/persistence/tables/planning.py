"""The meetings that decide plans, and their agendas."""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKey, Index, String, Table, UniqueConstraint, Uuid

from casework.adapters.persistence.engine.encrypted_columns import EncryptedJson
from casework.adapters.persistence.engine.types import Instant, Json
from casework.adapters.persistence.tables.base import id_column, metadata, reference

conference = Table(
    "conference",
    metadata,
    id_column(),
    Column("district_code", String(10), ForeignKey("district.code"), nullable=False),
    Column("held_on", Date, nullable=False),
    Column("members", Json, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Uuid),
    Column("corrections", EncryptedJson, nullable=False),
    Index(None, "district_code", "held_on", "id"),
)

agenda_item = Table(
    "agenda_item",
    metadata,
    id_column(),
    reference("conference_id", "conference"),
    reference("plan_version_id", "plan_version"),
    reference("case_id", "care_case"),
    Column("added_at", Instant, nullable=False),
    Column("added_by", Uuid),
    UniqueConstraint("conference_id", "plan_version_id"),
    Index(None, "plan_version_id"),
    Index(None, "case_id"),
)
