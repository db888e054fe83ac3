"""PostgreSQL roles: idempotent creation, before or after the tables, and enforced rights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.scope import database_roles, row_level_security
from casework.adapters.persistence.scope.database_grants import TABLES, rights_on
from casework.adapters.persistence.tables.base import metadata
from casework.adapters.persistence.tables.secret_columns import SECRETS
from tests import postgres
from tests.conftest import Store
from tests.e2e.test_cli import KEYS, Run, begun, run

__all__ = ["run"]
PREFIX = "cwtest"
PARTS = ("owner", "app", "scheduler", "figures")


@pytest.fixture
def empty(postgres_server: postgres.Server) -> Iterator[str]:
    """A PostgreSQL database without a table, and without roles of this prefix."""
    server = postgres_server
    with server.database(f"casework-{uuid4().hex}") as url:
        yield url
    engine = open_engine(server.url("postgres"))
    with engine.begin() as connection:
        for part in PARTS:
            connection.execute(text(f"DROP ROLE IF EXISTS {PREFIX}_{part}"))
    engine.dispose()


def engine_of(url: str) -> Engine:
    return open_engine(url, pool_size=1)


def rights(url: str, role: str) -> dict[str, set[str]]:
    """What a role may do with each table."""
    query = text(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants "
        "WHERE grantee = :role AND table_schema = 'public'"
    )
    found: dict[str, set[str]] = {}
    engine = engine_of(url)
    with engine.connect() as connection:
        for table, right in connection.execute(query, {"role": role}):
            found.setdefault(table, set()).add(right[0])
    engine.dispose()
    return found


EXPECTED = {
    part: {
        table: set(getattr(rights_on(table), part))
        for table in TABLES
        if getattr(rights_on(table), part)
    }
    for part in row_level_security.PARTS
}


@pytest.mark.parametrize("order", ["roles first", "tables first"])
def test_in_either_order_the_roles_have_their_rights_and_a_second_time_changes_nothing(
    run: Run, empty: str, order: str
) -> None:
    given = {"database_url": empty, "role_prefix": PREFIX}
    if order == "tables first":
        assert run("migrate", **given).code == 0
    made = run("roles", "--json", **given)
    assert made.code == 0, made.err
    assert json.loads(made.out)["made"] == [f"{PREFIX}_{part}" for part in PARTS]
    if order == "roles first":
        assert run("migrate", **given).code == 0
    first = {part: rights(empty, f"{PREFIX}_{part}") for part in row_level_security.PARTS}
    assert first == EXPECTED
    again = run("roles", **given)
    assert (again.code, again.out) == (0, "".join(f"there  {PREFIX}_{one}\n" for one in PARTS))
    assert {part: rights(empty, f"{PREFIX}_{part}") for part in row_level_security.PARTS} == first
    granted = run("roles", "--grant", "--json", **given)
    assert json.loads(granted.out) == {"walled": []}


def test_what_is_printed_is_done_by_nobody(run: Run, empty: str) -> None:
    printed = run("roles", "--print-sql", "--prefix", PREFIX, database_url=empty)
    assert printed.code == 0, printed.err
    for part in PARTS:
        assert f'CREATE ROLE "{PREFIX}_{part}" WITH LOGIN NOSUPERUSER' in printed.out
    engine = engine_of(empty)
    with engine.connect() as connection:
        known = text("SELECT count(*) FROM pg_roles WHERE rolname LIKE :like")
        assert connection.scalar(known, {"like": f"{PREFIX}%"}) == 0
    engine.dispose()


def test_passwords_come_from_the_environment_and_are_not_printed(run: Run, empty: str) -> None:
    secret = "invented-for-this-test"
    made = run(
        "roles", "--passwords-from-env", "--prefix", PREFIX, "--json",
        database_url=empty, role_password_app=secret,
    )  # fmt: skip
    assert made.code == 0, made.err
    assert secret not in made.out + made.err
    engine = engine_of(empty)
    with engine.connect() as connection:
        query = text(
            "SELECT rolname FROM pg_authid WHERE rolname LIKE :like AND rolpassword IS NOT NULL"
        )
        found = set(connection.scalars(query, {"like": f"{PREFIX}%"}))
    engine.dispose()
    assert found == {f"{PREFIX}_app"}


def test_a_role_that_was_made_too_strong_is_put_right(run: Run, empty: str) -> None:
    engine = engine_of(empty)
    assert run("roles", "--prefix", PREFIX, database_url=empty).code == 0
    with engine.begin() as connection:
        connection.execute(text(f"ALTER ROLE {PREFIX}_app SUPERUSER BYPASSRLS"))
    assert run("roles", "--prefix", PREFIX, database_url=empty).code == 0
    with engine.connect() as connection:
        query = text("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = :name")
        assert connection.execute(query, {"name": f"{PREFIX}_app"}).one() == (False, False)
    engine.dispose()


def test_sqlite_has_no_roles(run: Run) -> None:
    said = run("roles")
    assert (said.code, said.err) == (2, "casework: only PostgreSQL has roles\n")


REFUSED = {
    "app": [
        "CREATE TABLE mine (id int)",
        "DROP TABLE note",
        "ALTER TABLE note DISABLE ROW LEVEL SECURITY",
        "DROP POLICY casework_see ON note",
        "UPDATE audit_entry SET outcome = 'ok'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "INSERT INTO audit_seal SELECT * FROM audit_seal",
        "UPDATE audit_head SET count = 0",
        "INSERT INTO audit_pending SELECT id FROM audit_entry",
        "DELETE FROM audit_pending",
        "DELETE FROM account_grant_log",
        "DELETE FROM resident",
        "INSERT INTO district VALUES ('1', 'a', 'b')",
    ],
    "scheduler": [
        "CREATE TABLE mine (id int)",
        "UPDATE audit_entry SET outcome = 'ok'",
        "DELETE FROM audit_entry",
        "INSERT INTO audit_pending SELECT id FROM audit_entry",
        "DELETE FROM audit_seal",
        "UPDATE account SET role = 'admin'",
        "UPDATE account SET password_hash = ''",
        "UPDATE account SET is_active = false",
        "SELECT * FROM account",
        "SELECT * FROM agency_link",
        "SELECT digest FROM account_token",
        "SELECT digest FROM recovery_code",
        "SELECT digest FROM refresh_token",
        "SELECT digest FROM link_session",
        "SELECT source FROM sign_in_source",
        "SELECT text FROM way_in",
        "SELECT note FROM delivered",
        "SELECT id FROM access_request",
        "SELECT state FROM account_grant_log",
        "SELECT id FROM audit_review",
    ],
    "figures": [
        "SELECT * FROM resident",
        "SELECT * FROM care_case",
        "SELECT * FROM audit_entry",
        "SELECT id FROM account",
        "SELECT id FROM offering",
        "SELECT id FROM job_run",
        "SELECT casework_cases_sent()",
        "SELECT casework_open_cases(gen_random_uuid())",
        "INSERT INTO closed_month SELECT * FROM closed_month",
    ],
}


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
@pytest.mark.parametrize("part", list(REFUSED))
def test_a_role_may_not_do_more_than_its_work(
    store: Store, postgres_server: postgres.Server, part: str
) -> None:
    engine = engine_of(postgres_server.url_as(f"casework_{part}", store.url))
    for statement in REFUSED[part]:
        with engine.connect() as connection, pytest.raises(ProgrammingError) as refused:
            connection.execute(text(statement))
        assert isinstance(refused.value.orig, InsufficientPrivilege), statement
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM closed_month")) == 0
    engine.dispose()


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
@pytest.mark.parametrize(
    ("table", "column"), [(table, name) for table in SECRETS for name in sorted(SECRETS[table])]
)
def test_no_role_but_that_which_signs_people_in_reads_what_lets_them_in(
    store: Store, postgres_server: postgres.Server, table: str, column: str
) -> None:
    statement = text(f"SELECT {column} FROM {table}")
    for part in ("scheduler", "figures"):
        engine = engine_of(postgres_server.url_as(f"casework_{part}", store.url))
        with engine.connect() as connection, pytest.raises(ProgrammingError) as refused:
            connection.execute(statement)
        assert isinstance(refused.value.orig, InsufficientPrivilege), part
        engine.dispose()
    engine = engine_of(store.url)
    with engine.connect() as connection:  # the control: the application reads it
        connection.execute(statement)
    engine.dispose()


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_of_an_account_the_scheduler_reads_every_other_column_and_changes_none_that_counts(
    store: Store,
) -> None:
    query = text(
        "SELECT privilege_type, column_name FROM information_schema.column_privileges "
        "WHERE grantee = 'casework_scheduler' AND table_name = :table"
    )
    engine = engine_of(store.owner_url)
    with engine.connect() as connection:
        for table in SECRETS:
            found = connection.execute(query, {"table": table}).all()
            read = {name for right, name in found if right == "SELECT"}
            assert read == set(metadata.tables[table].c.keys()) - SECRETS[table]
            changed = {name for right, name in found if right == "UPDATE"}
            assert changed == ({"version"} if table == "account" else set())
    engine.dispose()


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
@pytest.mark.parametrize(
    ("who", "why"), [("app", None), ("scheduler", None), ("owner", "owner"), (None, "superuser")]
)
def test_for_whom_the_walls_do_not_hold_is_warned_of_and_refused_in_production(
    run: Run,
    store: Store,
    postgres_server: postgres.Server,
    tmp_path: Path,
    who: str | None,
    why: str | None,
) -> None:
    server = postgres_server
    name = make_url(store.url).database or ""
    url = server.url_as(f"casework_{who}", store.url) if who else server.url(name)
    engine = engine_of(url)
    assert database_roles.connected_role(engine).why_unprotected == why
    engine.dispose()
    said = run("sweep", "--dry-run", "--json", database_url=url, **KEYS)
    assert said.code == 0, said.err
    assert ("row-level security does not hold" in said.out + said.err) is (why is not None)
    production = begun(run, tmp_path, store.url, store.owner_url) | {"database_url": url}
    said = run("sweep", "--dry-run", "--json", **production)
    if why is None:
        assert said.code == 0, said.err
    else:
        assert said.code == 2
        assert "row-level security does not hold: connect as casework_app" in said.err


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_the_owner_migrates_where_the_application_could_not(run: Run, store: Store) -> None:
    given = {"database_url": store.url, "migration_url": store.owner_url}
    engine = engine_of(store.owner_url)
    with engine.begin() as connection:
        connection.execute(text("DROP POLICY casework_see ON note"))
        connection.execute(text("DELETE FROM alembic_version WHERE false"))
    said = run("migrate", database_url=store.url)
    assert said.code == 2, "the application's role changes nothing"
    assert run("migrate", **given).code == 0
    assert row_level_security.install_policies(engine) == []
    engine.dispose()
