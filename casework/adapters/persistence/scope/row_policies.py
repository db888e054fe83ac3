"""Row-level security on PostgreSQL: the registry, compiled to policies and functions.

A policy admits what any condition of its table does for the facts that the transaction set
of its actor (``session_context.py``). What was not set is NULL, and NULL matches nothing.
What may be written is what may be seen, but for what is only counted or looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, exists, literal_column, or_, select
from sqlalchemy.dialects import postgresql

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.scope import row_conditions
from casework.adapters.persistence.scope.database_grants import TABLES, RowKind
from casework.adapters.persistence.scope.facts import STATED
from casework.adapters.persistence.scope.who_sees_what import CASES_SENT, CITY, REGISTRY
from casework.adapters.persistence.scope.whose_rows import Rows

_POSTGRESQL: Final = postgresql.dialect()  # type: ignore[no-untyped-call]
_IS_STAFF: Final = and_(STATED.agency.is_(None), STATED.reach == "own")
_NO_ASSESSOR: Final = STATED.sent.is_(None)


def _sql(query: Any) -> str:
    """A statement as text, with its parameters inlined."""
    compiled = query.compile(dialect=_POSTGRESQL, compile_kwargs={"literal_binds": True})
    return " ".join(str(compiled).split())


FUNCTIONS: Final = {name: _sql(ids(STATED)) for name, ids in row_conditions.SETS.items()}
# Numbers for those who see no case, but administer accounts or the directory: counted by the owner.
COUNTS: Final = {
    "casework_open_cases": (
        "SELECT count(*) FROM care_case c WHERE c.worker_id = $1 AND c.status <> 'closed'"
    ),
    "casework_open_requests": (
        "SELECT count(*) FROM referral r WHERE r.offering_id = $1"
        " AND r.status IN ('requested', 'waitlisted', 'accepted')"
    ),
    "casework_running_services": (
        "SELECT count(*) FROM referral r WHERE r.offering_id = $1"
        " AND r.status IN ('in_progress', 'on_hold')"
    ),
}
# Whose files a transaction that hands over a worker's cases works on, told to one who sees no case.
CARRIED: Final = {
    "casework_residents_carried": (
        "SELECT c.resident_id FROM care_case c WHERE c.worker_id = $1 AND c.status <> 'closed'"
    ),
}


def _alternatives(table: str, row: Any, *, to_write: bool) -> Iterator[ColumnElement[bool]]:
    """The conditions of which one is enough to see, or write, a row."""
    rows = REGISTRY[table]
    # The cheap ones first: they are evaluated in this order.
    yield STATED.reach == "all"
    if not to_write and CITY in rows.count:
        yield STATED.reach == "city"
    if rows.worked_on is not None:
        yield rows.worked_on.condition(row, STATED)
    of_relations = (one for rule in rows.see.values() for one in rule)
    for condition in dict.fromkeys(of_relations):
        if condition is not row_conditions.everything:
            yield condition(row, STATED)
    if rows.parent is not None:
        yield from _of_parent(rows, row, to_write=to_write)
    for also in rows.wider:
        if also.writes or not to_write:
            yield also.condition(row, STATED)
    if not to_write and rows.is_opened:
        yield row_conditions.opened(row, STATED)


def _of_parent(rows: Rows, row: Any, *, to_write: bool) -> Iterator[ColumnElement[bool]]:
    if not rows.is_for_staff:
        yield _has_parent(rows, row, to_write=to_write)
        return
    staff = [_IS_STAFF, *([_NO_ASSESSOR] if CASES_SENT in rows.hidden_from else [])]
    yield and_(*staff, _has_parent(rows, row, to_write=to_write))
    # An agency's own work goes on in the file of the resident that the transaction works on.
    yield and_(STATED.unit.is_not(None), _has_parent(rows, row, to_write=True))


def _has_parent(rows: Rows, row: Any, *, to_write: bool) -> ColumnElement[bool]:
    """The parent is there for the actor, by its own policy; to write, for more than a look."""
    name, key = rows.parent or ("", "")
    parent = t.metadata.tables[name].alias("p")
    found: Select[Any] = select(literal_column("1")).select_from(parent)
    found = found.where(parent.c.id == row.c[key])
    if to_write:
        found = found.where(or_(*_alternatives(name, parent, to_write=True)))
    return exists(found)


def condition(table: str, *, to_write: bool) -> str:
    """Which rows of a table the actor of a transaction sees, or writes."""
    row = t.metadata.tables[table]
    lets_through = or_(*_alternatives(table, row, to_write=to_write))
    # Compiled within a statement on the table, so that subqueries refer to its row.
    statement: Select[Any] = select(literal_column("1")).select_from(row).where(lets_through)
    return _sql(statement).split(" WHERE ", 1)[1]


def policies(table: str) -> dict[str, str]:
    """The policies of a table by their names, as what follows ``ON table``."""
    if TABLES[table] is not RowKind.PERSONAL:
        return {}
    see, write = condition(table, to_write=False), condition(table, to_write=True)
    return {
        "casework_see": f"FOR SELECT USING ({see})",
        "casework_add": f"FOR INSERT WITH CHECK ({write})",
        "casework_change": f"FOR UPDATE USING ({write}) WITH CHECK ({write})",
        "casework_remove": f"FOR DELETE USING ({write})",
    }
