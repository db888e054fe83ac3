"""Districts, centres, services, agencies and offerings, with their designations and history."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from casework.adapters.persistence.engine.types import Instant, Json
from casework.adapters.persistence.tables.base import code, id_column, metadata, reference, version
from casework.domain.casefile.retained import LEAST_YEARS


def entry() -> tuple[Column[Any], ...]:
    """What an entry of the comprehensive list has: how far it has come, and who proposed it."""
    state = Column("state", String(40), nullable=False, server_default=text("'published'"))
    return state, Column("proposed_by", Uuid), version()


district = Table(
    "district",
    metadata,
    Column("code", String(10), primary_key=True),
    Column("name_ko", String(60), nullable=False),
    Column("name_en", String(60), nullable=False),
    # For how many years the file of a closed case is retained, and by which schedule.
    Column("retention_years", SmallInteger),
    Column("retention_basis", Text),
    CheckConstraint(f"retention_years >= {LEAST_YEARS}", name="retention_within_the_law"),
)

centre = Table(
    "centre",
    metadata,
    Column("code", String(10), primary_key=True),
    Column("district_code", String(10), ForeignKey("district.code"), nullable=False, index=True),
    Column("name", String(60), nullable=False),
    Column("lat", Float, nullable=False),
    Column("lon", Float, nullable=False),
    Column("phone", String(40)),
)

service = Table(
    "service",
    metadata,
    Column("code", String(40), primary_key=True),
    code("field"),
    Column("name_ko", String(120), nullable=False),
    Column("name_en", String(120), nullable=False),
    code("run_by"),
    code("unit"),
    Column("limit_note", Text),
    Column("basis", Text, nullable=False),
    code("certainty"),
    Column("fresh_for_days", Integer, nullable=False, server_default=text("7")),
    Column("eligibility", Json),
    code("given_at", nullable=True),
    *entry(),
    Column("limits", Json),
    Column("co_payments", Json),
    Column("valid_from", Date),
    Column("valid_to", Date),
)

provider = Table(
    "provider",
    metadata,
    id_column(),
    Column("slug", String(80), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    code("kind"),
    Column("phone", String(40), nullable=False),
    Column("district_code", String(10), ForeignKey("district.code"), nullable=False),
    Column("lat", Float, nullable=False),
    Column("lon", Float, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("languages", Json),
    version(),
    Column("ended_on", Date),
    Column("end_reason", Text),
    Column("opening_hours", Json),
    Column("contacts", Json),
)

offering = Table(
    "offering",
    metadata,
    id_column(),
    reference("provider_id", "provider"),
    code("service_code", ForeignKey("service.code")),
    Column("is_open", Boolean, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("available", Integer, nullable=False),
    Column("stated_available", Integer, nullable=False),
    Column("waiting", Integer, nullable=False),
    code("unit"),
    Column("as_of", Instant, nullable=False),
    Column("held", Integer, nullable=False, server_default=text("0")),
    Column("waitlisted", Integer, nullable=False, server_default=text("0")),
    Column("for_waiting", Integer, nullable=False, server_default=text("0")),
    Column("full_until", Date),
    Column("stated_by", Uuid),
    Column("asked_at", Instant),
    Column("capacity_version", Integer, nullable=False, server_default=text("1")),
    code("given_at", nullable=True),
    *entry(),
    UniqueConstraint("provider_id", "service_code"),
    CheckConstraint("available >= 0", name="available_not_negative"),
    CheckConstraint("stated_available >= 0", name="stated_not_negative"),
    CheckConstraint("held >= 0 AND available + held <= capacity", name="places_add_up"),
    CheckConstraint("waitlisted >= 0 AND waitlisted <= waiting", name="waiting_add_up"),
    CheckConstraint(
        "for_waiting >= 0 AND for_waiting <= available AND for_waiting <= waitlisted",
        name="places_for_waiting",
    ),
    Index(None, "service_code"),
)

offering_centre = Table(
    "offering_centre",
    metadata,
    Column("offering_id", Uuid, ForeignKey("offering.id"), primary_key=True),
    Column("centre_code", String(10), ForeignKey("centre.code"), primary_key=True),
    Index(None, "centre_code"),
)

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
