"""A log to which its owner added, or of which they hide something, is not said to be whole.

Each attack is tried against the chains and the exported heads alone as well, where they do not
find it by themselves.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, insert, make_url, select, text

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.tables.audit import audit_pending, audit_seal
from casework.domain.audit import chain
from casework.workflows.audit import exporting, sealing
from casework.workflows.audit.exporting import Exporting
from tests.adapters.persistence.audit.test_begun_anew import (
    KEY,
    by,
    look_around,
    rows_of,
    set_back,
)
from tests.api import acts
from tests.api.asking import ABSENT
from tests.api.conftest import DISTRICT, STRANGER, WORKER, Api
from tests.audit import free_hand, leave_as_it_was, seal
from tests.conftest import Store
from tests.postgres import Server

FORGED = "somebody.else"


def a_log(api: Api, folder: Path) -> Exporting:
    """A log of several entries in three chains, with an exported head."""
    of = by(api.application, folder)
    look_around(api)
    for _ in range(4):
        api.as_(WORKER).get(f"/cases/{ABSENT}")
    seal(api.application)
    exporting.export(of, api.clock.now)
    assert (by_the_chains(api, of), around(of)) == ([], [])
    return of


def by_the_chains(api: Api, of: Exporting, page: int = sealing.PAGE) -> list[str]:
    """The flaws of the chains, compared with what was exported."""
    last = exporting.newest(of).last
    assert last is not None, "it is compared"
    found = sealing.verify(of.store, KEY, api.clock.now, exported=last.all_heads, page=page)
    return [one.why for one in found.flaws]


def around(of: Exporting) -> list[str]:
    """The flaws that `verify` finds beside the chains."""
    found = sealing.check_guards(of.store) + sealing.check_indexes(of.store)
    return [one.why for one in found]


def forged(connection: Connection) -> dict[str, object]:
    """As the owner, another entry, which waits for nothing."""
    one = dict(connection.execute(select(t.audit_entry).limit(1)).one()._mapping)
    one |= {"id": new_id(), "actor": FORGED, "district_code": DISTRICT}
    connection.execute(insert(t.audit_entry), [one])
    connection.execute(text("DELETE FROM audit_pending"))
    return one


def without_constraints(connection: Connection) -> None:
    """As the owner, have the seals refuse nothing."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE audit_seal DROP CONSTRAINT pk_audit_seal"))
        connection.execute(text("ALTER TABLE audit_seal ALTER seq DROP NOT NULL"))
        return
    connection.execute(text("CREATE TABLE seals AS SELECT * FROM audit_seal"))
    connection.execute(text("DROP TABLE audit_seal"))
    connection.execute(text("ALTER TABLE seals RENAME TO audit_seal"))


@pytest.mark.parametrize("seq", [None, 2], ids=["of no number", "of a number that is there"])
def test_an_entry_with_a_seal_that_is_none_is_no_part_of_the_log(
    api: Api, tmp_path: Path, seq: int | None
) -> None:
    of = a_log(api, tmp_path)
    with api.engine.begin() as connection:
        free_hand(connection)
        without_constraints(connection)
        one = forged(connection)
        named = {"chain": DISTRICT, "entry_id": one["id"], "sealed_at": one["at"]}
        connection.execute(insert(audit_seal), [named | {"seq": seq, "previous": "", "hash": ""}])
    assert "guards_altered" in around(of)
    if seq is None:
        assert by_the_chains(api, of) == [], "the control: a chain has no such seal"
    for page in () if seq is None else (sealing.PAGE, 2):  # also where a page ends between the two
        assert by_the_chains(api, of, page)[0] in ("seal_missing", "seal_altered")


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "changed",
    [
        "at = replace(at, 'T', ' ')",
        r"subjects = replace(subjects, '-', '\u002d')",
        "subjects = replace(subjects, '[', '[ ')",
        "actor_id = upper(actor_id)",
    ],
)
def test_an_entry_that_reads_as_it_was_and_is_found_by_no_filter_is_altered(
    api: Api, tmp_path: Path, changed: str
) -> None:
    acts.a_supported_case(api)
    of = a_log(api, tmp_path)
    with api.engine.begin() as connection:
        free_hand(connection)
        connection.exec_driver_sql(f"UPDATE audit_entry SET {changed}")
        leave_as_it_was(connection)
    assert set(by_the_chains(api, of)) == {"entry_altered"}


