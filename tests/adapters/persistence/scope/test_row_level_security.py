"""Row-level security: with the application's own filter forced open, still no row out of scope."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, func, insert, select, text, update
from sqlalchemy.exc import ProgrammingError

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import encrypt_row
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.rows import bulk
from casework.adapters.persistence.scope import row_level_security, session_context
from casework.adapters.persistence.scope.database_grants import TABLES, RowKind
from casework.adapters.persistence.scope.row_policies import policies
from casework.adapters.persistence.unit_of_work.reading import SqlReading
from casework.bootstrap import Application
from casework.domain.access.policy import EVERYTHING, POLICY, Actor, Relation, Role, Scope, scope_of
from casework.domain.errors import NotFound
from casework.workflows.cases import caseload
from casework.workflows.ports.supervision import WorklistFilter
from casework.workflows.ports.unit_of_work import Paging
from casework.workflows.residents import residents
from tests.api.acts import a_case, a_referral, a_resident, a_supported_case, surveyed
from tests.api.conftest import (
    ASSESSOR,
    COLLEAGUE,
    FAR,
    FAR_SUPERVISOR,
    HERE,
    NEIGHBOUR,
    NEXT_DOOR,
    OTHER_DISTRICT,
    OTHER_PROVIDER,
    PROVIDER,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
)
from tests.conftest import session_vault
from tests.forced_open import forced_open
from tests.proofs import predicate
from tests.proofs.rotation import fill

ON_POSTGRES = pytest.mark.parametrize("store", ["postgres"], indirect=True)
WALLED = sorted(name for name, kind in TABLES.items() if kind is RowKind.PERSONAL)
# Every list operation, with what each item belongs to.
LISTS = (
    ("GET", "/cases", None),
    ("GET", "/referrals", None),
    ("GET", "/worklist", None),
    ("GET", "/overdue", None),
    ("GET", "/unmet-needs", None),
    ("GET", "/conferences", None),
    ("GET", "/break-glass", None),
    ("POST", "/residents/search", {"birth_date": "1941-05-06"}),
)


@dataclass(frozen=True)
class There:
    """The records of one centre."""

    resident: UUID
    case: UUID
    referral: UUID
    note: UUID
    consent: UUID
    clock: UUID


@pytest.fixture
def city(api: Api) -> dict[str, There]:
    """The same records in three centres, two of them in one district; by now overdue."""
    found = {}
    for code, who in ((HERE, WORKER), (NEXT_DOOR, NEIGHBOUR), (FAR, STRANGER)):
        far = code == FAR
        supported = a_supported_case(api, who, FAR_SUPERVISOR if far else SUPERVISOR)
        referral = a_referral(api, supported, "gamma" if far else "alpha", who)
        shown = api.as_(who).get(f"/referrals/{referral}").json()
        resident, case = UUID(shown["resident_id"]), UUID(shown["case_id"])
        ctx = api.context(who)
        note = residents.write_note(
            ctx, resident, kind="call", with_whom=None, text="words", come_back_on=ctx.act.today
        )
        consent = residents.record_consent(
            ctx, resident, purpose="outreach", given_by="self", given_on=ctx.act.today,
            recipients=[], expires_on=None,
        )  # fmt: skip
        clock = UUID(shown["deadlines"][0]["id"])
        found[code] = There(resident, case, referral, note, consent, clock)
        opener = api.as_(COLLEAGUE if far else f"worker2.{FAR}")
        body = {"resident_id": str(resident), "reason": "to see what others see of it"}
        opening = opener.post("/break-glass", body).json()["id"]
        assert opener.post(f"/break-glass/{opening}/end").status_code == 200
    api.clock.forward(days=30)
    api.application.sweep(api.application.context())
    return found


def paths_of(there: There) -> list[str]:
    """The path of every operation that reads one thing by its id."""
    return [
        f"/residents/{there.resident}", f"/residents/{there.resident}/notes",
        f"/residents/{there.resident}/consents", f"/residents/{there.resident}/timeline",
        f"/cases/{there.case}", f"/cases/{there.case}/plan", f"/cases/{there.case}/time",
        f"/referrals/{there.referral}", f"/deadlines/{there.clock}",
        f"/deadlines/{there.clock}/escalations", f"/deadlines/{there.clock}/explanation",
    ]  # fmt: skip


OWN = {
    WORKER: {HERE},
    NEIGHBOUR: {NEXT_DOOR},
    SUPERVISOR: {HERE, NEXT_DOOR},
    FAR_SUPERVISOR: {FAR},
    ASSESSOR: {HERE, NEXT_DOOR},
    PROVIDER: {HERE, NEXT_DOOR},
    OTHER_PROVIDER: set(),
    "city": set(),
    "auditor": set(),
    "admin": set(),
}


def answers(api: Api, username: str, city: dict[str, There]) -> dict[str, tuple[int, bytes]]:
    """An actor's answers to every list and every thing in the city."""
    found = {}
    client = api.as_(username)
    for method, path, body in LISTS:
        answer = client.request(method, path, **({"json": body} if body else {}))
        found[path] = (answer.status_code, answer.content)
    for there in city.values():
        for path in paths_of(there):
            answer = client.get(path)
            found[path] = (answer.status_code, answer.content)
    return found


