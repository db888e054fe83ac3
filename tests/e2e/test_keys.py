"""Keys at the command line: made once, shown, rotated, taken off the ring."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.test_cli import KEYS, Run, database, is_one_line, run

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
