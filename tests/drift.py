"""Migration drift: `python -m tests.drift` compares the migrated schema with the tables in code.

On a fresh SQLite file and on a throw-away PostgreSQL, the migrations must lead to exactly what
`casework.adapters.persistence.tables` declares; otherwise the differences are listed.
"""

import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, MetaData, create_engine, inspect

import casework.adapters.persistence.tables.duplicates  # noqa: F401 - declares its tables
from casework.adapters.persistence.schema.migrations import upgrade
from casework.adapters.persistence.tables import metadata
from tests.postgres import running_server


def differences(connection: Connection, declared: MetaData) -> Iterator[str]:
    """What would have to change in the migrated database to match the declared tables."""
    here = connection.dialect.name

    def is_meant_here(thing: Any, *_: Any) -> bool:
        # An index may be declared for one store alone.
        only = getattr(thing, "_ddl_if", None)
        return only is None or only.dialect == here

    options = {
        "compare_type": True,
        "compare_server_default": True,
        "include_object": is_meant_here,
    }
    context = MigrationContext.configure(connection, opts=options)
    yield from map(str, compare_metadata(context, declared))
    yield from _check_differences(connection, declared)


def _check_differences(connection: Connection, declared: MetaData) -> Iterator[str]:
    # Alembic compares no CHECK constraints, and they hold rules: compare their names.
    inspector = inspect(connection)
    for table in declared.sorted_tables:
        if not inspector.has_table(table.name):
            continue
        wanted = {
            connection.dialect.identifier_preparer.format_constraint(constraint)
            for constraint in table.constraints
            if isinstance(constraint, CheckConstraint)
        }
        found = {check["name"] for check in inspector.get_check_constraints(table.name)}
        for name in sorted(map(str, wanted ^ found)):
            where = "declared" if name in wanted else "migrated"
            yield f"CHECK {name} on {table.name} is only {where}"


def drift(url: str) -> list[str]:
    """Migrate the empty database at `url` and return its differences from the tables in code."""
    upgrade(url)
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return list(differences(connection, metadata))
    finally:
        engine.dispose()


def main() -> int:
    """Report on both stores; return 1 when one has drifted."""
    found: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory(prefix="casework-") as folder:
        found["SQLite"] = drift(f"sqlite:///{folder}/drift.sqlite")
    with running_server() as server, server.database("drift") as url:
        found["PostgreSQL"] = drift(url)
    for store, lines in found.items():
        print(f"{store}: {f'{len(lines)} differences' if lines else 'no drift'}")
        for line in lines:
            print(f"  {line}")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
