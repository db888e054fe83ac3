"""The tables of tokens, recovery codes, and of who was allowed what when."""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKey, Index, String, Table, Uuid

from casework.adapters.persistence.tables import metadata
from casework.adapters.persistence.types import Instant, Json

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
