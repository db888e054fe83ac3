"""Standards, declared holidays, clocks, their planned steps and their reviews."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
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

from casework.adapters.persistence.engine.encrypted_columns import EncryptedText
from casework.adapters.persistence.engine.types import Instant, Json, TargetText
from casework.adapters.persistence.tables.base import code, id_column, metadata, reference, where
from casework.adapters.persistence.tables.casefile import child, of_resident
from casework.domain.clocks.standards import CARE_SUBJECTS

standard = Table(
    "standard",
    metadata,
    id_column(),
    code("kind"),
    Column("target", TargetText, nullable=False),
    Column("basis", Text, nullable=False),
    code("field", nullable=True),
    code("service_code", nullable=True),
    code("priority", nullable=True),
    Column("district_code", String(10), nullable=True),
    Column("lapse_after", TargetText, nullable=True),
    Column("escalation", Json, nullable=True),
    Column("set_at", Instant),
    Column("set_by", Uuid),
    Column("ended_at", Instant),
    Column("version", Integer),
    Column("scope", String(220)),
    Index("uq_standard_scope", "scope", unique=True, **where("ended_at IS NULL")),
)

holiday_override = Table(
    "holiday_override",
    metadata,
    id_column(),
    Column("day", Date, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("name", Text, nullable=False),
    Column("district_code", String(10), nullable=True),
    Column("declared_at", Instant),
    Column("declared_by", Uuid),
    UniqueConstraint("day", "district_code"),
    Index(
        "uq_holiday_override_everywhere",
        "day",
        unique=True,
        **where("district_code IS NULL"),
    ),
)

recount = Table(
    "recount",
    metadata,
    id_column(),
    code("because"),
    Column("subject_id", Uuid, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("started_by", Uuid),
    Column("ended_at", Instant),
    Column("found", Integer, nullable=False),
    Column("replanned", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("changes", Json, nullable=False),
)

RUNNING = "met_at IS NULL AND cancelled_at IS NULL"
# Clocks of care are found by indexes of their own: those of the programme are in none of them.
OF_CARE = f"{RUNNING} AND case_id IS NOT NULL"
OF_PROGRAMME = f"{RUNNING} AND case_id IS NULL"
LEFT_TO_SUPERVISOR = "held_by = 'supervisor' OR worker_id IS NULL OR case_id IS NULL"
_CARE_SUBJECTS = ", ".join(f"'{one}'" for one in CARE_SUBJECTS)
IS_CARE_WITH_A_CASE = (
    f"(subject_type IN ({_CARE_SUBJECTS})) = (case_id IS NOT NULL)"
    " AND (case_id IS NULL) = (resident_id IS NULL)"
    " AND (case_id IS NULL) = (centre_code IS NULL)"
)

deadline = child(
    code("kind"),
    code("subject_type"),
    Column("subject_id", Uuid, nullable=False, index=True),
    of_resident(nullable=True),
    Column("centre_code", String(10)),
    Column("district_code", String(10), nullable=False),
    Column("worker_id", Uuid),
    Column("body_id", Uuid),
    Column("provider_id", Uuid),
    code("held_by"),
    code("field", nullable=True),
    code("service_code", nullable=True),
    code("priority"),
    Column("standard_id", Uuid),
    Column("basis", Text, nullable=False),
    Column("target", TargetText, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("escalation", Json),
    Column("lapse_after", TargetText),
    Column("pauses", Json, nullable=False),
    Column("paused_until", Instant),
    Column("extended_until", Date),
    Column("extensions", Json, nullable=False),
    Column("deferred_until", Date),
    Column("excused", Boolean, nullable=False),
    Column("met_at", Instant),
    Column("recorded_at", Instant),
    Column("acted_on", Date),
    Column("cancelled_at", Instant),
    Column("breached_at", Instant),
    Column("heard_until", Instant),
    Column("can_wait", Boolean, nullable=False, server_default=text("true")),
    CheckConstraint("met_at IS NULL OR cancelled_at IS NULL", name="one_end"),
    CheckConstraint(IS_CARE_WITH_A_CASE, name="care_has_a_case"),
    Index("ix_deadline_worker_due", "worker_id", "can_wait", "due_at", "id", **where(OF_CARE)),
    Index("ix_deadline_district_due", "district_code", "due_at", "id", **where(RUNNING)),
    Index(
        "ix_deadline_district_heard",
        "district_code",
        "heard_until",
        "due_at",
        "id",
        **where(RUNNING),
    ),
    Index(
        "ix_deadline_district_pressing",
        "district_code",
        "can_wait",
        "due_at",
        "id",
        **where(OF_CARE),
    ),
    Index(
        "ix_deadline_programme",
        "district_code",
        "can_wait",
        "due_at",
        "id",
        **where(OF_PROGRAMME),
    ),
    Index(
        "ix_deadline_district_left",
        "district_code",
        "can_wait",
        "due_at",
        "id",
        **where(f"{RUNNING} AND ({LEFT_TO_SUPERVISOR})"),
    ),
    Index("ix_deadline_district_kind", "district_code", "kind", "due_at", "id", **where(RUNNING)),
    Index(
        "ix_deadline_district_assessor",
        "district_code",
        "can_wait",
        "due_at",
        "id",
        **where(f"{RUNNING} AND held_by = 'assessor'"),
    ),
    Index("ix_deadline_centre_due", "centre_code", "due_at", "id", **where(OF_CARE)),
    Index("ix_deadline_provider_due", "provider_id", "can_wait", "due_at", "id", **where(OF_CARE)),
    Index(
        "ix_deadline_inbox",
        "provider_id",
        "due_at",
        "id",
        **where(f"provider_id IS NOT NULL AND {RUNNING}"),
    ),
    name="deadline",
    nullable=True,
)

escalation = Table(
    "escalation",
    metadata,
    id_column(),
    Column("deadline_id", Uuid, ForeignKey("deadline.id"), nullable=False),
    Column("tier", SmallInteger, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    Column("tell", Json, nullable=False),
    Column("raised_at", Instant),
    Column("passed_over", Boolean, nullable=False),
    Column("quiet", Boolean, nullable=False),
    Column("run_id", Uuid),
    Column("review_id", Uuid),
    UniqueConstraint("deadline_id", "tier", "due_at"),
    Index("ix_escalation_planned", "at", "deadline_id", **where("raised_at IS NULL")),
)

review = child(
    reference("deadline_id", "deadline"),
    code("action"),
    code("cause"),
    Column("reason", EncryptedText),
    Column("until", Date),
    Column("worker_id", Uuid),
    Column("offering_id", Uuid),
    Column("due_at", Instant, nullable=False),
    Column("reviewed_at", Instant, nullable=False),
    Column("reviewed_by", Uuid),
    Index(None, "deadline_id"),
    name="review",
    nullable=True,
)
