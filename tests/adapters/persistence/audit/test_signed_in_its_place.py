"""No log that was put in the place of the true one for a moment is signed or exported.

Its owner has neither the key of the heads nor the places where they are kept, and a trigger that
runs within the sealer's own transaction.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.audit.chain_store import SqlAuditChainStore
from casework.adapters.persistence.tables.audit import audit_head, audit_pending, audit_seal
from casework.domain.audit.chain import CHAIN_LIST, CITY, chain_list_of
from casework.workflows.audit import exporting, sealing
from casework.workflows.audit.exporting import Exporting
from tests.adapters.persistence.audit.test_begun_anew import KEY, by, rows_of, set_back
from tests.api.asking import ABSENT
from tests.api.conftest import DISTRICT, WORKER, Api
from tests.audit import free_hand, leave_as_it_was, seal

TABLES = ("audit_entry", "audit_seal", "audit_head")
# At its first turn it puts an older state and an edited log in place of the log; at its second,
# when that is signed, the log again, and keeps what was signed.
TRAP = """
CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}
AS $body$
DECLARE turn int; one text;
BEGIN
  IF pg_trigger_depth() > 1 THEN RETURN NULL; END IF;
  SELECT at INTO turn FROM trap_turn;
  IF turn > 1 OR (turn = 1 AND EXISTS (SELECT 1 FROM audit_pending)) THEN RETURN NULL; END IF;
  UPDATE trap_turn SET at = turn + 1;
  FOREACH one IN ARRAY ARRAY['audit_seal', 'audit_head', 'audit_entry'] LOOP
    IF turn = 0 THEN
      EXECUTE 'CREATE TABLE true_' || one || ' AS TABLE ' || one;
      EXECUTE 'DELETE FROM ' || one;
      EXECUTE 'INSERT INTO ' || one || ' SELECT * FROM old_' || one;
    ELSE
      EXECUTE 'CREATE TABLE forged_' || one || ' AS TABLE ' || one;
      EXECUTE 'DELETE FROM ' || one;
      EXECUTE 'INSERT INTO ' || one || ' SELECT * FROM true_' || one;
    END IF;
  END LOOP;
  IF turn = 0 THEN
    INSERT INTO audit_entry SELECT * FROM true_audit_entry
      WHERE id NOT IN (SELECT o.id FROM old_audit_entry o);
    UPDATE audit_entry SET actor = 'somebody.else'
      WHERE id NOT IN (SELECT o.id FROM old_audit_entry o);
    DELETE FROM audit_pending WHERE entry_id IN (SELECT o.id FROM old_audit_entry o);
  ELSE
    DELETE FROM audit_pending;
  END IF;
  RETURN NULL;
END $body$
"""
# As it was when it compared once, before all transactions that sealed.
ONCE = (
    "CREATE TRIGGER trap AFTER DELETE ON audit_pending FOR EACH STATEMENT EXECUTE FUNCTION trap()"
)
LATER = (
    "CREATE CONSTRAINT TRIGGER trap AFTER DELETE ON audit_pending DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION trap()"
)


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is seen of triggers: the heads alone must show what they did."""
    monkeypatch.setattr(SqlAuditChainStore, "altered_guards", lambda _self: [])


def a_log(api: Api, folder: Path) -> Exporting:
    """A log in two exports, with a copy of what it was at the first."""
    of = by(api.application, folder)
    api.as_(WORKER).get("/accounts")
    seal(api.application)
    exporting.export(of, api.clock.now)
    with api.engine.begin() as connection:
        for one in TABLES:
            connection.execute(text(f"CREATE TABLE old_{one} AS SELECT * FROM {one}"))
    for _ in range(3):
        api.as_(WORKER).get(f"/cases/{ABSENT}")
    seal(api.application)
    api.clock.forward(minutes=5)
    assert exporting.export(of, api.clock.now).kept_by
    return of


