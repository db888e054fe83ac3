"""Audit entries that nobody changes: their chains, their heads, reviews, and access requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from casework.adapters.persistence.engine.types import Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# What no setting and no mistake can shorten.
KEPT = "2 years"
REFUSED_IN_VAIN = "outcome <> 'ok'"
OPEN = "answered_at IS NULL"
FUNCTIONS = ("audit_never", "audit_keep_entry", "audit_keep_seal", "audit_pend")


def upgrade() -> None:
    """Make it so."""
    _tables()
    _people()
    op.create_index("ix_audit_entry_actor_at_id", "audit_entry", ["actor", "at", "id"])
    op.create_index(
        "ix_audit_entry_refused",
        "audit_entry",
        ["asked_for"],
        sqlite_where=sa.text(REFUSED_IN_VAIN),
        postgresql_where=sa.text(REFUSED_IN_VAIN),
    )
    # What was written before there were chains is sealed first of all.
    op.execute("INSERT INTO audit_pending (entry_id) SELECT id FROM audit_entry")
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(
            "ix_audit_entry_subjects",
            "audit_entry",
            ["subjects"],
            postgresql_using="gin",
            postgresql_ops={"subjects": "jsonb_path_ops"},
        )
        _guard_on_postgres()
    else:
        _guard_on_sqlite()


def downgrade() -> None:
    """Take it back; the entries stay."""
    on_postgres = op.get_bind().dialect.name == "postgresql"
    triggers = ON_POSTGRES if on_postgres else ON_SQLITE
    for name, (table, _) in triggers.items():
        op.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if on_postgres else ""))
    if on_postgres:
        for name in FUNCTIONS:
            op.execute(f"DROP FUNCTION {name}()")
        op.drop_index("ix_audit_entry_subjects", "audit_entry")
    op.drop_index("ix_audit_entry_refused", "audit_entry")
    op.drop_index("ix_audit_entry_actor_at_id", "audit_entry")
    for table in ("access_request", "audit_review", "audit_pending", "audit_head", "audit_seal"):
        op.drop_table(table)


def _tables() -> None:
    op.create_table(
        "audit_seal",
        sa.Column("chain", sa.String(length=10), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("chain", "seq", name=op.f("pk_audit_seal")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_audit_seal_entry_id")),
    )
    op.create_table(
        "audit_head",
        sa.Column("chain", sa.String(length=10), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_hash", sa.String(length=64), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("anchor", sa.String(length=64), nullable=False),
        sa.Column("mac", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "audit_pending",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit_pending")),
    )


def _people() -> None:
    op.create_table(
        "audit_review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("chain", sa.String(length=10), nullable=True),
        sa.Column("account", sa.String(length=120), nullable=True),
        sa.Column("left_out", sa.String(length=120), nullable=True),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("measures", sa.Text(), nullable=True),
        sa.Column("reviewed_at", Instant(), nullable=False),
        sa.Column("reviewed_by", sa.Uuid(), nullable=False),
        sa.Column("reviewer", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_review")),
    )
    op.create_index("ix_audit_review_month_id", "audit_review", ["month", "id"])
    op.create_table(
        "access_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("requested_by", sa.String(length=40), nullable=False),
        sa.Column("requester", sa.Text(), nullable=True),
        sa.Column("identity_how", sa.String(length=40), nullable=True),
        sa.Column("identity_checked_at", Instant(), nullable=True),
        sa.Column("identity_checked_by", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("answer", sa.String(length=40), nullable=True),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("handed_over", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_access_request_resident_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_request")),
    )
    op.create_index("ix_access_request_resident_id", "access_request", ["resident_id"])
    op.create_index(
        "ix_access_request_open",
        "access_request",
        ["due_on", "id"],
        sqlite_where=sa.text(OPEN),
        postgresql_where=sa.text(OPEN),
    )


# Who may write at all is a matter of grants. These hold for everyone, the owner included: an
# entry is never changed, and is deleted only once it is older than the law asks for; a seal goes
# only after its entry.
YOUNG_ON_SQLITE = "OLD.at >= strftime('%Y-%m-%dT%H:%M:%f', 'now', '-2 years')"
ON_SQLITE = {
    "audit_entry_is_new": (
        "audit_entry",
        "BEFORE INSERT ON audit_entry WHEN EXISTS (SELECT 1 FROM audit_entry WHERE id = NEW.id)",
    ),
    "audit_entry_never_changes": ("audit_entry", "BEFORE UPDATE ON audit_entry"),
    "audit_entry_is_kept": (
        "audit_entry", f"BEFORE DELETE ON audit_entry WHEN {YOUNG_ON_SQLITE}",
    ),
    "audit_seal_is_new": (
        "audit_seal",
        "BEFORE INSERT ON audit_seal WHEN EXISTS (SELECT 1 FROM audit_seal "
        "WHERE entry_id = NEW.entry_id OR (chain = NEW.chain AND seq = NEW.seq))",
    ),
    "audit_seal_never_changes": ("audit_seal", "BEFORE UPDATE ON audit_seal"),
    "audit_seal_is_kept": (
        "audit_seal",
        "BEFORE DELETE ON audit_seal WHEN EXISTS "
        "(SELECT 1 FROM audit_entry WHERE id = OLD.entry_id)",
    ),
    "audit_head_is_kept": ("audit_head", "BEFORE DELETE ON audit_head"),
}  # fmt: skip
ON_POSTGRES = {
    "audit_entry_never_changes": (
        "audit_entry", "BEFORE UPDATE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_never()",
    ),
    "audit_entry_is_kept": (
        "audit_entry",
        "BEFORE DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_keep_entry()",
    ),
    "audit_entry_is_never_emptied": (
        "audit_entry",
        "BEFORE TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION audit_never()",
    ),
    "audit_entry_pends": (
        "audit_entry", "AFTER INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_pend()",
    ),
    "audit_seal_never_changes": (
        "audit_seal", "BEFORE UPDATE ON audit_seal FOR EACH ROW EXECUTE FUNCTION audit_never()",
    ),
    "audit_seal_is_kept": (
        "audit_seal", "BEFORE DELETE ON audit_seal FOR EACH ROW EXECUTE FUNCTION audit_keep_seal()",
    ),
    "audit_seal_is_never_emptied": (
        "audit_seal",
        "BEFORE TRUNCATE ON audit_seal FOR EACH STATEMENT EXECUTE FUNCTION audit_never()",
    ),
    "audit_head_is_kept": (
        "audit_head", "BEFORE DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_never()",
    ),
    "audit_head_is_never_emptied": (
        "audit_head",
        "BEFORE TRUNCATE ON audit_head FOR EACH STATEMENT EXECUTE FUNCTION audit_never()",
    ),
}  # fmt: skip


def _guard_on_sqlite() -> None:
    for name, (table, when) in ON_SQLITE.items():
        refuse = f"SELECT RAISE(ABORT, 'the audit is only added to ({table})')"
        op.execute(f"CREATE TRIGGER {name} {when} BEGIN {refuse}; END")


def _guard_on_postgres() -> None:
    refuse = (
        "RAISE EXCEPTION 'the audit is only added to (%)', TG_TABLE_NAME "
        "USING ERRCODE = 'restrict_violation';"
    )
    bodies = {
        "audit_never": f"BEGIN {refuse} END",
        "audit_keep_entry": (
            f"BEGIN IF OLD.at >= now() - interval '{KEPT}' THEN {refuse} END IF; RETURN OLD; END"
        ),
        "audit_keep_seal": (
            f"BEGIN PERFORM 1 FROM audit_entry WHERE id = OLD.entry_id; IF FOUND THEN {refuse} "
            "END IF; RETURN OLD; END"
        ),
        # By its owner, so that whoever may only add an entry need not see what waits.
        "audit_pend": "BEGIN INSERT INTO audit_pending (entry_id) VALUES (NEW.id); RETURN NULL; END",
    }
    for name, body in bodies.items():
        rights = "SECURITY DEFINER " if name == "audit_pend" else ""
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql {rights}"
            f"SET search_path FROM CURRENT AS $body$ {body} $body$"
        )
    for name, (_, when) in ON_POSTGRES.items():
        op.execute(f"CREATE TRIGGER {name} {when}")
