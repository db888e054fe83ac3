"""What must happen before a discharge stands on top of the worklist."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

RUNNING = sa.text("met_at IS NULL AND cancelled_at IS NULL")
BEFORE = {
    "ix_deadline_worker_due": ["worker_id", "due_at", "id"],
    "ix_deadline_provider_due": ["provider_id", "due_at", "id"],
}
AFTER = {
    "ix_deadline_worker_due": ["worker_id", "can_wait", "due_at", "id"],
    "ix_deadline_provider_due": ["provider_id", "can_wait", "due_at", "id"],
    "ix_deadline_district_pressing": ["district_code", "can_wait", "due_at", "id"],
}


def upgrade() -> None:
    """Make it so."""
    op.add_column(
        "deadline",
        sa.Column("can_wait", sa.Boolean(), nullable=False, server_default=sa.text("true")),
    )
    op.execute(
        "UPDATE deadline SET can_wait = false WHERE met_at IS NULL AND cancelled_at IS NULL "
        "AND case_id IN (SELECT case_id FROM deadline WHERE kind = 'discharge' "
        "AND met_at IS NULL AND cancelled_at IS NULL)"
    )
    _replace(BEFORE, AFTER)


def downgrade() -> None:
    """Undo it."""
    _replace(AFTER, BEFORE)
    op.drop_column("deadline", "can_wait")


def _replace(old: dict[str, list[str]], new: dict[str, list[str]]) -> None:
    for name in old:
        op.drop_index(name, table_name="deadline")
    for name, columns in new.items():
        op.create_index(name, "deadline", columns, sqlite_where=RUNNING, postgresql_where=RUNNING)