def set_the_trap(connection: Connection, made: str) -> None:
    free_hand(connection)
    schema = connection.scalar(text("SELECT current_schema()"))
    connection.execute(text("CREATE TABLE trap_turn AS SELECT 0 AS at"))
    connection.exec_driver_sql(TRAP.format(schema=schema))
    connection.execute(text(made))
    connection.execute(text("ALTER TABLE audit_entry ENABLE TRIGGER audit_entry_pends"))


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
@pytest.mark.parametrize("made", [ONCE, LATER], ids=["while it seals", "when it ends"])
@pytest.mark.usefixtures("unguarded")
def test_a_log_that_is_exchanged_while_it_is_sealed_is_not_signed(
    api: Api, tmp_path: Path, made: str
) -> None:
    of = a_log(api, tmp_path)
    with api.engine.begin() as connection:
        set_the_trap(connection, made)
    api.as_(WORKER).get(f"/cases/{ABSENT}")
    assert seal(api.application).flaws
    with api.engine.connect() as connection:
        assert not connection.scalar(text("SELECT to_regclass('forged_audit_head')")), "turn two"
        query = select(t.audit_entry.c.actor).join(
            audit_seal, audit_seal.c.entry_id == t.audit_entry.c.id
        )
        assert "somebody.else" not in connection.scalars(query).all(), "none of it was signed"
    if made is LATER:  # what was signed was put away when it ended, and the log is an older one
        assert exporting.export(of, api.clock.now).flaws


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
@pytest.mark.usefixtures("unguarded")
def test_the_control_signs_it_where_nothing_was_exported(api: Api, tmp_path: Path) -> None:
    a_log(api, tmp_path)
    api.application.exporting = replace(api.application.exporting, archives=[])
    with api.engine.begin() as connection:
        set_the_trap(connection, LATER)
    api.as_(WORKER).get(f"/cases/{ABSENT}")
    assert seal(api.application).flaws == []
    with api.engine.connect() as connection:
        forged = connection.scalars(text("SELECT actor FROM forged_audit_entry")).all()
    assert "somebody.else" in forged


def test_only_the_heads_that_are_gone_on_from_are_compared(api: Api, tmp_path: Path) -> None:
    """Its owner may commit another log between two reads of one transaction."""
    of = a_log(api, tmp_path)
    last = exporting.newest(of).last
    assert last is not None
    now = of.store.heads()
    assert exporting._went_wrong(of, of.store, now, last) == []
    roll = chain_list_of([CITY]).signed(KEY)
    old = {CHAIN_LIST: roll, **{chain: now[chain] for chain in now if chain == CITY}}
    flaws = exporting._went_wrong(of, of.store, old, last)
    assert {(one.chain, one.why) for one in flaws} >= {(DISTRICT, "not_as_exported")}


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_the_trap_itself_is_seen_before_it_is_stepped_into(api: Api, tmp_path: Path) -> None:
    a_log(api, tmp_path)
    with api.engine.begin() as connection:
        set_the_trap(connection, ONCE)
        leave_as_it_was(connection)
    api.as_(WORKER).get(f"/cases/{ABSENT}")
    assert [(one.why, one.what) for one in seal(api.application).flaws] == [
        ("guards_altered", "trap"),
        ("guards_altered", "trap()"),
    ]


def forge(api: Api, of: Exporting) -> dict[Any, Any]:
    """Another log that went on from the copy, signed while nothing was compared.

    The true one is put back.
    """
    true, tables = rows_of(api), (t.audit_entry, audit_seal, audit_head)
    set_back(api, {table: [dict(row) for row in typed(api, table)] for table in tables})
    for _ in range(4):
        api.as_(WORKER).get("/accounts")
    api.application.exporting = replace(of, archives=[])
    seal(api.application)
    api.application.exporting = of
    forged = rows_of(api)
    set_back(api, true)
    return forged


def typed(api: Api, table: Any) -> list[Any]:
    """The rows of the older copy, read as those of the table."""
    columns = ", ".join(f"old_{table.name}.{column.name}" for column in table.columns)
    query = text(f"SELECT {columns} FROM old_{table.name}").columns(*table.columns)
    with api.engine.connect() as connection:
        return list(connection.execute(query).mappings())


