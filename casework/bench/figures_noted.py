"""What an act pays for being counted: a referral and its clocks, written with triggers and without.

Each is written as PostgreSQL's own statements in a transaction that is taken back, in blocks that
take turns; the difference of the medians is what noting takes.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Engine, Table, bindparam, text

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.scope import session_context

BLOCKS, IN_A_BLOCK = 10, 40
NOTED: Final = (t.referral, t.deadline)


def cost_of_noting(owner: Engine) -> dict[str, Any]:
    """Milliseconds that a referral with its clocks takes to be written, and what noting adds."""
    taken: dict[bool, list[float]] = {True: [], False: []}
    referral = _one(owner)
    for _ in range(BLOCKS):
        for notes in (True, False):
            taken[notes] += _block(owner, referral, notes=notes)
    noted, plain = median(taken[True]), median(taken[False])
    return {
        "written_ms": round(plain, 3),
        "written_and_noted_ms": round(noted, 3),
        "noting_ms": round(noted - plain, 3),
    }


def _one(owner: Engine) -> UUID:
    """A referral that was completed, with as many clocks as any."""
    query = text(
        "SELECT r.id FROM referral r JOIN deadline d ON d.subject_id = r.id "
        "WHERE r.status = 'completed' GROUP BY r.id ORDER BY count(*) DESC, r.id LIMIT 1"
    )
    with owner.connect() as connection:
        session_context.set_system_context(connection)
        return UUID(str(connection.scalar(query)))


def _block(owner: Engine, referral: UUID, *, notes: bool) -> list[float]:
    taken = []
    with owner.connect() as connection:
        session_context.set_system_context(connection)
        if not notes:
            for table in NOTED:
                connection.execute(
                    text(f"ALTER TABLE {table.name} DISABLE TRIGGER figure_note_{table.name}")
                )
        for number in range(IN_A_BLOCK + 1):
            savepoint = connection.begin_nested()
            began = time.perf_counter()
            _write(connection, referral)
            if number:  # the first is planned
                taken.append((time.perf_counter() - began) * 1000)
            savepoint.rollback()
        connection.rollback()
    return taken


def _write(connection: Connection, referral: UUID) -> None:
    again = {"old": referral, "new": new_id()}
    connection.execute(_COPY_REFERRAL, again)
    connection.execute(_COPY_CLOCKS, again)


def _copied(table: Table, where: str, **new: str) -> Any:
    names = ", ".join(column.name for column in table.c if column.computed is None)
    facts = ", ".join(f"'{name}', {value}" for name, value in new.items())
    made = f"jsonb_populate_record(x, jsonb_build_object({facts}))"
    return text(
        f"INSERT INTO {table.name} ({names}) SELECT {names} FROM "
        f"(SELECT ({made}).* FROM {table.name} x WHERE {where} = :old) AS copied"
    ).bindparams(bindparam("old"), bindparam("new"))


_COPY_REFERRAL: Final = _copied(t.referral, "x.id", id="CAST(:new AS uuid)")
_COPY_CLOCKS: Final = _copied(
    t.deadline, "x.subject_id", id="gen_random_uuid()", subject_id="CAST(:new AS uuid)"
)
