"""The statements of case files, each built once for every form of a scope."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from sqlalchemy import Select, Table, Update, and_, bindparam, select, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.several import cases, nested_parts
from casework.adapters.persistence.rows.nested import Nested
from casework.adapters.persistence.scope.who_sees_what import ScopeForm, once_for_each_form, seen

# Whoever sees one of these reads its case file to act on it, be it an agency.
SEEN_BY_THEMSELVES: Final = (t.referral, t.deadline)


@once_for_each_form
def case_of(form: ScopeForm, table: Table, *, is_locked: bool) -> Select[Any]:
    """The case that the row ``of`` of a table belongs to, or is: what the actor sees of these."""
    case, row = t.care_case, table.c.id == bindparam("of")
    if table is case:
        which = and_(row, seen(case, form))
    elif table in SEEN_BY_THEMSELVES:
        owner = select(table.c.case_id).where(row, seen(table, form))
        which = case.c.id == owner.scalar_subquery()
    else:
        owner = select(table.c.case_id).where(row)
        which = and_(case.c.id == owner.scalar_subquery(), seen(case, form))
    query = cases().where(which)
    return query.with_for_update() if is_locked else query


@cache
def change(table: Table, names: frozenset[str]) -> Update:
    """A change of some columns of the row that is the parameter ``key``."""
    values: dict[str, Any] = {name: bindparam(name) for name in sorted(names)}
    return update(table).where(table.c.id == bindparam("key")).values(values)


@cache
def clock_changes(names: frozenset[str], index: int) -> Update:
    """A change of some columns of a clock, whose parameters begin with ``c`` and a number."""
    clock = t.deadline
    values: dict[str, Any] = {name: bindparam(f"c{index}_{name}") for name in sorted(names)}
    return update(clock).where(clock.c.id == bindparam(f"c{index}_key")).values(values)


@cache
def parts_query(
    dialect: str, classes: tuple[type, ...], ended_clocks: bool
) -> tuple[Select[Any], dict[type, Nested]]:
    """What belongs to the case of the parameter ``case``: of its clocks those that run, or all."""
    parts = nested_parts(dialect, classes, bindparam("case"), ended_clocks=ended_clocks)
    return select(*(one.column for one in parts.values())), parts
