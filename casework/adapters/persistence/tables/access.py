"""Accounts, absences, tokens and recovery codes, and who was allowed what when."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    Uuid,
    text,
)

from casework.adapters.persistence.engine.encrypted_columns import EncryptedText
from casework.adapters.persistence.engine.types import Instant, Json
from casework.adapters.persistence.tables.base import code, id_column, metadata, reference

account = Table(
    "account",
    metadata,
    id_column(),
    Column("username", String(120), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    code("role"),
    Column("password_hash", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("centre_code", String(10), ForeignKey("centre.code")),
    Column("district_code", String(10), ForeignKey("district.code")),
    reference("provider_id", "provider", nullable=True),
    Column("is_head", Boolean, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("email", String(254)),
    Column("phone", String(40)),
    Column("tries", Json),
    Column("signed_in_from", Json),
    Column("signed_out_at", Instant),
    Column("must_change_password", Boolean, nullable=False, server_default=text("false")),
    Column("is_demo", Boolean, nullable=False, server_default=text("false")),
    Column("external_id", String(512)),
    Column("totp_sealed", EncryptedText),
    Column("totp_confirmed_at", Instant),
    Column("totp_step", Integer),
    Column("grants", Json),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Index(None, "centre_code"),
    Index(None, "district_code"),
    Index("uq_account_external_id", "external_id", unique=True),
)

absence = Table(
    "absence",
    metadata,
    id_column(),
    reference("worker_id", "account"),
    Column("from_on", Date, nullable=False),
    Column("to_on", Date, nullable=False),
    reference("deputy_id", "account"),
    Column("centre_code", String(10), ForeignKey("centre.code")),
    Column("district_code", String(10), ForeignKey("district.code"), nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Uuid),
    Column("ended_on", Date),
    Column("changed_at", Instant),
    Column("changed_by", Uuid),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Index(None, "district_code", "to_on"),
    Index(None, "deputy_id", "to_on"),
    Index(None, "worker_id", "to_on"),
)

refresh_token = Table(
    "refresh_token",
    metadata,
    id_column(),
    reference("account_id", "account"),
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

account_token = Table(
    "account_token",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, ForeignKey("account.id"), nullable=False),
    Column("name", String(120), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("scopes", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Uuid),
    Column("expires_at", Instant, nullable=False),
    Column("last_used_on", Date),
    Column("revoked_at", Instant),
    Column("revoked_by", Uuid),
    Index(None, "account_id", "id"),
)
recovery_code = Table(
    "recovery_code",
    metadata,
    Column("account_id", Uuid, ForeignKey("account.id"), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("used_at", Instant),
)
# Insert-only: triggers refuse a change, and the end of what is younger than three years.
account_grant_log = Table(
    "account_grant_log",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("account_id", Uuid, ForeignKey("account.id"), nullable=False),
    Column("act", String(40), nullable=False),
    Column("by_id", Uuid),
    Column("by", String(120), nullable=False),
    Column("about", String(120)),
    Column("state", Json, nullable=False),
    Index(None, "account_id", "at", "id"),
)
