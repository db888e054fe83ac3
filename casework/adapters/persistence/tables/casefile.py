"""Cases with their assessments, checks, signals, plans, planned services, referrals and events."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
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
)

from casework.adapters.persistence.engine.encrypted_columns import EncryptedJson, EncryptedText
from casework.adapters.persistence.engine.types import Instant, Json
from casework.adapters.persistence.tables.base import (
    code,
    id_column,
    metadata,
    one_of,
    reference,
    where,
)
from casework.domain.casefile.case import CaseStatus
from casework.domain.casefile.plan import ServiceStatus, VersionStatus
from casework.domain.casefile.referral_moves import OPEN
from casework.domain.casefile.states import ReferralStatus

# Cases are numbered within a district and year; the row is locked until a new one is committed.
case_counter = Table(
    "case_counter",
    metadata,
    Column("district_code", String(10), ForeignKey("district.code"), primary_key=True),
    Column("year", SmallInteger, primary_key=True, autoincrement=False),
    Column("last", Integer, nullable=False),
)

care_case = Table(
    "care_case",
    metadata,
    id_column(),
    Column("number", String(24), nullable=False, unique=True),
    reference("resident_id", "resident"),
    Column("centre_code", String(10), ForeignKey("centre.code"), nullable=False),
    Column("district_code", String(10), ForeignKey("district.code"), nullable=False),
    code("status"),
    code("channel"),
    Column("applied_on", Date, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("opened_by", Uuid),
    reference("worker_id", "account", nullable=True),
    Column("discharge_on", Date),
    Column("urgent", Boolean, nullable=False),
    Column("urgent_reason", EncryptedText),
    code("ex_officio_ground", nullable=True),
    reference("consent_id", "consent", nullable=True),
    Column("dementia_medicine", Boolean),
    Column("activities", EncryptedJson),
    Column("score", SmallInteger),
    code("route", nullable=True),
    Column("guidance", EncryptedText),
    Column("surveyed_at", Instant),
    Column("sent_for_assessment_at", Instant),
    code("determination", nullable=True),
    Column("determined_at", Instant),
    Column("determined_on", Date),
    Column("first_approved_on", Date),
    Column("notified_on", Date),
    Column("notified_to", EncryptedText),
    Column("last_checked_on", Date),
    Column("plan_revision", Integer, nullable=False),
    Column("taken_over_at", Instant),
    Column("former_number", String(60)),
    code("hold_reason", nullable=True),
    Column("hold_from", Date),
    Column("hold_until", Date),
    Column("held_by", Uuid),
    Column("resume_at", Instant),
    Column("arrived_at", Instant),
    Column("closed_at", Instant),
    code("closed_reason", nullable=True),
    Column("effective_on", Date),
    Column("closing_note", EncryptedText),
    code("status_before_closing", nullable=True),
    Column("legal_hold_review_on", Date),
    Column("legal_holds", EncryptedJson),
    Column("version", Integer, nullable=False),
    one_of("status", CaseStatus),
    Index("uq_care_case_one_open", "resident_id", unique=True, **where("status <> 'closed'")),
    Index(None, "resident_id"),
    Index(None, "centre_code", "id"),
    Index(None, "district_code", "id"),
    Index(None, "worker_id", "id"),
    Index("ix_care_case_former_number", "former_number", **where("former_number IS NOT NULL")),
    Index("ix_care_case_resume_at", "resume_at", **where("resume_at IS NOT NULL")),
    Index("ix_care_case_closed", "district_code", "closed_at", **where("status = 'closed'")),
    Index("ix_care_case_consent_id", "consent_id", **where("consent_id IS NOT NULL")),
)


def child(*columns: Any, name: str, nullable: bool = False) -> Table:
    """A record that belongs to a case and to its resident; if ``nullable``, perhaps to none."""
    return Table(
        name,
        metadata,
        id_column(),
        Column("case_id", Uuid, ForeignKey("care_case.id"), nullable=nullable, index=True),
        *columns,
    )


def of_resident(*, nullable: bool = False) -> Column[Any]:
    """The resident whom a row is about."""
    return Column("resident_id", Uuid, ForeignKey("resident.id"), nullable=nullable, index=True)


assessment = child(
    of_resident(),
    Column("assessed_on", Date, nullable=False),
    Column("received_on", Date),
    Column("assessor", Text, nullable=False),
    code("determination"),
    Column("needs", EncryptedJson, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Uuid),
    name="assessment",
)

care_check = child(
    of_resident(),
    Column("checked_on", Date, nullable=False),
    Column("findings", EncryptedText, nullable=False),
    Column("goals", EncryptedJson, nullable=False),
    Column("next_check_on", Date),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Uuid),
    Column("entered_in_error_at", Instant),
    Column("entered_in_error_by", Uuid),
    Column("entered_in_error_reason", EncryptedText),
    name="care_check",
)

correction = child(
    of_resident(),
    code("subject_type"),
    Column("subject_id", Uuid, nullable=False),
    Column("before", EncryptedJson, nullable=False),
    Column("reason", EncryptedText, nullable=False),
    Column("corrected_at", Instant, nullable=False),
    Column("corrected_by", Uuid),
    name="correction",
)

signal = child(
    of_resident(),
    Column("referral_id", Uuid),
    Column("deadline_id", Uuid),
    code("kind"),
    Column("note", EncryptedText),
    Column("raised_at", Instant, nullable=False),
    Column("raised_by", Uuid),
    Column("answered_at", Instant),
    Column("answered_by", Uuid),
    Column("answer", EncryptedText),
    Column("version", Integer, nullable=False),
    name="signal",
)

plan_version = child(
    Column("number", Integer, nullable=False),
    code("status"),
    Column("goals", EncryptedJson, nullable=False),
    Column("services", EncryptedJson, nullable=False),
    Column("heard_on", Date, nullable=False),
    Column("heard_from", Text, nullable=False),
    Column("drafted_at", Instant, nullable=False),
    Column("drafted_by", Uuid),
    Column("hash", String(64)),
    Column("submitted_at", Instant),
    Column("submitted_by", Uuid),
    code("decision", nullable=True),
    Column("decided_at", Instant),
    Column("decided_on", Date),
    Column("decided_by", Uuid),
    reference("conference_id", "conference", nullable=True),
    Column("without_meeting_reason", EncryptedText),
    Column("decision_reason", EncryptedText),
    Column("version", Integer, nullable=False),
    UniqueConstraint("case_id", "number"),
    Index("ix_plan_version_conference_id", "conference_id", **where("conference_id IS NOT NULL")),
    Index("uq_plan_version_one_in_force", "case_id", unique=True, **where("status = 'approved'")),
    one_of("status", VersionStatus),
    name="plan_version",
)

planned_service = child(
    of_resident(),
    code("service_code", ForeignKey("service.code")),
    code("field"),
    code("status"),
    Column("ends_on", Date, nullable=False),
    Column("created_at", Instant, nullable=False),
    code("settlement", nullable=True),
    Column("settlement_note", EncryptedText),
    Column("settled_at", Instant),
    Column("settled_by", Uuid),
    Column("version", Integer, nullable=False),
    one_of("status", ServiceStatus),
    Index("ix_planned_service_unmet", "settled_at", "id", **where("settlement = 'unmet_need'")),
    name="planned_service",
)

_OPEN_REFERRAL = "status IN (" + ", ".join(f"'{status}'" for status in sorted(OPEN)) + ")"

referral = child(
    of_resident(),
    Column("centre_code", String(10), nullable=False),
    Column("district_code", String(10), nullable=False),
    reference("planned_service_id", "planned_service"),
    code("service_code"),
    code("field"),
    reference("offering_id", "offering"),
    reference("provider_id", "provider"),
    code("status"),
    code("priority"),
    code("basis_kind"),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Uuid),
    reference("consent_id", "consent", nullable=True),
    Column("message", EncryptedText),
    Column("outside_area_reason", EncryptedText),
    Column("disclosed", Json),
    Column("judged", EncryptedJson),
    Column("requested_on", Date),
    Column("requested_at", Instant),
    Column("answered_on", Date),
    Column("answered_at", Instant),
    Column("expected_start_on", Date),
    Column("expected_on", Date),
    Column("place_offered_at", Instant),
    Column("accepted_at", Instant),
    Column("started_on", Date),
    Column("ended_at", Instant),
    Column("ended_on", Date),
    code("outcome", nullable=True),
    Column("reason", Text),
    Column("note", EncryptedText),
    Column("on_behalf", Json),
    code("held_from", nullable=True),
    Column("hold_until", Date),
    Column("held_with_case", Boolean, nullable=False),
    Column("resume_at", Instant),
    Column("lapse_at", Instant),
    Column("disposition_owed", Boolean, nullable=False),
    code("disposition", nullable=True),
    Column("disposed_at", Instant),
    Column("replaces_id", Uuid),
    Column("replaced_by_id", Uuid),
    Column("ended_by_closing", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    one_of("status", ReferralStatus),
    Index(
        "uq_referral_one_open",
        "planned_service_id",
        "provider_id",
        unique=True,
        **where(_OPEN_REFERRAL),
    ),
    Index(None, "centre_code", "id"),
    Index(None, "district_code", "id"),
    Index(None, "provider_id", "id"),
    Index(None, "offering_id"),
    Index(None, "planned_service_id"),
    Index("ix_referral_consent_id", "consent_id", **where("consent_id IS NOT NULL")),
    Index("ix_referral_lapse_at", "lapse_at", **where("lapse_at IS NOT NULL")),
    Index("ix_referral_resume_at", "resume_at", **where("resume_at IS NOT NULL")),
    Index(
        "ix_referral_in_line",
        "offering_id",
        "answered_at",
        "id",
        **where("status = 'waitlisted'"),
    ),
    name="referral",
)

event = Table(
    "event",
    metadata,
    id_column(),
    Column("name", String(60), nullable=False),
    code("subject_type"),
    Column("subject_id", Uuid, nullable=False),
    Column("resident_id", Uuid),
    Column("case_id", Uuid),
    Column("at", Instant, nullable=False),
    Column("by_id", Uuid),
    code("by_role"),
    Column("data", Json, nullable=False),
    Index(None, "resident_id", "at", "id"),
    Index(None, "subject_id", "at", "id"),
)
