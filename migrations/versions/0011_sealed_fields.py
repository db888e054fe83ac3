"""Fields that stand sealed, and the indexes by which they are found.

A migration has no keys. What stands in clear stays until `casework migrate` has sealed it, and a row
of `configuration` says so: until then nothing serves.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SEALED = {
    "resident": ("address", "phone", "disability", "insurance"),
    "contact": ("phone",),
    "consent": ("withdrawal_reason",),
    "note": ("with_whom", "text"),
    "care_case": ("urgent_reason", "guidance", "notified_to", "closing_note", "activities"),
    "assessment": ("needs",),
    "care_check": ("findings", "goals"),
    "signal": ("note", "answer"),
    "plan_version": ("goals", "services", "without_meeting_reason", "decision_reason"),
    "planned_service": ("settlement_note",),
    "referral": ("message", "outside_area_reason", "note"),
    "review": ("reason",),
    "subscription": ("secret",),
    "access_request": ("requester", "reason"),
    "break_glass": ("reason", "review_note"),
    "duplicate_suspicion": ("note",),
    "resident_merge": ("reason", "undo_reason"),
}
INDEXES = {"rrn_index": "resident", "name_birth_index": "resident"}


def upgrade() -> None:
    """Make it so."""
    op.add_column("resident", sa.Column("rrn", sa.Text(), nullable=True))
    for name, table in INDEXES.items():
        op.add_column(table, sa.Column(name, sa.String(length=40), nullable=True))
        op.create_index(f"ix_{table}_{name}", table, [name])
    if op.get_bind().dialect.name == "postgresql":
        for table in ("resident", "contact"):
            op.alter_column(table, "phone", type_=sa.Text())
    if any(_holds(table, "1 = 1") for table in SEALED):
        op.execute("INSERT INTO configuration (name, version) VALUES ('clear_fields', 1)")


def downgrade() -> None:
    """Take it back, while nothing is sealed: what is sealed no older version can read."""
    for table, names in SEALED.items():
        for name in (*names, *(("rrn",) if table == "resident" else ())):
            if _holds(table, f"trim(CAST({name} AS TEXT), '\"') LIKE 'v1.%'"):
                raise RuntimeError(f"{table}.{name} is sealed: go back by the backup from before")
    op.execute("DELETE FROM configuration WHERE name = 'clear_fields'")
    if op.get_bind().dialect.name == "postgresql":
        for table in ("contact", "resident"):
            op.alter_column(table, "phone", type_=sa.String(length=40))
    for name, table in reversed(INDEXES.items()):
        op.drop_index(f"ix_{table}_{name}", table)
        op.drop_column(table, name)
    op.drop_column("resident", "rrn")


def _holds(table: str, condition: str) -> bool:
    query = f"SELECT 1 FROM {table} WHERE {condition} LIMIT 1"  # noqa: S608 - names of columns
    return op.get_bind().execute(sa.text(query)).first() is not None
