"""Helpers that read statements, the schema, stored clocks and their steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, func, select, text

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.rows.mapper import from_row, table_of
from casework.bench.statements import statements
from casework.domain.clocks.deadlines import Deadline, Escalation
from tests.api.conftest import Api

OF_ALEMBIC = "alembic_version"
OF_POSTGRES = (
    "SELECT table_name, column_name, udt_name, character_maximum_length, is_nullable, "
    "column_default FROM information_schema.columns WHERE table_schema = current_schema()",
    "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = current_schema()",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = current_schema()::regnamespace",
)
# A table that was recreated has its name in quotation marks, which carry no meaning.
OF_SQLITE = ("SELECT tbl_name, type, name, replace(sql, '\"', '') FROM sqlite_master",)
CHANGES = ("INSERT", "UPDATE", "DELETE", "WITH")


@contextmanager
def changes(engine: Engine) -> Iterator[list[str]]:
    """The statements sent inside the block that change something."""
    found: list[str] = []
    with statements(engine) as sent:
        yield found
    found += [one for one in sent if one.lstrip().startswith(CHANGES)]


def structure(engine: Engine) -> set[tuple[Any, ...]]:
    """Everything that can be said of the tables: columns, keys, indexes, checks."""
    queries = OF_SQLITE if engine.dialect.name == "sqlite" else OF_POSTGRES
    with engine.connect() as connection:
        rows = [tuple(row) for query in queries for row in connection.execute(text(query))]
    return {row for row in rows if row[0] != OF_ALEMBIC}


def stored(api: Api, cls: type[Any], id: UUID) -> Any:
    """The object of that id as the database holds it now."""
    table = table_of(cls)
    with api.engine.connect() as connection:
        row = connection.execute(select(table).where(table.c.id == id)).one()
        return from_row(cls, row, vault_of(connection))


def the_clock(api: Api, id: UUID) -> Deadline:
    """The clock of that id."""
    found: Deadline = stored(api, Deadline, id)
    return found


def steps(api: Api, clock: UUID) -> list[Escalation]:
    """Every step of a clock, planned or raised, by instant and tier."""
    step = t.escalation
    with api.engine.connect() as connection:
        return [
            from_row(Escalation, row)
            for row in connection.execute(
                select(step).where(step.c.deadline_id == clock).order_by(step.c.at, step.c.tier)
            )
        ]


def raised(api: Api, clock: UUID) -> list[int]:
    """The tiers that were raised for a clock and not passed over, in order."""
    return [
        one.tier for one in steps(api, clock) if one.raised_at is not None and not one.passed_over
    ]


def passed_over(api: Api, clock: UUID) -> list[int]:
    """The tiers of a clock that were passed over for a higher one."""
    return [one.tier for one in steps(api, clock) if one.passed_over]


def planned(api: Api, clock: UUID) -> list[int]:
    """The tiers of a clock that are still to come."""
    return [one.tier for one in steps(api, clock) if one.raised_at is None]


def told(api: Api, clock: UUID) -> list[int]:
    """The tiers for which an event was written: every notice is sent because of one."""
    with api.engine.connect() as connection:
        return [
            data["tier"]
            for data in connection.scalars(
                select(t.event.c.data)
                .where(t.event.c.name == "EscalationRaised", t.event.c.subject_id == clock)
                .order_by(t.event.c.at)
            )
        ]


def count(api: Api, table: Any, *which: Any) -> int:
    """How many rows there are."""
    with api.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table).where(*which)) or 0
