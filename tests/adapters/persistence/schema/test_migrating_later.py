"""A second revision: upgrade and downgrade, locks, policies, drift, other versions running.

There is one revision so far. These tests write one more, of the kinds that are to be expected, into
a copy of the folder.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Column, Engine, MetaData, String, Table, Text, Uuid, inspect, text
from sqlalchemy.exc import DBAPIError

from casework import operations
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.schema import migrations
from casework.adapters.persistence.scope import (
    database_grants,
    row_level_security,
    row_policies,
    who_sees_what,
)
from tests.adapters.looking import structure
from tests.api.acts import a_resident
from tests.api.conftest import WORKER, Api
from tests.conftest import Store
from tests.drift import differences

FIRST, SECOND = "0001", "0002"
ON_POSTGRES = pytest.mark.parametrize("store", ["postgres"], indirect=True)
REVISION = '''\
"""What the tests need of a second revision."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"
branch_labels = depends_on = None


def upgrade():
    op.create_table(
        "remark",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remark")),
    )
    op.add_column("conference", sa.Column("room", sa.String(length=40), nullable=True))
    op.create_index("ix_conference_room", "conference", ["room"])
{up}

def downgrade():
{down}
    op.drop_index("ix_conference_room", "conference")
    op.drop_column("conference", "room")
    op.drop_table("remark")
