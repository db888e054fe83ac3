"""The table of what is measured for matching."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Float, ForeignKey, Integer, Table, Uuid

from casework.adapters.persistence.tables import metadata
from casework.adapters.persistence.types import Instant

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