# When the head of a chain goes on, the entry of a worker is taken away and the head set back. A
# row that takes another one's place fires no trigger that would refuse it.
UNDONE = f"""
CREATE TRIGGER undone AFTER UPDATE ON AUDIT_HEAD
WHEN EXISTS (SELECT 1 FROM audit_entry e JOIN audit_seal s ON s.entry_id = e.id
  WHERE s.chain = NEW.chain AND s.seq = NEW.count AND e.actor = '{WORKER}')
BEGIN
  INSERT OR REPLACE INTO audit_entry
    SELECT lower(hex(randomblob(16))), '2001-01-01T00:00:00.000000', actor_id, actor, role, action,
        task, subjects, asked_for, district_code, outcome, code, source, request_id
      FROM audit_entry
      WHERE id = (SELECT entry_id FROM audit_seal WHERE chain = NEW.chain AND seq = NEW.count);
  DELETE FROM audit_entry WHERE at < '2002';
  DELETE FROM audit_seal WHERE chain = NEW.chain AND seq = NEW.count;
  UPDATE audit_head SET count = OLD.count, last_hash = OLD.last_hash, mac = OLD.mac
    WHERE chain = NEW.chain;
END
"""


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_an_entry_that_is_undone_as_it_is_sealed_leaves_a_log_that_is_not_exported(
    api: Api, tmp_path: Path
) -> None:
    of = a_log(api, tmp_path)
    with api.engine.begin() as connection:
        connection.exec_driver_sql("CREATE UNIQUE INDEX one ON audit_entry (request_id)")
        connection.exec_driver_sql(UNDONE)
    with api.engine.connect() as connection:
        before = connection.scalar(text("SELECT count(*) FROM audit_entry"))
    assert api.as_(WORKER).get("/accounts").status_code == 200
    with api.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM audit_entry")) == before, "it is gone"
    assert by_the_chains(api, of) == [], "the control: no chain shows it"
    assert "guards_altered" in around(of)
    api.as_(STRANGER).get("/accounts")
    assert exporting.export(of, api.clock.now).kept_by == []


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_file_that_gives_one_reader_another_row_is_damaged(api: Api, tmp_path: Path) -> None:
    """By an index that was taken out while its table was changed, each entry is of another day."""
    of = a_log(api, tmp_path)
    with api.engine.begin() as connection:
        named = "FROM sqlite_master WHERE name = 'ix_audit_entry_at'"
        row = connection.exec_driver_sql(f"SELECT * {named}").one()
        free_hand(connection)
        connection.exec_driver_sql("PRAGMA writable_schema = ON")
        connection.exec_driver_sql(f"DELETE {named}")
        connection.exec_driver_sql("PRAGMA writable_schema = RESET")
        connection.exec_driver_sql("UPDATE audit_entry SET at = replace(at, '2026', '2016')")
        connection.exec_driver_sql("PRAGMA writable_schema = ON")
        connection.exec_driver_sql("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", tuple(row))
        connection.exec_driver_sql("PRAGMA writable_schema = RESET")
        leave_as_it_was(connection)
    assert around(of) == ["index_damaged"], "nothing else was changed there"


def flood(api: Api, many: int) -> None:
    """As whoever may add entries: one of each of so many districts."""
    with api.engine.begin() as connection:
        one = dict(connection.execute(select(t.audit_entry).limit(1)).one()._mapping)
        rows = [one | {"id": new_id(), "district_code": f"x{n}"} for n in range(many)]
        connection.execute(insert(t.audit_entry), rows)
        if connection.dialect.name == "sqlite":
            connection.execute(insert(audit_pending), [{"entry_id": row["id"]} for row in rows])


