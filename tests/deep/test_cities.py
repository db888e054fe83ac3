"""Many cities in one database, a schema each: nothing of one is seen, moved or lost in another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError

from casework import backups, operations, relay_control
from casework.adapters.api.app import BASE
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.audit.guards import altered_guards
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.notices.relay_state import database_identity
from casework.adapters.persistence.schema import migrations
from casework.adapters.persistence.scope import row_level_security
from casework.bench import throwaway
from casework.bootstrap import Application
from casework.domain.clocks.schedule import slot_of
from tests import postgres
from tests.cities import City

RESIDENTS = {"busan": 12, "ulsan": 7}
SUPERVISOR = "supervisor.26350"
SEE_ALL = "SELECT set_config('casework.reach', 'all', true)"


@pytest.fixture(scope="module")
def cities(
    postgres_server: postgres.Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, City]]:
    """Two cities with their people."""
    with postgres_server.database(f"casework-{uuid4().hex}") as url:
        found = {
            name: City(name, postgres_server, url, tmp_path_factory.mktemp(name))
            for name in RESIDENTS
        }
        for name, city in found.items():
            city.set_up(RESIDENTS[name])
        yield found
    for city in found.values():
        city.forget_roles()


@pytest.fixture
def busan(cities: dict[str, City]) -> City:
    """The first city."""
    return cities["busan"]


@pytest.fixture
def ulsan(cities: dict[str, City]) -> City:
    """The second city."""
    return cities["ulsan"]


def counted(city: City, table: Any, part: str = "app") -> int:
    """The rows of a table, as a role that the policies let see everything."""
    with city.engine(part) as engine, engine.connect() as connection:
        connection.execute(text(SEE_ALL))
        return connection.scalar(select(func.count()).select_from(table)) or 0


def signed_in(application: Application, client: TestClient) -> dict[str, str]:
    """The header of somebody who signed in with the demo's password."""
    form = {"username": SUPERVISOR, "password": application.settings.demo_password}
    answer = client.post(f"{BASE}/auth/token", data=form)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_each_city_has_its_own_people(cities: dict[str, City]) -> None:
    assert {name: counted(city, t.resident) for name, city in cities.items()} == RESIDENTS


def test_each_city_is_served_and_ready_as_its_own_role(cities: dict[str, City]) -> None:
    for city in cities.values():
        with city.opened() as application, TestClient(application.app()) as client:
            operations.check_start(application)
            found = client.get("/health/ready").json()
            assert {found[part] for part in ("database", "schema", "keys", "storage")} == {True}
            header = signed_in(application, client)
            for path in ("/me", "/worklist", "/overdue", "/cases", "/figures", "/offerings"):
                assert client.get(BASE + path, headers=header).status_code == 200, path


def test_who_signed_in_to_one_city_is_nobody_in_the_other(busan: City, ulsan: City) -> None:
    with (
        busan.opened() as here,
        TestClient(here.app()) as at_home,
        ulsan.opened() as there,
        TestClient(there.app()) as abroad,
    ):
        header = signed_in(here, at_home)
        assert at_home.get(f"{BASE}/me", headers=header).status_code == 200
        assert abroad.get(f"{BASE}/me", headers=header).status_code == 401


def test_a_sweep_of_one_city_moves_nothing_in_the_other(busan: City, ulsan: City) -> None:
    before = counted(ulsan, t.job_run), counted(ulsan, t.escalation), counted(busan, t.job_run)
    with busan.opened("scheduler") as application:
        done = application.sweep(application.context(), slot=slot_of(application.now(), 5))
        assert done is not None
        assert application.seal().flaws == []
    assert counted(busan, t.job_run) == before[2] + 1
    assert (counted(ulsan, t.job_run), counted(ulsan, t.escalation)) == before[:2]


@pytest.mark.parametrize("part", ["owner", "app", "scheduler", "figures"])
def test_no_role_of_one_city_reaches_a_table_of_the_other(
    busan: City, ulsan: City, part: str
) -> None:
    with busan.engine(part) as engine:
        for table in t.metadata.sorted_tables:
            with engine.connect() as connection, pytest.raises(ProgrammingError) as refused:
                connection.execute(text(f"SELECT 1 FROM {ulsan.name}.{table.name}"))
            assert "permission denied for schema ulsan" in str(refused.value)


