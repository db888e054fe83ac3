"""More residents for the benchmark of figures: copies of those whose histories were made.

Each copy lives some days earlier and with other agencies, so that it counts in cells of its own.
What is encrypted is copied as it is: figures read none of it.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Column, Date, Engine, Table, Uuid, text

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.types import Instant
from casework.adapters.persistence.scope import session_context

# Parents before children.
COPIED: Final = (
    t.resident, t.care_case, t.plan_version, t.planned_service, t.referral, t.deadline, t.review,
)  # fmt: skip
# What names a row of these without a foreign key.
NAMING: Final = frozenset({"id", "subject_id"})
DAYS_EARLIER, AGENCIES_ON = 3, 7
RANKED: Final = (
    "CREATE TEMPORARY TABLE ranked ON COMMIT DROP AS "
    "SELECT id, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS all_of_them "
    "FROM provider"
)
NOTED: Final = (
    "INSERT INTO figure_change (id, case_id, resident_id) "
    "SELECT gen_random_uuid(), id, resident_id FROM care_case"
)


def copy_residents(owner: Engine, copies: int) -> None:
    """So many copies of everybody who is there; all of them wait to be counted."""
    with owner.begin() as connection:
        session_context.set_system_context(connection)
        connection.execute(text(RANKED))
        connection.execute(text("CREATE INDEX ON ranked (id)"))
        connection.execute(text("CREATE INDEX ON ranked (place)"))
        for table in COPIED:
            connection.execute(text(f"ALTER TABLE {table.name} DISABLE TRIGGER USER"))
            connection.execute(text(_copying(table)), {"copies": copies})
            connection.execute(text(f"ALTER TABLE {table.name} ENABLE TRIGGER USER"))
        connection.execute(text("DELETE FROM figure_change"))
        connection.execute(text(NOTED))


def _copying(table: Table) -> str:
    columns = [column for column in table.c if column.computed is None]
    names = ", ".join(column.name for column in columns)
    copied = ", ".join(_copied(column) for column in columns)
    return (
        f"INSERT INTO {table.name} ({names}) SELECT {copied} "
        f"FROM {table.name} x CROSS JOIN generate_series(1, CAST(:copies AS int)) AS n"
    )


def _copied(column: Column[Any]) -> str:
    of = f"x.{column.name}"
    if column.name in NAMING or any(one.column.table in COPIED for one in column.foreign_keys):
        return f"CAST(md5(CAST({of} AS text) || n) AS uuid)"
    if column.name == "provider_id" and isinstance(column.type, Uuid):
        return (
            "(SELECT b.id FROM ranked a JOIN ranked b "
            f"ON b.place = (a.place + n * {AGENCIES_ON}) % a.all_of_them WHERE a.id = {of})"
        )
    if column.table is t.care_case and column.name == "number":
        return f"{of} || '-' || n"
    if isinstance(column.type, Instant):
        return f"{of} - n * interval '{DAYS_EARLIER} days'"
    if isinstance(column.type, Date):
        return f"{of} - n * {DAYS_EARLIER}"
    return of
