"""Agencies that answer by link, what they delivered, and how to get into a home."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from casework.adapters.persistence.engine.types import Instant, Json

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# A link's account is nobody's: without its link it must not stay behind as a way in.
OF_LINKS = "SELECT account_id FROM answering"


def upgrade() -> None:
    """Make it so."""
    op.create_table(
        "answering",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        _to("answering", "provider_id", "provider"),
        _to("answering", "account_id", "account"),
        sa.PrimaryKeyConstraint("provider_id", name=op.f("pk_answering")),
        sa.UniqueConstraint("account_id", name=op.f("uq_answering_account_id")),
    )
    _create_links()
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
        _to("delivered", "referral_id", "referral"),
        _to("delivered", "resident_id", "resident"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivered")),
        sa.UniqueConstraint("referral_id", "month", name=op.f("uq_delivered_referral_id_month")),
    )
    op.create_index(op.f("ix_delivered_resident_id"), "delivered", ["resident_id"])
    op.create_table(
        "way_in",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", Instant(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _to("way_in", "resident_id", "resident"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_way_in")),
        sa.UniqueConstraint("resident_id", name=op.f("uq_way_in_resident_id")),
    )


def downgrade() -> None:
    """Undo it: links end, and what was delivered is forgotten."""
    # The accounts stay for the record of what they did, and are let in no more.
    op.execute(
        f"UPDATE account SET is_active = false WHERE id IN ({OF_LINKS})"  # noqa: S608 - fixed
    )
    for name in (
        "way_in", "delivered", "link_session", "link_referral", "agency_link", "answering",
    ):  # fmt: skip
        op.drop_table(name)


def _create_links() -> None:
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
        _to("agency_link", "provider_id", "provider"),
        _to("agency_link", "account_id", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agency_link")),
        sa.UniqueConstraint("digest", name=op.f("uq_agency_link_digest")),
        sa.UniqueConstraint("message_id", name=op.f("uq_agency_link_message_id")),
        sa.UniqueConstraint("provider_id", "month", name=op.f("uq_agency_link_provider_id_month")),
    )
    op.create_index(op.f("ix_agency_link_provider_id_id"), "agency_link", ["provider_id", "id"])
    op.create_table(
        "link_referral",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        _to("link_referral", "link_id", "agency_link"),
        _to("link_referral", "referral_id", "referral"),
        sa.PrimaryKeyConstraint("link_id", "referral_id", name=op.f("pk_link_referral")),
    )
    op.create_index(op.f("ix_link_referral_referral_id"), "link_referral", ["referral_id"])
    op.create_table(
        "link_session",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=True),
        _to("link_session", "link_id", "agency_link"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_link_session")),
    )
    op.create_index(op.f("ix_link_session_ends_at"), "link_session", ["ends_at"])


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name)
