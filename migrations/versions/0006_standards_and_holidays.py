"""Standards and holidays that can be set, and clocks that keep what they were set by."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from casework.adapters.persistence.engine.types import Instant, Json, TargetText

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# The shipped standards were numbered in the order of their list; now their scope gives the id.
NUMBERED = 0x0190_0000_0000_7000_8000_0000_0000_0000
SHIPPED = (
    "01900000-0000-7000-a966-43170d7f39f0",  # survey
    "01900000-0000-7000-9e74-207870b5af7e",  # survey, urgent
    "01900000-0000-7000-b49c-6e5544946d6c",  # assessment
    "01900000-0000-7000-862f-319a31adbc29",  # assessment, urgent
    "01900000-0000-7000-a4d7-3d783b1f6390",  # plan
    "01900000-0000-7000-8309-c80d4656cc05",  # plan, urgent
    "01900000-0000-7000-be25-e84d0e57ad94",  # decision
    "01900000-0000-7000-b577-a5ff9d47b796",  # decision, urgent
    "01900000-0000-7000-aae7-84b20590085e",  # notify_plan
    "01900000-0000-7000-800c-9b7d301f70c0",  # link
    "01900000-0000-7000-9252-0117dfbe576e",  # link, urgent
    "01900000-0000-7000-8b56-aaae26c67627",  # response
    "01900000-0000-7000-97eb-30507e606df5",  # response, urgent
    "01900000-0000-7000-99b1-a20065f3dfdf",  # response, emergency
    "01900000-0000-7000-a837-9caad8f34c5f",  # waitlist
    "01900000-0000-7000-be62-c147f20ab276",  # waitlist, urgent
    "01900000-0000-7000-abd4-cb3609da1503",  # start
    "01900000-0000-7000-9c23-426e3697605b",  # start, urgent
    "01900000-0000-7000-8a89-36ce5c4fe405",  # start, emergency
    "01900000-0000-7000-9546-19e85f45657c",  # disposition
    "01900000-0000-7000-95ed-b92d557efc71",  # disposition, urgent
    "01900000-0000-7000-bdb3-5b86212aca66",  # signal
    "01900000-0000-7000-971f-ac3859962aab",  # signal, urgent
    "01900000-0000-7000-9935-4fd81dd92cbf",  # first_check
    "01900000-0000-7000-910d-934463d00d09",  # check
)
STANDARD = sa.table("standard", sa.column("id", sa.Uuid()))
DEADLINE = sa.table("deadline", sa.column("standard_id", sa.Uuid()))
SCOPE = " || '/' || ".join(
    [
        "kind",
        *(
            f"coalesce({name}, '*')"
            for name in ("priority", "service_code", "field", "district_code")
        ),
    ]
)


def upgrade() -> None:
    """Make it so."""
    op.add_column("standard", sa.Column("set_at", Instant(), nullable=True))
    op.add_column("standard", sa.Column("set_by", sa.Uuid(), nullable=True))
    op.add_column("standard", sa.Column("ended_at", Instant(), nullable=True))
    op.add_column("standard", sa.Column("version", sa.Integer(), nullable=True))
    op.add_column("standard", sa.Column("scope", sa.String(length=220), nullable=True))
    op.add_column("holiday_override", sa.Column("declared_at", Instant(), nullable=True))
    op.add_column("holiday_override", sa.Column("declared_by", sa.Uuid(), nullable=True))
    op.add_column("deadline", sa.Column("escalation", Json, nullable=True))
    op.add_column("deadline", sa.Column("lapse_after", TargetText(), nullable=True))
    _fill()
    op.create_index(
        "uq_standard_scope",
        "standard",
        ["scope"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "uq_holiday_override_everywhere",
        "holiday_override",
        ["day"],
        unique=True,
        sqlite_where=sa.text("district_code IS NULL"),
        postgresql_where=sa.text("district_code IS NULL"),
    )
    op.create_table(
        "recount",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("because", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("started_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("replanned", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("changes", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recount")),
    )


def downgrade() -> None:
    """Take it back; what was set meanwhile applies as it did before it could be switched off."""
    op.drop_table("recount")
    op.drop_index("uq_holiday_override_everywhere", "holiday_override")
    op.drop_index("uq_standard_scope", "standard")
    op.execute("DELETE FROM standard WHERE ended_at IS NOT NULL")
    _rename({UUID(new): UUID(int=NUMBERED + n) for n, new in enumerate(SHIPPED, start=1)})
    for table, names in (
        ("deadline", ("lapse_after", "escalation")),
        ("holiday_override", ("declared_by", "declared_at")),
        ("standard", ("scope", "version", "ended_at", "set_by", "set_at")),
    ):
        for name in names:
            op.drop_column(table, name)


def _fill() -> None:
    """Ids by scope; of several standards for the same, one stays in force; clocks keep theirs."""
    _rename({UUID(int=NUMBERED + n): UUID(new) for n, new in enumerate(SHIPPED, start=1)})
    op.execute(f"UPDATE standard SET scope = {SCOPE}")  # noqa: S608 - names of columns
    ended = sa.update(sa.table("standard", sa.column("ended_at", Instant())))
    op.execute(
        ended.values(ended_at=datetime.now(UTC)).where(
            sa.text(
                "EXISTS (SELECT 1 FROM standard AS other "
                "WHERE other.scope = standard.scope AND other.id < standard.id)"
            )
        )
    )
    op.execute(
        "DELETE FROM holiday_override WHERE district_code IS NULL AND EXISTS ("
        "SELECT 1 FROM holiday_override AS other WHERE other.day = holiday_override.day "
        "AND other.district_code IS NULL AND other.id > holiday_override.id)"
    )
    for name in ("escalation", "lapse_after"):
        op.execute(
            f"UPDATE deadline SET {name} = "  # noqa: S608 - names of columns
            f"(SELECT {name} FROM standard WHERE standard.id = deadline.standard_id) "
            "WHERE met_at IS NULL AND cancelled_at IS NULL"
        )


def _rename(ids: dict[UUID, UUID]) -> None:
    for before, after in ids.items():
        op.execute(sa.update(STANDARD).where(STANDARD.c.id == before).values(id=after))
        op.execute(
            sa.update(DEADLINE).where(DEADLINE.c.standard_id == before).values(standard_id=after)
        )