def test_the_control_a_role_with_rights_there_reads_the_other_city(
    busan: City, ulsan: City
) -> None:
    above = open_engine(busan.url)
    with above.connect() as connection:  # rolled back at the end
        connection.execute(text("GRANT USAGE ON SCHEMA ulsan TO busan_app"))
        connection.execute(text("GRANT SELECT ON ulsan.resident TO busan_app"))
        connection.execute(text("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ulsan TO busan_app"))
        connection.execute(text("SET LOCAL ROLE busan_app"))
        connection.execute(text(SEE_ALL))
        found = connection.scalar(text("SELECT count(*) FROM ulsan.resident"))
    above.dispose()
    assert found == RESIDENTS["ulsan"]


def test_a_process_with_the_schema_of_another_city_serves_nobody(busan: City) -> None:
    with busan.opened(schema="ulsan") as application, TestClient(application.app()) as client:
        answer = client.get("/health/ready")
        assert (answer.status_code, answer.json()["status"]) == (503, "unready")
        form = {"username": SUPERVISOR, "password": application.settings.demo_password}
        assert client.post(f"{BASE}/auth/token", data=form).status_code >= 500


def test_policies_functions_and_guards_are_each_city_s_own(cities: dict[str, City]) -> None:
    for city in cities.values():
        with city.engine("owner") as engine:
            assert row_level_security.install_policies(engine, city.name) == []
            with engine.connect() as connection:
                assert altered_guards(connection) == []
                paths = connection.scalars(
                    text(
                        "SELECT DISTINCT p.proconfig[1] FROM pg_proc p"
                        " WHERE p.pronamespace = current_schema()::regnamespace"
                        " AND p.proconfig IS NOT NULL"
                    )
                )
                assert set(paths) == {f"search_path={city.name}, pg_temp"}


def test_the_relay_of_each_city_knows_where_it_sends_from(cities: dict[str, City]) -> None:
    found = set()
    for city in cities.values():
        with city.engine("scheduler") as engine, engine.connect() as connection:
            found.add(database_identity(connection))
    assert len(found) == len(cities)


def test_a_backup_of_one_city_is_put_back_without_the_other_and_sends_nothing(
    busan: City, postgres_server: postgres.Server, tmp_path: Path
) -> None:
    programs = {"pg_bin": Path(throwaway.binary("pg_dump", tmp_path)).parent}
    with busan.opened() as application:
        application.settings = application.settings.model_copy(update=programs)
        manifest = backups.make(application, tmp_path / "backup", lambda *_: None)
        vault = application.vault
    assert manifest.tables["resident"].rows == RESIDENTS["busan"]
    with postgres_server.database(f"casework-{uuid4().hex}") as url:
        elsewhere = City("busan", postgres_server, url, busan.folder)
        above = open_engine(url)
        with above.begin() as connection:
            connection.execute(text("CREATE SCHEMA busan AUTHORIZATION busan_owner"))
            connection.execute(text("GRANT USAGE ON SCHEMA busan TO busan_app"))
        settings = elsewhere.settings().model_copy(update=programs)
        done = backups.restore(
            settings, vault, tmp_path / "backup", application.now, lambda *_: None
        )
        assert done.is_current
        assert counted(elsewhere, t.resident) == RESIDENTS["busan"]
        with elsewhere.engine("app") as engine, engine.connect() as connection:
            assert relay_control.current_state(connection, application.now()).is_paused
        with above.connect() as connection:
            schemas = connection.scalars(text("SELECT nspname FROM pg_namespace"))
            assert "ulsan" not in set(schemas)
        above.dispose()


def test_one_city_is_migrated_down_while_the_other_goes_on(
    cities: dict[str, City], tmp_path: Path
) -> None:
    busan, ulsan = cities["busan"], cities["ulsan"]
    third = City("sejong", busan.server, busan.url, tmp_path)
    third.set_up(residents=2)
    try:
        migrations.downgrade(third.url_as("owner"), schema=third.name)
        for city in (busan, ulsan):
            with city.engine("app") as engine:
                assert migrations.is_current(engine)
            assert counted(city, t.resident) == RESIDENTS[city.name]
    finally:
        above = open_engine(busan.url)
        with above.begin() as connection:
            connection.execute(text("DROP SCHEMA sejong CASCADE"))
        above.dispose()
        third.forget_roles()
