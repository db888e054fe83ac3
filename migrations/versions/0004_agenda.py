"""The agenda of a conference."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from casework.adapters.persistence.engine.types import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# What a meeting has decided was on its agenda. A version is decided once, so its id serves the item.
DECIDED = """
INSERT INTO agenda_item (id, conference_id, plan_version_id, case_id, added_at, added_by)
SELECT id, conference_id, id, case_id, decided_at, decided_by FROM plan_version
WHERE conference_id IS NOT NULL AND decided_at IS NOT NULL
"""


def upgrade() -> None:
    """Make it so."""
    op.create_table(
        "agenda_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conference_id", sa.Uuid(), nullable=False),
        sa.Column("plan_version_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["care_case.id"], name=op.f("fk_agenda_item_case_id")),
        sa.ForeignKeyConstraint(
            ["conference_id"], ["conference.id"], name=op.f("fk_agenda_item_conference_id")
        ),
        sa.ForeignKeyConstraint(
            ["plan_version_id"], ["plan_version.id"], name=op.f("fk_agenda_item_plan_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agenda_item")),
        sa.UniqueConstraint(
            "conference_id",
            "plan_version_id",
            name=op.f("uq_agenda_item_conference_id_plan_version_id"),
        ),
    )
    op.create_index(
        op.f("ix_conference_district_code_held_on_id"),
        "conference",
        ["district_code", "held_on", "id"],
        unique=False,
    )
    op.execute(DECIDED)


def downgrade() -> None:
    """Undo it. The decisions keep naming their meetings."""
    op.drop_index(op.f("ix_conference_district_code_held_on_id"), table_name="conference")
    op.drop_table("agenda_item")
