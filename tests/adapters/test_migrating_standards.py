"""The migration of standards: shipped ids, scopes, and what running clocks were set by."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Engine, select, text

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.schema import migrations
from casework.bootstrap import Application, build
from casework.domain.clocks.standards import SHIPPED
from casework.settings import Settings

NUMBERED = 0x0190_0000_0000_7000_8000_0000_0000_0000
FIRST_OLD, TWELFTH_OLD = UUID(int=NUMBERED + 1), UUID(int=NUMBERED + 12)
SURVEY, RESPONSE = (
    next(one for one in SHIPPED if one.scope == f"{kind}/*/*/*/*")
    for kind in ("survey", "response")
)
TIERS = [{"tier": 1, "after": {"amount": 1, "unit": "days"}, "to": "worker"}]


def this_one() -> Script:
    """The migration under test, whatever its number."""
    (found,) = [
        script
        for script in ScriptDirectory(str(migrations.MIGRATIONS)).walk_revisions()
        if "standards_and_holidays" in Path(script.path).stem
    ]
    return found


@pytest.fixture
def before(tmp_path: Path) -> Iterator[Engine]:
    """A database as the migration finds it."""
    url = f"sqlite:///{tmp_path / 'before.sqlite'}"
    migrations.upgrade(url, str(this_one().down_revision))
    engine = open_engine(url)
    yield engine
    engine.dispose()


def write(engine: Engine, table: str, **row: Any) -> None:
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    with engine.begin() as connection:
        connection.execute(
            text(f"INSERT INTO {table} ({names}) VALUES ({values})"),
            {k: v.hex if isinstance(v, UUID) else v for k, v in row.items()},
        )


def a_standard(engine: Engine, id: UUID, kind: str, **facts: Any) -> None:
    usual = {"target": "5 working_days", "basis": "city service target"}
    write(engine, "standard", id=id, kind=kind, **(usual | facts))


def up(engine: Engine) -> dict[UUID, Any]:
    """Migrate, and the standards by id."""
    migrations.upgrade(str(engine.url), this_one().revision)
    return standards(engine)


def standards(engine: Engine) -> dict[UUID, Any]:
    with engine.connect() as connection:
        rows = connection.execute(select(*t.standard.c["id", "scope", "ended_at"])).all()
    return {row.id: row for row in rows}


def test_shipped_standards_get_the_ids_that_follow_from_their_scope(before: Engine) -> None:
    a_standard(before, FIRST_OLD, "survey")
    a_standard(before, TWELFTH_OLD, "response")
    found = up(before)
    assert {row.id: row.scope for row in found.values()} == {
        SURVEY.id: SURVEY.scope, RESPONSE.id: RESPONSE.scope,
    }  # fmt: skip
    migrations.downgrade(str(before.url), str(this_one().down_revision))
    with before.connect() as connection:
        ids = connection.scalars(text("SELECT id FROM standard ORDER BY id")).all()
    assert ids == [FIRST_OLD.hex, TWELFTH_OLD.hex]


def test_of_two_for_just_the_same_the_first_stays_in_force(before: Engine) -> None:
    first, second, third = (UUID(int=n) for n in (1, 2, 3))
    for id in (second, first):
        a_standard(before, id, "survey", district_code="26350")
    a_standard(before, third, "survey", district_code="26350", priority="urgent")
    found = up(before)
    assert [id for id in sorted(found) if found[id].ended_at is None] == [first, third]
    assert found[third].scope == "survey/urgent/*/*/26350"


def test_clocks_keep_tiers_and_lapse_of_the_standard_they_name(before: Engine) -> None:
    own = UUID(int=9)
    facts = {"escalation": json.dumps(TIERS), "lapse_after": "8 working_days"}
    a_standard(before, own, "response", district_code="26350", **facts)
    a_standard(before, TWELFTH_OLD, "response", lapse_after="10 working_days")
    # Without a case: a connection of its own, which asks for no foreign key.
    with closing(sqlite3.connect(str(before.url.database))) as connection:
        for n, standard in enumerate((own, TWELFTH_OLD), start=1):
            connection.execute(CLOCK, {"id": UUID(int=n).hex, "standard": standard.hex})
        connection.commit()
    up(before)
    clock = t.deadline.c
    with before.connect() as reading:
        rows = reading.execute(
            select(clock.standard_id, clock.escalation, clock.lapse_after).order_by(clock.id)
        ).all()
    assert [(row[0], row[1], str(row[2].amount)) for row in rows] == [
        (own, TIERS, "8"), (RESPONSE.id, None, "10"),
    ]  # fmt: skip


CLOCK = (
    "INSERT INTO deadline (id, case_id, kind, subject_type, subject_id, resident_id, centre_code, "
    "district_code, held_by, priority, standard_id, basis, target, started_at, due_at, pauses, "
    "extensions, excused) VALUES (:id, 'c', 'response', 'referral', 's', 'r', '2635051000', "
    "'26350', 'provider', 'routine', :standard, 'x', '3 working_days', "
    "'2026-03-03T01:00:00.000000', '2026-03-06T14:59:59.000000', '[]', '[]', 0)"
)


def test_migrating_again_adds_only_what_no_standard_is_for(
    before: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_standard(before, FIRST_OLD, "survey")
    a_standard(before, UUID(int=5), "plan")  # an installation's own, for what is shipped as well
    monkeypatch.setenv("CASEWORK_DATABASE_URL", str(before.url))
    application: Application = build(Settings())
    for _ in range(2):
        application.migrate()
        scopes = [row.scope for row in standards(before).values()]
        assert sorted(scopes) == sorted(one.scope for one in SHIPPED)
    application.engine.dispose()
    assert UUID(int=5) in standards(before)
