"""The commands over the audit, on either store: what they find, print and refuse."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.tables.audit import audit_head
from casework.domain.clocks.calendar import SEOUL
from tests.audit import free_hand, leave_as_it_was
from tests.conftest import Store
from tests.e2e.test_cli import KEYS, Run, documents, is_one_line, run

__all__ = ["run"]
PASSWORD = "a long enough password"


@pytest.fixture
def database(store: Store) -> str:
    """The URL of an empty, migrated database for its owner, on each store in turn."""
    return store.owner_url


@pytest.fixture
def asked(run: Run, store: Store, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Commands over a database in which an account was added and listed.

    Each as the role that runs it: `audit seal` as the scheduler's, the others as the application's.
    """
    monkeypatch.setattr("casework.cli.accounts._password", lambda: PASSWORD)

    def ask(*words: str, **settings: Any) -> Any:
        url = store.url
        if words[:2] in (("audit", "seal"), ("audit", "begin")):
            url = url.replace("//casework_app:", "//casework_scheduler:", 1)
        connections = {"database_url": url, "migration_url": store.owner_url}
        return run(*words, **(KEYS | connections | settings))

    assert ask("migrate").code == 0
    added = ask("account", "add", "admin.kim", "--role", "admin", "--name", "Kim")
    assert added.code == 0, added.err
    assert ask("account", "list").code == 0
    return ask


def change(database: str, statement: Any) -> None:
    """As the owner, tamper with the audit."""
    engine = open_engine(database)
    with engine.begin() as connection:
        free_hand(connection)
        connection.execute(statement)
        leave_as_it_was(connection)
    engine.dispose()


def test_a_whole_log_ends_with_zero_and_a_changed_entry_with_one(asked: Any, database: str) -> None:
    assert asked("audit", "seal").code == 0
    said = asked("audit", "verify", "--json")
    assert said.code == 0, said.err
    (found,) = documents(said.out)
    assert (found["ok"], found["entries"], found["chains"], found["waiting"]) == (True, 2, 1, 0)
    assert "as they were sealed" in asked("audit", "verify").out
    change(database, update(t.audit_entry).values(actor="somebody else"))
    said = asked("audit", "verify", "--json")
    (found,) = documents(said.out)
    engine = open_engine(database)
    with engine.connect() as connection:
        first = connection.scalar(select(t.audit_entry.c.id).order_by(t.audit_entry.c.id).limit(1))
    engine.dispose()
    assert (said.code, found["ok"]) == (1, False)
    assert found["first_broken"] == {
        "chain": "city", "why": "entry_altered", "seq": 1, "entry_id": str(first), "what": None,
    }  # fmt: skip
    said = asked("audit", "verify")
    assert said.code == 1
    assert f"broken: chain city at 1, entry {first}: entry_altered" in said.out


def test_with_another_key_no_head_is_genuine(asked: Any) -> None:
    asked("audit", "seal")
    said = asked("audit", "verify", "--json", audit_key="b" * 32)
    (found,) = documents(said.out)
    assert said.code == 1
    assert {one["why"] for one in found["broken"]} == {"chains_altered", "head_altered"}


def test_an_exported_head_shows_a_database_that_was_set_back(
    asked: Any, database: str, tmp_path: Path
) -> None:
    asked("audit", "seal")
    early = asked("audit", "export-head", "--json")
    assert len(asked("audit", "export-head").out.splitlines()) == 2
    asked("account", "list")
    asked("audit", "seal")
    late = asked("audit", "export-head", "--json")
    for name, said in (("early", early), ("late", late)):
        (tmp_path / name).write_text(said.out)
        assert asked("audit", "verify", "--head", str(tmp_path / name)).code == 0
    (old,) = documents(early.out)
    count = next(one["count"] for one in old["heads"] if one["chain"] == "city")
    entries = f"(SELECT entry_id FROM audit_seal WHERE seq > {count})"
    for statement in (
        f"DELETE FROM audit_entry WHERE id IN {entries}",
        f"DELETE FROM audit_seal WHERE seq > {count}",
    ):
        change(database, text(statement))
    for one in old["heads"]:
        change(database, update(audit_head).where(audit_head.c.chain == one["chain"]).values(one))
    assert asked("audit", "verify").code == 0
    assert asked("audit", "verify", "--head", str(tmp_path / "early")).code == 0
    said = asked("audit", "verify", "--json", "--head", str(tmp_path / "late"))
    assert said.code == 1
    assert documents(said.out)[0]["first_broken"]["why"] == "not_as_exported"


@pytest.fixture
def production(run: Run, store: Store, tmp_path: Path) -> Any:
    """Commands of production over a new database, with a key ring and a place for heads."""
    own = {"mode": "production", "key_ring": str(tmp_path / "ring.json")}
    own |= {"audit_heads": f"file:{tmp_path}/heads", "migration_url": store.owner_url}

    def ask(*words: str, **settings: str) -> Any:
        url = store.url
        if words[0] == "audit" and words[1] in ("seal", "begin"):
            url = url.replace("//casework_app:", "//casework_scheduler:", 1)
        given = KEYS | own | {"database_url": url} | settings
        return run(*words, **{name: value for name, value in given.items() if value})

    assert ask("keys", "make").code == 0
    assert ask("migrate").code == 0
    return ask


def test_production_does_not_start_before_its_audit_is_begun_once(production: Any) -> None:
    is_one_line(production("account", "list"), "run `casework audit begin`")
    begun = production("audit", "begin", "--json")
    assert begun.code == 0, begun.err
    (said,) = documents(begun.out)
    assert (said["begun"], len(said["kept_by"]), said["silent"]) == (True, 1, [])
    assert production("account", "list").code == 0
    again = production("audit", "begin")
    is_one_line(again, "there was an audit before: the key ring says that it was begun on")
    for sign in ("heads were exported on", "the database has chains"):
        assert sign in again.err


