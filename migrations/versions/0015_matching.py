"""Whom a service is for, where it is given, what is spoken, and how agencies answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from casework.adapters.persistence.engine.types import Instant, Json

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ADDED = (
    ("service", "eligibility", Json),
    ("service", "given_at", sa.String(length=40)),
    ("provider", "languages", Json),
    ("offering", "given_at", sa.String(length=40)),
    ("referral", "judged", Json),
)


def upgrade() -> None:
    """Make it so."""
    for table, name, kind in ADDED:
        op.add_column(table, sa.Column(name, kind, nullable=True))
    op.create_table(
        "provider_answers",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("median_days", sa.Float(), nullable=False),
        sa.Column("accepted_share", sa.Float(), nullable=False),
        sa.Column("as_of", Instant(), nullable=False),
        sa.CheckConstraint(
            "accepted_share >= 0 AND accepted_share <= 1", name=op.f("ck_provider_answers_share")
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_provider_answers_provider_id")
        ),
        sa.PrimaryKeyConstraint("provider_id", name=op.f("pk_provider_answers")),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("provider_answers")
    for table, name, _ in reversed(ADDED):
        op.drop_column(table, name)
