"""Notices and the outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from casework.adapters.persistence.engine.types import Instant, Json

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make it so."""
    op.create_table(
        "notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject_type", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("centre_code", sa.String(length=10), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("tell", Json, nullable=False),
        sa.Column("at_once", sa.Boolean(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("about", sa.String(length=40), nullable=False),
        sa.Column("tier", sa.SmallInteger(), nullable=True),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("addressed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(
            "ix_notice_waiting",
            ["run_id", "district_code"],
            unique=False,
            sqlite_where=sa.text("addressed_at IS NULL"),
            postgresql_where=sa.text("addressed_at IS NULL"),
        )

    op.create_table(
        "run_notices",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("district_code", sa.String(length=10), nullable=False),
        sa.Column("counted_at", Instant(), nullable=False),
        sa.Column("notices", sa.Integer(), nullable=False),
        sa.Column("is_held", sa.Boolean(), nullable=False),
        sa.Column("released_at", Instant(), nullable=True),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["job_run.id"], name=op.f("fk_run_notices_run_id")),
        sa.PrimaryKeyConstraint("run_id", "district_code", name=op.f("pk_run_notices")),
    )
    with op.batch_alter_table("run_notices", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_run_notices_district_code_counted_at"),
            ["district_code", "counted_at"],
            unique=False,
        )

    op.create_table(
        "subscription",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("kinds", Json, nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("district_code", sa.String(length=10), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("retry_at", Instant(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["district_code"], ["district.code"], name=op.f("fk_subscription_district_code")
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_subscription_provider_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
    )
    op.create_table(
        "addressee",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_addressee_account_id")
        ),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_addressee_notice_id")),
        sa.PrimaryKeyConstraint("notice_id", "account_id", name=op.f("pk_addressee")),
    )
    with op.batch_alter_table("addressee", schema=None) as batch_op:
        batch_op.create_index(
            "ix_addressee_waiting",
            ["account_id"],
            unique=False,
            sqlite_where=sa.text("message_id IS NULL"),
            postgresql_where=sa.text("message_id IS NULL"),
        )

    op.create_table(
        "message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("subscription_id", sa.Uuid(), nullable=True),
        sa.Column("district_code", sa.String(length=10), nullable=True),
        sa.Column("digest_on", sa.Date(), nullable=True),
        sa.Column("payload", Json, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
        sa.Column("leased_until", Instant(), nullable=True),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("error", sa.String(length=120), nullable=True),
        sa.CheckConstraint(
            "state IN ('dead', 'sent', 'waiting')", name=op.f("ck_message_state_known")
        ),
        sa.CheckConstraint(
            "(account_id IS NULL) <> (subscription_id IS NULL)",
            name=op.f("ck_message_one_receiver"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_message_account_id")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_message_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint(
            "account_id", "digest_on", name=op.f("uq_message_account_id_digest_on")
        ),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_message_state_created_at_id"),
            ["state", "created_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_message_waiting",
            ["next_at", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )

    op.add_column("account", sa.Column("email", sa.String(length=254), nullable=True))


def downgrade() -> None:
    """Undo it."""
    op.drop_column("account", "email")

    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_message_waiting",
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
        batch_op.drop_index(batch_op.f("ix_message_state_created_at_id"))

    op.drop_table("message")
    with op.batch_alter_table("addressee", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_addressee_waiting",
            sqlite_where=sa.text("message_id IS NULL"),
            postgresql_where=sa.text("message_id IS NULL"),
        )

    op.drop_table("addressee")
    op.drop_table("subscription")
    with op.batch_alter_table("run_notices", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_run_notices_district_code_counted_at"))

    op.drop_table("run_notices")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_notice_waiting",
            sqlite_where=sa.text("addressed_at IS NULL"),
            postgresql_where=sa.text("addressed_at IS NULL"),
        )

    op.drop_table("notice")
