"""Keys at the command line: made once, shown, rotated, taken off the ring."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.vault.ring import make_ring
from tests.e2e.test_cli import KEYS, Run, Said, database, is_one_line, run

__all__ = ["database", "run"]


@pytest.fixture
def production(database: str, tmp_path: Path) -> dict[str, str]:
    """Settings of an installation without a key ring."""
    ring = str(tmp_path / "elsewhere" / "ring.json")
    return KEYS | {"mode": "production", "database_url": database, "key_ring": ring}


def shown(run: Run, settings: dict[str, str]) -> list[dict[str, object]]:
    """What `keys show` says."""
    said = run("keys", "show", "--json", **settings)
    assert said.code == 0, said.err
    found: list[dict[str, object]] = json.loads(said.out)
    return found


def test_production_makes_no_ring_by_itself(run: Run, production: dict[str, str]) -> None:
    is_one_line(run("migrate", **production), "the key ring cannot be read: No such file")
    assert not Path(production["key_ring"]).exists()
    assert run("keys", "make", **production).code == 0
    assert run("migrate", **production).code == 0


def test_a_ring_is_never_made_anew(run: Run, production: dict[str, str]) -> None:
    assert run("keys", "make", **production).code == 0
    before = Path(production["key_ring"]).read_bytes()
    is_one_line(run("keys", "make", **production), "there is a key ring already")
    assert Path(production["key_ring"]).read_bytes() == before


def test_another_master_key_opens_nothing(run: Run, production: dict[str, str]) -> None:
    assert run("keys", "make", **production).code == 0
    other = production | {"master_key": "n" * 32}
    said = run("migrate", **other)
    is_one_line(said, "does not open under this master key")
    assert "nnn" not in said.err


def test_what_is_rotated_is_counted_and_the_old_key_stays_an_hour(
    run: Run, database: str, production: dict[str, str]
) -> None:
    ring = production["key_ring"]
    settings = {"database_url": database, "key_ring": ring}
    assert run("migrate", **settings).code == 0
    assert run("seed", "--residents", "10", **settings).code == 0
    first = shown(run, settings)
    assert [one["state"] for one in first] == ["current", "current"]
    assert all(isinstance(one["values"], int) and one["values"] >= 10 for one in first)
    for kind, option in (("data", []), ("index", ["--index"])):
        said = run("keys", "rotate", "--json", *option, **settings)
        assert said.code == 0, said.err
        result = json.loads(said.out)
        assert result["left"] == 0
        assert result["changed"] >= 10
        now = {one["id"]: one for one in shown(run, settings)}
        old = next(one["id"] for one in first if one["kind"] == kind)
        assert (now[old]["values"], now[old]["state"]) == (0, "superseded lately")
        assert now[result["key"]]["state"] == "current"
    assert len(json.loads(run("keys", "retire", "--json", **settings).out)) == 4
    assert len(shown(run, settings)) == 4, "none goes before its hour"


def keys_of(run: Run, settings: dict[str, str]) -> list[str]:
    """The ids of the keys on the ring."""
    return [str(one["id"]) for one in shown(run, settings)]


def names_the_ring(said: Said, path: str, expected: list[str]) -> None:
    """Check that it was refused, and that the refusal names the ring that is expected."""
    is_one_line(said, f"{re.escape(path)}.* the database (has|expects)")
    assert all(key in said.err for key in expected), said.err


def test_a_ring_that_does_not_open_what_is_stored_is_found_at_the_start(
    run: Run, production: dict[str, str], tmp_path: Path
) -> None:
    assert run("keys", "make", **production).code == 0
    assert run("migrate", **production).code == 0
    expected = keys_of(run, production | {"mode": "development"})
    other = tmp_path / "other" / "ring.json"
    make_ring(other, b"m" * 32, datetime.now(UTC))
    wrong = production | {"key_ring": str(other)}
    for command in (
        ["serve"],
        ["scheduler"],
        ["sweep", "overdue"],
        ["keys", "rotate"],
        ["migrate"],
    ):
        for mode in ("production", "development"):
            names_the_ring(run(*command, **wrong | {"mode": mode}), str(other), expected)
    assert run("migrate", **production).code == 0, "with the right one it goes on"


def test_keys_are_not_made_beside_sealed_values(run: Run, production: dict[str, str]) -> None:
    assert run("keys", "make", **production).code == 0
    assert run("migrate", **production).code == 0
    path = Path(production["key_ring"])
    expected = keys_of(run, production | {"mode": "development"})
    lost = path.rename(path.with_name("kept-elsewhere.json"))
    names_the_ring(run("keys", "make", **production), str(path), expected)
    assert not path.exists()
    lost.rename(path)
    assert run("migrate", **production).code == 0


@pytest.mark.parametrize("command", ["migrate", "seed", "serve", "sweep overdue", "keys show"])
def test_a_second_ring_is_never_made_beside_a_database_that_has_one(
    run: Run, database: str, production: dict[str, str], command: str
) -> None:
    settings = {"database_url": database, "key_ring": production["key_ring"]}
    assert run("migrate", **settings).code == 0
    path, expected = Path(settings["key_ring"]), keys_of(run, settings)
    lost = path.rename(path.with_name("kept-elsewhere.json"))
    names_the_ring(run(*command.split(), **settings), str(path), expected)
    assert not path.exists()
    lost.rename(path)
    assert keys_of(run, settings) == expected


def test_values_under_other_keys_are_found_where_no_known_value_stands_yet(
    run: Run, database: str, production: dict[str, str], tmp_path: Path
) -> None:
    settings = {"database_url": database, "key_ring": production["key_ring"]}
    assert run("migrate", **settings).code == 0
    assert run("seed", "--residents", "5", **settings).code == 0
    expected = keys_of(run, settings)
    engine = open_engine(database)
    with engine.begin() as connection:
        connection.execute(delete(t.key_check))
    engine.dispose()
    other = tmp_path / "other" / "ring.json"
    make_ring(other, b"m" * 32, datetime.now(UTC))
    said = run("sweep", "overdue", **settings | {"key_ring": str(other), "master_key": "m" * 32})
    names_the_ring(said, str(other), expected)
    assert run("sweep", "overdue", **settings).code == 0


def test_a_rotated_ring_is_expected_from_then_on(
    run: Run, database: str, production: dict[str, str], tmp_path: Path
) -> None:
    settings = {"database_url": database, "key_ring": production["key_ring"]}
    assert run("migrate", **settings).code == 0
    path = Path(settings["key_ring"])
    before = path.read_bytes()
    assert run("keys", "rotate", "--json", **settings).code == 0
    expected, after = keys_of(run, settings), path.read_bytes()
    assert run("sweep", "overdue", **settings).code == 0
    path.write_bytes(before)
    names_the_ring(run("sweep", "overdue", **settings), str(path), expected)
    path.write_bytes(after)
    assert run("sweep", "overdue", **settings).code == 0