def test_production_is_not_told_that_all_is_well_without_an_exported_head(
    production: Any, tmp_path: Path
) -> None:
    assert production("audit", "begin").code == 0
    assert production("audit", "seal").code == 0
    said = production("audit", "verify", "--json")
    assert said.code == 0, said.err + said.out
    (found,) = documents(said.out)
    assert found["is_compared"] is True
    assert found["exported_at"] is not None
    assert "compared with the heads that were exported at" in production("audit", "verify").out
    alone = production("audit", "verify", audit_heads="")
    assert alone.code == 3
    assert "begun anew or set back cannot be seen" in alone.out
    head = production("audit", "export-head", "--json").out
    (tmp_path / "by-hand").write_text(head)
    by_hand = ("audit", "verify", "--head", str(tmp_path / "by-hand"))
    assert production(*by_hand, audit_heads="").code == 0
    outside = production("audit", "verify", audit_heads="", mode="development")
    assert (outside.code, "begun anew" in outside.out) == (0, True)


@pytest.mark.parametrize("heads", ["kept", "none"])
def test_an_emptied_database_is_refused_by_ring_and_heads(
    production: Any, database: str, heads: str
) -> None:
    own = {} if heads == "kept" else {"audit_heads": ""}
    assert production("audit", "begin", **own).code == 0
    assert production("audit", "seal", **own).code == 0
    for table in ("audit_pending", "audit_seal", "audit_entry", "audit_head"):
        change(database, text(f"DELETE FROM {table}"))
    refused = production("account", "list", **own)
    because = "emptied or set back" if heads == "kept" else "was begun on"
    is_one_line(refused, because)
    found = production("audit", "verify", "--json", **own)
    assert found.code == 1
    assert "chains_missing" in {one["why"] for one in documents(found.out)[0]["broken"]}
    is_one_line(production("audit", "begin", **own), "there was an audit before")
    said = production("audit", "begin", "--because", "the disk was lost", **own)
    assert said.code == 0, said.err
    assert production("audit", "seal", **own).code == 0
    assert production("account", "list", **own).code == 0
    engine = open_engine(database)
    with engine.connect() as connection:
        begun = select(t.audit_entry.c.asked_for).where(t.audit_entry.c.action == "audit.begin")
        assert connection.scalars(begun).all() == ["the disk was lost"]
    engine.dispose()


def test_what_was_tampered_with_is_not_gone_on_from(production: Any, database: str) -> None:
    assert production("audit", "begin").code == 0
    assert production("audit", "seal").code == 0
    change(database, update(t.audit_entry).values(actor="somebody else"))
    said = production("audit", "begin", "--because", "it is fine")
    is_one_line(said, "the log that is there was tampered with .city at 1: entry_altered.")


def test_what_was_put_around_the_log_is_named_and_production_does_not_start(
    production: Any, database: str
) -> None:
    assert production("audit", "begin").code == 0
    assert production("audit", "verify").code == 0
    body = "BEGIN SELECT 1; END"
    made = f"CREATE TRIGGER hides BEFORE INSERT ON audit_entry {body}"
    if database.startswith("postgresql"):
        made = (
            "CREATE TRIGGER hides BEFORE INSERT ON audit_entry FOR EACH ROW"
            " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
        )
    change(database, text(made))
    found = production("audit", "verify", "--json")
    assert found.code == 1
    (broken,) = documents(found.out)[0]["broken"]
    assert (broken["why"], broken["what"]) == ("guards_altered", "hides")
    assert "broken: chain *, hides: guards_altered" in production("audit", "verify").out
    is_one_line(production("account", "list"), "not as it was shipped .hides.")


def test_a_place_for_heads_that_is_none_is_said_so(production: Any) -> None:
    for named in ("heads", "ftp://h/x", "http://h/x", "file:heads"):
        is_one_line(production("account", "list", audit_heads=named), "CASEWORK_AUDIT_HEADS")


def test_nothing_younger_than_two_years_is_pruned_by_command_or_setting(asked: Any) -> None:
    today = datetime.now(SEOUL).date()
    almost_two, almost_three, long_ago = (
        f"{today - timedelta(days=days)}" for days in (720, 1085, 2500)
    )
    is_one_line(asked("audit", "prune", "--before", almost_two), "kept for 2 years")
    is_one_line(asked("audit", "prune", "--before", almost_three, audit_years="3"), "3 years")
    is_one_line(asked("audit", "verify", audit_years="1"), "CASEWORK_AUDIT_YEARS")
    is_one_line(asked("audit", "prune", "--before", "soon"), "neither a day nor an instant")
    said = asked("audit", "prune", "--before", long_ago, "--json")
    assert documents(said.out) == [{"pruned": 0}]


def test_whom_an_account_affected_is_one_document(asked: Any) -> None:
    said = asked("audit", "affected", "admin.kim", "--from", "2026-01-01", "--json")
    assert (said.code, documents(said.out)) == (0, [[]])
    assert asked("audit", "affected", "admin.kim").code == 0


def test_a_file_that_is_no_exported_head_is_said_so(asked: Any, tmp_path: Path) -> None:
    for name, content in (("a", "{}"), ("b", "no json"), ("c", json.dumps({"heads": [{"x": 1}]}))):
        (tmp_path / name).write_text(content)
        said = asked("audit", "verify", "--head", str(tmp_path / name))
        is_one_line(said, "is no exported head")
    is_one_line(asked("audit", "verify", "--head", str(tmp_path / "none")), "is no exported head")
