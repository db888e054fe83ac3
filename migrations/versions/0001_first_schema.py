"""The first schema: every table, with what guards the records that nobody may change.

It stays as it was made, and imports no code that describes later tables: what a
later revision changes, it changes itself. Row-level security and the grants of the roles
are no part of it. They are applied after the newest revision, as the code then has them.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from casework.adapters.persistence.engine.types import Instant, Json, TargetText

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

RUNNING = "met_at IS NULL AND cancelled_at IS NULL"
OF_CARE = f"{RUNNING} AND case_id IS NOT NULL"
# Last created, first dropped: a table comes after those to which it refers.
TABLES = (
    "district", "centre",
    "service", "provider", "offering", "offering_centre", "provider_answers",
    "designation", "directory_change",
    "account", "absence", "refresh_token", "sign_in_source", "account_token", "recovery_code",
    "account_grant_log",
    "body", "body_answers", "seat",
    "resident", "contact", "consent", "note", "way_in", "break_glass",
    "duplicate_check", "duplicate_suspicion", "resident_merge", "merge_child",
    "household", "household_member",
    "case_counter", "care_case", "assessment", "care_check", "correction", "signal",
    "conference", "plan_version", "agenda_item", "planned_service",
    "referral", "delivered",
    "standard", "holiday_override", "recount",
    "deadline", "escalation", "review",
    "job_run", "notice", "run_notices", "subscription", "message", "addressee", "relay_state",
    "answering", "agency_link", "link_referral", "link_session",
    "import_file", "import_row",
    "event", "idempotency", "closed_month", "configuration", "key_check",
    "audit_entry", "audit_seal", "audit_head", "audit_pending", "audit_review",
    "access_request",
    "figure_change", "figure_entry", "figure_total", "figure_day",
    "city_total", "city_sum", "closed_total", "closed_sum",
)  # fmt: skip


def upgrade() -> None:
    """Create everything, subject by subject, in the order of foreign keys."""
    _organisation()
    _directory()
    _directory_history()
    _accounts()
    _log_of_rights()
    _bodies()
    _residents()
    _duplicates()
    _households()
    _cases()
    _plans()
    _referrals()
    _standards()
    _clocks()
    _notices()
    _links()
    _imports()
    _records()
    _audit()
    _access_requests()
    _kept_figures()
    _note_changes_of_figures()


def downgrade() -> None:
    """Drop everything; triggers go with their tables, functions do not."""
    for table in reversed(TABLES):
        op.drop_table(table)
    if _on_postgres():
        for name in (*AUDIT_FUNCTIONS, *LOG_FUNCTIONS, *FIGURE_FUNCTIONS):
            op.execute(f"DROP FUNCTION {name}()")


# Naming conventions of constraints.


def _primary_key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _foreign_key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def _check(table: str, rule: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{rule}"))


def _one_of(column: str, values: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"


def _index(
    table: str,
    *columns: str,
    name: str | None = None,
    unique: bool = False,
    where: str | None = None,
) -> None:
    condition = None if where is None else sa.text(where)
    op.create_index(
        op.f(name or f"ix_{table}_{'_'.join(columns)}"),
        table,
        list(columns),
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def _on_postgres() -> bool:
    return op.get_bind().dialect.name == "postgresql"


# The tables


def _organisation() -> None:
    """The city's districts and their centres."""
    op.create_table(
        "district",
        sa.Column("code", sa.String(length=10), nullable=False),
        sa.Column("name_ko", sa.String(length=60), nullable=False),
        sa.Column("name_en", sa.String(length=60), nullable=False),
        sa.Column("retention_years", sa.SmallInteger(), nullable=True),
        sa.Column("retention_basis", sa.Text(), nullable=True),
        _check("district", "retention_within_the_law", "retention_years >= 5"),
        _primary_key("district", "code"),
    )
    op.create_table(
        "centre",
        sa.Column("code", sa.String(length=10), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=True),
        _foreign_key("centre", "district_code", "district.code"),
        _primary_key("centre", "code"),
    )
    _index("centre", "district_code")


