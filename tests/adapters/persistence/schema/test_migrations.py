"""Migrations upgrade and downgrade, on both stores and in any schema."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, func, inspect, select, text
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient

from casework import operations
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.rows import bulk
from casework.adapters.persistence.schema import migrations
from casework.bench.statements import statements
from casework.bootstrap import Application, build
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.settings import Settings
from tests import postgres
from tests.adapters.looking import OF_ALEMBIC, structure
from tests.api.acts import a_referral
from tests.api.conftest import BASE, Api, Clock
from tests.conftest import Store
from tests.drift import differences

REVISIONS = [
    script.revision
    for script in reversed(list(ScriptDirectory(str(migrations.MIGRATIONS)).walk_revisions()))
]
SCHEMA = "busan"


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without a single table, on each store in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
    else:
        server: postgres.Server = request.getfixturevalue("postgres_server")
        with server.database(f"casework-{uuid4().hex}") as url:
            yield url


@pytest.fixture
def engine(empty: str) -> Iterator[Engine]:
    """An engine on that database."""
    engine = open_engine(empty)
    yield engine
    engine.dispose()


def tables_of(engine: Engine) -> set[str]:
    """The names of the tables except Alembic's own."""
    return set(inspect(engine).get_table_names()) - {OF_ALEMBIC}


def left_over(engine: Engine) -> list[str]:
    """What is in the database besides Alembic's own table."""
    queries = {
        "sqlite": "SELECT type || ' ' || name FROM sqlite_master",
        "postgresql": (
            "SELECT 'class ' || relname FROM pg_class WHERE relnamespace = "
            "current_schema()::regnamespace AND relkind <> 't' UNION ALL "
            "SELECT 'type ' || typname FROM pg_type JOIN pg_namespace n ON n.oid = typnamespace "
            "WHERE n.nspname = current_schema() UNION ALL "
            "SELECT 'routine ' || proname FROM pg_proc JOIN pg_namespace n ON n.oid = "
            "pronamespace WHERE n.nspname = current_schema()"
        ),
    }
    with engine.connect() as connection:
        found = connection.scalars(text(queries[engine.dialect.name])).all()
    return sorted(name for name in found if OF_ALEMBIC not in name)


def test_up_down_and_up_again_lead_to_the_same_tables(empty: str, engine: Engine) -> None:
    migrations.upgrade(empty)
    first = structure(engine)
    assert tables_of(engine) == set(t.metadata.tables)
    assert len(first) > 100
    migrations.downgrade(empty)
    assert left_over(engine) == []
    migrations.upgrade(empty)
    assert structure(engine) == first


def test_every_step_leads_back_to_where_it_came_from(empty: str, engine: Engine) -> None:
    for before, revision in zip(["base", *REVISIONS], REVISIONS, strict=False):
        there = structure(engine)
        migrations.upgrade(empty, revision)
        here = structure(engine)
        migrations.downgrade(empty, before)
        assert structure(engine) == there, f"the downgrade of {revision}"
        migrations.upgrade(empty, revision)
        assert structure(engine) == here, f"the second upgrade to {revision}"
    assert migrations.is_current(engine)


def test_the_migrated_schema_is_the_one_that_the_code_declares(empty: str, engine: Engine) -> None:
    migrations.upgrade(empty)
    with engine.connect() as connection:
        assert list(differences(connection, t.metadata)) == []


def test_the_control_a_drift_is_noticed(empty: str, engine: Engine) -> None:
    migrations.upgrade(empty)
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX uq_care_case_one_open"))
    with engine.connect() as connection:
        assert "uq_care_case_one_open" in "".join(differences(connection, t.metadata))


def test_a_database_is_current_only_at_the_newest_revision(empty: str, engine: Engine) -> None:
    assert not migrations.is_current(engine)
    migrations.upgrade(empty)
    assert migrations.is_current(engine)
    migrations.downgrade(empty)
    assert not migrations.is_current(engine)


def test_an_upgrade_of_what_is_current_changes_nothing(empty: str, engine: Engine) -> None:
    migrations.upgrade(empty)
    before = structure(engine)
    with engine.begin() as connection:
        connection.execute(t.district.insert().values(code="26350", name_ko="가", name_en="a"))
    migrations.upgrade(empty)
    assert structure(engine) == before
    with engine.connect() as connection:
        assert connection.scalars(select(t.district.c.code)).all() == ["26350"]


