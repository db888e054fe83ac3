"""The tables. Uniqueness and states are constraints here, so that no race can break them."""

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
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from casework.adapters.persistence.types import Instant, Json, TargetText
from casework.domain.cases import CaseStatus
from casework.domain.lifecycle import OPEN, Status
from casework.domain.plans import ServiceStatus, VersionStatus

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[Any]:
    return Column("id", Uuid, primary_key=True)


def _code(name: str, *args: Any, nullable: bool = False) -> Column[Any]:
    return Column(name, String(40), *args, nullable=nullable)


def _ref(name: str, target: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Uuid, ForeignKey(f"{target}.id"), nullable=nullable)


def _one_of(name: str, values: Any) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in sorted(values))
    return CheckConstraint(f"{name} IN ({listed})", name=f"{name}_known")


def _where(condition: str) -> dict[str, Any]:
    """A partial index, on both stores."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


district = Table(
    "district",
    metadata,
    Column("code", String(10), primary_key=True),
    Column("name_ko", String(60), nullable=False),
    Column("name_en", String(60), nullable=False),
)
centre = Table(
    "centre",
    metadata,
    Column("code", String(10), primary_key=True),
    Column("district_code", String(10), ForeignKey("district.code"), nullable=False, index=True),
    Column("name", String(60), nullable=False),
    Column("lat", Float, nullable=False),
    Column("lon", Float, nullable=False),
)
service = Table(
    "service",
    metadata,
    Column("code", String(40), primary_key=True),
    _code("field"),
    Column("name_ko", String(120), nullable=False),
    Column("name_en", String(120), nullable=False),
    _code("run_by"),
    _code("unit"),
    Column("limit_note", Text),
    Column("basis", Text, nullable=False),
    _code("certainty"),
)
standard = Table(
    "standard",
    metadata,
    _id(),
    _code("kind"),
    Column("target", TargetText, nullable=False),
    Column("basis", Text, nullable=False),
    _code("field", nullable=True),
    _code("service_code", nullable=True),
    _code("priority", nullable=True),
    Column("district_code", String(10), nullable=True),
    Column("lapse_after", TargetText, nullable=True),
    Column("escalation", Json, nullable=True),
)
holiday_override = Table(
    "holiday_override",
    metadata,
    _id(),
    Column("day", Date, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("name", Text, nullable=False),
    Column("district_code", String(10), nullable=True),
    UniqueConstraint("day", "district_code"),
)
provider = Table(
    "provider",
    metadata,
    _id(),
    Column("slug", String(80), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    _code("kind"),
    Column("phone", String(40), nullable=False),
    Column("district_code", String(10), ForeignKey("district.code"), nullable=False),
    Column("lat", Float, nullable=False),
    Column("lon", Float, nullable=False),
    Column("designations", Json, nullable=False),
    Column("is_active", Boolean, nullable=False),
)
offering = Table(
    "offering",
    metadata,
    _id(),
    _ref("provider_id", "provider"),
    _code("service_code", ForeignKey("service.code")),
    Column("is_open", Boolean, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("available", Integer, nullable=False),
    Column("waiting", Integer, nullable=False),
    _code("unit"),
    Column("as_of", Instant, nullable=False),
    UniqueConstraint("provider_id", "service_code"),
    CheckConstraint("available >= 0", name="available_not_negative"),
    Index(None, "service_code"),
)
offering_centre = Table(
    "offering_centre",
    metadata,
    Column("offering_id", Uuid, ForeignKey("offering.id"), primary_key=True),
    Column("centre_code", String(10), ForeignKey("centre.code"), primary_key=True),
    Index(None, "centre_code"),
)
account = Table(
    "account",
    metadata,
    _id(),
    Column("username", String(120), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    _code("role"),
    Column("password_hash", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("centre_code", String(10), ForeignKey("centre.code")),
    Column("district_code", String(10), ForeignKey("district.code")),
    _ref("provider_id", "provider", nullable=True),
    Column("is_head", Boolean, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("failed_attempts", Integer, nullable=False),
    Column("locked_until", Instant),
    Index(None, "centre_code"),
    Index(None, "district_code"),
)
refresh_token = Table(
    "refresh_token",
    metadata,
    _id(),
    _ref("account_id", "account"),
    Column("family_id", Uuid, nullable=False, index=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("revoked_at", Instant),
)
sign_in_source = Table(
    "sign_in_source",
    metadata,
    Column("source", String(80), primary_key=True),
    Column("failed_attempts", Integer, nullable=False),
    Column("counted_from", Instant, nullable=False),
    Column("locked_until", Instant),
)
resident = Table(
    "resident",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("birth_date", Date, nullable=False),
    _code("sex"),
    Column("centre_code", String(10), ForeignKey("centre.code"), nullable=False),
    Column("district_code", String(10), ForeignKey("district.code"), nullable=False),
    Column("registered_at", Instant, nullable=False),
    Column("registered_by", Uuid),
    Column("address", Text),
    Column("phone", String(40)),
    Column("phone_digits", String(40)),
    Column("lives_alone", Boolean),
    _code("mobility", nullable=True),
    _code("ltc_grade", nullable=True),
    Column("disability", Text),
    Column("insurance", Text),
    _code("income_tier", nullable=True),
    Column("version", Integer, nullable=False),
    Index(None, "centre_code", "id"),
    Index(None, "district_code", "id"),
    Index(None, "name", "birth_date"),
    Index(None, "phone_digits"),
)
contact = Table(
    "contact",
    metadata,
    _id(),
    Column("resident_id", Uuid, ForeignKey("resident.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("relation", Text, nullable=False),
    Column("phone", String(40), nullable=False),
    Column("phone_digits", String(40), index=True),
    Column("may_be_told", Boolean, nullable=False),
)
consent = Table(
    "consent",
    metadata,
    _id(),
    Column("resident_id", Uuid, ForeignKey("resident.id"), nullable=False, index=True),
    _code("purpose"),
    Column("given_by", Text, nullable=False),
    Column("given_on", Date, nullable=False),
    Column("recipients", Json, nullable=False),
    Column("expires_on", Date),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Uuid),
    Column("withdrawn_at", Instant),
    Column("withdrawn_by", Uuid),
    Column("withdrawal_reason", Text),
    Column("version", Integer, nullable=False),
)
note = Table(
    "note",
    metadata,
    _id(),
    Column("resident_id", Uuid, ForeignKey("resident.id"), nullable=False, index=True),
    _code("kind"),
    Column("with_whom", Text),
    Column("text", Text, nullable=False),
    Column("come_back_on", Date),
    Column("written_at", Instant, nullable=False),
    Column("written_by", Uuid),
    Index(
        "ix_note_come_back",
        "written_by",
        "come_back_on",
        "id",
        **_where("come_back_on IS NOT NULL"),
    ),
)
care_case = Table(
    "care_case",
    metadata,
    _id(),
    _ref("resident_id", "resident"),
    Column("centre_code", String(10), ForeignKey("centre.code"), nullable=False),
    Column("district_code", String(10), ForeignKey("district.code"), nullable=False),
    _code("status"),
    _code("channel"),
    Column("applied_on", Date, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("opened_by", Uuid),
    _ref("worker_id", "account", nullable=True),
    Column("discharge_on", Date),
    Column("urgent", Boolean, nullable=False),
    Column("urgent_reason", Text),
    _code("ex_officio_ground", nullable=True),
    _ref("consent_id", "consent", nullable=True),
    Column("dementia_medicine", Boolean),
    Column("activities", Json),
    Column("score", SmallInteger),
    _code("route", nullable=True),
    Column("guidance", Text),
    Column("surveyed_at", Instant),
    Column("sent_for_assessment_at", Instant),
    _code("determination", nullable=True),
    Column("determined_at", Instant),
    Column("first_approved_on", Date),
    Column("notified_on", Date),
    Column("notified_to", Text),
    Column("last_checked_on", Date),
    Column("plan_revision", Integer, nullable=False),
    Column("closed_at", Instant),
    _code("closed_reason", nullable=True),
    Column("effective_on", Date),
    Column("closing_note", Text),
    Column("version", Integer, nullable=False),
    _one_of("status", CaseStatus),
    Index("uq_care_case_one_open", "resident_id", unique=True, **_where("status <> 'closed'")),
    Index(None, "resident_id"),
    Index(None, "centre_code", "id"),
    Index(None, "district_code", "id"),
    Index(None, "worker_id", "id"),
)


def _child(*columns: Any, name: str) -> Table:
    """A record that belongs to a case and to its resident."""
    return Table(
        name,
        metadata,
        _id(),
        Column("case_id", Uuid, ForeignKey("care_case.id"), nullable=False, index=True),
        *columns,
    )


def _resident() -> Column[Any]:
    return Column("resident_id", Uuid, ForeignKey("resident.id"), nullable=False)


assessment = _child(
    _resident(),
    Column("assessed_on", Date, nullable=False),
    Column("received_on", Date),
    Column("assessor", Text, nullable=False),
    _code("determination"),
    Column("needs", Json, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Uuid),
    name="assessment",
)
care_check = _child(
    _resident(),
    Column("checked_on", Date, nullable=False),
    Column("findings", Text, nullable=False),
    Column("goals", Json, nullable=False),
    Column("next_check_on", Date),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Uuid),
    name="care_check",
)
signal = _child(
    _resident(),
    Column("referral_id", Uuid),
    Column("deadline_id", Uuid),
    _code("kind"),
    Column("note", Text),
    Column("raised_at", Instant, nullable=False),
    Column("raised_by", Uuid),
    Column("answered_at", Instant),
    Column("answered_by", Uuid),
    Column("answer", Text),
    Column("version", Integer, nullable=False),
    name="signal",
)
conference = Table(
    "conference",
    metadata,
    _id(),
    Column("district_code", String(10), ForeignKey("district.code"), nullable=False),
    Column("held_on", Date, nullable=False),
    Column("members", Json, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Uuid),
)
plan_version = _child(
    Column("number", Integer, nullable=False),
    _code("status"),
    Column("goals", Json, nullable=False),
    Column("services", Json, nullable=False),
    Column("heard_on", Date, nullable=False),
    Column("heard_from", Text, nullable=False),
    Column("drafted_at", Instant, nullable=False),
    Column("drafted_by", Uuid),
    Column("hash", String(64)),
    Column("submitted_at", Instant),
    Column("submitted_by", Uuid),
    _code("decision", nullable=True),
    Column("decided_at", Instant),
    Column("decided_by", Uuid),
    _ref("conference_id", "conference", nullable=True),
    Column("without_meeting_reason", Text),
    Column("decision_reason", Text),
    Column("version", Integer, nullable=False),
    UniqueConstraint("case_id", "number"),
    Index("uq_plan_version_one_in_force", "case_id", unique=True, **_where("status = 'approved'")),
    _one_of("status", VersionStatus),
    name="plan_version",
)
planned_service = _child(
    _resident(),
    _code("service_code", ForeignKey("service.code")),
    _code("field"),
    _code("status"),
    Column("created_at", Instant, nullable=False),
    _code("settlement", nullable=True),
    Column("settlement_note", Text),
    Column("settled_at", Instant),
    Column("settled_by", Uuid),
    Column("version", Integer, nullable=False),
    _one_of("status", ServiceStatus),
    name="planned_service",
)
_OPEN_REFERRAL = "status IN (" + ", ".join(f"'{status}'" for status in sorted(OPEN)) + ")"
referral = _child(
    _resident(),
    Column("centre_code", String(10), nullable=False),
    Column("district_code", String(10), nullable=False),
    _ref("planned_service_id", "planned_service"),
    _code("service_code"),
    _code("field"),
    _ref("offering_id", "offering"),
    _ref("provider_id", "provider"),
    _code("status"),
    _code("priority"),
    _code("basis_kind"),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Uuid),
    _ref("consent_id", "consent", nullable=True),
    Column("message", Text),
    Column("outside_area_reason", Text),
    Column("disclosed", Json),
    Column("requested_at", Instant),
    Column("answered_at", Instant),
    Column("expected_start_on", Date),
    Column("expected_on", Date),
    Column("accepted_at", Instant),
    Column("started_on", Date),
    Column("ended_at", Instant),
    Column("ended_on", Date),
    _code("outcome", nullable=True),
    Column("reason", Text),
    Column("note", Text),
    Column("on_behalf", Json),
    _code("held_from", nullable=True),
    Column("hold_until", Date),
    Column("resume_at", Instant),
    Column("lapse_at", Instant),
    _code("disposition", nullable=True),
    Column("disposed_at", Instant),
    Column("replaces_id", Uuid),
    Column("replaced_by_id", Uuid),
    Column("ended_by_closing", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    _one_of("status", Status),
    Index(
        "uq_referral_one_open",
        "planned_service_id",
        "provider_id",
        unique=True,
        **_where(_OPEN_REFERRAL),
    ),
    Index(None, "centre_code", "id"),
    Index(None, "district_code", "id"),
    Index(None, "provider_id", "id"),
    Index("ix_referral_lapse_at", "lapse_at", **_where("lapse_at IS NOT NULL")),
    Index("ix_referral_resume_at", "resume_at", **_where("resume_at IS NOT NULL")),
    name="referral",
)
RUNNING = "met_at IS NULL AND cancelled_at IS NULL"
deadline = _child(
    _code("kind"),
    _code("subject_type"),
    Column("subject_id", Uuid, nullable=False, index=True),
    _resident(),
    Column("centre_code", String(10), nullable=False),
    Column("district_code", String(10), nullable=False),
    Column("worker_id", Uuid),
    Column("provider_id", Uuid),
    _code("held_by"),
    _code("field", nullable=True),
    _code("service_code", nullable=True),
    _code("priority"),
    Column("standard_id", Uuid),
    Column("basis", Text, nullable=False),
    Column("target", TargetText, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("pauses", Json, nullable=False),
    Column("paused_until", Instant),
    Column("extended_until", Date),
    Column("extensions", Json, nullable=False),
    Column("deferred_until", Date),
    Column("excused", Boolean, nullable=False),
    Column("met_at", Instant),
    Column("cancelled_at", Instant),
    Column("breached_at", Instant),
    CheckConstraint("met_at IS NULL OR cancelled_at IS NULL", name="one_end"),
    Index("ix_deadline_worker_due", "worker_id", "due_at", "id", **_where(RUNNING)),
    Index("ix_deadline_district_due", "district_code", "due_at", "id", **_where(RUNNING)),
    Index("ix_deadline_centre_due", "centre_code", "due_at", "id", **_where(RUNNING)),
    Index("ix_deadline_provider_due", "provider_id", "due_at", "id", **_where(RUNNING)),
    name="deadline",
)
escalation = Table(
    "escalation",
    metadata,
    _id(),
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
    Index("ix_escalation_planned", "at", "deadline_id", **_where("raised_at IS NULL")),
)
review = _child(
    _ref("deadline_id", "deadline"),
    _code("action"),
    _code("cause"),
    Column("reason", Text),
    Column("until", Date),
    Column("worker_id", Uuid),
    Column("offering_id", Uuid),
    Column("due_at", Instant, nullable=False),
    Column("reviewed_at", Instant, nullable=False),
    Column("reviewed_by", Uuid),
    Index(None, "deadline_id"),
    name="review",
)
event = Table(
    "event",
    metadata,
    _id(),
    Column("name", String(60), nullable=False),
    _code("subject_type"),
    Column("subject_id", Uuid, nullable=False),
    Column("resident_id", Uuid),
    Column("case_id", Uuid),
    Column("at", Instant, nullable=False),
    Column("by_id", Uuid),
    _code("by_role"),
    Column("data", Json, nullable=False),
    Index(None, "resident_id", "at", "id"),
    Index(None, "subject_id", "at", "id"),
)
audit_entry = Table(
    "audit_entry",
    metadata,
    _id(),
    Column("at", Instant, nullable=False),
    Column("actor_id", Uuid),
    Column("actor", String(120)),
    _code("role", nullable=True),
    Column("action", String(60), nullable=False),
    Column("task", String(200), nullable=False),
    Column("subjects", Json, nullable=False),
    Column("asked_for", Text),
    Column("district_code", String(10)),
    _code("outcome"),
    Column("code", String(60)),
    Column("source", String(80)),
    Column("request_id", String(80)),
    CheckConstraint("outcome IN ('ok', 'refused', 'failed')", name="outcome_known"),
    Index(None, "at"),
)
idempotency = Table(
    "idempotency",
    metadata,
    Column("principal_id", Uuid, primary_key=True),
    Column("route", String(200), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("claimed_at", Instant, nullable=False),
    Column("status", SmallInteger),
    Column("resource", Json),
    Index(None, "claimed_at"),
)
job_run = Table(
    "job_run",
    metadata,
    _id(),
    _code("job"),
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
