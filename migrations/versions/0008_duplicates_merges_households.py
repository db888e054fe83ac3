"""Likely duplicates, merges that can be undone, and households."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from casework.adapters.persistence.engine.types import Instant, Json

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MERGED = sa.text("merged_into_id IS NOT NULL")
STANDING = sa.text("undone_at IS NULL")
STAYING = sa.text("left_at IS NULL")


def upgrade() -> None:
    """Make it so."""
    op.add_column("resident", sa.Column("merged_into_id", sa.Uuid(), nullable=True))
    op.create_index(
        op.f("ix_resident_district_code_birth_date"), "resident", ["district_code", "birth_date"]
    )
    op.create_index(
        "ix_resident_merged_into_id",
        "resident",
        ["merged_into_id"],
        sqlite_where=MERGED,
        postgresql_where=MERGED,
    )
    _queue()
    _merges()
    _households()


def _queue() -> None:
    op.create_table(
        "duplicate_check",
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_duplicate_check_resident_id")
        ),
        sa.PrimaryKeyConstraint("resident_id", name=op.f("pk_duplicate_check")),
    )
    op.create_table(
        "duplicate_suspicion",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("centre_code", sa.String(length=10), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("other_centre_code", sa.String(length=10), nullable=False),
        sa.Column("other_district_code", sa.String(length=10), nullable=False),
        sa.Column("reasons", Json, nullable=False),
        sa.Column("found_at", Instant(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("is_parked", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("resident_id < other_id", name=op.f("ck_duplicate_suspicion_ordered")),
        sa.CheckConstraint(
            "state IN ('different', 'open', 'same')",
            name=op.f("ck_duplicate_suspicion_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_duplicate_suspicion_resident_id")
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["resident.id"], name=op.f("fk_duplicate_suspicion_other_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_suspicion")),
        sa.UniqueConstraint(
            "resident_id", "other_id", name=op.f("uq_duplicate_suspicion_resident_id_other_id")
        ),
    )
    for columns in (
        ["district_code", "state", "id"],
        ["other_district_code", "state", "id"],
        ["other_id"],
    ):
        name = op.f(f"ix_duplicate_suspicion_{'_'.join(columns)}")
        op.create_index(name, "duplicate_suspicion", columns)


def _merges() -> None:
    op.create_table(
        "resident_merge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("survivor_id", sa.Uuid(), nullable=False),
        sa.Column("duplicate_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("merged_at", Instant(), nullable=False),
        sa.Column("merged_by", sa.Uuid(), nullable=True),
        sa.Column("survivor_centre", sa.String(length=10), nullable=False),
        sa.Column("duplicate_centre", sa.String(length=10), nullable=False),
        sa.Column("undone_at", Instant(), nullable=True),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.Column("undo_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("survivor_id <> duplicate_id", name=op.f("ck_resident_merge_two")),
        sa.ForeignKeyConstraint(
            ["survivor_id"], ["resident.id"], name=op.f("fk_resident_merge_survivor_id")
        ),
        sa.ForeignKeyConstraint(
            ["duplicate_id"], ["resident.id"], name=op.f("fk_resident_merge_duplicate_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resident_merge")),
    )
    op.create_index(op.f("ix_resident_merge_survivor_id"), "resident_merge", ["survivor_id"])
    op.create_index(
        "uq_resident_merge_standing",
        "resident_merge",
        ["duplicate_id"],
        unique=True,
        sqlite_where=STANDING,
        postgresql_where=STANDING,
    )
    op.create_table(
        "merge_child",
        sa.Column("merge_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("before", Json, nullable=True),
        sa.ForeignKeyConstraint(
            ["merge_id"], ["resident_merge.id"], name=op.f("fk_merge_child_merge_id")
        ),
        sa.PrimaryKeyConstraint("merge_id", "kind", "child_id", name=op.f("pk_merge_child")),
    )


def _households() -> None:
    op.create_table(
        "household",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('couple', 'family', 'other')", name=op.f("ck_household_kind_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household")),
    )
    op.create_table(
        "household_member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("joined_at", Instant(), nullable=False),
        sa.Column("joined_by", sa.Uuid(), nullable=True),
        sa.Column("left_at", Instant(), nullable=True),
        sa.Column("left_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("fk_household_member_household_id")
        ),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_household_member_resident_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household_member")),
    )
    op.create_index(op.f("ix_household_member_household_id"), "household_member", ["household_id"])
    op.create_index(op.f("ix_household_member_resident_id"), "household_member", ["resident_id"])
    op.create_index(
        "uq_household_member_one_household",
        "household_member",
        ["resident_id"],
        unique=True,
        sqlite_where=STAYING,
        postgresql_where=STAYING,
    )


def downgrade() -> None:
    """Take it back, once no merge stands: whose children are whose would be forgotten with it."""
    standing = op.get_bind().scalar(
        sa.text("SELECT count(*) FROM resident_merge WHERE undone_at IS NULL")
    )
    if standing:
        raise RuntimeError(f"{standing} merges stand: undo them before going back")
    for table in (
        "household_member", "household", "merge_child", "resident_merge", "duplicate_suspicion",
        "duplicate_check",
    ):  # fmt: skip
        op.drop_table(table)
    op.drop_index("ix_resident_merged_into_id", "resident")
    op.drop_index("ix_resident_district_code_birth_date", "resident")
    op.drop_column("resident", "merged_into_id")
