"""The directory with history: entries in three states, validity, designations, changes."""

from __future__ import annotations

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

from casework.adapters.persistence.engine.types import Instant, Json

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

PROVIDER = sa.table("provider", sa.column("id", sa.Uuid()), sa.column("designations", Json))
DESIGNATION = sa.table(
    "designation",
    sa.column("id", sa.Uuid()),
    sa.column("provider_id", sa.Uuid()),
    sa.column("code", sa.String()),
    sa.column("designated_by", sa.Text()),
    sa.column("version", sa.Integer()),
)
ENTRY = ("service", "offering")
CLOSE_WHAT_IS_NOT_LISTED = (
    "UPDATE offering SET is_open = false WHERE state <> 'published'",
    "UPDATE provider SET is_active = false WHERE ended_on < CURRENT_DATE",
    "DELETE FROM service WHERE state <> 'published'"
    " AND code NOT IN (SELECT service_code FROM offering)",
)
VERSIONED = ("service", "provider", "offering")


def upgrade() -> None:
    """Make it so: what stands there is published, and designations go on from before."""
    for table in ENTRY:
        op.add_column(table, sa.Column("state", sa.String(40), nullable=False,
                                       server_default=sa.text("'published'")))  # fmt: skip
        op.add_column(table, sa.Column("proposed_by", sa.Uuid(), nullable=True))
    for table in VERSIONED:
        op.add_column(table, sa.Column("version", sa.Integer(), nullable=False,
                                       server_default=sa.text("1")))  # fmt: skip
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    _tables()
    _out_of_the_lists()
    op.create_index("ix_referral_offering_id", "referral", ["offering_id"])
    op.drop_column("provider", "designations")


def _columns() -> dict[str, list[sa.Column]]:  # type: ignore[type-arg]
    return {
        "service": [
            sa.Column("limits", Json, nullable=True),
            sa.Column("co_payments", Json, nullable=True),
            sa.Column("valid_from", sa.Date(), nullable=True),
            sa.Column("valid_to", sa.Date(), nullable=True),
        ],
        "provider": [
            sa.Column("ended_on", sa.Date(), nullable=True),
            sa.Column("end_reason", sa.Text(), nullable=True),
            sa.Column("opening_hours", Json, nullable=True),
            sa.Column("contacts", Json, nullable=True),
        ],
    }


def _tables() -> None:
    op.create_table(
        "designation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("designated_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=True),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "valid_from <= valid_to", name=op.f("ck_designation_ends_after_it_begins")
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_designation_provider_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_designation")),
    )
    op.create_index("ix_designation_provider_id_code", "designation", ["provider_id", "code"])
    op.create_table(
        "directory_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_type", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=40), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("did", sa.String(length=40), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("by_role", sa.String(length=40), nullable=False),
        sa.Column("before", Json, nullable=False),
        sa.Column("after", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_directory_change_provider_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_change")),
    )
    op.create_index(
        "ix_directory_change_subject_type_subject_id_id",
        "directory_change",
        ["subject_type", "subject_id", "id"],
    )


def _out_of_the_lists() -> None:
    connection = op.get_bind()
    rows = [
        {"id": uuid4(), "provider_id": id, "code": code, "designated_by": "–", "version": 1}
        for id, codes in connection.execute(sa.select(PROVIDER.c.id, PROVIDER.c.designations))
        for code in dict.fromkeys(codes)
    ]
    if rows:
        connection.execute(sa.insert(DESIGNATION), rows)


def downgrade() -> None:
    """Undo it. Nobody asks afterwards what was not published, or has ended; history is lost."""
    for statement in CLOSE_WHAT_IS_NOT_LISTED:
        op.execute(statement)
    found: dict[object, set[str]] = {}
    query = sa.select(DESIGNATION.c.provider_id, DESIGNATION.c.code).select_from(DESIGNATION)
    in_force = sa.text(
        "(valid_from IS NULL OR valid_from <= CURRENT_DATE)"
        " AND (valid_to IS NULL OR valid_to >= CURRENT_DATE)"
    )
    for id, code in op.get_bind().execute(query.where(in_force)):
        found.setdefault(id, set()).add(code)
    op.drop_index("ix_referral_offering_id", "referral")
    op.drop_table("directory_change")
    op.drop_table("designation")
    for table, columns in reversed(_columns().items()):
        for column in reversed(columns):
            op.drop_column(table, column.name)
    for table in VERSIONED:
        op.drop_column(table, "version")
    for table in ENTRY:
        op.drop_column(table, "proposed_by")
        op.drop_column(table, "state")
    _add_the_lists()
    for id, codes in found.items():
        op.get_bind().execute(
            sa.update(PROVIDER).where(PROVIDER.c.id == id).values(designations=sorted(codes))
        )


def _add_the_lists() -> None:
    """Empty ones; on SQLite the table is made anew, for the column to stand where it stood."""
    if op.get_bind().dialect.name == "sqlite":
        _as_it_was()
        return
    lists = sa.Column("designations", Json, nullable=False, server_default=sa.text("'[]'"))
    op.add_column("provider", lists)
    op.alter_column("provider", "designations", server_default=None)


def _as_it_was() -> None:
    # Others refer to the agencies: that holds again once they are back in the table.
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM provider")
    op.drop_table("provider")
    op.create_table(
        "provider",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("designations", Json, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["district_code"], ["district.code"], name=op.f("fk_provider_district_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider")),
        sa.UniqueConstraint("slug", name=op.f("uq_provider_slug")),
    )
    op.add_column("provider", sa.Column("languages", Json, nullable=True))
    names = "id, slug, name, kind, phone, district_code, lat, lon"
    op.execute(
        f"INSERT INTO provider ({names}, designations, is_active, languages)"  # noqa: S608 - fixed
        f" SELECT {names}, '[]', is_active, languages FROM kept"
    )
    op.execute("DROP TABLE kept")
