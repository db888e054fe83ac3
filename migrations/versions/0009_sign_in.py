"""First passwords, second factors, tokens, and who was allowed what when."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.engine.types import Instant, Json

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

LOG = "account_grant_log"
ADDED = (
    "version", "grants", "totp_step", "totp_confirmed_at", "totp_sealed", "external_id", "is_demo",
    "must_change_password", "tries",
)  # fmt: skip
# Three years and a day, as the domain counts it.
KEPT_DAYS = 3 * 365 + 1
SQLITE_GUARD = (
    f"""CREATE TRIGGER {LOG}_no_update BEFORE UPDATE ON {LOG}
        BEGIN SELECT RAISE(ABORT, 'the log of rights is insert-only'); END""",
    f"""CREATE TRIGGER {LOG}_no_delete BEFORE DELETE ON {LOG}
        WHEN OLD.at > strftime('%Y-%m-%dT%H:%M:%f', 'now', '-{KEPT_DAYS} days')
        BEGIN SELECT RAISE(ABORT, 'the log of rights is kept for three years'); END""",
)
POSTGRES_GUARD = (
    f"""CREATE FUNCTION {LOG}_guard() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF OLD.at <= now() - interval '{KEPT_DAYS} days' THEN
                    RETURN OLD;
                END IF;
                RAISE EXCEPTION 'the log of rights is kept for three years';
            END IF;
            RAISE EXCEPTION 'the log of rights is insert-only';
        END $$""",
    f"""CREATE TRIGGER {LOG}_rows BEFORE UPDATE OR DELETE ON {LOG}
        FOR EACH ROW EXECUTE FUNCTION {LOG}_guard()""",
    f"""CREATE TRIGGER {LOG}_all BEFORE TRUNCATE ON {LOG}
        FOR EACH STATEMENT EXECUTE FUNCTION {LOG}_guard()""",
)


def upgrade() -> None:
    """Make it so; who has rights already has them in the log from now on."""
    no = sa.text("false")
    for column in (
        sa.Column("tries", Json, nullable=True),
        sa.Column("must_change_password", sa.Boolean(), nullable=False, server_default=no),
        sa.Column("is_demo", sa.Boolean(), nullable=False, server_default=no),
        sa.Column("external_id", sa.String(length=512), nullable=True),
        sa.Column("totp_sealed", sa.Text(), nullable=True),
        sa.Column("totp_confirmed_at", Instant(), nullable=True),
        sa.Column("totp_step", sa.Integer(), nullable=True),
        sa.Column("grants", Json, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False, server_default=sa.text("1")),
    ):
        op.add_column("account", column)
    op.create_index("uq_account_external_id", "account", ["external_id"], unique=True)
    _create_tables()
    _log_existing()
    guard = SQLITE_GUARD if op.get_bind().dialect.name == "sqlite" else POSTGRES_GUARD
    for statement in guard:
        op.execute(statement)


def downgrade() -> None:
    """Take it back. First passwords become lasting ones, and tokens end."""
    op.drop_table(LOG)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP FUNCTION {LOG}_guard()")
    op.drop_table("recovery_code")
    op.drop_table("account_token")
    op.drop_index("uq_account_external_id", "account")
    for name in ADDED:
        op.drop_column("account", name)


def _create_tables() -> None:
    op.create_table(
        "account_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("scopes", Json, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("last_used_on", sa.Date(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        _of_account("account_token"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_account_token_digest")),
    )
    op.create_index(op.f("ix_account_token_account_id_id"), "account_token", ["account_id", "id"])
    op.create_table(
        "recovery_code",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        _of_account("recovery_code"),
        sa.PrimaryKeyConstraint("account_id", "digest", name=op.f("pk_recovery_code")),
    )
    op.create_table(
        LOG,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("about", sa.String(length=120), nullable=True),
        sa.Column("state", Json, nullable=False),
        _of_account(LOG),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_grant_log")),
    )
    op.create_index(op.f("ix_account_grant_log_account_id_at_id"), LOG, ["account_id", "at", "id"])


def _of_account(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_account_id")
    return sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=name)


def _log_existing() -> None:
    """One entry for each account there is, with what it is allowed."""
    account = sa.table(
        "account",
        *(
            sa.column(name, kind)
            for name, kind in (
                ("id", sa.Uuid()), ("role", sa.String()), ("centre_code", sa.String()),
                ("district_code", sa.String()), ("provider_id", sa.Uuid()),
                ("is_head", sa.Boolean()), ("is_active", sa.Boolean()),
            )
        ),
    )  # fmt: skip
    log = sa.table(
        LOG,
        *(
            sa.column(name, kind)
            for name, kind in (
                ("id", sa.Uuid()), ("at", Instant()), ("account_id", sa.Uuid()),
                ("act", sa.String()), ("by", sa.String()), ("state", Json),
            )
        ),
    )  # fmt: skip
    now = datetime.now(UTC)
    rows = [
        {
            "id": new_id(), "at": now, "account_id": row.id, "act": "existing", "by": "casework",
            "state": {
                "role": row.role, "centre_code": row.centre_code,
                "district_code": row.district_code,
                "provider_id": str(row.provider_id) if row.provider_id else None,
                "is_head": row.is_head, "is_active": row.is_active, "grants": [],
                "must_change_password": False, "has_totp": False, "external_id": None,
            },
        }
        for row in op.get_bind().execute(sa.select(account))
    ]  # fmt: skip
    if rows:
        op.get_bind().execute(sa.insert(log), rows)
