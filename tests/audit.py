"""Helpers for the audit: seal it as the scheduler does, and tamper with it."""

from __future__ import annotations

from sqlalchemy import Connection, make_url, text

from casework.bootstrap import Application, build
from casework.workflows.audit.sealing import AuditCheck

GUARDED = ("audit_entry", "audit_seal", "audit_head")


def seal(application: Application) -> AuditCheck:
    """Seal the pending entries as the scheduler's role, because the application's may not."""
    url = make_url(application.settings.url())
    if url.get_backend_name() == "sqlite":
        return application.seal()
    url = url.set(username="casework_scheduler")
    given = {"database_url": url.render_as_string(hide_password=False)}
    scheduler = build(
        application.settings.model_copy(update=given), now=application.now, cheap_passwords=True
    )
    try:
        return scheduler.seal()
    finally:
        scheduler.engine.dispose()


def leave_as_it_was(connection: Connection) -> None:
    """As the owner, let new entries wait for their seal again; SQLite has no trigger for that."""
    if connection.dialect.name == "postgresql":
        for table in GUARDED:
            connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))


def free_hand(connection: Connection) -> None:
    """As the owner, disable the triggers that protect the audit, until a rollback restores them."""
    if connection.dialect.name == "postgresql":
        for table in GUARDED:
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        return
    names = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all()
    for name in names:
        connection.execute(text(f"DROP TRIGGER {name}"))
