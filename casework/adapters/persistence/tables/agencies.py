"""How agencies answer: links, what they delivered, how a home is entered."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint, Uuid

from casework.adapters.persistence.engine.encrypted_columns import EncryptedText
from casework.adapters.persistence.engine.types import Instant, Json
from casework.adapters.persistence.tables.base import metadata

# The account as which an agency acts when it opens a link; nobody signs in with it.
answering = Table(
    "answering",
    metadata,
    Column("provider_id", Uuid, ForeignKey("provider.id"), primary_key=True),
    Column("account_id", Uuid, ForeignKey("account.id"), nullable=False, unique=True),
)
agency_link = Table(
    "agency_link",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("provider_id", Uuid, ForeignKey("provider.id"), nullable=False),
    Column("account_id", Uuid, ForeignKey("account.id"), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Uuid),
    Column("expires_at", Instant, nullable=False),
    # The message that carries it; that may be gone before the link is.
    Column("message_id", Uuid, unique=True),
    # The month whose roster it requests; one per agency.
    Column("month", String(7)),
    Column("revoked_at", Instant),
    Column("revoked_by", Uuid),
    Column("counted_from", Instant),
    Column("opened", Integer, nullable=False),
    Column("code_id", Uuid),
    Column("code_digest", String(64)),
    Column("code_until", Instant),
    Column("code_tries", Integer, nullable=False),
    Column("codes", Json, nullable=False),
    Column("tries", Json, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    UniqueConstraint("provider_id", "month"),
    Index(None, "provider_id", "id"),
)
link_referral = Table(
    "link_referral",
    metadata,
    Column("link_id", Uuid, ForeignKey("agency_link.id"), primary_key=True),
    Column("referral_id", Uuid, ForeignKey("referral.id"), primary_key=True),
    Index(None, "referral_id"),
)
link_session = Table(
    "link_session",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("link_id", Uuid, ForeignKey("agency_link.id"), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("source", String(80)),
    Index(None, "ends_at"),
)
delivered = Table(
    "delivered",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, ForeignKey("referral.id"), nullable=False),
    Column("resident_id", Uuid, ForeignKey("resident.id"), nullable=False),
    Column("month", String(7), nullable=False),
    # Decimals as they are written: SQLite knows none.
    Column("planned", String(20), nullable=False),
    Column("delivered", String(20), nullable=False),
    Column("unit", String(40), nullable=False),
    Column("reason", String(40)),
    Column("note", EncryptedText),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Uuid),
    Column("version", Integer, nullable=False),
    UniqueConstraint("referral_id", "month"),
    Index(None, "resident_id"),
)
# How to get into a resident's home; shown only to an agency requested to go there.
way_in = Table(
    "way_in",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("resident_id", Uuid, ForeignKey("resident.id"), nullable=False, unique=True),
    Column("text", EncryptedText, nullable=False),
    Column("written_at", Instant, nullable=False),
    Column("written_by", Uuid),
    Column("version", Integer, nullable=False),
)