def _directory() -> None:
    """Services, the agencies that give them, and how many places there are."""
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
        sa.Column("fresh_for_days", sa.Integer(), nullable=False, server_default=sa.text("7")),
        sa.Column("eligibility", Json, nullable=True),
        sa.Column("given_at", sa.String(length=40), nullable=True),
        sa.Column(
            "state", sa.String(length=40), nullable=False, server_default=sa.text("'published'")
        ),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False, server_default=sa.text("1")),
        sa.Column("limits", Json, nullable=True),
        sa.Column("co_payments", Json, nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        _primary_key("service", "code"),
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
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("languages", Json, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False, server_default=sa.text("1")),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("opening_hours", Json, nullable=True),
        sa.Column("contacts", Json, nullable=True),
        _foreign_key("provider", "district_code", "district.code"),
        _primary_key("provider", "id"),
        _unique("provider", "slug"),
    )
    op.create_table(
        "offering",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("service_code", sa.String(length=40), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("available", sa.Integer(), nullable=False),
        sa.Column("stated_available", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("as_of", Instant(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("waitlisted", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("for_waiting", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("full_until", sa.Date(), nullable=True),
        sa.Column("stated_by", sa.Uuid(), nullable=True),
        sa.Column("asked_at", Instant(), nullable=True),
        sa.Column("capacity_version", sa.Integer(), nullable=False, server_default=sa.text("1")),
        sa.Column("given_at", sa.String(length=40), nullable=True),
        sa.Column(
            "state", sa.String(length=40), nullable=False, server_default=sa.text("'published'")
        ),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False, server_default=sa.text("1")),
        _check("offering", "available_not_negative", "available >= 0"),
        _check("offering", "stated_not_negative", "stated_available >= 0"),
        _check("offering", "places_add_up", "held >= 0 AND available + held <= capacity"),
        _check("offering", "waiting_add_up", "waitlisted >= 0 AND waitlisted <= waiting"),
        _check(
            "offering",
            "places_for_waiting",
            "for_waiting >= 0 AND for_waiting <= available AND for_waiting <= waitlisted",
        ),
        _foreign_key("offering", "provider_id", "provider.id"),
        _foreign_key("offering", "service_code", "service.code"),
        _primary_key("offering", "id"),
        _unique("offering", "provider_id", "service_code"),
    )
    _index("offering", "service_code")
    op.create_table(
        "offering_centre",
        sa.Column("offering_id", sa.Uuid(), nullable=False),
        sa.Column("centre_code", sa.String(length=10), nullable=False),
        _foreign_key("offering_centre", "offering_id", "offering.id"),
        _foreign_key("offering_centre", "centre_code", "centre.code"),
        _primary_key("offering_centre", "offering_id", "centre_code"),
    )
    _index("offering_centre", "centre_code")
    op.create_table(
        "provider_answers",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("median_days", sa.Float(), nullable=False),
        sa.Column("accepted_share", sa.Float(), nullable=False),
        sa.Column("as_of", Instant(), nullable=False),
        _check("provider_answers", "share", "accepted_share >= 0 AND accepted_share <= 1"),
        _foreign_key("provider_answers", "provider_id", "provider.id"),
        _primary_key("provider_answers", "provider_id"),
    )


def _directory_history() -> None:
    """Designations from when until when, and every change of the directory."""
    op.create_table(
        "designation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("designated_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=True),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _check("designation", "ends_after_it_begins", "valid_from <= valid_to"),
        _foreign_key("designation", "provider_id", "provider.id"),
        _primary_key("designation", "id"),
    )
    _index("designation", "provider_id", "code")
    op.create_table(
        "directory_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_type", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=40), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("did", sa.String(length=40), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("by_role", sa.String(length=40), nullable=False),
        sa.Column("before", Json, nullable=False),
        sa.Column("after", Json, nullable=False),
        _foreign_key("directory_change", "provider_id", "provider.id"),
        _primary_key("directory_change", "id"),
    )
    _index("directory_change", "subject_type", "subject_id", "id")


def _accounts() -> None:
    """Accounts that sign in, and who is whose deputy."""
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
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("tries", Json, nullable=True),
        sa.Column("signed_in_from", Json, nullable=True),
        sa.Column("signed_out_at", Instant(), nullable=True),
        sa.Column(
            "must_change_password", sa.Boolean(), nullable=False, server_default=sa.text("false")
        ),
        sa.Column("is_demo", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("external_id", sa.String(length=512), nullable=True),
        sa.Column("totp_sealed", sa.Text(), nullable=True),
        sa.Column("totp_confirmed_at", Instant(), nullable=True),
        sa.Column("totp_step", sa.Integer(), nullable=True),
        sa.Column("grants", Json, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False, server_default=sa.text("1")),
        _foreign_key("account", "centre_code", "centre.code"),
        _foreign_key("account", "district_code", "district.code"),
        _foreign_key("account", "provider_id", "provider.id"),
        _primary_key("account", "id"),
        _unique("account", "username"),
    )
    _index("account", "centre_code")
    _index("account", "district_code")
    _index("account", "external_id", name="uq_account_external_id", unique=True)
    op.create_table(
        "absence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("deputy_id", sa.Uuid(), nullable=False),
        sa.Column("centre_code", sa.String(length=10), nullable=True),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("changed_at", Instant(), nullable=True),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        _foreign_key("absence", "worker_id", "account.id"),
        _foreign_key("absence", "deputy_id", "account.id"),
        _foreign_key("absence", "centre_code", "centre.code"),
        _foreign_key("absence", "district_code", "district.code"),
        _primary_key("absence", "id"),
    )
    _index("absence", "deputy_id", "to_on")
    _index("absence", "worker_id", "to_on")
    _index("absence", "district_code", "to_on")
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
        _foreign_key("refresh_token", "account_id", "account.id"),
        _primary_key("refresh_token", "id"),
        _unique("refresh_token", "digest"),
    )
    _index("refresh_token", "family_id")
    op.create_table(
        "sign_in_source",
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("failed_attempts", sa.Integer(), nullable=False),
        sa.Column("counted_from", Instant(), nullable=False),
        sa.Column("locked_until", Instant(), nullable=True),
        _primary_key("sign_in_source", "source"),
    )
    op.create_table(
        "account_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("scopes", Json, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("last_used_on", sa.Date(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        _foreign_key("account_token", "account_id", "account.id"),
        _primary_key("account_token", "id"),
        _unique("account_token", "digest"),
    )
    _index("account_token", "account_id", "id")
    op.create_table(
        "recovery_code",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        _foreign_key("recovery_code", "account_id", "account.id"),
        _primary_key("recovery_code", "account_id", "digest"),
    )


def _log_of_rights() -> None:
    """The log of permissions."""
    op.create_table(
        "account_grant_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("about", sa.String(length=120), nullable=True),
        sa.Column("state", Json, nullable=False),
        _foreign_key("account_grant_log", "account_id", "account.id"),
        _primary_key("account_grant_log", "id"),
    )
    _index("account_grant_log", "account_id", "at", "id")
    _guard_log_of_rights()


def _bodies() -> None:
    kinds = ("council", "forum", "partner", "promotion_team", "section", "team", "unit",
             "working_body")  # fmt: skip
    sources = ("entered", "invented", "official", "press")
    op.create_table(
        "body",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name_ko", sa.String(length=120), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=True),
        sa.Column("area", sa.String(length=10), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("rules", Json, nullable=False),
        sa.Column("teams_stated", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("handed_to_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        _check("body", "kind_known", _one_of("kind", kinds)),
        _check("body", "source_known", _one_of("source", sources)),
        _check("body", "ends_after_it_begins", "valid_from <= valid_to"),
        _check("body", "teams_not_negative", "teams_stated >= 0"),
        _check("body", "agency_is_partner", "provider_id IS NULL OR kind = 'partner'"),
        _foreign_key("body", "parent_id", "body.id"),
        _foreign_key("body", "provider_id", "provider.id"),
        _foreign_key("body", "handed_to_id", "body.id"),
        _primary_key("body", "id"),
    )
    _index("body", "area", "id")
    _index(
        "body", "area", name="uq_body_council_of_area", unique=True,
        where="kind = 'council' AND valid_to IS NULL",
    )  # fmt: skip
    op.create_table(
        "body_answers",
        sa.Column("body_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("area", sa.String(length=10), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        _check("body_answers", "what_known", _one_of("what", ("field", "service"))),
        _foreign_key("body_answers", "body_id", "body.id"),
        _primary_key("body_answers", "body_id", "what", "code"),
    )
    _index(
        "body_answers", "area", "what", "code", name="uq_body_answers_one_of_area", unique=True,
        where="until IS NULL",
    )  # fmt: skip
    op.create_table(
        "seat",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("body_id", sa.Uuid(), nullable=False),
        sa.Column("area", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("agency", sa.String(length=120), nullable=False),
        sa.Column("part", sa.String(length=40), nullable=False),
        sa.Column("seated_by", sa.String(length=40), nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.String(length=40), nullable=False),
        _check(
            "seat",
            "part_known",
            _one_of("part", ("chair", "member", "secretary", "vice_chair")),
        ),
        _check("seat", "seated_by_known", _one_of("seated_by", ("appointed", "ex_officio"))),
        _check("seat", "source_known", _one_of("source", sources)),
        _check("seat", "ends_after_it_begins", "begins_on <= ends_on"),
        _foreign_key("seat", "body_id", "body.id"),
        _foreign_key("seat", "account_id", "account.id"),
        _primary_key("seat", "id"),
    )
    _index("seat", "body_id", "begins_on", "id")
    _index("seat", "account_id", where="account_id IS NOT NULL")
    _index(
        "seat", "body_id", name="uq_seat_chair_of_body", unique=True,
        where="part = 'chair' AND ends_on IS NULL",
    )  # fmt: skip


def _residents() -> None:
    """Residents, and what is known of them."""
    op.create_table(
        "resident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("name_initials", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("sex", sa.String(length=40), nullable=False),
        sa.Column("centre_code", sa.String(length=10), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("registered_at", Instant(), nullable=False),
        sa.Column("registered_by", sa.Uuid(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("phone_digits", sa.String(length=40), nullable=True),
        sa.Column("phone_ending", sa.String(length=40), nullable=True),
        sa.Column("lives_alone", sa.Boolean(), nullable=True),
        sa.Column("mobility", sa.String(length=40), nullable=True),
        sa.Column("ltc_grade", sa.String(length=40), nullable=True),
        sa.Column("disability", sa.Text(), nullable=True),
        sa.Column("insurance", sa.Text(), nullable=True),
        sa.Column("income_tier", sa.String(length=40), nullable=True),
        sa.Column("died_on", sa.Date(), nullable=True),
        sa.Column("rrn", sa.Text(), nullable=True),
        sa.Column("rrn_index", sa.String(length=40), nullable=True),
        sa.Column("name_birth_index", sa.String(length=40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("merged_into_id", sa.Uuid(), nullable=True),
        _foreign_key("resident", "centre_code", "centre.code"),
        _foreign_key("resident", "district_code", "district.code"),
        _primary_key("resident", "id"),
    )
    _index("resident", "centre_code", "id")
    _index("resident", "district_code", "birth_date")
    _index("resident", "district_code", "name_key")
    _index("resident", "district_code", "id")
    _index(
        "resident",
        "merged_into_id",
        name="ix_resident_merged_into_id",
        where="merged_into_id IS NOT NULL",
    )
    _index("resident", "name_birth_index")
    _index("resident", "phone_digits")
    _index("resident", "phone_ending")
    _index("resident", "rrn_index")
    op.create_table(
        "contact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("phone_digits", sa.String(length=40), nullable=True),
        sa.Column("phone_ending", sa.String(length=40), nullable=True),
        sa.Column("may_be_told", sa.Boolean(), nullable=False),
        _foreign_key("contact", "resident_id", "resident.id"),
        _primary_key("contact", "id"),
    )
    _index("contact", "phone_digits")
    _index("contact", "phone_ending")
    _index("contact", "resident_id")
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
        _foreign_key("consent", "resident_id", "resident.id"),
        _primary_key("consent", "id"),
    )
    _index("consent", "resident_id")
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
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_with", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by_note_id", sa.Uuid(), nullable=True),
        sa.Column("answers_taken_back", Json, nullable=False),
        sa.Column("corrects_note_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("corrected_by_note_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _foreign_key("note", "resident_id", "resident.id"),
        _primary_key("note", "id"),
    )
    _index(
        "note",
        "come_back_on",
        "id",
        name="ix_note_come_back",
        where="come_back_on IS NOT NULL AND answered_at IS NULL AND corrected_by_note_id IS NULL",
    )
    _index("note", "resident_id")
    op.create_table(
        "way_in",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", Instant(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _foreign_key("way_in", "resident_id", "resident.id"),
        _primary_key("way_in", "id"),
        _unique("way_in", "resident_id"),
    )
    op.create_table(
        "break_glass",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("reviewed_at", Instant(), nullable=True),
        sa.Column("reviewed_by", sa.Uuid(), nullable=True),
        sa.Column("review_note", sa.Text(), nullable=True),
        sa.Column("justified", sa.Boolean(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _foreign_key("break_glass", "resident_id", "resident.id"),
        _foreign_key("break_glass", "account_id", "account.id"),
        _foreign_key("break_glass", "district_code", "district.code"),
        _primary_key("break_glass", "id"),
    )
    _index("break_glass", "account_id", "ends_at")
    _index("break_glass", "district_code", "id")
    _index("break_glass", "resident_id")


def _duplicates() -> None:
    """Likely duplicates, and merges that can be undone."""
    op.create_table(
        "duplicate_check",
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        _foreign_key("duplicate_check", "resident_id", "resident.id"),
        _primary_key("duplicate_check", "resident_id"),
    )
    op.create_table(
        "duplicate_suspicion",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("centre_code", sa.String(length=10), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("other_centre_code", sa.String(length=10), nullable=False),
        sa.Column("other_district_code", sa.String(length=10), nullable=False),
        sa.Column("reasons", Json, nullable=False),
        sa.Column("found_at", Instant(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("is_parked", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _check("duplicate_suspicion", "ordered", "resident_id < other_id"),
        _check("duplicate_suspicion", "state_known", "state IN ('different', 'open', 'same')"),
        _foreign_key("duplicate_suspicion", "resident_id", "resident.id"),
        _foreign_key("duplicate_suspicion", "other_id", "resident.id"),
        _primary_key("duplicate_suspicion", "id"),
        _unique("duplicate_suspicion", "resident_id", "other_id"),
    )
    _index("duplicate_suspicion", "district_code", "state", "id")
    _index("duplicate_suspicion", "other_district_code", "state", "id")
    _index("duplicate_suspicion", "other_id")
    op.create_table(
        "resident_merge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("survivor_id", sa.Uuid(), nullable=False),
        sa.Column("duplicate_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("merged_at", Instant(), nullable=False),
        sa.Column("merged_by", sa.Uuid(), nullable=True),
        sa.Column("survivor_centre", sa.String(length=10), nullable=False),
        sa.Column("duplicate_centre", sa.String(length=10), nullable=False),
        sa.Column("undone_at", Instant(), nullable=True),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.Column("undo_reason", sa.Text(), nullable=True),
        sa.Column("before", Json, nullable=False),
        _check("resident_merge", "two", "survivor_id <> duplicate_id"),
        _foreign_key("resident_merge", "survivor_id", "resident.id"),
        _foreign_key("resident_merge", "duplicate_id", "resident.id"),
        _primary_key("resident_merge", "id"),
    )
    _index("resident_merge", "survivor_id")
    _index("resident_merge", "duplicate_id")
    _index(
        "resident_merge",
        "duplicate_id",
        name="uq_resident_merge_standing",
        unique=True,
        where="undone_at IS NULL",
    )
    op.create_table(
        "merge_child",
        sa.Column("merge_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("before", Json, nullable=True),
        _foreign_key("merge_child", "merge_id", "resident_merge.id"),
        _primary_key("merge_child", "merge_id", "kind", "child_id"),
    )


def _households() -> None:
    """Who lives together."""
    op.create_table(
        "household",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _check("household", "kind_known", "kind IN ('couple', 'family', 'other')"),
        _primary_key("household", "id"),
    )
    op.create_table(
        "household_member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("joined_at", Instant(), nullable=False),
        sa.Column("joined_by", sa.Uuid(), nullable=True),
        sa.Column("left_at", Instant(), nullable=True),
        sa.Column("left_by", sa.Uuid(), nullable=True),
        _foreign_key("household_member", "household_id", "household.id"),
        _foreign_key("household_member", "resident_id", "resident.id"),
        _primary_key("household_member", "id"),
    )
    _index("household_member", "household_id")
    _index("household_member", "resident_id")
    _index(
        "household_member",
        "resident_id",
        name="uq_household_member_one_household",
        unique=True,
        where="left_at IS NULL",
    )


def _cases() -> None:
    """Cases from application to closing, and the counters of their numbers."""
    op.create_table(
        "case_counter",
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        _foreign_key("case_counter", "district_code", "district.code"),
        _primary_key("case_counter", "district_code", "year"),
    )
    op.create_table(
        "care_case",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
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
        sa.Column("determined_on", sa.Date(), nullable=True),
        sa.Column("first_approved_on", sa.Date(), nullable=True),
        sa.Column("notified_on", sa.Date(), nullable=True),
        sa.Column("notified_to", sa.Text(), nullable=True),
        sa.Column("last_checked_on", sa.Date(), nullable=True),
        sa.Column("plan_revision", sa.Integer(), nullable=False),
        sa.Column("taken_over_at", Instant(), nullable=True),
        sa.Column("former_number", sa.String(length=60), nullable=True),
        sa.Column("hold_reason", sa.String(length=40), nullable=True),
        sa.Column("hold_from", sa.Date(), nullable=True),
        sa.Column("hold_until", sa.Date(), nullable=True),
        sa.Column("held_by", sa.Uuid(), nullable=True),
        sa.Column("resume_at", Instant(), nullable=True),
        sa.Column("arrived_at", Instant(), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("closed_reason", sa.String(length=40), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("closing_note", sa.Text(), nullable=True),
        sa.Column("status_before_closing", sa.String(length=40), nullable=True),
        sa.Column("legal_hold_review_on", sa.Date(), nullable=True),
        sa.Column("legal_holds", Json, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _check(
            "care_case",
            "status_known",
            "status IN ('applied', 'closed', 'planning', 'supported', 'surveying')",
        ),
        _foreign_key("care_case", "resident_id", "resident.id"),
        _foreign_key("care_case", "centre_code", "centre.code"),
        _foreign_key("care_case", "district_code", "district.code"),
        _foreign_key("care_case", "worker_id", "account.id"),
        _foreign_key("care_case", "consent_id", "consent.id"),
        _primary_key("care_case", "id"),
        _unique("care_case", "number"),
    )
    _index("care_case", "centre_code", "id")
    _index(
        "care_case",
        "district_code",
        "closed_at",
        name="ix_care_case_closed",
        where="status = 'closed'",
    )
    _index(
        "care_case", "consent_id", name="ix_care_case_consent_id", where="consent_id IS NOT NULL"
    )
    _index("care_case", "district_code", "id")
    _index(
        "care_case",
        "former_number",
        name="ix_care_case_former_number",
        where="former_number IS NOT NULL",
    )
    _index("care_case", "resident_id")
    _index("care_case", "resume_at", name="ix_care_case_resume_at", where="resume_at IS NOT NULL")
    _index("care_case", "worker_id", "id")
    _index(
        "care_case",
        "resident_id",
        name="uq_care_case_one_open",
        unique=True,
        where="status <> 'closed'",
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
        _foreign_key("assessment", "case_id", "care_case.id"),
        _foreign_key("assessment", "resident_id", "resident.id"),
        _primary_key("assessment", "id"),
    )
    _index("assessment", "case_id")
    _index("assessment", "resident_id")
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
        sa.Column("entered_in_error_at", Instant(), nullable=True),
        sa.Column("entered_in_error_by", sa.Uuid(), nullable=True),
        sa.Column("entered_in_error_reason", sa.Text(), nullable=True),
        _foreign_key("care_check", "case_id", "care_case.id"),
        _foreign_key("care_check", "resident_id", "resident.id"),
        _primary_key("care_check", "id"),
    )
    _index("care_check", "case_id")
    _index("care_check", "resident_id")
    op.create_table(
        "correction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("subject_type", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("before", Json, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("corrected_at", Instant(), nullable=False),
        sa.Column("corrected_by", sa.Uuid(), nullable=True),
        _foreign_key("correction", "case_id", "care_case.id"),
        _foreign_key("correction", "resident_id", "resident.id"),
        _primary_key("correction", "id"),
    )
    _index("correction", "case_id")
    _index("correction", "resident_id")
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
        _foreign_key("signal", "case_id", "care_case.id"),
        _foreign_key("signal", "resident_id", "resident.id"),
        _primary_key("signal", "id"),
    )
    _index("signal", "case_id")
    _index("signal", "resident_id")


def _plans() -> None:
    """Plans in versions, and the meetings that decide on them."""
    op.create_table(
        "conference",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("members", Json, nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("corrections", Json, nullable=False),
        _foreign_key("conference", "district_code", "district.code"),
        _primary_key("conference", "id"),
    )
    _index("conference", "district_code", "held_on", "id")
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
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("conference_id", sa.Uuid(), nullable=True),
        sa.Column("without_meeting_reason", sa.Text(), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _check(
            "plan_version",
            "status_known",
            "status IN ('approved', 'draft', 'returned', 'submitted', 'superseded')",
        ),
        _foreign_key("plan_version", "case_id", "care_case.id"),
        _foreign_key("plan_version", "conference_id", "conference.id"),
        _primary_key("plan_version", "id"),
        _unique("plan_version", "case_id", "number"),
    )
    _index("plan_version", "case_id")
    _index(
        "plan_version",
        "conference_id",
        name="ix_plan_version_conference_id",
        where="conference_id IS NOT NULL",
    )
    _index(
        "plan_version",
        "case_id",
        name="uq_plan_version_one_in_force",
        unique=True,
        where="status = 'approved'",
    )
    op.create_table(
        "agenda_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conference_id", sa.Uuid(), nullable=False),
        sa.Column("plan_version_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        _foreign_key("agenda_item", "conference_id", "conference.id"),
        _foreign_key("agenda_item", "plan_version_id", "plan_version.id"),
        _foreign_key("agenda_item", "case_id", "care_case.id"),
        _primary_key("agenda_item", "id"),
        _unique("agenda_item", "conference_id", "plan_version_id"),
    )
    _index("agenda_item", "case_id")
    _index("agenda_item", "plan_version_id")
    op.create_table(
        "planned_service",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("service_code", sa.String(length=40), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("settlement", sa.String(length=40), nullable=True),
        sa.Column("settlement_note", sa.Text(), nullable=True),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _check("planned_service", "status_known", "status IN ('drafted', 'dropped', 'in_force')"),
        _foreign_key("planned_service", "case_id", "care_case.id"),
        _foreign_key("planned_service", "resident_id", "resident.id"),
        _foreign_key("planned_service", "service_code", "service.code"),
        _primary_key("planned_service", "id"),
    )
    _index("planned_service", "case_id")
    _index("planned_service", "resident_id")
    _index(
        "planned_service",
        "settled_at",
        "id",
        name="ix_planned_service_unmet",
        where="settlement = 'unmet_need'",
    )


def _referrals() -> None:
    """What is requested of agencies, and what they delivered."""
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
        sa.Column("judged", Json, nullable=True),
        sa.Column("requested_on", sa.Date(), nullable=True),
        sa.Column("requested_at", Instant(), nullable=True),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("expected_start_on", sa.Date(), nullable=True),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("place_offered_at", Instant(), nullable=True),
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
        sa.Column("held_with_case", sa.Boolean(), nullable=False),
        sa.Column("resume_at", Instant(), nullable=True),
        sa.Column("lapse_at", Instant(), nullable=True),
        sa.Column("disposition_owed", sa.Boolean(), nullable=False),
        sa.Column("disposition", sa.String(length=40), nullable=True),
        sa.Column("disposed_at", Instant(), nullable=True),
        sa.Column("replaces_id", sa.Uuid(), nullable=True),
        sa.Column("replaced_by_id", sa.Uuid(), nullable=True),
        sa.Column("ended_by_closing", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _check(
            "referral",
            "status_known",
            "status IN ('accepted', 'cancelled', 'completed', 'declined', 'draft', 'entered_in_error', 'failed', 'in_progress', 'lapsed', 'on_hold', 'requested', 'waitlisted', 'withdrawn')",
        ),
        _foreign_key("referral", "case_id", "care_case.id"),
        _foreign_key("referral", "resident_id", "resident.id"),
        _foreign_key("referral", "planned_service_id", "planned_service.id"),
        _foreign_key("referral", "offering_id", "offering.id"),
        _foreign_key("referral", "provider_id", "provider.id"),
        _foreign_key("referral", "consent_id", "consent.id"),
        _primary_key("referral", "id"),
    )
    _index("referral", "case_id")
    _index("referral", "resident_id")
    _index("referral", "centre_code", "id")
    _index("referral", "district_code", "id")
    _index(
        "referral",
        "offering_id",
        "answered_at",
        "id",
        name="ix_referral_in_line",
        where="status = 'waitlisted'",
    )
    _index("referral", "lapse_at", name="ix_referral_lapse_at", where="lapse_at IS NOT NULL")
    _index("referral", "offering_id")
    _index("referral", "planned_service_id")
    _index(
        "referral",
        "consent_id",
        name="ix_referral_consent_id",
        where="consent_id IS NOT NULL",
    )
    _index("referral", "provider_id", "id")
    _index("referral", "resume_at", name="ix_referral_resume_at", where="resume_at IS NOT NULL")
    _index(
        "referral",
        "planned_service_id",
        "provider_id",
        name="uq_referral_one_open",
        unique=True,
        where="status IN ('accepted', 'draft', 'in_progress', 'on_hold', 'requested', 'waitlisted')",
    )
    op.create_table(
        "delivered",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("planned", sa.String(length=20), nullable=False),
        sa.Column("delivered", sa.String(length=20), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _foreign_key("delivered", "referral_id", "referral.id"),
        _foreign_key("delivered", "resident_id", "resident.id"),
        _primary_key("delivered", "id"),
        _unique("delivered", "referral_id", "month"),
    )
    _index("delivered", "resident_id")


def _standards() -> None:
    """Standards and calendar, and the clocks that a change of either recounted."""
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
        sa.Column("set_at", Instant(), nullable=True),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("scope", sa.String(length=220), nullable=True),
        _primary_key("standard", "id"),
    )
    _index("standard", "scope", name="uq_standard_scope", unique=True, where="ended_at IS NULL")
    op.create_table(
        "holiday_override",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=True),
        sa.Column("declared_at", Instant(), nullable=True),
        sa.Column("declared_by", sa.Uuid(), nullable=True),
        _primary_key("holiday_override", "id"),
        _unique("holiday_override", "day", "district_code"),
    )
    _index(
        "holiday_override",
        "day",
        name="uq_holiday_override_everywhere",
        unique=True,
        where="district_code IS NULL",
    )
    op.create_table(
        "recount",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("because", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("started_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("replanned", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("changes", Json, nullable=False),
        _primary_key("recount", "id"),
    )


def _clocks() -> None:
    """What is due when, who is told, and what was done about it."""
    op.create_table(
        "deadline",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject_type", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("centre_code", sa.String(length=10), nullable=True),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("body_id", sa.Uuid(), nullable=True),
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
        sa.Column("escalation", Json, nullable=True),
        sa.Column("lapse_after", TargetText(), nullable=True),
        sa.Column("pauses", Json, nullable=False),
        sa.Column("paused_until", Instant(), nullable=True),
        sa.Column("extended_until", sa.Date(), nullable=True),
        sa.Column("extensions", Json, nullable=False),
        sa.Column("deferred_until", sa.Date(), nullable=True),
        sa.Column("excused", sa.Boolean(), nullable=False),
        sa.Column("met_at", Instant(), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=True),
        sa.Column("acted_on", sa.Date(), nullable=True),
        sa.Column("cancelled_at", Instant(), nullable=True),
        sa.Column("breached_at", Instant(), nullable=True),
        sa.Column("heard_until", Instant(), nullable=True),
        sa.Column("can_wait", sa.Boolean(), nullable=False, server_default=sa.text("true")),
        _check("deadline", "one_end", "met_at IS NULL OR cancelled_at IS NULL"),
        _check(
            "deadline",
            "care_has_a_case",
            "(subject_type IN ('case', 'planned_service', 'referral')) = (case_id IS NOT NULL)"
            " AND (case_id IS NULL) = (resident_id IS NULL)"
            " AND (case_id IS NULL) = (centre_code IS NULL)",
        ),
        _foreign_key("deadline", "case_id", "care_case.id"),
        _foreign_key("deadline", "resident_id", "resident.id"),
        _primary_key("deadline", "id"),
    )
    _index("deadline", "case_id")
    _index("deadline", "resident_id")
    _index("deadline", "centre_code", "due_at", "id", name="ix_deadline_centre_due", where=OF_CARE)
    _index(
        "deadline", "district_code", "due_at", "id", name="ix_deadline_district_due", where=RUNNING
    )
    _index(
        "deadline",
        "district_code",
        "can_wait",
        "due_at",
        "id",
        name="ix_deadline_district_pressing",
        where=OF_CARE,
    )
    _index(
        "deadline",
        "district_code",
        "can_wait",
        "due_at",
        "id",
        name="ix_deadline_programme",
        where=f"{RUNNING} AND case_id IS NULL",
    )
    _index(
        "deadline",
        "district_code",
        "heard_until",
        "due_at",
        "id",
        name="ix_deadline_district_heard",
        where=RUNNING,
    )
    _index(
        "deadline",
        "district_code",
        "can_wait",
        "due_at",
        "id",
        name="ix_deadline_district_left",
        where=f"{RUNNING} AND (held_by = 'supervisor' OR worker_id IS NULL OR case_id IS NULL)",
    )
    _index(
        "deadline",
        "district_code",
        "kind",
        "due_at",
        "id",
        name="ix_deadline_district_kind",
        where=RUNNING,
    )
    _index(
        "deadline",
        "district_code",
        "can_wait",
        "due_at",
        "id",
        name="ix_deadline_district_assessor",
        where=f"{RUNNING} AND held_by = 'assessor'",
    )
    _index(
        "deadline",
        "provider_id",
        "due_at",
        "id",
        name="ix_deadline_inbox",
        where="provider_id IS NOT NULL AND met_at IS NULL AND cancelled_at IS NULL",
    )
    _index(
        "deadline",
        "provider_id",
        "can_wait",
        "due_at",
        "id",
        name="ix_deadline_provider_due",
        where=OF_CARE,
    )
    _index("deadline", "subject_id")
    _index(
        "deadline",
        "worker_id",
        "can_wait",
        "due_at",
        "id",
        name="ix_deadline_worker_due",
        where=OF_CARE,
    )
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
        _foreign_key("escalation", "deadline_id", "deadline.id"),
        _primary_key("escalation", "id"),
        _unique("escalation", "deadline_id", "tier", "due_at"),
    )
    _index(
        "escalation", "at", "deadline_id", name="ix_escalation_planned", where="raised_at IS NULL"
    )
    op.create_table(
        "review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
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
        _foreign_key("review", "case_id", "care_case.id"),
        _foreign_key("review", "deadline_id", "deadline.id"),
        _primary_key("review", "id"),
    )
    _index("review", "case_id")
    _index("review", "deadline_id")


def _notices() -> None:
    """Runs of jobs, their notices, and the outbox."""
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
        _primary_key("job_run", "id"),
        _unique("job_run", "job", "slot"),
    )
    _index("job_run", "job", "started_at")
    op.create_table(
        "notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject_type", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("centre_code", sa.String(length=10), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("tell", Json, nullable=False),
        sa.Column("at_once", sa.Boolean(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("about", sa.String(length=40), nullable=False),
        sa.Column("tier", sa.SmallInteger(), nullable=True),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("addressed_at", Instant(), nullable=True),
        _primary_key("notice", "id"),
    )
    _index(
        "notice",
        "id",
        "run_id",
        "district_code",
        name="ix_notice_waiting",
        where="addressed_at IS NULL",
    )
    _index("notice", "subject_id", "since", name="ix_notice_again", where="kind = 'still_overdue'")
    op.create_table(
        "run_notices",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("counted_at", Instant(), nullable=False),
        sa.Column("notices", sa.Integer(), nullable=False),
        sa.Column("is_held", sa.Boolean(), nullable=False),
        sa.Column("released_at", Instant(), nullable=True),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        _foreign_key("run_notices", "run_id", "job_run.id"),
        _primary_key("run_notices", "run_id", "district_code"),
    )
    _index("run_notices", "district_code", "counted_at")
    op.create_table(
        "subscription",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("kinds", Json, nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("district_code", sa.String(length=10), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("retry_at", Instant(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _foreign_key("subscription", "provider_id", "provider.id"),
        _foreign_key("subscription", "district_code", "district.code"),
        _primary_key("subscription", "id"),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("subscription_id", sa.Uuid(), nullable=True),
        sa.Column("district_code", sa.String(length=10), nullable=True),
        sa.Column("digest_on", sa.Date(), nullable=True),
        sa.Column("payload", Json, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
        sa.Column("leased_until", Instant(), nullable=True),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("error", sa.String(length=120), nullable=True),
        _check("message", "state_known", "state IN ('dead', 'sent', 'waiting')"),
        _check("message", "one_receiver", "(account_id IS NULL) <> (subscription_id IS NULL)"),
        _foreign_key("message", "account_id", "account.id"),
        _foreign_key("message", "subscription_id", "subscription.id"),
        _primary_key("message", "id"),
        _unique("message", "account_id", "digest_on"),
    )
    _index("message", "state", "created_at", "id")
    _index("message", "next_at", "id", name="ix_message_waiting", where="state = 'waiting'")
    op.create_table(
        "addressee",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        _foreign_key("addressee", "notice_id", "notice.id"),
        _foreign_key("addressee", "account_id", "account.id"),
        _primary_key("addressee", "notice_id", "account_id"),
    )
    _index("addressee", "account_id", name="ix_addressee_waiting", where="message_id IS NULL")
    op.create_table(
        "relay_state",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("database", sa.String(length=60), nullable=True),
        sa.Column("paused_at", Instant(), nullable=True),
        sa.Column("because", sa.String(length=40), nullable=True),
        _check(
            "relay_state",
            "because_known",
            "because IN ('another_database', 'audit_goes_on', 'operator', 'restored')",
        ),
        _check("relay_state", "one_row", "id = 1"),
        _check("relay_state", "pause_has_reason", "(paused_at IS NULL) = (because IS NULL)"),
        _primary_key("relay_state", "id"),
    )


def _links() -> None:
    """Agencies that answer without an account."""
    op.create_table(
        "answering",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        _foreign_key("answering", "provider_id", "provider.id"),
        _foreign_key("answering", "account_id", "account.id"),
        _primary_key("answering", "provider_id"),
        _unique("answering", "account_id"),
    )
    op.create_table(
        "agency_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("month", sa.String(length=7), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("counted_from", Instant(), nullable=True),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("code_id", sa.Uuid(), nullable=True),
        sa.Column("code_digest", sa.String(length=64), nullable=True),
        sa.Column("code_until", Instant(), nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("codes", Json, nullable=False),
        sa.Column("tries", Json, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _foreign_key("agency_link", "provider_id", "provider.id"),
        _foreign_key("agency_link", "account_id", "account.id"),
        _primary_key("agency_link", "id"),
        _unique("agency_link", "provider_id", "month"),
        _unique("agency_link", "digest"),
        _unique("agency_link", "message_id"),
    )
    _index("agency_link", "provider_id", "id")
    op.create_table(
        "link_referral",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        _foreign_key("link_referral", "link_id", "agency_link.id"),
        _foreign_key("link_referral", "referral_id", "referral.id"),
        _primary_key("link_referral", "link_id", "referral_id"),
    )
    _index("link_referral", "referral_id")
    op.create_table(
        "link_session",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=True),
        _foreign_key("link_session", "link_id", "agency_link.id"),
        _primary_key("link_session", "digest"),
    )
    _index("link_session", "ends_at")


def _imports() -> None:
    """Files that are taken in, row by row."""
    op.create_table(
        "import_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("mode", sa.String(length=40), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("district_code", sa.String(length=10), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("unknown_columns", sa.Integer(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("duplicate", sa.Integer(), nullable=False),
        sa.Column("unmatched", sa.Integer(), nullable=False),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=True),
        _foreign_key("import_file", "account_id", "account.id"),
        _primary_key("import_file", "id"),
    )
    _index("import_file", "account_id", "id")
    _index("import_file", "id", name="ix_import_file_unfinished", where="ended_at IS NULL")
    op.create_table(
        "import_row",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("district_code", sa.String(length=10), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("cells", sa.Text(), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("errors", Json, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("external_index", sa.String(length=40), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("centre_code", sa.String(length=10), nullable=True),
        sa.Column("waits", sa.Boolean(), nullable=False),
        sa.Column("resolved_at", Instant(), nullable=True),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.Column("resolution", sa.String(length=40), nullable=True),
        _foreign_key("import_row", "import_id", "import_file.id"),
        _primary_key("import_row", "id"),
        _unique("import_row", "import_id", "number"),
    )
    _index("import_row", "external_index")
    _index("import_row", "import_id", "key")
    _index("import_row", "district_code", "id", name="ix_import_row_waits", where="waits")


def _records() -> None:
    """Events, idempotency keys, frozen months, and notes of the system itself."""
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
        _primary_key("event", "id"),
    )
    _index("event", "resident_id", "at", "id")
    _index("event", "subject_id", "at", "id")
    op.create_table(
        "idempotency",
        sa.Column("principal_id", sa.Uuid(), nullable=False),
        sa.Column("route", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("claimed_at", Instant(), nullable=False),
        sa.Column("in_progress", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("made", Json, nullable=True),
        _primary_key("idempotency", "principal_id", "route", "key"),
    )
    _index("idempotency", "claimed_at")
    op.create_table(
        "closed_month",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("closed_at", Instant(), nullable=False),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("figures", Json, nullable=False),
        _foreign_key("closed_month", "district_code", "district.code"),
        _primary_key("closed_month", "id"),
        _unique("closed_month", "district_code", "month"),
    )
    op.create_table(
        "configuration",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _primary_key("configuration", "name"),
    )
    op.create_table(
        "key_check",
        sa.Column("id", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        _primary_key("key_check", "id"),
    )


def _audit() -> None:
    """Audit entries, their hash chains, and their reviews."""
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
        _check("audit_entry", "outcome_known", "outcome IN ('ok', 'refused', 'failed')"),
        _primary_key("audit_entry", "id"),
    )
    _index(
        "audit_entry", "actor", "at", "id", "outcome", "action", "task",
        name="ix_audit_entry_of_account",
    )  # fmt: skip
    _index("audit_entry", "at", "id", name="ix_audit_entry_at")
    _index("audit_entry", "action", "at", "id", name="ix_audit_entry_of_action")
    _index("audit_entry", "asked_for", name="ix_audit_entry_refused", where="outcome <> 'ok'")
    op.create_table(
        "audit_seal",
        sa.Column("chain", sa.String(length=10), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", Instant(), nullable=False),
        _primary_key("audit_seal", "chain", "seq"),
        _unique("audit_seal", "entry_id"),
    )
    op.create_table(
        "audit_head",
        sa.Column("chain", sa.String(length=10), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_hash", sa.String(length=64), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("anchor", sa.String(length=64), nullable=False),
        sa.Column("mac", sa.String(length=64), nullable=False),
        _primary_key("audit_head", "chain"),
    )
    op.create_table(
        "audit_pending",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        _primary_key("audit_pending", "entry_id"),
    )
    op.create_table(
        "audit_review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("chain", sa.String(length=10), nullable=True),
        sa.Column("account", sa.String(length=120), nullable=True),
        sa.Column("left_out", sa.String(length=120), nullable=True),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("measures", sa.Text(), nullable=True),
        sa.Column("reviewed_at", Instant(), nullable=False),
        sa.Column("reviewed_by", sa.Uuid(), nullable=False),
        sa.Column("reviewer", sa.String(length=120), nullable=False),
        _primary_key("audit_review", "id"),
    )
    _index("audit_review", "month", "id")
    if _on_postgres():
        # Who looked at a resident. On SQLite the entries of a single centre are read through.
        op.create_index(
            op.f("ix_audit_entry_subjects"),
            "audit_entry",
            ["subjects"],
            postgresql_using="gin",
            postgresql_ops={"subjects": "jsonb_path_ops"},
        )
        _guard_audit_on_postgres()
    else:
        _guard_audit_on_sqlite()


def _access_requests() -> None:
    """Access requests of residents."""
    op.create_table(
        "access_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("requested_by", sa.String(length=40), nullable=False),
        sa.Column("requester", sa.Text(), nullable=True),
        sa.Column("identity_how", sa.String(length=40), nullable=True),
        sa.Column("identity_checked_at", Instant(), nullable=True),
        sa.Column("identity_checked_by", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("answer", sa.String(length=40), nullable=True),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("handed_over", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _foreign_key("access_request", "resident_id", "resident.id"),
        _primary_key("access_request", "id"),
    )
    _index(
        "access_request", "due_on", "id", name="ix_access_request_open", where="answered_at IS NULL"
    )
    _index("access_request", "resident_id")


def _of_cell() -> list[sa.Column[Any]]:
    return [
        sa.Column("figure", sa.String(length=40), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("centre_code", sa.String(length=10), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=True),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=True),
        sa.Column("held_by", sa.String(length=40), nullable=True),
        sa.Column("status", sa.String(length=40), nullable=True),
        sa.Column("service_code", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("cause", sa.String(length=40), nullable=True),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
    ]


def _kept_figures() -> None:
    """What counts for each case, the sums of it, and what was changed since it was counted."""
    op.create_table(
        "figure_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        _check(
            "figure_change",
            "of_a_case_or_a_day",
            "(case_id IS NULL) = (day IS NOT NULL)",
        ),
        _primary_key("figure_change", "id"),
    )
    _index("figure_change", "case_id")
    op.create_table(
        "figure_entry",
        sa.Column("of_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("way", sa.String(length=40), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("since_day", sa.Date(), nullable=True),
        *_of_cell(),
        _primary_key("figure_entry", "of_id", "id"),
    )
    _index("figure_entry", "district_code", "on_day")
    _index("figure_entry", "centre_code", "on_day")
    _index("figure_entry", "provider_id", "on_day", name="ix_figure_entry_provider_day")
    _index(
        "figure_entry", "since_day", "district_code",
        name="ix_figure_entry_since", where="way <> 'on'",
    )  # fmt: skip
    _index("figure_entry", "on_day", "of_id", name="ix_figure_entry_runs", where="way = 'runs'")
    op.create_table(
        "figure_total",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("way", sa.String(length=40), nullable=False),
        sa.Column("on_month", sa.Date(), nullable=False),
        sa.Column("since_month", sa.Date(), nullable=True),
        *_of_cell(),
        _primary_key("figure_total", "id"),
    )
    _index("figure_total", "district_code", "way", "figure", "on_month")
    _index("figure_total", "centre_code", "way", "figure", "on_month")
    _index(
        "figure_total", "provider_id", "way", "figure", "on_month", name="ix_figure_total_provider"
    )
    _index("figure_total", "way", "figure", "on_month")
    op.create_table(
        "figure_day",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        _check("figure_day", "one", "id = 1"),
        _primary_key("figure_day", "id"),
    )
    for table in ("city_total", "closed_total"):
        _of_city(
            table,
            sa.Column("provider_id", sa.Uuid(), nullable=True),
            sa.Column("drawn", sa.SmallInteger(), nullable=False),
            _check(table, "of_five", "drawn >= 0 AND drawn <= 4"),
        )
    for table in ("city_sum", "closed_sum"):
        _of_city(table)


def _of_city(table: str, *more: sa.schema.SchemaItem) -> None:
    """What the city is told, by what it is of."""
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=True),
        sa.Column("figure", sa.String(length=40), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=True),
        sa.Column("held_by", sa.String(length=40), nullable=True),
        sa.Column("service_code", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        *more,
        _primary_key(table, "id"),
    )
    _index(table, "month", "district_code")


# What a figure reads of each table: a change of it is noted, and counted anew.
COUNTED = {
    "care_case": ("resident_id", "centre_code", "district_code", "applied_on"),
    "plan_version": ("case_id", "submitted_at", "decision", "decided_on"),
    "planned_service": (
        "case_id", "resident_id", "service_code", "field", "settlement", "settled_at",
    ),
    "referral": (
        "case_id", "resident_id", "planned_service_id", "centre_code", "district_code", "field",
        "provider_id", "status", "service_code", "requested_at", "answered_on", "answered_at",
        "accepted_at", "started_on", "ended_on", "ended_at", "reason",
    ),
    "deadline": (
        "case_id", "resident_id", "subject_id", "centre_code", "district_code", "provider_id",
        "kind", "held_by", "field", "started_at", "due_at", "pauses", "paused_until", "excused",
        "met_at", "acted_on", "cancelled_at",
    ),
    "review": ("case_id", "deadline_id", "reviewed_at", "cause"),
    "holiday_override": ("day", "closed", "district_code"),
}  # fmt: skip
# The case and the resident of a row, or the day.
NOTED = {
    "care_case": ("id", "resident_id"),
    "holiday_override": ("day",),
    "plan_version": ("case_id",),
    "review": ("case_id",),
}
# A clock of the programme is of no case, and counts in no figure of care; nor does its review.
PERHAPS_OF_NO_CASE = ("deadline", "review")
FIGURE_FUNCTIONS = tuple(f"figure_note_{table}" for table in COUNTED)


def _note_changes_of_figures() -> None:
    """Whoever changes what counts notes it in the same transaction, by whatever way."""
    for table, columns in COUNTED.items():
        noted = NOTED.get(table, ("case_id", "resident_id"))
        into = "day" if noted == ("day",) else ", ".join(("case_id", "resident_id")[: len(noted)])
        old, new = (", ".join(f"{row}.{one}" for one in columns) for row in ("OLD", "NEW"))
        add = {
            row: f"INSERT INTO figure_change (id, {into}) {_made_of(table, row, values)}"
            for row in ("OLD", "NEW")
            for values in [", ".join(f"{row}.{one}" for one in noted)]
        }
        if _on_postgres():
            _note_on_postgres(table, old, new, add)
        else:
            _note_on_sqlite(table, old, new, add)


def _made_of(table: str, row: str, values: str) -> str:
    if table in PERHAPS_OF_NO_CASE:
        return f"SELECT %s, {values} WHERE {row}.case_id IS NOT NULL"
    return f"VALUES (%s, {values})"


def _note_on_sqlite(table: str, old: str, new: str, add: dict[str, str]) -> None:
    made = {row: one % "lower(hex(randomblob(16)))" for row, one in add.items()}
    changed = f"({old}) IS NOT ({new})"
    for when, body in (
        ("INSERT", made["NEW"]),
        ("DELETE", made["OLD"]),
        ("UPDATE", f"{made['OLD']}; {made['NEW']}"),
    ):
        only = f" WHEN {changed}" if when == "UPDATE" else ""
        op.execute(
            f"CREATE TRIGGER figure_note_{table}_{when.lower()} AFTER {when} ON {table}{only} "
            f"BEGIN {body}; END"
        )


def _note_on_postgres(table: str, old: str, new: str, add: dict[str, str]) -> None:
    made = {row: one % "gen_random_uuid()" for row, one in add.items()}
    schema = op.get_bind().dialect.identifier_preparer.quote(
        op.get_bind().exec_driver_sql("SELECT current_schema()").scalar_one()
    )
    # Runs as its owner, so that whoever changes a row need not be able to note things. What changed
    # is compared within, where the audit's guards see it: a WHEN may run anything too.
    op.execute(
        f"CREATE FUNCTION figure_note_{table}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
        f"SET search_path = {schema}, pg_temp AS $body$ BEGIN "
        f"IF TG_OP = 'UPDATE' AND ROW({new}) IS NOT DISTINCT FROM ROW({old}) "
        "THEN RETURN NULL; END IF; "
        f"IF TG_OP <> 'INSERT' THEN {made['OLD']}; END IF; "
        f"IF TG_OP <> 'DELETE' THEN {made['NEW']}; END IF; RETURN NULL; END $body$"
    )
    op.execute(
        f"CREATE TRIGGER figure_note_{table} AFTER INSERT OR UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION figure_note_{table}()"
    )


# What guards the log of permissions: it is append-only, and retained for three years and a day.
LOG_KEPT_DAYS = 3 * 365 + 1
LOG_FUNCTIONS = ("account_grant_log_guard",)


def _guard_log_of_rights() -> None:
    log = "account_grant_log"
    if not _on_postgres():
        op.execute(
            f"""CREATE TRIGGER {log}_no_update BEFORE UPDATE ON {log}
        BEGIN SELECT RAISE(ABORT, 'the log of rights is insert-only'); END"""
        )
        op.execute(
            f"""CREATE TRIGGER {log}_no_delete BEFORE DELETE ON {log}
        WHEN OLD.at > strftime('%Y-%m-%dT%H:%M:%f', 'now', '-{LOG_KEPT_DAYS} days')
        BEGIN SELECT RAISE(ABORT, 'the log of rights is kept for three years'); END"""
        )
        return
    op.execute(
        f"""CREATE FUNCTION {log}_guard() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF OLD.at <= now() - interval '{LOG_KEPT_DAYS} days' THEN
                    RETURN OLD;
                END IF;
                RAISE EXCEPTION 'the log of rights is kept for three years';
            END IF;
            RAISE EXCEPTION 'the log of rights is insert-only';
        END $$"""
    )
    op.execute(
        f"""CREATE TRIGGER {log}_rows BEFORE UPDATE OR DELETE ON {log}
        FOR EACH ROW EXECUTE FUNCTION {log}_guard()"""
    )
    op.execute(
        f"""CREATE TRIGGER {log}_all BEFORE TRUNCATE ON {log}
        FOR EACH STATEMENT EXECUTE FUNCTION {log}_guard()"""
    )


# What guards the audit. No setting and no mistake shortens for how long.
AUDIT_KEPT = "2 years"
AUDIT_FUNCTIONS = ("audit_never", "audit_keep_entry", "audit_keep_seal", "audit_pend")
# Who may write at all is a matter of grants. These hold for everyone, the owner included: an
# entry is never changed, and is deleted only once it is older than the law requires; a seal goes
# only after its entry.
YOUNG_ON_SQLITE = f"OLD.at >= strftime('%Y-%m-%dT%H:%M:%f', 'now', '-{AUDIT_KEPT}')"
AUDIT_ON_SQLITE = {
    "audit_entry_is_new": (
        "audit_entry",
        "BEFORE INSERT ON audit_entry WHEN EXISTS (SELECT 1 FROM audit_entry WHERE id = NEW.id)",
    ),
    "audit_entry_never_changes": ("audit_entry", "BEFORE UPDATE ON audit_entry"),
    "audit_entry_is_kept": (
        "audit_entry", f"BEFORE DELETE ON audit_entry WHEN {YOUNG_ON_SQLITE}",
    ),
    "audit_seal_is_new": (
        "audit_seal",
        "BEFORE INSERT ON audit_seal WHEN EXISTS (SELECT 1 FROM audit_seal "
        "WHERE entry_id = NEW.entry_id OR (chain = NEW.chain AND seq = NEW.seq))",
    ),
    "audit_seal_never_changes": ("audit_seal", "BEFORE UPDATE ON audit_seal"),
    "audit_seal_is_kept": (
        "audit_seal",
        "BEFORE DELETE ON audit_seal WHEN EXISTS "
        "(SELECT 1 FROM audit_entry WHERE id = OLD.entry_id)",
    ),
    "audit_head_is_kept": ("audit_head", "BEFORE DELETE ON audit_head"),
}  # fmt: skip
AUDIT_ON_POSTGRES = {
    "audit_entry_never_changes": (
        "audit_entry", "BEFORE UPDATE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_never()",
    ),
    "audit_entry_is_kept": (
        "audit_entry",
        "BEFORE DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_keep_entry()",
    ),
    "audit_entry_is_never_emptied": (
        "audit_entry",
        "BEFORE TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION audit_never()",
    ),
    "audit_entry_pends": (
        "audit_entry", "AFTER INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_pend()",
    ),
    "audit_seal_never_changes": (
        "audit_seal", "BEFORE UPDATE ON audit_seal FOR EACH ROW EXECUTE FUNCTION audit_never()",
    ),
    "audit_seal_is_kept": (
        "audit_seal", "BEFORE DELETE ON audit_seal FOR EACH ROW EXECUTE FUNCTION audit_keep_seal()",
    ),
    "audit_seal_is_never_emptied": (
        "audit_seal",
        "BEFORE TRUNCATE ON audit_seal FOR EACH STATEMENT EXECUTE FUNCTION audit_never()",
    ),
    "audit_head_is_kept": (
        "audit_head", "BEFORE DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_never()",
    ),
    "audit_head_is_never_emptied": (
        "audit_head",
        "BEFORE TRUNCATE ON audit_head FOR EACH STATEMENT EXECUTE FUNCTION audit_never()",
    ),
}  # fmt: skip


def _guard_audit_on_sqlite() -> None:
    for name, (table, when) in AUDIT_ON_SQLITE.items():
        refuse = f"SELECT RAISE(ABORT, 'the audit is only added to ({table})')"
        op.execute(f"CREATE TRIGGER {name} {when} BEGIN {refuse}; END")


def _guard_audit_on_postgres() -> None:
    refuse = (
        "RAISE EXCEPTION 'the audit is only added to (%)', TG_TABLE_NAME "
        "USING ERRCODE = 'restrict_violation';"
    )
    bodies = {
        "audit_never": f"BEGIN {refuse} END",
        "audit_keep_entry": (
            f"BEGIN IF OLD.at >= now() - interval '{AUDIT_KEPT}' THEN {refuse} END IF; RETURN OLD; END"
        ),
        "audit_keep_seal": (
            f"BEGIN PERFORM 1 FROM audit_entry WHERE id = OLD.entry_id; IF FOUND THEN {refuse} "
            "END IF; RETURN OLD; END"
        ),
        # Runs as its owner, so that a role that may only add an entry need not see what waits.
        "audit_pend": "BEGIN INSERT INTO audit_pending (entry_id) VALUES (NEW.id); RETURN NULL; END",
    }
    schema = op.get_bind().dialect.identifier_preparer.quote(
        op.get_bind().exec_driver_sql("SELECT current_schema()").scalar_one()
    )
    for name, body in bodies.items():
        rights = "SECURITY DEFINER " if name == "audit_pend" else ""
        # Temporary tables come last, or one of the same name would take what is to be sealed.
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql {rights}"
            f"SET search_path = {schema}, pg_temp AS $body$ {body} $body$"
        )
    for name, (_, when) in AUDIT_ON_POSTGRES.items():
        op.execute(f"CREATE TRIGGER {name} {when}")
