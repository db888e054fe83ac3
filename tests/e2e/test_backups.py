"""Backing up and restoring by command, on either store: what comes back, and what is refused."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import make_url, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.audit.guards import altered_guards
from casework.adapters.persistence.engine.engine import open_engine
from casework.bench import throwaway
from casework.domain.audit.manifests import manifest_text, read_manifest
from tests import postgres
from tests.conftest import Store
from tests.e2e.test_cli import KEYS, Run, documents, is_one_line, run

__all__ = ["run"]
PASSWORD = "a long enough password"
AUDIT_KEY = KEYS["audit_key"].encode()


@dataclass
class Place:
    """Commands over one installation, and where a restored one may stand."""

    run: Run
    store: Store
    folder: Path
    programs: str
    database: str

    def __call__(self, *words: str, **settings: str) -> Any:
        role = "scheduler" if words[:2] in (("audit", "seal"), ("audit", "begin")) else "app"
        url = {"database_url": self.url_of(role)}
        return self.run(*words, **(self.settings | url | settings))

    def url_of(self, role: str) -> str:
        """The database as a role reaches it; SQLite has none."""
        return self.database.replace("//casework_app:", f"//casework_{role}:", 1)

    @property
    def settings(self) -> dict[str, str]:
        return KEYS | {
            "migration_url": self.url_of("owner"),
            "key_ring": str(self.folder / "keys" / "ring.json"),
            "audit_heads": f"file:{self.folder / 'heads'}",
            "pg_bin": self.programs,
        }

    @property
    def backup(self) -> Path:
        return self.folder / "backup"

    def begin(self, *statements: Any) -> list[Any]:
        """Statements as the owner; the rows of the last."""
        engine = open_engine(self.settings["migration_url"])
        with engine.begin() as connection:
            done = [connection.execute(statement) for statement in statements]
            rows = list(done[-1]) if done[-1].returns_rows else []
        engine.dispose()
        return rows


@pytest.fixture
def place(run: Run, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """An installation with an account and a sealed audit."""
    monkeypatch.setattr("casework.cli.accounts._password", lambda: PASSWORD)
    programs = str(Path(throwaway.binary("pg_dump", tmp_path)).parent)
    found = Place(run, store, tmp_path, programs, store.url)
    assert found("migrate").code == 0
    assert found("account", "add", "kim", "--role", "admin", "--name", "Kim").code == 0
    assert found("audit", "seal").code == 0
    assert found("audit", "export-head", "--json").code == 0
    return found


@pytest.fixture
def empty(place: Place) -> Iterator[Place]:
    """The same installation with a new and empty database, after a backup was made."""
    said = place("backup", str(place.backup), "--json")
    assert said.code == 0, said.err
    if place.store.name == "sqlite":
        url = f"sqlite:///{place.folder / 'new' / 'casework.sqlite'}"
        yield Place(place.run, place.store, place.folder, place.programs, url)
        return
    name = f"restored-{uuid4().hex}"
    server = postgres.Server(_home(place.store.url))
    with server.database(name) as url:
        server.make_roles(url)
        yield Place(
            place.run, place.store, place.folder, place.programs,
            make_url(place.store.url).set(database=name).render_as_string(hide_password=False),
        )  # fmt: skip


def _home(url: str) -> str:
    """The server of a database, as who administers it."""
    there = make_url(url).set(drivername="postgresql", username="postgres", password=None)
    return os.environ.get("CASEWORK_TEST_PG_URL") or there.set(
        database="postgres"
    ).render_as_string(hide_password=False)


def test_a_backup_holds_data_and_a_manifest_and_no_key(place: Place) -> None:
    said = place("backup", str(place.backup), "--json")
    assert said.code == 0, said.err
    (told,) = documents(said.out)
    ending = "sqlite" if place.store.name == "sqlite" else "dump"
    names = sorted(one.name for one in place.backup.iterdir())
    assert names == [f"data.{ending}", "manifest.json"]
    assert told["store"] == ("sqlite" if place.store.name == "sqlite" else "postgresql")
    assert told["tables"]["account"] == 1
    assert told["revision"] == "0001"
    assert {stat.S_IMODE(one.stat().st_mode) for one in place.backup.iterdir()} == {0o600}
    ring = json.loads((place.folder / "keys" / "ring.json").read_text())
    for file in place.backup.iterdir():
        for key in ring["keys"]:
            assert key["wrapped"].encode() not in file.read_bytes()
    query = select(t.audit_entry.c.asked_for).where(t.audit_entry.c.action == "backup.make")
    assert place.begin(query) == [("backup",)]


def test_data_and_keys_are_never_in_one_folder(place: Place) -> None:
    is_one_line(place("backup", str(place.folder / "keys")), "kept apart")
    is_one_line(place("backup", str(place.folder)), "kept apart")
    assert place("backup", str(place.backup)).code == 0
    is_one_line(place("backup", str(place.backup)), "is there already")
    is_one_line(place("keys", "copy", str(place.backup / "ring.json")), "kept elsewhere")
    is_one_line(place("keys", "copy", str(place.backup / "in" / "ring.json")), "kept elsewhere")
    copy = place.folder / "safe" / "ring.json"
    assert place("keys", "copy", str(copy)).code == 0
    assert copy.read_text() == (place.folder / "keys" / "ring.json").read_text()
    is_one_line(place("keys", "copy", str(copy)), "is there already")
    said = place("check-backup", str(place.backup), "--json", key_ring=str(copy))
    assert (said.code, documents(said.out)[0]["ok"]) == (0, True)


def test_what_is_restored_is_what_was_backed_up_and_sends_nothing(empty: Place) -> None:
    said = empty("restore", str(empty.backup), "--json")
    assert said.code == 0, said.err
    (told,) = documents(said.out)
    assert (told["is_current"], told["behind"], told["sending"]) == (True, [], False)
    (found,) = documents(empty("sending", "status", "--json").out)
    assert (found["is_paused"], found["because"]) == (True, "restored")
    assert empty("audit", "seal").code == 0
    assert empty("audit", "verify").code == 0
    assert empty("account", "list").code == 0
    query = select(t.audit_entry.c.asked_for).where(t.audit_entry.c.action == "backup.restore")
    assert empty.begin(query) == [("backup",)]
    is_one_line(empty("restore", str(empty.backup)), "not empty")


def test_what_stands_around_the_audit_is_as_shipped_once_it_is_put_back(empty: Place) -> None:
    """PostgreSQL writes a constraint that comes from a dump otherwise than one that was made."""
    assert empty("restore", str(empty.backup), "--json").code == 0
    engine = open_engine(empty.settings["migration_url"])
    with engine.connect() as connection:
        assert altered_guards(connection) == []
    engine.dispose()


def test_a_changed_file_a_changed_manifest_and_none_are_refused(empty: Place) -> None:
    manifest = empty.backup / "manifest.json"
    before = manifest.read_text()
    manifest.write_text(before.replace('"rows": 1,', '"rows": 2,', 1))
    is_one_line(empty("restore", str(empty.backup)), "not as it was signed")
    manifest.write_text(before)
    is_one_line(empty("restore", str(empty.backup), audit_key="b" * 32), "not as it was signed")
    (data,) = empty.backup.glob("data.*")
    whole = data.read_bytes()
    data.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    is_one_line(empty("restore", str(empty.backup)), "not as it was backed up")
    is_one_line(empty("check-backup", str(empty.backup)), "not as it was backed up")
    manifest.unlink()
    is_one_line(empty("restore", str(empty.backup)), "it is no backup")


def test_another_key_ring_is_refused_before_anything_is_written(empty: Place) -> None:
    other = {"key_ring": str(empty.folder / "other" / "ring.json")}
    is_one_line(empty("restore", str(empty.backup), **other), "does not open this backup")
    assert empty("restore", str(empty.backup)).code == 0


def test_a_backup_that_is_behind_the_exported_heads_says_so(place: Place, empty: Place) -> None:
    assert place("account", "list").code == 0
    assert place("audit", "seal").code == 0
    line = place("audit", "export-head", "--json").out
    with (place.folder / "heads").open("a") as file:
        file.write(line)
    said = empty("restore", str(empty.backup), "--json")
    assert said.code == 0, said.err
    assert "city" in documents(said.out)[0]["behind"]
    assert "casework audit begin --because" in said.err.replace("\n", " ")
    is_one_line(empty("account", "list"), "not as it was exported")
    assert empty("audit", "begin", "--because", "a lost disk").code == 0
    assert empty("account", "list").code == 0
    assert documents(empty("sending", "status", "--json").out)[0]["is_paused"] is True


def signed_anew(place: Place, **changed: Any) -> None:
    """A manifest that says something else, signed by who has the key of the audit."""
    manifest = place.backup / "manifest.json"
    said = replace(read_manifest(manifest.read_text(), AUDIT_KEY), **changed)
    manifest.write_text(manifest_text(said, AUDIT_KEY))


def test_older_heads_than_the_backup_holds_are_found(empty: Place) -> None:
    text_ = (empty.backup / "manifest.json").read_text()
    heads = read_manifest(text_, AUDIT_KEY).heads
    signed_anew(empty, heads=tuple(replace(one, count=one.count - 1) for one in heads))
    is_one_line(empty("restore", str(empty.backup)), "the audit is not as backed up")


def test_of_a_newer_version_or_another_store_nothing_is_restored(empty: Place) -> None:
    signed_anew(empty, revision="9999")
    is_one_line(empty("restore", str(empty.backup)), "newer version")
    signed_anew(empty, store="another")
    is_one_line(empty("restore", str(empty.backup)), "is one of another")
