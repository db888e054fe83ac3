"""Months whose figures are closed, and how agencies answered."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Integer,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)

from casework.adapters.persistence.engine.types import Instant, Json
from casework.adapters.persistence.tables.base import id_column, metadata

closed_month = Table(
    "closed_month",
    metadata,
    id_column(),
    Column("district_code", String(10), ForeignKey("district.code"), nullable=False),
    Column("month", String(7), nullable=False),
    Column("closed_at", Instant, nullable=False),
    Column("closed_by", Uuid),
    Column("figures", Json, nullable=False),
    UniqueConstraint("district_code", "month"),
)

# How each agency answered lately: of everybody's requests, which no single worker sees. An agency
# of which too little is known has no row.
provider_answers = Table(
    "provider_answers",
    metadata,
    Column("provider_id", Uuid, ForeignKey("provider.id"), primary_key=True),
    Column("answers", Integer, nullable=False),
    Column("median_days", Float, nullable=False),
    Column("accepted_share", Float, nullable=False),
    Column("as_of", Instant, nullable=False),
    CheckConstraint("accepted_share >= 0 AND accepted_share <= 1", name="share"),
)