'''


@dataclass
class Later:
    """A database at the first revision, and a folder in which there is a second one."""

    url: str
    engine: Engine
    folder: Path

    def write(self, up: str = "", down: str = "") -> None:
        """Write the second revision; ``up`` runs last on upgrade, ``down`` first on downgrade."""
        body = REVISION.format(
            up="".join(f"    {line}\n" for line in up.splitlines()),
            down="".join(f"    {line}\n" for line in down.splitlines()),
        )
        (self.folder / "versions" / f"{SECOND}_remarks.py").write_text(body, encoding="utf-8")

    def stands_at(self) -> str:
        """The revision of the database."""
        with self.engine.connect() as connection:
            return str(connection.scalar(text("SELECT version_num FROM alembic_version")))


@pytest.fixture
def later(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Later]:
    """A migrated database and, from now on, code with one revision more."""
    folder = tmp_path / "migrations"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(migrations.MIGRATIONS, folder, ignore=ignored)
    monkeypatch.setattr(migrations, "MIGRATIONS", folder)
    engine = open_engine(store.owner_url)
    made = Later(store.owner_url, engine, folder)
    made.write()
    yield made
    engine.dispose()


def a_district(engine: Engine) -> None:
    """A row that must survive every upgrade and downgrade."""
    with engine.begin() as connection:
        connection.execute(t.district.insert().values(code="26350", name_ko="가", name_en="a"))


def districts(engine: Engine) -> list[str]:
    """The rows that are left."""
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT code FROM district")))


def test_there_is_one_first_revision_and_one_head(later: Later) -> None:
    assert later.stands_at() == FIRST
    assert not migrations.is_current(later.engine), "the code knows a newer one"
    migrations.upgrade(later.url)
    assert (later.stands_at(), migrations.is_current(later.engine)) == (SECOND, True)


def test_a_later_revision_leads_up_down_and_up_again_and_keeps_what_is_there(later: Later) -> None:
    a_district(later.engine)
    before = structure(later.engine)
    migrations.upgrade(later.url)
    after = structure(later.engine)
    names = {row[0] for row in after - before}
    assert "remark" in names
    migrations.downgrade(later.url, FIRST)
    assert structure(later.engine) == before
    assert not migrations.is_current(later.engine)
    migrations.upgrade(later.url)
    assert structure(later.engine) == after
    assert districts(later.engine) == ["26350"]


def test_from_a_later_revision_it_leads_down_to_nothing(later: Later) -> None:
    migrations.upgrade(later.url)
    migrations.downgrade(later.url)
    assert inspect(later.engine).get_table_names() == ["alembic_version"]


def declared() -> MetaData:
    """The tables as the code would declare them with the second revision."""
    made = MetaData(naming_convention=t.metadata.naming_convention)
    for table in t.metadata.sorted_tables:
        copy = table.to_metadata(made)
        for index in table.indexes:
            # A copy forgets for which store an index is.
            (same,) = [one for one in copy.indexes if one.name == index.name]
            same._ddl_if = index._ddl_if
    made.tables["conference"].append_column(Column("room", String(40), index=True))
    Table(
        "remark",
        made,
        Column("id", Uuid, primary_key=True),
        Column("resident_id", Uuid, nullable=False),
        Column("text", Text, nullable=False),
    )
    return made


def test_drift_is_seen_on_either_side_of_a_later_revision(later: Later) -> None:
    with later.engine.connect() as connection:
        assert list(differences(connection, t.metadata)) == []
        missing = "\n".join(differences(connection, declared()))
    migrations.upgrade(later.url)
    with later.engine.connect() as connection:
        assert list(differences(connection, declared())) == []
        undeclared = "\n".join(differences(connection, t.metadata))
    for found, did in ((missing, "add"), (undeclared, "remove")):
        for what in ("table", "column", "index"):
            assert f"('{did}_{what}'" in found, (what, found)


def test_a_revision_that_fails_leaves_nothing_behind_and_can_be_run_again(later: Later) -> None:
    a_district(later.engine)
    before = structure(later.engine)
    later.write(up="raise RuntimeError('broken off')")
    with pytest.raises(RuntimeError, match="broken off"):
        migrations.upgrade(later.url)
    assert (structure(later.engine), later.stands_at()) == (before, FIRST)
    later.write()
    migrations.upgrade(later.url)
    assert migrations.is_current(later.engine)
    assert districts(later.engine) == ["26350"]


# Other versions running at the same time


def test_an_older_version_finds_no_way_with_a_database_that_is_ahead_of_it(
    later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrations.upgrade(later.url)
    ahead = structure(later.engine)
    (later.folder / "versions" / f"{SECOND}_remarks.py").unlink()
    assert not migrations.is_current(later.engine)
    with pytest.raises(migrations.UnknownRevision, match=SECOND):
        migrations.upgrade(later.url)
    assert (structure(later.engine), later.stands_at()) == (ahead, SECOND)


def test_what_serves_goes_on_while_the_schema_is_ahead_but_says_that_it_is_not_ready(
    later: Later, api: Api
) -> None:
    first = a_resident(api)
    migrations.upgrade(later.url)
    (later.folder / "versions" / f"{SECOND}_remarks.py").unlink()  # the process knows of none
    second = a_resident(api, phone="010-0000-2000")
    for id in (first, second):
        assert api.as_(WORKER).get(f"/residents/{id}").status_code == 200
    answer = api.client.get("/health/ready")
    assert (answer.status_code, answer.json()["schema"]) == (503, False)


def test_what_a_revision_leaves_in_clear_is_sealed_by_the_command(later: Later, api: Api) -> None:
    later.write(
        up="""op.execute("INSERT INTO configuration (name, version) VALUES ('clear_fields', 1)")""",
        down="""op.execute("DELETE FROM configuration WHERE name = 'clear_fields'")""",
    )
    id = a_resident(api, phone="010-0000-2000")
    migrations.upgrade(later.url)
    assert later.stands_at() == SECOND
    assert not migrations.is_current(later.engine), "somebody with the keys has yet to come"
    operations.migrate(api.application)
    assert migrations.is_current(later.engine)
    assert api.as_(WORKER).get(f"/residents/{id}").json()["phone"] == "010-0000-2000"


# PostgreSQL alone


@ON_POSTGRES
def test_a_later_revision_waits_for_a_lock_again_and_again(later: Later) -> None:
    with later.engine.connect() as connection:
        connection.execute(text("LOCK TABLE conference IN ACCESS SHARE MODE"))
        release = threading.Timer(1.2, connection.rollback)
        began = time.monotonic()
        release.start()
        migrations.upgrade(later.url)
        release.join()
    assert time.monotonic() - began > 1.2
    assert migrations.is_current(later.engine)


@ON_POSTGRES
def test_a_later_revision_that_gets_no_lock_leaves_all_as_it_was(
    later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "TRIES", 2)
    before = structure(later.engine)
    with later.engine.connect() as connection:
        connection.execute(text("LOCK TABLE conference IN ACCESS SHARE MODE"))
        with pytest.raises(DBAPIError, match="lock timeout"):
            migrations.upgrade(later.url)
    assert structure(later.engine) == before, "nor does the table stay that came before the lock"
    assert later.stands_at() == FIRST


def walled(engine: Engine, table: str) -> dict[str, str]:
    """The policies of a table, each with its conditions."""
    query = text(
        "SELECT policyname, coalesce(qual, '') || coalesce(with_check, '') FROM pg_policies"
        " WHERE tablename = :table AND schemaname = current_schema()"
    )
    with engine.connect() as connection:
        rows = connection.execute(query, {"table": table})
        return {row[0]: row[1] for row in rows}


def may(engine: Engine, role: str, table: str) -> str:
    """The letters of a role's privileges on a table."""
    letters = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE"}
    with engine.connect() as connection:
        asked = text("SELECT has_table_privilege(:role, :table, :right)")
        return "".join(
            letter
            for letter, right in letters.items()
            if connection.scalar(asked, {"role": role, "table": table, "right": right})
        )


@ON_POSTGRES
def test_with_a_later_revision_a_table_gets_its_policies_and_another_gets_new_ones(
    later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = walled(later.engine, "note")
    consents = walled(later.engine, "consent")
    of_resident = who_sees_what.REGISTRY["contact"]
    monkeypatch.setitem(database_grants.TABLES, "remark", database_grants.RowKind.PERSONAL)
    monkeypatch.setitem(who_sees_what.REGISTRY, "remark", of_resident)
    monkeypatch.setitem(who_sees_what.REGISTRY, "note", of_resident)
    monkeypatch.setitem(database_grants.OWN_RIGHTS, "consent", database_grants.Rights(app="S"))
    monkeypatch.setattr(t, "metadata", declared())
    migrations.upgrade(later.url)
    assert set(walled(later.engine, "remark")) == set(row_policies.policies("remark"))
    assert walled(later.engine, "note") != notes
    assert walled(later.engine, "consent") == consents
    assert may(later.engine, "casework_app", "remark") == "SIU"
    assert may(later.engine, "casework_app", "consent") == "S"
    assert row_level_security.install_policies(later.engine) == []


@ON_POSTGRES
def test_a_revision_drops_the_policy_in_its_way_and_it_is_put_up_again(later: Later) -> None:
    before = walled(later.engine, "import_file")
    widen = "op.alter_column('import_file', 'district_code', type_=sa.String({}))"
    later.write(up=widen.format(12), down=widen.format(10))
    with pytest.raises(DBAPIError, match="used in a policy"):
        migrations.upgrade(later.url)
    assert walled(later.engine, "import_file") == before
    drop = (
        "for name in ('see', 'add', 'change', 'remove'):\n"
        "    op.execute(f'DROP POLICY casework_{name} ON import_file')\n"
    )
    later.write(up=drop + widen.format(12), down=widen.format(10))
    migrations.upgrade(later.url)
    assert walled(later.engine, "import_file") == before
    migrations.downgrade(later.url, FIRST)
    assert walled(later.engine, "import_file") == {}, "until the command is run again"
    (later.folder / "versions" / f"{SECOND}_remarks.py").unlink()
    migrations.upgrade(later.url)
    assert walled(later.engine, "import_file") == before