@ON_POSTGRES
@pytest.mark.parametrize("username", list(OWN))
def test_with_the_filter_forced_open_no_foreign_row_comes_through(
    api: Api, city: dict[str, There], username: str
) -> None:
    plain = answers(api, username, city)
    with forced_open():
        found = answers(api, username, city)
    for code, there in city.items():
        if code in OWN[username]:  # everything in scope is seen as before
            assert [found[path] for path in paths_of(there)] == [
                plain[path] for path in paths_of(there)
            ]
            continue
        for path in paths_of(there):
            assert found[path][0] in (403, 404), (path, found[path])
        for path, (status, body) in found.items():
            if status == 200:
                for id in (there.resident, there.case, there.referral, there.note, there.clock):
                    assert str(id).encode() not in body, (path, body)
    assert any(status == 200 for status, _ in found.values()) or username in (
        "city", "auditor", "admin",
    )  # fmt: skip


@ON_POSTGRES
def test_the_control_without_the_walls_the_forced_filter_lets_rows_through(
    api: Api, city: dict[str, There]
) -> None:
    with api.engine.begin() as connection:
        for table in WALLED:
            connection.execute(text(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"))
    with forced_open():
        found = answers(api, WORKER, city)
    foreign = city[FAR]
    assert {found[path][0] for path in paths_of(foreign)} == {200}
    for path in ("/cases", "/referrals", "/overdue", "/residents/search"):
        assert str(foreign.resident).encode() in found[path][1], path


@ON_POSTGRES
def test_a_change_of_a_foreign_case_finds_nothing_with_the_filter_forced_open(
    api: Api, city: dict[str, There]
) -> None:
    with forced_open():
        for username, code in ((WORKER, NEXT_DOOR), (WORKER, FAR), (SUPERVISOR, FAR)):
            there, client = city[code], api.as_(username)
            for path, body in (
                (f"/residents/{there.resident}/notes", {"kind": "call", "text": "x"}),
                (f"/cases/{there.case}/hold", {"reason": "away", "until": "2026-05-20"}),
                (f"/referrals/{there.referral}/cancel", {"reason": "resident_moved"}),
                (f"/consents/{there.consent}/withdraw", {}),
            ):
                answer = client.post(path, body)
                assert answer.status_code == 404, (username, path, answer.text)


# The policies alone


def asked_as(engine: Engine, who: Actor | None, now: Any, action: str = "case.read") -> Any:
    """A transaction with the session context of an actor, or with none."""
    connection = engine.connect()
    if who is not None:
        relation = next(iter(POLICY[action].values()))
        session_context.set_session_context(connection, Scope(who, relation), action, now)
    return connection


def ids(connection: Any, table: Any) -> set[UUID]:
    with connection:
        return set(connection.scalars(select(table.c.id)))


@ON_POSTGRES
def test_where_nobody_said_who_asks_there_is_no_row(api: Api, city: dict[str, There]) -> None:
    held = {}
    with api.application.engine.connect() as app, api.engine.connect() as owner:
        for name in WALLED:
            query = select(func.count()).select_from(t.metadata.tables[name])
            assert app.scalar(query) == 0, name
            held[name] = owner.scalar(query)
    assert {"resident", "care_case", "referral", "deadline", "note", "event"} <= {
        name for name, count in held.items() if count
    }


@ON_POSTGRES
def test_what_was_said_is_forgotten_with_the_transaction(api: Api, city: dict[str, There]) -> None:
    with api.application.engine.connect() as connection:
        session_context.set_session_context(connection, EVERYTHING, "case.read", api.clock.now)
        assert connection.scalar(select(func.count()).select_from(t.resident)) == 3
        connection.rollback()
        assert connection.scalar(select(func.count()).select_from(t.resident)) == 0


@ON_POSTGRES
@pytest.mark.parametrize(("off", "is_seen"), [(-1, True), (0, False), (1, False)])
def test_an_agency_sees_a_referral_until_thirty_days_after_its_end(
    api: Api, city: dict[str, There], off: int, is_seen: bool
) -> None:
    there = city[HERE]
    api.as_(WORKER).post(f"/referrals/{there.referral}/cancel", {"reason": "resident_moved"})
    with api.engine.begin() as connection:
        ended = connection.scalar(
            update(t.referral).where(t.referral.c.id == there.referral)
            .values(ended_at=api.clock.now).returning(t.referral.c.ended_at)
        )  # fmt: skip
    now = ended + timedelta(days=30, microseconds=off)
    seen = ids(asked_as(api.application.engine, api.actor(PROVIDER), now), t.referral)
    assert (there.referral in seen) is is_seen
    api.clock.now = now
    assert (api.as_(PROVIDER).get(f"/referrals/{there.referral}").status_code == 200) is is_seen


@ON_POSTGRES
def test_an_agency_sees_no_draft_and_only_what_belongs_to_its_referrals(
    api: Api, city: dict[str, There]
) -> None:
    engine, who, now = api.application.engine, api.actor(PROVIDER), api.clock.now
    mine = {city[HERE].referral, city[NEXT_DOOR].referral}
    assert ids(asked_as(engine, who, now), t.referral) == mine
    with api.engine.begin() as connection:
        connection.execute(update(t.referral).values(requested_at=None))
    for table in (t.referral, t.resident, t.care_case, t.note, t.consent, t.deadline):
        assert ids(asked_as(engine, who, now), table) == set(), table.name


@ON_POSTGRES
def test_the_city_sees_what_it_counts_only_while_it_counts(
    api: Api, city: dict[str, There]
) -> None:
    engine, who, now = api.application.engine, api.actor("city"), api.clock.now
    counting = engine.connect()
    session_context.set_session_context(
        counting, scope_of(who, "figures.read"), "figures.read", now
    )
    with counting:
        assert len(set(counting.scalars(select(t.care_case.c.id)))) == 3
        for table in (t.resident, t.note, t.consent, t.contact, t.event):
            assert counting.scalar(select(func.count()).select_from(table)) == 0, table.name
    looking = engine.connect()
    session_context.set_session_context(
        looking, scope_of(who, "directory.read"), "directory.read", now
    )
    assert ids(looking, t.care_case) == set()


@ON_POSTGRES
def test_nothing_is_written_into_what_is_out_of_scope(api: Api, city: dict[str, There]) -> None:
    engine, who, now = api.application.engine, api.actor(WORKER), api.clock.now
    there = city[FAR]
    with asked_as(engine, who, now) as connection:
        for table in (t.resident, t.care_case, t.referral, t.deadline):
            changed = connection.execute(update(table).values(centre_code=HERE).where(
                table.c.district_code == OTHER_DISTRICT))  # fmt: skip
            assert changed.rowcount == 0, table.name
    note: dict[str, Any] = {
        "id": new_id(), "resident_id": there.resident, "kind": "call", "text": "x",
        "written_at": now,
    }  # fmt: skip
    with asked_as(engine, who, now) as connection, pytest.raises(ProgrammingError) as refused:
        connection.execute(insert(t.note), [encrypt_row(t.note, note, note["id"], session_vault())])
    assert "row-level security" in str(refused.value)
    with asked_as(engine, who, now) as connection, pytest.raises(ProgrammingError):
        connection.execute(
            update(t.resident).where(t.resident.c.id == city[HERE].resident)
            .values(centre_code=FAR, district_code=OTHER_DISTRICT)
        )  # fmt: skip


@ON_POSTGRES
def test_an_opened_resident_is_seen_by_the_database_and_not_written(
    api: Api, city: dict[str, There]
) -> None:
    engine, who, there = api.application.engine, api.actor(STRANGER), city[HERE]
    body = {"resident_id": str(there.resident), "reason": "called from the station", "hours": 1}
    assert api.as_(STRANGER).post("/break-glass", body).status_code == 201
    now = api.clock.now
    assert there.resident in ids(asked_as(engine, who, now), t.resident)
    assert there.note in ids(asked_as(engine, who, now), t.note)
    with asked_as(engine, who, now) as connection:
        mine = t.resident.c.id == there.resident
        assert (
            connection.execute(update(t.resident).where(mine).values(name="가상 딴이름")).rowcount
            == 0
        )
    note: dict[str, Any] = {
        "id": new_id(), "resident_id": there.resident, "kind": "call", "text": "x",
        "written_at": now,
    }  # fmt: skip
    with asked_as(engine, who, now) as connection, pytest.raises(ProgrammingError):
        connection.execute(insert(t.note), [encrypt_row(t.note, note, note["id"], session_vault())])
    for off, is_seen in ((-1, True), (0, False), (1, False)):
        at = now + timedelta(hours=1, microseconds=off)
        assert (there.resident in ids(asked_as(engine, who, at), t.resident)) is is_seen, off


def test_a_case_that_leaves_the_district_is_out_of_its_sight_with_all_that_is_in_it(
    api: Api,
) -> None:
    referral = a_referral(api)
    shown = api.as_(WORKER).get(f"/referrals/{referral}").json()
    case, resident = shown["case_id"], shown["resident_id"]
    body = {"centre_code": FAR, "reason": "moved to the daughter's"}
    moved = api.as_(SUPERVISOR).post(f"/cases/{case}/transfer", body)
    assert moved.status_code == 200, moved.text
    paths = [f"/cases/{case}", f"/residents/{resident}", f"/referrals/{referral}",
             f"/residents/{resident}/notes", f"/residents/{resident}/timeline"]  # fmt: skip
    assert {api.as_(SUPERVISOR).get(path).status_code for path in paths} == {404}
    assert {api.as_(FAR_SUPERVISOR).get(path).status_code for path in paths} == {200}


def test_a_resident_without_a_case_moves_out_of_a_workers_sight(api: Api) -> None:
    resident = a_resident(api)
    moved = api.as_(WORKER).patch(
        f"/residents/{resident}", {"centre_code": FAR}, headers={"If-Match": '"1"'}
    )
    assert moved.status_code == 200, moved.text
    assert api.as_(WORKER).get(f"/residents/{resident}").status_code == 404
    assert api.as_(STRANGER).get(f"/residents/{resident}").status_code == 200


def test_an_assessor_sees_a_case_that_was_sent_and_no_other(api: Api) -> None:
    sent, unsent = a_case(api), a_case(api)
    surveyed(api, sent)
    with forced_open() if api.engine.dialect.name == "postgresql" else nullcontext():
        assert api.as_(ASSESSOR).get(f"/cases/{sent}").status_code == 200
        assert api.as_(ASSESSOR).get(f"/cases/{unsent}").status_code == 404


def test_an_assessor_sees_a_case_and_not_how_its_requests_go(api: Api) -> None:
    shown = api.as_(WORKER).get(f"/referrals/{a_referral(api)}").json()
    clock = shown["deadlines"][0]["id"]
    with forced_open() if api.engine.dialect.name == "postgresql" else nullcontext():
        assert api.as_(ASSESSOR).get(f"/cases/{shown['case_id']}").status_code == 200
        assert api.as_(ASSESSOR).get(f"/deadlines/{clock}").status_code == 404


@ON_POSTGRES
def test_a_transaction_of_a_store_that_was_told_wrongly_finds_nothing(api: Api) -> None:
    case = a_case(api)
    nowhere = Actor(id=new_id(), role=Role.WORKER, centre_code=None, district_code=None)
    with forced_open(), pytest.raises(NotFound):
        caseload.resume_case(api.application.context(nowhere), case)


# Every table is accounted for


def test_every_table_has_a_class(api: Api) -> None:
    assert set(t.metadata.tables) - set(TABLES) == set(), "say in rights.py what its rows are"


@ON_POSTGRES
def test_what_stands_in_the_database_is_what_the_code_says(api: Api) -> None:
    assert row_level_security.install_policies(api.engine) == [], (
        "nothing to put right after a migration"
    )
    query = text(
        "SELECT tablename, array_agg(policyname::text ORDER BY policyname) AS names "
        "FROM pg_policies WHERE schemaname = current_schema() GROUP BY tablename"
    )
    with api.engine.connect() as connection:
        found = {row.tablename: row.names for row in connection.execute(query)}
        walled = set(connection.scalars(text(
            "SELECT relname FROM pg_class WHERE relrowsecurity "
            "AND relnamespace = current_schema()::regnamespace")))  # fmt: skip
    assert found == {name: sorted(policies(name)) for name in WALLED}
    assert walled == set(WALLED)


@ON_POSTGRES
@pytest.mark.parametrize(
    "harm",
    [
        "DROP POLICY casework_add ON note",
        "ALTER TABLE note DISABLE ROW LEVEL SECURITY",
        "COMMENT ON POLICY casework_see ON note IS 'older'",
    ],
)
def test_a_wall_with_a_hole_is_put_up_again(api: Api, harm: str) -> None:
    with api.engine.begin() as connection:
        connection.execute(text(harm))
    assert row_level_security.install_policies(api.engine) == ["note"]
    assert row_level_security.install_policies(api.engine) == []


def test_the_relation_of_a_scope_does_not_widen_the_policies() -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    for role in set(Role) - {Role.INTEGRATION}:
        wide = Scope(Actor(id=new_id(), role=role), Relation.ALL)
        assert session_context.session_settings(wide, "directory.read", now)["reach"] in (
            "own",
            "none",
        ), role


@ON_POSTGRES
def test_behind_the_wall_a_worklist_still_reads_its_index_alone(
    application: Application, owner: Engine
) -> None:
    with owner.execution_options(vault=session_vault()).begin() as connection:
        about = predicate.a_case(connection)
        clocks = list(predicate.random_clocks(Random(3), about, 600))
        for clock in clocks:
            clock.worker_id = new_id()
        bulk.insert_all(connection, clocks)
        connection.exec_driver_sql("ANALYZE")
    place = next(one for one in clocks if not one.is_of_programme)
    who = Actor(
        id=place.worker_id, role=Role.WORKER, centre_code=place.centre_code,
        district_code=place.district_code,
    )  # fmt: skip
    plan = plan_of(
        application,
        who,
        "deadline.read",
        lambda it: it.worklists.mine(WorklistFilter(), Paging()),
        "deadline",
    )
    assert "ix_deadline_worker_due" in plan


@ON_POSTGRES
def test_behind_the_wall_a_telephone_is_found_by_its_index(api: Api) -> None:
    phones = fill(api, 1500)
    with api.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    plan = plan_of(
        api.application, api.actor(WORKER), "case.read",
        lambda it: it.residents.search({"phone": next(iter(phones.values()))}, Paging()),
        "resident",
    )  # fmt: skip
    assert "ix_resident_phone_digits" in plan
    assert "Seq Scan on resident" not in plan


def plan_of(
    application: Application, who: Actor, action: str, look: Callable[[SqlReading], Any], table: str
) -> str:
    """PostgreSQL's plan of the one statement by which this actor reads from a table."""
    sent: list[Any] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        sent.append((statement, parameters))

    with application.engine.connect() as connection:
        to = scope_of(who, action)
        session_context.set_session_context(connection, to, action, predicate.BEGIN)
        event.listen(application.engine, "before_cursor_execute", note)
        try:
            look(SqlReading(connection, to, predicate.BEGIN, set()))
        finally:
            event.remove(application.engine, "before_cursor_execute", note)
        (page,) = [one for one in sent if f"FROM {table}" in one[0]]
        plan = connection.exec_driver_sql(f"EXPLAIN {page[0]}", page[1]).scalars()
        return "\n".join(plan)
