"""An agency's inbox: what it owes, by what is due first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

OWED = sa.text("provider_id IS NOT NULL AND met_at IS NULL AND cancelled_at IS NULL")


def upgrade() -> None:
    """Make it so."""
    op.create_index(
        "ix_deadline_inbox",
        "deadline",
        ["provider_id", "due_at", "id"],
        sqlite_where=OWED,
        postgresql_where=OWED,
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_deadline_inbox", "deadline")
