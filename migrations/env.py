"""How migrations run: online only, each in its own transaction, never waiting long for a lock."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

from casework.adapters.persistence.schema.migrations import migration_engine
from casework.adapters.persistence.tables import metadata


def run() -> None:
    """Migrate the database that the caller named."""
    attributes = context.config.attributes
    engine = migration_engine(attributes["url"], attributes.get("schema"))
    try:
        with engine.connect() as connection:
            on_postgres = connection.dialect.name == "postgresql"
            if on_postgres:
                connection.execute(text("SET lock_timeout = '500ms'"))
                connection.commit()
            context.configure(
                connection=connection,
                target_metadata=metadata,
                compare_type=True,
                compare_server_default=True,
                render_as_batch=not on_postgres,
                transaction_per_migration=True,
            )
            with context.begin_transaction():
                context.run_migrations()
    finally:
        engine.dispose()


run()
