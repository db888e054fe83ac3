"""Filling a small city, and asking it everything: what stands there is what the moves write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from casework.bench import fill
from casework.bench.city import Amounts
from casework.bench.fill import bench_fill
from casework.bench.sides import Progress
from casework.bench.standing import Standing, standing
from tests import postgres
from tests.e2e.test_bench_http import opened
from tests.e2e.test_cli import Run, documents, run  # noqa: F401 - a fixture

RESIDENTS, REFERRALS, EVENTS = 120, 330, 3000
NAME: Final = "casework_bench_small"
ASKED: Final = (
    "--residents", str(RESIDENTS), "--referrals", str(REFERRALS), "--events", str(EVENTS),
)  # fmt: skip


@pytest.fixture
def address(postgres_server: postgres.Server) -> Iterator[str]:
    """The address of a database that is not there yet, and is gone afterwards."""
    url = postgres_server.url(NAME).replace("+psycopg", "")
    yield url
    standing(url, Path("unused")).drop()


def rows(address: str, query: str) -> list[Any]:
    """What the administrator reads."""
    with psycopg.connect(address) as connection:
        return connection.execute(query.encode()).fetchall()


DEFINED: Final = """
SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL
SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) || convalidated
FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1
"""


def test_a_filled_city_has_what_was_asked_for_and_answers_every_question(
    run: Run, address: str, postgres_server: postgres.Server, postgres_template: str  # noqa: F811
) -> None:  # fmt: skip
    said = run("bench", "fill", "--database", address, *ASKED, "--keys", "keys", "--json")
    assert said.code == 0, said.err
    (filled,) = documents(said.out)
    copied = "id::text LIKE '0190%-7000-8000-00000000%'"
    there = {
        name: rows(address, f"SELECT count(*) FROM {name} WHERE {copied}")[0][0]
        for name in ("resident", "referral", "event", "care_case")
    }
    assert (there["resident"], there["care_case"]) == (RESIDENTS, RESIDENTS)
    assert there["referral"] == REFERRALS
    assert there["event"] >= EVENTS
    assert filled["rows"]["referral"] >= REFERRALS
    assert rows(address, "SELECT count(*) FROM audit_entry")[0][0] > RESIDENTS
    template = postgres_server.url(postgres_template).replace("+psycopg", "")
    assert rows(address, DEFINED) == rows(template, DEFINED)
    held = "SELECT count(*) FROM offering WHERE held > 0"
    assert rows(address, held)[0][0] > 0
    measured = run(
        "bench", "size", "--database", address, "--keys", "keys", "--rounds", "3", "--json",
        "--plans",
    )  # fmt: skip
    assert measured.code == 0, measured.err
    (result,) = documents(measured.out)
    figures = {one["name"]: one for one in result["figures"]}
    for name in ("worker: worklist", "supervisor: overdue", "agency: inbox", "audit of a resident"):
        assert figures[name]["rows"] > 0, name
        assert 0 < figures[name]["database_ms"] <= figures[name]["ms"]
    assert figures["worker: search by a name"]["rows"] >= 1
    assert any("Scan" in plan for plan in figures["worker: worklist"]["plans"])
    assert figures["sweep with nothing due"]["statements"] > 0
    refused = run("bench", "fill", "--database", address, *ASKED, "--keys", "keys")
    assert "is not empty" in refused.err


def test_what_is_filled_again_is_filled_anew_and_what_fails_is_dropped(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, at = Amounts(20, 20, 0), standing(address, tmp_path)
    bench_fill(of, at, opened, Progress())
    bench_fill(of, at, opened, Progress(), again=True)
    assert rows(address, "SELECT count(*) FROM resident")[0][0] < 40
    monkeypatch.setattr(fill, "PLACES", "SELECT 1 / 0")
    with pytest.raises(Exception, match="division by zero"):
        bench_fill(of, at, opened, Progress(), again=True)
    assert is_gone(at)


def is_gone(at: Standing) -> bool:
    """Neither the database nor a role of it is there."""
    home = at.databases.home.set(drivername="postgresql").render_as_string(hide_password=False)
    query = (
        "SELECT 1 FROM pg_database WHERE datname = 'casework_bench_small' UNION ALL "
        "SELECT 1 FROM pg_roles WHERE rolname LIKE 'casework\\_bench\\_small%'"
    )
    return rows(home, query) == []
