"""The search for duplicates reads a few rows by index, however many residents there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event, insert

from casework.adapters import reference
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import encrypt_row
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.residents.likeness import MAX_WITH_PHONE
from casework.bench.statements import statements
from casework.domain.access.policy import EVERYTHING
from casework.domain.duplicates.likeness import Likeness, near_dates
from casework.domain.residents.names import initials_of, name_and_birth, name_key
from tests.api import acts
from tests.api.conftest import DISTRICT, HERE, NEXT_DOOR, WORKER, Api

BORN = date(1941, 3, 5)
ON_SQLITE = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


def crowd(api: Api, count: int, **facts: Any) -> None:
    """Insert that many residents of HERE, each born on another day."""
    usual = {"sex": "female", "centre_code": HERE, "district_code": DISTRICT, "version": 1,
             "registered_at": api.clock.now}  # fmt: skip
    rows = []
    for n in range(count):
        row: dict[str, Any] = {
            "id": new_id(),
            "name": f"가상{n}",
            "birth_date": date.fromordinal(690_000 + n),
            "phone_digits": f"0109{n:07}",
        }
        row |= usual | facts
        row["name_birth_index"] = name_and_birth(row["name"], row["birth_date"])
        row |= {"name_key": name_key(row["name"]), "name_initials": initials_of(row["name"])}
        rows.append(encrypt_row(t.resident, row, row["id"], api.application.vault))
    with api.engine.begin() as connection:
        connection.execute(insert(t.resident), rows)


def compared(api: Api, likeness: Likeness) -> int:
    """How many rows are read as candidates for comparison."""
    with api.application.store.work(EVERYTHING, "duplicate.review", api.clock.now) as work:
        return len(work.residents.like(likeness, new_id()))


def test_only_those_born_on_a_near_day_are_read(api: Api) -> None:
    one = Likeness(name="가상", birth_date=BORN, phone=None, district_code=DISTRICT)
    near = sorted(near_dates(BORN))
    crowd(api, 3000, phone_digits=None)
    before = compared(api, one)
    assert before < len(near) + 1
    crowd(api, 5, birth_date=near[0])
    assert compared(api, one) == before + 5
    crowd(api, 5, birth_date=near[0], district_code="26110")
    assert compared(api, one) == before + 5
    crowd(api, 2, birth_date=BORN, name="가상", district_code="26110")  # by its index
    assert compared(api, one) == before + 7


def test_a_telephone_of_many_is_not_read_through(api: Api) -> None:
    one = Likeness(name="가상", birth_date=date(2000, 1, 1), phone="051-1", district_code=DISTRICT)
    for more, expected in ((MAX_WITH_PHONE - 1, MAX_WITH_PHONE - 1), (1, MAX_WITH_PHONE),
                           (1, MAX_WITH_PHONE)):  # fmt: skip
        crowd(api, more, phone_digits="0511")
        assert compared(api, one) == expected


@contextmanager
def plans(api: Api) -> Iterator[list[str]]:
    """SQLite's query plans for the statements sent inside the block."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.startswith("SELECT") and "resident" in statement:
            asked.append((statement, parameters))

    found: list[str] = []
    event.listen(api.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(api.engine, "before_cursor_execute", note)
    with api.engine.connect() as connection:
        for statement, parameters in asked:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found += [row[3] for row in rows]


@ON_SQLITE
def test_nothing_walks_through_the_residents(api: Api) -> None:
    """Part of a name is looked for among those in scope, so the crowd is next door."""
    crowd(api, 2000, centre_code=NEXT_DOOR)
    for centre in reference.centres()[:40]:
        crowd(api, 5, centre_code=centre.code, district_code=centre.district_code)
    with api.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    with plans(api) as found:
        acts.a_resident(api, phone="010-1234-5678")
        list(api.application.find_duplicates())
        worker = api.as_(WORKER)
        for wanted in ({"name": "가상7"}, {"phone": "010-1234-5678"}):
            assert worker.post("/residents/search", wanted).status_code == 200
    walked = [one for one in found if one.startswith("SCAN") and "(subquery" not in one]
    assert [one for one in walked if "resident" in one or "written" in one] == []
    assert any("ix_resident_district_code_birth_date" in one for one in found)


def test_registering_costs_the_same_whoever_is_out_of_sight(api: Api) -> None:
    costs = []
    acts.a_resident(api)  # what rarely changes is cached
    for _ in range(3):
        with statements(api.application.engine) as sent:
            acts.a_resident(api, name="김영숙", birth_date=BORN, phone="010-1234-5678")
        costs.append(len(sent))
        crowd(api, 20, centre_code="2635052000", name="김영숙", birth_date=BORN,
              phone_digits="01012345678")  # fmt: skip
    assert costs[1] - costs[0] == 1  # that it is another person than the first, written down
    assert costs[2] == costs[1]
