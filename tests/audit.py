"""Helpers for the audit: seal it as the scheduler does, and tamper with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Connection, make_url, text

from casework.bootstrap import Application, build
from casework.workflows.audit.sealing import AuditCheck

GUARDED = ("audit_entry", "audit_seal", "audit_head")


def seal(application: Application) -> AuditCheck:
    """Seal the pending entries as the scheduler's role, because the application's may not."""
    if make_url(application.settings.url()).get_backend_name() == "sqlite":
        return application.seal()
    with scheduler_of(application) as scheduler:
        return scheduler.seal()


@contextmanager
def scheduler_of(application: Application) -> Iterator[Application]:
    """A process of the scheduler's role beside the application, on PostgreSQL."""
    url = make_url(application.settings.url()).set(username="casework_scheduler")
    given = {"database_url": url.render_as_string(hide_password=False)}
    scheduler = build(
        application.settings.model_copy(update=given), now=application.now, cheap_passwords=True
    )
    archives = application.exporting.archives
    scheduler.exporting = replace(scheduler.exporting, archives=archives)
    try:
        yield scheduler
    finally:
        scheduler.engine.dispose()


def leave_as_it_was(connection: Connection) -> None:
    """As the owner, put the triggers back that were taken away."""
    if connection.dialect.name == "postgresql":
        for table in GUARDED:
            connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
        return
    for statement in connection.scalars(text("SELECT sql FROM taken_away")).all():
        connection.exec_driver_sql(statement)
    connection.execute(text("DROP TABLE taken_away"))


def free_hand(connection: Connection) -> None:
    """As the owner, disable the triggers that protect the audit, until a rollback restores them."""
    if connection.dialect.name == "postgresql":
        for table in GUARDED:
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        return
    named = "FROM sqlite_master WHERE type = 'trigger'"
    connection.execute(text(f"CREATE TABLE IF NOT EXISTS taken_away AS SELECT sql {named}"))
    names = connection.scalars(text(f"SELECT name {named}")).all()
    for name in names:
        connection.execute(text(f"DROP TRIGGER {name}"))