def with_districts_enough(api: Api, of: Exporting) -> list[str]:
    """A line of many districts is exported, then the log is set back and goes on."""
    before = rows_of(api)
    look_around(api)
    seal(api.application)
    api.clock.forward(minutes=5)
    assert exporting.export(of, api.clock.now).kept_by
    flood(api, 1_000)
    seal(api.application)
    api.clock.forward(minutes=5)
    exporting.export(of, api.clock.now)
    set_back(api, before)
    look_around(api)
    api.clock.forward(minutes=5)
    found = [one.why for one in seal(api.application).flaws]
    return found + [one.why for one in exporting.export(of, api.clock.now).flaws]


def test_no_line_of_heads_is_longer_than_is_read_back(api: Api, tmp_path: Path) -> None:
    of = a_log(api, tmp_path)
    assert set(with_districts_enough(api, of)) == {"not_as_exported"}
    assert "not_as_exported" in by_the_chains(api, of)


def test_the_control_forgets_what_was_exported_where_chains_have_no_end(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (chain, "casework.adapters.persistence.audit.sealing"):
        name = module if isinstance(module, str) else module.__name__
        monkeypatch.setattr(f"{name}.MAX_CHAINS", 10_000)
    monkeypatch.setattr(exporting.Newest, "unread", [])
    of = a_log(api, tmp_path)
    assert with_districts_enough(api, of) == []
    assert by_the_chains(api, of) == [], "another log than was exported"


def test_where_the_newest_line_cannot_be_read_nothing_is_sealed_or_exported(
    api: Api, tmp_path: Path
) -> None:
    of = a_log(api, tmp_path)
    with (tmp_path / "heads").open("a") as file:
        file.write("x" * 300_000 + "\n")
    look_around(api)
    with api.engine.begin() as connection:  # on SQLite nothing waits by itself
        if connection.scalar(select(audit_pending.c.entry_id)) is None:
            connection.execute(insert(audit_pending), [{"entry_id": ABSENT}])
    assert [one.why for one in seal(api.application).flaws] == ["export_too_long"]
    done = exporting.export(of, api.clock.now)
    assert ([one.why for one in done.flaws], done.kept_by) == (["export_too_long"], [])


def test_chains_that_are_too_many_are_named_and_the_others_go_on(api: Api, tmp_path: Path) -> None:
    a_log(api, tmp_path)
    flood(api, chain.MAX_CHAINS + 1)
    look_around(api)
    assert {one.why for one in seal(api.application).flaws} == {"too_many_chains"}
    with api.engine.connect() as connection:
        waits = select(audit_pending.c.entry_id).join(
            t.audit_entry, t.audit_entry.c.id == audit_pending.c.entry_id
        )
        known = waits.where(t.audit_entry.c.district_code == DISTRICT)
        assert connection.scalars(known).all() == []


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_a_schema_of_the_role_s_own_name_is_not_looked_into(
    api: Api, tmp_path: Path, postgres_server: Server, store: Store
) -> None:
    """By itself PostgreSQL prefers it, so that entries would go there and never be sealed."""
    a_log(api, tmp_path)
    database = make_url(store.url).database
    assert database
    owner = create_engine(postgres_server.url(database))  # as where it owns the database, too
    with owner.begin() as connection:
        for statement in (
            "CREATE SCHEMA casework_app",
            "GRANT USAGE ON SCHEMA casework_app TO casework_app",
            "CREATE TABLE casework_app.audit_entry (LIKE audit_entry)",
            "GRANT SELECT, INSERT ON casework_app.audit_entry TO casework_app",
        ):
            connection.exec_driver_sql(statement)
    owner.dispose()
    api.application.engine.dispose()
    assert api.as_(WORKER).get("/accounts").status_code == 200
    with api.engine.connect() as connection:
        waiting = connection.scalars(select(audit_pending.c.entry_id)).all()
    assert len(waiting) == 1, "it was written where it is sealed"
