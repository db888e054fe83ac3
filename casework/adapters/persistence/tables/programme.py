"""The bodies of the city's programme, what each answers for, and their seats.

The area of a row is the code of a district, or ``city``.
"""

from __future__ import annotations

from typing import Final

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

from casework.adapters.persistence.engine.types import Json
from casework.adapters.persistence.tables.base import (
    code,
    id_column,
    metadata,
    one_of,
    reference,
    version,
    where,
)
from casework.domain.programme.kinds import BodyKind, SeatedBy, SeatPart, Source

# What a body answers for: a field of care, or one service.
FIELD: Final = "field"
SERVICE: Final = "service"

body = Table(
    "body",
    metadata,
    id_column(),
    code("kind"),
    Column("name_ko", String(120), nullable=False),
    Column("name_en", String(120)),
    Column("area", String(10), nullable=False),
    reference("parent_id", "body", nullable=True),
    reference("provider_id", "provider", nullable=True),
    Column("rules", Json, nullable=False),
    Column("teams_stated", Integer),
    code("source"),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("end_reason", Text),
    reference("handed_to_id", "body", nullable=True),
    version(),
    one_of("kind", BodyKind),
    one_of("source", Source),
    CheckConstraint("valid_from <= valid_to", name="ends_after_it_begins"),
    CheckConstraint("teams_stated >= 0", name="teams_not_negative"),
    CheckConstraint("provider_id IS NULL OR kind = 'partner'", name="agency_is_partner"),
    Index(None, "area", "id"),
    # One that follows another begins after that one's last day, which the body's row is locked for.
    Index(
        "uq_body_council_of_area",
        "area",
        unique=True,
        **where("kind = 'council' AND valid_to IS NULL"),
    ),
)

body_answers = Table(
    "body_answers",
    metadata,
    Column("body_id", Uuid, ForeignKey("body.id"), primary_key=True),
    Column("what", String(40), primary_key=True),
    Column("code", String(40), primary_key=True),
    Column("area", String(10), nullable=False),
    # The last day of its body.
    Column("until", Date),
    one_of("what", (FIELD, SERVICE)),
    Index(
        "uq_body_answers_one_of_area", "area", "what", "code", unique=True, **where("until IS NULL")
    ),
)

seat = Table(
    "seat",
    metadata,
    id_column(),
    reference("body_id", "body"),
    Column("area", String(10), nullable=False),
    Column("name", String(120), nullable=False),
    Column("agency", String(120), nullable=False),
    code("part"),
    code("seated_by"),
    Column("begins_on", Date, nullable=False),
    Column("ends_on", Date),
    reference("account_id", "account", nullable=True),
    code("source"),
    one_of("part", SeatPart),
    one_of("seated_by", SeatedBy),
    one_of("source", Source),
    CheckConstraint("begins_on <= ends_on", name="ends_after_it_begins"),
    Index(None, "body_id", "begins_on", "id"),
    Index(None, "account_id", **where("account_id IS NOT NULL")),
    Index(
        "uq_seat_chair_of_body",
        "body_id",
        unique=True,
        **where("part = 'chair' AND ends_on IS NULL"),
    ),
)
