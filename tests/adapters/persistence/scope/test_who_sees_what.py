"""The scope registry covers every table of personal data; who lacks a fact sees nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, true

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.scope.database_grants import TABLES, RowKind
from casework.adapters.persistence.scope.row_policies import condition, policies
from casework.adapters.persistence.scope.who_sees_what import (
    REGISTRY,
    counted,
    listed,
    seen,
    seen_or_opened,
)
from casework.domain.access.policy import EVERYTHING, OPENERS, Actor, Relation, Role, Scope

NOW = datetime(2026, 3, 2, tzinfo=UTC)
BY_PLACE = {
    Relation.CENTRE: Role.WORKER,
    Relation.DISTRICT: Role.SUPERVISOR,
    Relation.CASES_SENT: Role.ASSESSOR,
    Relation.OWN_AGENCY: Role.PROVIDER,
}
PLACED = (t.resident, t.care_case, t.referral, t.deadline)


def is_nothing(condition: Any) -> bool:
    """Whether a condition matches no row: no alternative, and one part of it that never holds."""
    parts = str(condition)
    return " OR " not in parts and not {"false", "0 = 1"}.isdisjoint(parts.split(" AND "))


def is_everything(condition: Any) -> bool:
    return str(condition) in ("true", "1 = 1")


def test_every_table_of_people_says_whose_its_rows_are() -> None:
    assert {name for name, kind in TABLES.items() if kind is RowKind.PERSONAL} <= set(REGISTRY)
    assert set(REGISTRY) <= set(t.metadata.tables)


def test_the_rows_of_a_child_are_those_of_a_table_with_rows_of_its_own() -> None:
    for name, rows in REGISTRY.items():
        if rows.parent is not None:
            parent, key = rows.parent
            assert REGISTRY[parent].parent is None, name
            assert key in t.metadata.tables[name].c, name


def test_a_difference_between_the_two_guards_has_its_reason() -> None:
    for name, rows in REGISTRY.items():
        for one in (*rows.narrower.values(), *rows.wider):
            assert one.why.endswith("."), name


@pytest.mark.parametrize("table", PLACED, ids=lambda table: table.name)
@pytest.mark.parametrize("relation", BY_PLACE)
def test_who_belongs_nowhere_sees_and_counts_nothing(table: object, relation: Relation) -> None:
    nowhere = Scope(Actor(id=uuid4(), role=BY_PLACE[relation]), relation)
    assert is_nothing(seen(table, nowhere, NOW))
    assert is_nothing(counted(table, nowhere))


@pytest.mark.parametrize("table", PLACED, ids=lambda table: table.name)
def test_a_relation_without_an_entry_sees_nothing(table: object) -> None:
    who = Actor(id=uuid4(), role=Role.CITY)
    if table is t.deadline:  # what the whole city owes in its programme, and nobody's care
        assert seen(table, Scope(who, Relation.CITY), NOW).compare(table.c.district_code == "city")
    else:
        assert is_nothing(seen(table, Scope(who, Relation.CITY), NOW))
    if table is not t.resident:
        assert is_everything(counted(table, Scope(who, Relation.CITY)))


def test_the_system_sees_every_row_of_every_table() -> None:
    for name in REGISTRY:
        assert is_everything(seen(t.metadata.tables[name], EVERYTHING, NOW)), name
    assert is_everything(listed(t.import_row, "queue", EVERYTHING))


def test_a_table_that_is_not_in_the_registry_is_refused() -> None:
    with pytest.raises(KeyError):
        seen(t.household, EVERYTHING, NOW)


def test_an_alias_of_a_table_is_seen_as_the_table() -> None:
    who = Actor(id=uuid4(), role=Role.SUPERVISOR, district_code="11110")
    found = str(select(true()).where(seen(t.resident.alias("one"), Scope(who, Relation.DISTRICT))))
    assert "one.district_code" in found


def test_a_window_needs_an_instant() -> None:
    who = Actor(id=uuid4(), role=Role.PROVIDER, provider_id=uuid4())
    with pytest.raises(Exception, match="None/True/False"):
        seen(t.referral, Scope(who, Relation.OWN_AGENCY))


def test_what_was_opened_is_seen_by_those_who_may_open_and_only_where_the_action_looks() -> None:
    who = Actor(id=uuid4(), role=Role.WORKER, centre_code="A", district_code="11110")
    assert Role.WORKER in OPENERS
    looks, changes = (Scope(who, Relation.CENTRE, opens=opens) for opens in (True, False))
    assert "break_glass" in str(seen_or_opened(t.resident, looks, NOW))
    assert "break_glass" not in str(seen_or_opened(t.resident, changes, NOW))


def test_what_is_only_looked_at_or_counted_is_not_written() -> None:
    for name in ("resident", "care_case", "referral", "deadline"):
        assert "casework_residents_opened" in condition(name, to_write=False)
        assert "casework_residents_opened" not in condition(name, to_write=True)
        assert "'city'" not in condition(name, to_write=True)
    assert "casework_consents_asked" not in condition("consent", to_write=True)


def test_a_policy_stands_by_itself() -> None:
    for name, kind in TABLES.items():
        made = policies(name)
        assert bool(made) is (kind is RowKind.PERSONAL), name
        for rule in made.values():
            assert "%(" not in rule, name
            assert ":" not in rule.replace("::", ""), name
