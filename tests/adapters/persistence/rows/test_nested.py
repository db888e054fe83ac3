"""Rows that come as one column of another row are the rows that come by themselves."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.rows.mapper import from_row, stored, table_of
from casework.adapters.persistence.rows.nested import Nested
from casework.domain.casefile.plan import PlannedService, PlanVersion
from casework.domain.casefile.referral import Referral
from casework.domain.clocks.deadlines import Deadline, Escalation
from tests.adapters.persistence.rows.inventing import Inventor

EXAMPLES = 12


@pytest.mark.parametrize("cls", [Deadline, Escalation, PlannedService, PlanVersion, Referral])
def test_a_nested_row_has_the_values_of_the_row(connection: Connection, cls: Any) -> None:
    table, inventor, vault = table_of(cls), Inventor(3), vault_of(connection)
    things = [inventor.thing(cls) for _ in range(EXAMPLES)] + [inventor.thing(cls, bare=True)]
    for thing in things:
        connection.execute(table.delete())
        connection.execute(insert(table), [stored(thing, vault)])
        by_itself = dict(connection.execute(select(table)).one()._mapping)
        nested = Nested("rows", select(table), connection.dialect.name)
        (found,) = nested.of(connection.execute(select(nested.column)).one())
        assert found == by_itself
        assert {name: type(it) for name, it in found.items()} == {
            name: type(it) for name, it in by_itself.items()
        }
        assert from_row(cls, found, vault) == from_row(cls, by_itself, vault)


def test_of_nothing_nothing_comes(connection: Connection) -> None:
    nested = Nested("rows", select(t.referral), connection.dialect.name)
    assert nested.of(connection.execute(select(nested.column)).one()) == []
