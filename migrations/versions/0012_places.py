# ruff: noqa: S608 - every part of these statements is written here
"""Places that referrals hold, people who wait for one, and how old an agency's figures may be."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from casework.adapters.persistence.engine.types import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# A rule stands with the column that it is about, so that it goes with it on either store.
RULES = {
    "held": ("places_add_up", "held >= 0 AND available + held <= capacity"),
    "waitlisted": ("waiting_add_up", "waitlisted >= 0 AND waitlisted <= waiting"),
    "for_waiting": (
        "places_for_waiting",
        "for_waiting >= 0 AND for_waiting <= available AND for_waiting <= waitlisted",
    ),
}
REFERRALS = (
    "(SELECT count(*) FROM referral r WHERE r.offering_id = offering.id AND r.status IN {0})"
)
HELD = REFERRALS.format("('accepted', 'in_progress', 'on_hold')")
WAITLISTED = REFERRALS.format("('waitlisted')")


def upgrade() -> None:
    """Make it so. Referrals that hold a place already are counted into the figures."""
    op.add_column(
        "service",
        sa.Column("fresh_for_days", sa.Integer(), nullable=False, server_default=sa.text("7")),
    )
    op.execute("UPDATE offering SET capacity = available WHERE available > capacity")
    op.execute("UPDATE offering SET waiting = 0 WHERE waiting < 0")
    for name, (rule, condition) in RULES.items():
        op.execute(
            f"ALTER TABLE offering ADD COLUMN {name} INTEGER DEFAULT 0 NOT NULL"
            f" CONSTRAINT ck_offering_{rule} CHECK ({condition})"
        )
    for column in (
        sa.Column("full_until", sa.Date(), nullable=True),
        sa.Column("stated_by", sa.Uuid(), nullable=True),
        sa.Column("asked_at", Instant(), nullable=True),
        sa.Column("capacity_version", sa.Integer(), nullable=False, server_default=sa.text("1")),
    ):
        op.add_column("offering", column)
    op.add_column("referral", sa.Column("place_offered_at", Instant(), nullable=True))
    op.create_index(
        "ix_referral_in_line",
        "referral",
        ["offering_id", "answered_at", "id"],
        sqlite_where=sa.text("status = 'waitlisted'"),
        postgresql_where=sa.text("status = 'waitlisted'"),
    )
    _count()


def downgrade() -> None:
    """Take it back. Figures stay as they were last."""
    op.drop_index("ix_referral_in_line", "referral")
    op.drop_column("referral", "place_offered_at")
    for name in ("capacity_version", "asked_at", "stated_by", "full_until", *reversed(RULES)):
        op.drop_column("offering", name)
    op.drop_column("service", "fresh_for_days")


def _count() -> None:
    """What is held is no longer available; where more is held than there is, there was more."""
    op.execute(
        f"UPDATE offering SET capacity = CASE WHEN capacity < {HELD} THEN {HELD} ELSE capacity END,"
        " available = CASE"
        f" WHEN capacity <= {HELD} THEN 0"
        f" WHEN available > capacity - {HELD} THEN capacity - {HELD} ELSE available END,"
        f" held = {HELD},"
        f" waiting = CASE WHEN waiting < {WAITLISTED} THEN {WAITLISTED} ELSE waiting END,"
        f" waitlisted = {WAITLISTED}"
    )