def test_a_signed_log_that_shows_the_true_hash_for_a_moment_is_not_exported(
    api: Api, tmp_path: Path
) -> None:
    of = a_log(api, tmp_path)
    forged = forge(api, of)
    assert exporting.compare(of).flaws == [], "the control: the true log"
    known = exporting.newest(of).last
    assert known is not None
    set_back(api, forged)
    with api.engine.begin() as connection:
        free_hand(connection)
        for head in known.all_heads:
            at = (audit_seal.c.chain == head.chain, audit_seal.c.seq == head.count)
            connection.execute(update(audit_seal).where(*at).values(hash=head.last_hash))
        leave_as_it_was(connection)
    assert exporting.compare(of).flaws == [], "each hash that is looked for is there"
    api.clock.forward(minutes=5)
    lines = (tmp_path / "heads").read_text()
    done = exporting.export(of, api.clock.now)
    assert {one.why for one in done.flaws} & {"seal_altered", "head_altered", "entry_altered"}
    assert (done.kept_by, (tmp_path / "heads").read_text()) == ([], lines)


def test_every_line_counts_and_not_only_the_furthest(api: Api, tmp_path: Path) -> None:
    of = a_log(api, tmp_path)
    forged = forge(api, of)
    set_back(api, forged)
    heads = list(of.store.heads().values())
    exporting.go_on_from_here(of, None, api.clock.now + timedelta(minutes=1))
    newest = exporting.newest(of).last
    assert newest is not None
    assert set(newest.heads) == set(heads), "the furthest are the forged ones"
    assert {one.why for one in exporting.compare(of).flaws} == {"not_as_exported"}
    found = sealing.verify(of.store, KEY, api.clock.now, exported=newest.all_heads)
    assert {one.why for one in found.flaws} == {"not_as_exported"}
    exporting.go_on_from_here(of, "it is known", api.clock.now + timedelta(minutes=2))
    assert exporting.compare(of).flaws == [], "an operator said why"


@pytest.mark.parametrize("chain", [DISTRICT, CHAIN_LIST])
def test_a_head_without_a_genuine_mark_is_neither_good_nor_exported(
    api: Api, tmp_path: Path, chain: str
) -> None:
    of = a_log(api, tmp_path)
    with api.engine.begin() as connection:
        free_hand(connection)
        false = {"count": 10**6, "first_seq": 10**6, "mac": "0" * 64}
        connection.execute(update(audit_head).where(audit_head.c.chain == chain).values(false))
        leave_as_it_was(connection)
    api.clock.forward(minutes=5)
    assert exporting.compare(of).flaws
    done = exporting.export(of, api.clock.now)
    assert (bool(done.flaws), done.kept_by) == (True, [])


def test_what_is_new_since_the_last_export_is_walked_before_the_next(
    api: Api, tmp_path: Path
) -> None:
    of = a_log(api, tmp_path)
    for _ in range(3):
        api.as_(WORKER).get("/accounts")
    seal(api.application)
    with api.engine.begin() as connection:
        free_hand(connection)
        newest = select(audit_seal.c.entry_id).order_by(audit_seal.c.seq.desc()).limit(1)
        id = connection.scalar(newest.where(audit_seal.c.chain == DISTRICT))
        connection.execute(update(t.audit_entry).where(t.audit_entry.c.id == id).values(actor="x"))
        leave_as_it_was(connection)
    assert [(one.why, one.entry_id) for one in exporting.export(of, api.clock.now).flaws] == [
        ("entry_altered", id)
    ]
    api.as_(WORKER).get("/accounts")
    with api.engine.begin() as connection:  # on SQLite nothing waits by itself
        if connection.scalar(select(audit_pending.c.entry_id)) is None:
            connection.execute(insert(audit_pending), [{"entry_id": ABSENT}])
            connection.execute(delete(audit_pending).where(audit_pending.c.entry_id != ABSENT))
    assert [one.why for one in seal(api.application).flaws] == ["entry_altered"]
