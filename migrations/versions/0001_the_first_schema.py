"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from casework.adapters.persistence.engine.types import Instant, Json, TargetText

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make it so."""
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.String(length=120), nullable=True),
        sa.Column("role", sa.String(length=40), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("task", sa.String(length=200), nullable=False),
        sa.Column("subjects", Json, nullable=False),
        sa.Column("asked_for", sa.Text(), nullable=True),
        sa.Column("district_code", sa.String(length=10), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=True),
        sa.Column("source", sa.String(length=80), nullable=True),
        sa.Column("request_id", sa.String(length=80), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('ok', 'refused', 'failed')", name=op.f("ck_audit_entry_outcome_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"], unique=False)

    op.create_table(
        "configuration",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_configuration")),
    )
    op.create_table(
        "district",
        sa.Column("code", sa.String(length=10), nullable=False),
        sa.Column("name_ko", sa.String(length=60), nullable=False),
        sa.Column("name_en", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_district")),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("subject_type", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("by_role", sa.String(length=40), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index(
        op.f("ix_event_resident_id_at_id"), "event", ["resident_id", "at", "id"], unique=False
    )
    op.create_index(
        op.f("ix_event_subject_id_at_id"), "event", ["subject_id", "at", "id"], unique=False
    )

    op.create_table(
        "holiday_override",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holiday_override")),
        sa.UniqueConstraint(
            "day", "district_code", name=op.f("uq_holiday_override_day_district_code")
        ),
    )
    op.create_table(
        "idempotency",
        sa.Column("principal_id", sa.Uuid(), nullable=False),
        sa.Column("route", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("claimed_at", Instant(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("resource", Json, nullable=True),
        sa.PrimaryKeyConstraint("principal_id", "route", "key", name=op.f("pk_idempotency")),
    )
    op.create_index(op.f("ix_idempotency_claimed_at"), "idempotency", ["claimed_at"], unique=False)

    op.create_table(
        "job_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job", sa.String(length=40), nullable=False),
        sa.Column("slot", Instant(), nullable=True),
        sa.Column("as_of", Instant(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("started_by", sa.Uuid(), nullable=True),
        sa.Column("found", sa.Integer(), nullable=True),
        sa.Column("changed", sa.Integer(), nullable=True),
        sa.Column("failed", sa.Integer(), nullable=True),
        sa.Column("held", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run")),
        sa.UniqueConstraint("job", "slot", name=op.f("uq_job_run_job_slot")),
    )
    op.create_index(
        op.f("ix_job_run_job_started_at"), "job_run", ["job", "started_at"], unique=False
    )

    op.create_table(
        "service",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("name_ko", sa.String(length=120), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=False),
        sa.Column("run_by", sa.String(length=40), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("limit_note", sa.Text(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("certainty", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_service")),
    )
    op.create_table(
        "sign_in_source",
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("failed_attempts", sa.Integer(), nullable=False),
        sa.Column("counted_from", Instant(), nullable=False),
        sa.Column("locked_until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_sign_in_source")),
    )
    op.create_table(
        "standard",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("target", TargetText(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=True),
        sa.Column("service_code", sa.String(length=40), nullable=True),
        sa.Column("priority", sa.String(length=40), nullable=True),
        sa.Column("district_code", sa.String(length=10), nullable=True),
        sa.Column("lapse_after", TargetText(), nullable=True),
        sa.Column("escalation", Json, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standard")),
    )
    op.create_table(
        "centre",
        sa.Column("code", sa.String(length=10), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["district_code"], ["district.code"], name=op.f("fk_centre_district_code")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_centre")),
    )
    op.create_index(op.f("ix_centre_district_code"), "centre", ["district_code"], unique=False)

    op.create_table(
        "conference",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("members", Json, nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["district_code"], ["district.code"], name=op.f("fk_conference_district_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conference")),
    )
    op.create_table(
        "provider",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("designations", Json, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["district_code"], ["district.code"], name=op.f("fk_provider_district_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider")),
        sa.UniqueConstraint("slug", name=op.f("uq_provider_slug")),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(length=120), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("centre_code", sa.String(length=10), nullable=True),
        sa.Column("district_code", sa.String(length=10), nullable=True),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("is_head", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("failed_attempts", sa.Integer(), nullable=False),
        sa.Column("locked_until", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["centre_code"], ["centre.code"], name=op.f("fk_account_centre_code")
        ),
        sa.ForeignKeyConstraint(
            ["district_code"], ["district.code"], name=op.f("fk_account_district_code")
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_account_provider_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("username", name=op.f("uq_account_username")),
    )
    op.create_index(op.f("ix_account_centre_code"), "account", ["centre_code"], unique=False)
    op.create_index(op.f("ix_account_district_code"), "account", ["district_code"], unique=False)

    op.create_table(
        "offering",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("service_code", sa.String(length=40), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("available", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("as_of", Instant(), nullable=False),
        sa.CheckConstraint("available >= 0", name=op.f("ck_offering_available_not_negative")),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_offering_provider_id")
        ),
        sa.ForeignKeyConstraint(
            ["service_code"], ["service.code"], name=op.f("fk_offering_service_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offering")),
        sa.UniqueConstraint(
            "provider_id", "service_code", name=op.f("uq_offering_provider_id_service_code")
        ),
    )
    op.create_index(op.f("ix_offering_service_code"), "offering", ["service_code"], unique=False)

    op.create_table(
        "resident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("sex", sa.String(length=40), nullable=False),
        sa.Column("centre_code", sa.String(length=10), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("registered_at", Instant(), nullable=False),
        sa.Column("registered_by", sa.Uuid(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("phone_digits", sa.String(length=40), nullable=True),
        sa.Column("lives_alone", sa.Boolean(), nullable=True),
        sa.Column("mobility", sa.String(length=40), nullable=True),
        sa.Column("ltc_grade", sa.String(length=40), nullable=True),
        sa.Column("disability", sa.Text(), nullable=True),
        sa.Column("insurance", sa.Text(), nullable=True),
        sa.Column("income_tier", sa.String(length=40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["centre_code"], ["centre.code"], name=op.f("fk_resident_centre_code")
        ),
        sa.ForeignKeyConstraint(
            ["district_code"], ["district.code"], name=op.f("fk_resident_district_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resident")),
    )
    op.create_index(
        op.f("ix_resident_centre_code_id"), "resident", ["centre_code", "id"], unique=False
    )
    op.create_index(
        op.f("ix_resident_district_code_id"), "resident", ["district_code", "id"], unique=False
    )
    op.create_index(
        op.f("ix_resident_name_birth_date"), "resident", ["name", "birth_date"], unique=False
    )
    op.create_index(op.f("ix_resident_phone_digits"), "resident", ["phone_digits"], unique=False)

    op.create_table(
        "absence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("deputy_id", sa.Uuid(), nullable=False),
        sa.Column("centre_code", sa.String(length=10), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["centre_code"], ["centre.code"], name=op.f("fk_absence_centre_code")
        ),
        sa.ForeignKeyConstraint(["deputy_id"], ["account.id"], name=op.f("fk_absence_deputy_id")),
        sa.ForeignKeyConstraint(
            ["district_code"], ["district.code"], name=op.f("fk_absence_district_code")
        ),
        sa.ForeignKeyConstraint(["worker_id"], ["account.id"], name=op.f("fk_absence_worker_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
    )
    op.create_index(
        op.f("ix_absence_deputy_id_to_on"), "absence", ["deputy_id", "to_on"], unique=False
    )
    op.create_index(
        op.f("ix_absence_worker_id_to_on"), "absence", ["worker_id", "to_on"], unique=False
    )

    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("recipients", Json, nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", Instant(), nullable=True),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawal_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_consent_resident_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_resident_id"), "consent", ["resident_id"], unique=False)

    op.create_table(
        "contact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("phone_digits", sa.String(length=40), nullable=True),
        sa.Column("may_be_told", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_contact_resident_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
    )
    op.create_index(op.f("ix_contact_phone_digits"), "contact", ["phone_digits"], unique=False)
    op.create_index(op.f("ix_contact_resident_id"), "contact", ["resident_id"], unique=False)

    op.create_table(
        "note",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("with_whom", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("come_back_on", sa.Date(), nullable=True),
        sa.Column("written_at", Instant(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"], name=op.f("fk_note_resident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    op.create_index(
        "ix_note_come_back",
        "note",
        ["written_by", "come_back_on", "id"],
        unique=False,
        sqlite_where=sa.text("come_back_on IS NOT NULL"),
        postgresql_where=sa.text("come_back_on IS NOT NULL"),
    )
    op.create_index(op.f("ix_note_resident_id"), "note", ["resident_id"], unique=False)

    op.create_table(
        "offering_centre",
        sa.Column("offering_id", sa.Uuid(), nullable=False),
        sa.Column("centre_code", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["centre_code"], ["centre.code"], name=op.f("fk_offering_centre_centre_code")
        ),
        sa.ForeignKeyConstraint(
            ["offering_id"], ["offering.id"], name=op.f("fk_offering_centre_offering_id")
        ),
        sa.PrimaryKeyConstraint("offering_id", "centre_code", name=op.f("pk_offering_centre")),
    )
    op.create_index(
        op.f("ix_offering_centre_centre_code"), "offering_centre", ["centre_code"], unique=False
    )

    op.create_table(
        "refresh_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("issued_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_refresh_token_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_refresh_token_digest")),
    )
    op.create_index(
        op.f("ix_refresh_token_family_id"), "refresh_token", ["family_id"], unique=False
    )

    op.create_table(
        "care_case",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("centre_code", sa.String(length=10), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("applied_on", sa.Date(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=True),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("discharge_on", sa.Date(), nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("urgent_reason", sa.Text(), nullable=True),
        sa.Column("ex_officio_ground", sa.String(length=40), nullable=True),
        sa.Column("consent_id", sa.Uuid(), nullable=True),
        sa.Column("dementia_medicine", sa.Boolean(), nullable=True),
        sa.Column("activities", Json, nullable=True),
        sa.Column("score", sa.SmallInteger(), nullable=True),
        sa.Column("route", sa.String(length=40), nullable=True),
        sa.Column("guidance", sa.Text(), nullable=True),
        sa.Column("surveyed_at", Instant(), nullable=True),
        sa.Column("sent_for_assessment_at", Instant(), nullable=True),
        sa.Column("determination", sa.String(length=40), nullable=True),
        sa.Column("determined_at", Instant(), nullable=True),
        sa.Column("first_approved_on", sa.Date(), nullable=True),
        sa.Column("notified_on", sa.Date(), nullable=True),
        sa.Column("notified_to", sa.Text(), nullable=True),
        sa.Column("last_checked_on", sa.Date(), nullable=True),
        sa.Column("plan_revision", sa.Integer(), nullable=False),
        sa.Column("hold_reason", sa.String(length=40), nullable=True),
        sa.Column("hold_until", sa.Date(), nullable=True),
        sa.Column("resume_at", Instant(), nullable=True),
        sa.Column("arrived_at", Instant(), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("closed_reason", sa.String(length=40), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("closing_note", sa.Text(), nullable=True),
        sa.Column("status_before_closing", sa.String(length=40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('applied', 'closed', 'planning', 'supported', 'surveying')",
            name=op.f("ck_care_case_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["centre_code"], ["centre.code"], name=op.f("fk_care_case_centre_code")
        ),
        sa.ForeignKeyConstraint(
            ["consent_id"], ["consent.id"], name=op.f("fk_care_case_consent_id")
        ),
        sa.ForeignKeyConstraint(
            ["district_code"], ["district.code"], name=op.f("fk_care_case_district_code")
        ),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_care_case_resident_id")
        ),
        sa.ForeignKeyConstraint(["worker_id"], ["account.id"], name=op.f("fk_care_case_worker_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_case")),
    )
    op.create_index(
        op.f("ix_care_case_centre_code_id"), "care_case", ["centre_code", "id"], unique=False
    )
    op.create_index(
        op.f("ix_care_case_district_code_id"), "care_case", ["district_code", "id"], unique=False
    )
    op.create_index(op.f("ix_care_case_resident_id"), "care_case", ["resident_id"], unique=False)
    op.create_index(
        "ix_care_case_resume_at",
        "care_case",
        ["resume_at"],
        unique=False,
        sqlite_where=sa.text("resume_at IS NOT NULL"),
        postgresql_where=sa.text("resume_at IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_care_case_worker_id_id"), "care_case", ["worker_id", "id"], unique=False
    )
    op.create_index(
        "uq_care_case_one_open",
        "care_case",
        ["resident_id"],
        unique=True,
        sqlite_where=sa.text("status <> 'closed'"),
        postgresql_where=sa.text("status <> 'closed'"),
    )

    op.create_table(
        "assessment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("assessed_on", sa.Date(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.Column("assessor", sa.Text(), nullable=False),
        sa.Column("determination", sa.String(length=40), nullable=False),
        sa.Column("needs", Json, nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["care_case.id"], name=op.f("fk_assessment_case_id")),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_assessment_resident_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment")),
    )
    op.create_index(op.f("ix_assessment_case_id"), "assessment", ["case_id"], unique=False)

    op.create_table(
        "care_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("goals", Json, nullable=False),
        sa.Column("next_check_on", sa.Date(), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["care_case.id"], name=op.f("fk_care_check_case_id")),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_care_check_resident_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_check")),
    )
    op.create_index(op.f("ix_care_check_case_id"), "care_check", ["case_id"], unique=False)

    op.create_table(
        "deadline",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject_type", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("centre_code", sa.String(length=10), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("held_by", sa.String(length=40), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=True),
        sa.Column("service_code", sa.String(length=40), nullable=True),
        sa.Column("priority", sa.String(length=40), nullable=False),
        sa.Column("standard_id", sa.Uuid(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("target", TargetText(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("pauses", Json, nullable=False),
        sa.Column("paused_until", Instant(), nullable=True),
        sa.Column("extended_until", sa.Date(), nullable=True),
        sa.Column("extensions", Json, nullable=False),
        sa.Column("deferred_until", sa.Date(), nullable=True),
        sa.Column("excused", sa.Boolean(), nullable=False),
        sa.Column("met_at", Instant(), nullable=True),
        sa.Column("cancelled_at", Instant(), nullable=True),
        sa.Column("breached_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "met_at IS NULL OR cancelled_at IS NULL", name=op.f("ck_deadline_one_end")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["care_case.id"], name=op.f("fk_deadline_case_id")),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_deadline_resident_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline")),
    )
    op.create_index(op.f("ix_deadline_case_id"), "deadline", ["case_id"], unique=False)
    op.create_index(
        "ix_deadline_centre_due",
        "deadline",
        ["centre_code", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
        postgresql_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
    )
    op.create_index(
        "ix_deadline_district_due",
        "deadline",
        ["district_code", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
        postgresql_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
    )
    op.create_index(
        "ix_deadline_provider_due",
        "deadline",
        ["provider_id", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
        postgresql_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
    )
    op.create_index(op.f("ix_deadline_subject_id"), "deadline", ["subject_id"], unique=False)
    op.create_index(
        "ix_deadline_worker_due",
        "deadline",
        ["worker_id", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
        postgresql_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
    )

    op.create_table(
        "plan_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("goals", Json, nullable=False),
        sa.Column("services", Json, nullable=False),
        sa.Column("heard_on", sa.Date(), nullable=False),
        sa.Column("heard_from", sa.Text(), nullable=False),
        sa.Column("drafted_at", Instant(), nullable=False),
        sa.Column("drafted_by", sa.Uuid(), nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=True),
        sa.Column("submitted_at", Instant(), nullable=True),
        sa.Column("submitted_by", sa.Uuid(), nullable=True),
        sa.Column("decision", sa.String(length=40), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("conference_id", sa.Uuid(), nullable=True),
        sa.Column("without_meeting_reason", sa.Text(), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('approved', 'draft', 'returned', 'submitted', 'superseded')",
            name=op.f("ck_plan_version_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["care_case.id"], name=op.f("fk_plan_version_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["conference_id"], ["conference.id"], name=op.f("fk_plan_version_conference_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_version")),
        sa.UniqueConstraint("case_id", "number", name=op.f("uq_plan_version_case_id_number")),
    )
    op.create_index(op.f("ix_plan_version_case_id"), "plan_version", ["case_id"], unique=False)
    op.create_index(
        "uq_plan_version_one_in_force",
        "plan_version",
        ["case_id"],
        unique=True,
        sqlite_where=sa.text("status = 'approved'"),
        postgresql_where=sa.text("status = 'approved'"),
    )

    op.create_table(
        "planned_service",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("service_code", sa.String(length=40), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("settlement", sa.String(length=40), nullable=True),
        sa.Column("settlement_note", sa.Text(), nullable=True),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('drafted', 'dropped', 'in_force')",
            name=op.f("ck_planned_service_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["care_case.id"], name=op.f("fk_planned_service_case_id")
        ),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_planned_service_resident_id")
        ),
        sa.ForeignKeyConstraint(
            ["service_code"], ["service.code"], name=op.f("fk_planned_service_service_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_planned_service")),
    )
    op.create_index(
        op.f("ix_planned_service_case_id"), "planned_service", ["case_id"], unique=False
    )

    op.create_table(
        "signal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=True),
        sa.Column("deadline_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("raised_at", Instant(), nullable=False),
        sa.Column("raised_by", sa.Uuid(), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["care_case.id"], name=op.f("fk_signal_case_id")),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_signal_resident_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal")),
    )
    op.create_index(op.f("ix_signal_case_id"), "signal", ["case_id"], unique=False)

    op.create_table(
        "escalation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("deadline_id", sa.Uuid(), nullable=False),
        sa.Column("tier", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("tell", Json, nullable=False),
        sa.Column("raised_at", Instant(), nullable=True),
        sa.Column("passed_over", sa.Boolean(), nullable=False),
        sa.Column("quiet", sa.Boolean(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("review_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["deadline_id"], ["deadline.id"], name=op.f("fk_escalation_deadline_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation")),
        sa.UniqueConstraint(
            "deadline_id", "tier", "due_at", name=op.f("uq_escalation_deadline_id_tier_due_at")
        ),
    )
    op.create_index(
        "ix_escalation_planned",
        "escalation",
        ["at", "deadline_id"],
        unique=False,
        sqlite_where=sa.text("raised_at IS NULL"),
        postgresql_where=sa.text("raised_at IS NULL"),
    )

    op.create_table(
        "referral",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("centre_code", sa.String(length=10), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("planned_service_id", sa.Uuid(), nullable=False),
        sa.Column("service_code", sa.String(length=40), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("offering_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("priority", sa.String(length=40), nullable=False),
        sa.Column("basis_kind", sa.String(length=40), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("consent_id", sa.Uuid(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("outside_area_reason", sa.Text(), nullable=True),
        sa.Column("disclosed", Json, nullable=True),
        sa.Column("requested_at", Instant(), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("expected_start_on", sa.Date(), nullable=True),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("accepted_at", Instant(), nullable=True),
        sa.Column("started_on", sa.Date(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("on_behalf", Json, nullable=True),
        sa.Column("held_from", sa.String(length=40), nullable=True),
        sa.Column("hold_until", sa.Date(), nullable=True),
        sa.Column("resume_at", Instant(), nullable=True),
        sa.Column("lapse_at", Instant(), nullable=True),
        sa.Column("disposition", sa.String(length=40), nullable=True),
        sa.Column("disposed_at", Instant(), nullable=True),
        sa.Column("replaces_id", sa.Uuid(), nullable=True),
        sa.Column("replaced_by_id", sa.Uuid(), nullable=True),
        sa.Column("ended_by_closing", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('accepted', 'cancelled', 'completed', 'declined', 'draft', 'entered_in_error', 'failed', 'in_progress', 'lapsed', 'on_hold', 'requested', 'waitlisted', 'withdrawn')",
            name=op.f("ck_referral_status_known"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["care_case.id"], name=op.f("fk_referral_case_id")),
        sa.ForeignKeyConstraint(
            ["consent_id"], ["consent.id"], name=op.f("fk_referral_consent_id")
        ),
        sa.ForeignKeyConstraint(
            ["offering_id"], ["offering.id"], name=op.f("fk_referral_offering_id")
        ),
        sa.ForeignKeyConstraint(
            ["planned_service_id"],
            ["planned_service.id"],
            name=op.f("fk_referral_planned_service_id"),
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_referral_provider_id")
        ),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_referral_resident_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral")),
    )
    op.create_index(op.f("ix_referral_case_id"), "referral", ["case_id"], unique=False)
    op.create_index(
        op.f("ix_referral_centre_code_id"), "referral", ["centre_code", "id"], unique=False
    )
    op.create_index(
        op.f("ix_referral_district_code_id"), "referral", ["district_code", "id"], unique=False
    )
    op.create_index(
        "ix_referral_lapse_at",
        "referral",
        ["lapse_at"],
        unique=False,
        sqlite_where=sa.text("lapse_at IS NOT NULL"),
        postgresql_where=sa.text("lapse_at IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_referral_provider_id_id"), "referral", ["provider_id", "id"], unique=False
    )
    op.create_index(
        "ix_referral_resume_at",
        "referral",
        ["resume_at"],
        unique=False,
        sqlite_where=sa.text("resume_at IS NOT NULL"),
        postgresql_where=sa.text("resume_at IS NOT NULL"),
    )
    op.create_index(
        "uq_referral_one_open",
        "referral",
        ["planned_service_id", "provider_id"],
        unique=True,
        sqlite_where=sa.text(
            "status IN ('accepted', 'draft', 'in_progress', 'on_hold', 'requested', 'waitlisted')"
        ),
        postgresql_where=sa.text(
            "status IN ('accepted', 'draft', 'in_progress', 'on_hold', 'requested', 'waitlisted')"
        ),
    )

    op.create_table(
        "review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("deadline_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("offering_id", sa.Uuid(), nullable=True),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("reviewed_at", Instant(), nullable=False),
        sa.Column("reviewed_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["care_case.id"], name=op.f("fk_review_case_id")),
        sa.ForeignKeyConstraint(
            ["deadline_id"], ["deadline.id"], name=op.f("fk_review_deadline_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )
    op.create_index(op.f("ix_review_case_id"), "review", ["case_id"], unique=False)
    op.create_index(op.f("ix_review_deadline_id"), "review", ["deadline_id"], unique=False)


def downgrade() -> None:
    """Undo it."""
    op.drop_index(op.f("ix_review_deadline_id"))
    op.drop_index(op.f("ix_review_case_id"))

    op.drop_table("review")
    op.drop_index(
        "uq_referral_one_open",
        "referral",
        sqlite_where=sa.text(
            "status IN ('accepted', 'draft', 'in_progress', 'on_hold', 'requested', 'waitlisted')"
        ),
        postgresql_where=sa.text(
            "status IN ('accepted', 'draft', 'in_progress', 'on_hold', 'requested', 'waitlisted')"
        ),
    )
    op.drop_index(
        "ix_referral_resume_at",
        "referral",
        sqlite_where=sa.text("resume_at IS NOT NULL"),
        postgresql_where=sa.text("resume_at IS NOT NULL"),
    )
    op.drop_index(op.f("ix_referral_provider_id_id"))
    op.drop_index(
        "ix_referral_lapse_at",
        "referral",
        sqlite_where=sa.text("lapse_at IS NOT NULL"),
        postgresql_where=sa.text("lapse_at IS NOT NULL"),
    )
    op.drop_index(op.f("ix_referral_district_code_id"))
    op.drop_index(op.f("ix_referral_centre_code_id"))
    op.drop_index(op.f("ix_referral_case_id"))

    op.drop_table("referral")
    op.drop_index(
        "ix_escalation_planned",
        "escalation",
        sqlite_where=sa.text("raised_at IS NULL"),
        postgresql_where=sa.text("raised_at IS NULL"),
    )

    op.drop_table("escalation")
    op.drop_index(op.f("ix_signal_case_id"))

    op.drop_table("signal")
    op.drop_index(op.f("ix_planned_service_case_id"))

    op.drop_table("planned_service")
    op.drop_index(
        "uq_plan_version_one_in_force",
        "plan_version",
        sqlite_where=sa.text("status = 'approved'"),
        postgresql_where=sa.text("status = 'approved'"),
    )
    op.drop_index(op.f("ix_plan_version_case_id"))

    op.drop_table("plan_version")
    op.drop_index(
        "ix_deadline_worker_due",
        "deadline",
        sqlite_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
        postgresql_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
    )
    op.drop_index(op.f("ix_deadline_subject_id"))
    op.drop_index(
        "ix_deadline_provider_due",
        "deadline",
        sqlite_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
        postgresql_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
    )
    op.drop_index(
        "ix_deadline_district_due",
        "deadline",
        sqlite_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
        postgresql_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
    )
    op.drop_index(
        "ix_deadline_centre_due",
        "deadline",
        sqlite_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
        postgresql_where=sa.text("met_at IS NULL AND cancelled_at IS NULL"),
    )
    op.drop_index(op.f("ix_deadline_case_id"))

    op.drop_table("deadline")
    op.drop_index(op.f("ix_care_check_case_id"))

    op.drop_table("care_check")
    op.drop_index(op.f("ix_assessment_case_id"))

    op.drop_table("assessment")
    op.drop_index(
        "uq_care_case_one_open",
        "care_case",
        sqlite_where=sa.text("status <> 'closed'"),
        postgresql_where=sa.text("status <> 'closed'"),
    )
    op.drop_index(op.f("ix_care_case_worker_id_id"))
    op.drop_index(
        "ix_care_case_resume_at",
        "care_case",
        sqlite_where=sa.text("resume_at IS NOT NULL"),
        postgresql_where=sa.text("resume_at IS NOT NULL"),
    )
    op.drop_index(op.f("ix_care_case_resident_id"))
    op.drop_index(op.f("ix_care_case_district_code_id"))
    op.drop_index(op.f("ix_care_case_centre_code_id"))

    op.drop_table("care_case")
    op.drop_index(op.f("ix_refresh_token_family_id"))

    op.drop_table("refresh_token")
    op.drop_index(op.f("ix_offering_centre_centre_code"))

    op.drop_table("offering_centre")
    op.drop_index(op.f("ix_note_resident_id"))
    op.drop_index(
        "ix_note_come_back",
        "note",
        sqlite_where=sa.text("come_back_on IS NOT NULL"),
        postgresql_where=sa.text("come_back_on IS NOT NULL"),
    )

    op.drop_table("note")
    op.drop_index(op.f("ix_contact_resident_id"))
    op.drop_index(op.f("ix_contact_phone_digits"))

    op.drop_table("contact")
    op.drop_index(op.f("ix_consent_resident_id"))

    op.drop_table("consent")
    op.drop_index(op.f("ix_absence_worker_id_to_on"))
    op.drop_index(op.f("ix_absence_deputy_id_to_on"))

    op.drop_table("absence")
    op.drop_index(op.f("ix_resident_phone_digits"))
    op.drop_index(op.f("ix_resident_name_birth_date"))
    op.drop_index(op.f("ix_resident_district_code_id"))
    op.drop_index(op.f("ix_resident_centre_code_id"))

    op.drop_table("resident")
    op.drop_index(op.f("ix_offering_service_code"))

    op.drop_table("offering")
    op.drop_index(op.f("ix_account_district_code"))
    op.drop_index(op.f("ix_account_centre_code"))

    op.drop_table("account")
    op.drop_table("provider")
    op.drop_table("conference")
    op.drop_index(op.f("ix_centre_district_code"))

    op.drop_table("centre")
    op.drop_table("standard")
    op.drop_table("sign_in_source")
    op.drop_table("service")
    op.drop_index(op.f("ix_job_run_job_started_at"))

    op.drop_table("job_run")
    op.drop_index(op.f("ix_idempotency_claimed_at"))

    op.drop_table("idempotency")
    op.drop_table("holiday_override")
    op.drop_index(op.f("ix_event_subject_id_at_id"))
    op.drop_index(op.f("ix_event_resident_id_at_id"))

    op.drop_table("event")
    op.drop_table("district")
    op.drop_table("configuration")
    op.drop_index(op.f("ix_audit_entry_at"))

    op.drop_table("audit_entry")