def test_migrating_again_adds_only_what_no_standard_is_for(
    empty: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrations.upgrade(empty)
    shipped = next(one for one in SHIPPED if one.scope == "plan/*/*/*/*")
    own = replace(shipped, id=UUID(int=5))  # an installation's own rows, for shipped data as well
    with engine.begin() as connection:
        bulk.insert_all(connection, [own])
    monkeypatch.setenv("CASEWORK_DATABASE_URL", empty)
    application = build(Settings())
    for _ in range(2):
        operations.migrate(application)
        with engine.connect() as connection:
            found = dict(connection.execute(select(t.standard.c.id, t.standard.c.scope)).all())
        assert sorted(found.values()) == sorted(one.scope for one in SHIPPED)
        assert own.id in found
    application.engine.dispose()


def test_what_is_there_does_not_stand_in_the_way_down_to_nothing(api: Api, store: Store) -> None:
    a_referral(api, message="가상 전언")
    with api.engine.connect() as connection:
        guarded = connection.scalar(select(func.count()).select_from(t.audit_entry))
    assert guarded, "rows that nobody may delete are among them"
    api.engine.dispose()
    migrations.downgrade(store.owner_url)
    assert left_over(api.engine) == []
    operations.migrate(api.application)
    assert migrations.is_current(api.engine)


# PostgreSQL alone


@pytest.fixture
def postgres_url(postgres_server: postgres.Server) -> Iterator[str]:
    """An empty PostgreSQL database with a second schema."""
    with postgres_server.database(f"casework-{uuid4().hex}") as url:
        engine = open_engine(url)
        with engine.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        engine.dispose()
        yield url


@pytest.fixture
def elsewhere(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    """An application whose tables are in a schema of their own, with some residents."""
    monkeypatch.setenv("CASEWORK_TOKEN_KEY", "t" * 32)
    monkeypatch.setenv("CASEWORK_CURSOR_KEY", "c" * 32)
    monkeypatch.setenv("CASEWORK_AUDIT_KEY", "a" * 32)
    monkeypatch.setenv("CASEWORK_DATABASE_URL", postgres_url)
    monkeypatch.setenv("CASEWORK_SCHEMA", SCHEMA)
    application = build(Settings(), now=Clock(), cheap_passwords=True)
    yield application
    application.engine.dispose()


def test_in_another_schema_everything_works_and_no_query_spells_it(
    elsewhere: Application, postgres_url: str
) -> None:
    with statements(elsewhere.engine) as sent:
        operations.migrate(elsewhere)
        list(operations.seed(elsewhere, residents=6, seed=1))
        with TestClient(elsewhere.app()) as client:
            assert client.get("/health/ready").status_code == 200
            form = {"username": "supervisor.26350", "password": elsewhere.settings.demo_password}
            token = client.post(f"{BASE}/auth/token", data=form).json()["access_token"]
            signed_in = {"Authorization": f"Bearer {token}"}
            for path in ("/worklist", "/overdue", "/cases", "/referrals", "/offerings"):
                assert client.get(BASE + path, headers=signed_in).status_code == 200, path
        assert elsewhere.sweep(elsewhere.context()) is not None
    assert len(sent) > 50
    spelt = re.compile(rf"\b({SCHEMA}|public)\b", re.IGNORECASE)
    assert [statement for statement in sent if spelt.search(statement)] == []
    engine = open_engine(postgres_url)
    tables = inspect(engine)
    assert tables.get_table_names(schema="public") == []
    assert set(tables.get_table_names(schema=SCHEMA)) == {*t.metadata.tables, OF_ALEMBIC}
    engine.dispose()


def test_no_table_names_its_schema() -> None:
    assert {table.schema for table in t.metadata.sorted_tables} == {None}
    assert {
        key.column.table.schema for table in t.metadata.sorted_tables for key in table.foreign_keys
    } == {None}


def test_two_schemas_of_one_database_know_nothing_of_each_other(postgres_url: str) -> None:
    migrations.upgrade(postgres_url, schema=SCHEMA)
    engine = open_engine(postgres_url)
    assert not migrations.is_current(engine)
    migrations.upgrade(postgres_url)
    migrations.downgrade(postgres_url)
    assert left_over(engine) == []
    engine.dispose()
    there = open_engine(postgres_url, schema=SCHEMA)
    assert migrations.is_current(there)
    assert tables_of(there) == set(t.metadata.tables)
    there.dispose()


def test_a_migration_waits_for_a_lock_again_and_again_and_not_for_long(postgres_url: str) -> None:
    migrations.upgrade(postgres_url)
    engine = open_engine(postgres_url)
    with engine.connect() as connection:
        connection.execute(text("LOCK TABLE event IN ACCESS EXCLUSIVE MODE"))
        release = threading.Timer(1.2, connection.rollback)
        release.start()
        migrations.downgrade(postgres_url)
        release.join()
    assert left_over(engine) == []
    engine.dispose()


def test_a_lock_that_is_never_given_up_fails_the_migration_and_leaves_all_as_it_was(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "TRIES", 2)
    # Each migration is a transaction of its own: of this one nothing remains.
    migrations.upgrade(postgres_url, REVISIONS[0])
    engine = open_engine(postgres_url)
    before = structure(engine)
    with engine.connect() as connection:
        connection.execute(text("LOCK TABLE event IN ACCESS SHARE MODE"))
        with pytest.raises(DBAPIError, match="lock timeout"):
            migrations.downgrade(postgres_url)
    assert structure(engine) == before
    engine.dispose()
