"""The migration of matching: what stood there before gets the shipped rules, and keeps its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Engine, inspect, select, text, update

from casework.adapters import reference
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.rows import bulk
from casework.adapters.persistence.rows.mapper import from_row
from casework.adapters.persistence.schema import migrations
from casework.domain.clocks.standards import SHIPPED
from casework.domain.directory.directory import Service
from tests.conftest import Store

OWN = {"fact": "age", "comparison": "at_least", "values": ["60"], "basis": "invented",
       "certainty": "L"}  # fmt: skip


def this_one() -> Script:
    """The migration under test, whatever its number."""
    (found,) = [
        script
        for script in ScriptDirectory(str(migrations.MIGRATIONS)).walk_revisions()
        if Path(script.path).stem.endswith("_matching")
    ]
    return found


@pytest.fixture
def before(store: Store) -> Iterator[Engine]:
    """A database as the migration finds it, with two services."""
    migrations.downgrade(store.owner_url, str(this_one().down_revision))
    engine = open_engine(store.owner_url)
    with engine.begin() as connection:
        for code in ("NUR-BATH", "CARE-MEALS"):
            connection.execute(
                text(
                    "INSERT INTO service (code, field, name_ko, name_en, run_by, unit, basis,"
                    " certainty) VALUES (:code, 'care', '가상', 'invented', 'city', 'meal',"
                    " 'Act 18', 'C')"
                ),
                {"code": code},
            )
    yield engine
    engine.dispose()


def load(engine: Engine) -> dict[str, Service]:
    """As `casework migrate` does when the schema is there; the services by code."""
    bulk.load_facts(
        engine, reference.districts(), reference.centres(), reference.services(), SHIPPED
    )
    with engine.connect() as connection:
        return {row.code: from_row(Service, row) for row in connection.execute(select(t.service))}


def test_services_that_stood_there_get_their_rules_once(before: Engine, store: Store) -> None:
    migrations.upgrade(store.owner_url)
    found = load(before)
    shipped = {one.code: one for one in reference.services()}
    assert set(found) == set(shipped)
    for code, one in found.items():
        assert (one.eligibility, one.given_at) == (
            shipped[code].eligibility, shipped[code].given_at,
        ), code  # fmt: skip
    assert found["CARE-MEALS"].name_ko == "가상"
    with before.begin() as connection:
        for code, rules in (("NUR-BATH", []), ("CARE-MEALS", [OWN])):
            connection.execute(
                update(t.service).where(t.service.c.code == code).values(eligibility=rules)
            )
    again = load(before)
    assert again["NUR-BATH"].eligibility == ()
    assert [one.values for one in again["CARE-MEALS"].eligibility] == [("60",)]


def test_it_is_taken_back_and_leaves_the_services(before: Engine, store: Store) -> None:
    def columns() -> dict[str, set[str]]:
        looked = inspect(before)
        return {
            name: {one["name"] for one in looked.get_columns(name)}
            for name in looked.get_table_names()
        }

    was = columns()
    migrations.upgrade(store.owner_url, this_one().revision)
    assert columns()["service"] - was["service"] == {"eligibility", "given_at"}
    with before.begin() as connection:
        connection.execute(
            text("UPDATE service SET eligibility = :rules"), {"rules": json.dumps([OWN])}
        )
    migrations.downgrade(store.owner_url, str(this_one().down_revision))
    assert columns() == was
    with before.connect() as connection:
        codes = connection.scalars(text("SELECT code FROM service ORDER BY code")).all()
    assert codes == ["CARE-MEALS", "NUR-BATH"]
