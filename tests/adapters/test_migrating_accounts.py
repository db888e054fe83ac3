"""The migration of accounts: who was there keeps their password, and their rights are logged."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Engine, inspect, select, text

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.rows.mapper import from_row
from casework.adapters.persistence.schema import migrations
from casework.domain.access.accounts import Account
from casework.domain.access.grant_log import GrantEntry, replay, state_of
from tests.conftest import Store

KIM, LEE = UUID(int=1), UUID(int=2)


def this_one() -> Script:
    """The migration under test, whatever its number."""
    (found,) = [
        script
        for script in ScriptDirectory(str(migrations.MIGRATIONS)).walk_revisions()
        if "sign_in" in Path(script.path).stem
    ]
    return found


@pytest.fixture
def before(store: Store) -> Iterator[Engine]:
    """A database with two accounts, as the migration finds it."""
    migrations.downgrade(store.owner_url, str(this_one().down_revision))
    engine = open_engine(store.owner_url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO district VALUES ('26350', '가상구', 'Gasang')"))
        for id, username, active in ((KIM, "kim", True), (LEE, "lee", False)):
            connection.execute(
                text(
                    "INSERT INTO account (id, username, name, role, password_hash, created_at,"
                    " district_code, is_head, is_active, failed_attempts) VALUES"
                    " (:id, :username, '가상', 'supervisor', 'x', :at, '26350', true, :active, 0)"
                ),
                {"id": str(id) if store.name == "postgres" else id.hex, "username": username,
                 "active": active,
                 "at": datetime.now(UTC) if store.name == "postgres"
                 else "2026-03-01T00:00:00.000000"},
            )  # fmt: skip
    yield engine
    engine.dispose()


def test_whoever_was_there_changes_nothing_and_has_a_first_entry(
    before: Engine, store: Store
) -> None:
    migrations.upgrade(store.owner_url, this_one().revision)
    now = datetime.now(UTC)
    with before.connect() as connection:
        names = [one for one in t.account.c if one.name in inspected(before, "account")]
        rows = connection.execute(select(*names).order_by(t.account.c.username)).all()
        found = [from_row(Account, row) for row in rows]
        log = [from_row(GrantEntry, row) for row in connection.execute(select(t.account_grant_log))]
    assert [(one.must_change_password, one.is_demo, one.version) for one in found] == [
        (False, False, 1)
    ] * 2
    assert {one.act for one in log} == {"existing"}
    for account in found:
        own = [one for one in log if one.account_id == account.id]
        assert replay(own, now) == state_of(account) | {"tokens": []}


def inspected(engine: Engine, table: str) -> set[str]:
    """The columns that a table has."""
    return {one["name"] for one in inspect(engine).get_columns(table)}


def test_it_is_taken_back_and_leaves_the_accounts(before: Engine, store: Store) -> None:
    columns, tables = inspected(before, "account"), set(inspect(before).get_table_names())
    migrations.upgrade(store.owner_url, this_one().revision)
    assert inspected(before, "account") > columns
    migrations.downgrade(store.owner_url, str(this_one().down_revision))
    assert inspected(before, "account") == columns
    assert set(inspect(before).get_table_names()) == tables
    with before.connect() as connection:
        names = connection.scalars(text("SELECT username FROM account ORDER BY username"))
        assert list(names) == ["kim", "lee"]
