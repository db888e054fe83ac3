"""Openings of residents out of scope; a notice of one is about no case."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from casework.adapters.persistence.engine.types import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

OF_NO_CASE = "SELECT id FROM notice WHERE case_id IS NULL"


def upgrade() -> None:
    """Make it so."""
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
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_break_glass_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["district_code"], ["district.code"], name=op.f("fk_break_glass_district_code")
        ),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_break_glass_resident_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_break_glass")),
    )
    for columns in (["resident_id"], ["account_id", "ends_at"], ["district_code", "id"]):
        name = op.f(f"ix_break_glass_{'_'.join(columns)}")
        op.create_index(name, "break_glass", columns, unique=False)
    with op.batch_alter_table("notice") as notice:
        notice.alter_column("case_id", existing_type=sa.Uuid(), nullable=True)


def downgrade() -> None:
    """Undo it: what was opened, and who was told of it, is lost."""
    op.execute(f"DELETE FROM addressee WHERE notice_id IN ({OF_NO_CASE})")  # noqa: S608 - fixed
    op.execute("DELETE FROM notice WHERE case_id IS NULL")
    with op.batch_alter_table("notice") as notice:
        notice.alter_column("case_id", existing_type=sa.Uuid(), nullable=False)
    op.drop_table("break_glass")
