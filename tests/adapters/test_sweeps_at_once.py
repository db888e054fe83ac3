"""Four sweeps at the same moment, each a process of its own: every step once, none forgotten."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from casework.bootstrap import build
from casework.settings import Settings
from tests.conftest import Store

ROOT = Path(__file__).resolve().parents[2]
AS_OF = "2126-01-07T09:00:00+09:00"  # everything that was ever planned is due by then
RAISED_TWICE = """
    SELECT count(*) FROM (SELECT deadline_id, due_at FROM escalation
    WHERE run_id IS NOT NULL AND NOT passed_over GROUP BY 1, 2 HAVING count(*) > 1) AS doubled
"""
NOT_HIGHEST = """
    SELECT count(*) FROM escalation low JOIN escalation high ON high.deadline_id = low.deadline_id
    WHERE low.run_id IS NOT NULL AND NOT low.passed_over AND high.run_id IS NOT NULL
    AND high.tier > low.tier AND high.due_at = low.due_at
"""
WITHOUT_EVENT = """
    SELECT count(*) FROM escalation s WHERE s.run_id IS NOT NULL AND NOT s.passed_over
    AND NOT EXISTS (SELECT 1 FROM event e WHERE e.id = s.id)
"""


def casework(store: Store, folder: Path, *args: str) -> subprocess.Popen[str]:
    environment = os.environ | {"CASEWORK_DATABASE_URL": store.url, "PYTHONPATH": str(ROOT),
                                "CASEWORK_DATA_DIR": str(folder)}  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "casework", *args], env=environment, cwd=folder,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def said(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.fixture
def seeded(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A seeded city, on PostgreSQL or on SQLite."""
    monkeypatch.setenv("CASEWORK_DATABASE_URL", store.url)
    monkeypatch.setenv("CASEWORK_TOKEN_KEY", "t" * 32)
    monkeypatch.setenv("CASEWORK_CURSOR_KEY", "c" * 32)
    house = build(Settings(), cheap_passwords=True)
    house.migrate()
    for _ in house.seed(96, 1):
        continue
    house.engine.dispose()
    return store


def count(engine: Engine, query: str, **values: Any) -> int:
    with engine.connect() as connection:
        return connection.scalar(text(query), values) or 0


def test_four_sweeps_at_once_raise_each_step_exactly_once(seeded: Store, tmp_path: Path):
    dry = said(casework(seeded, tmp_path, "sweep", "--as-of", AS_OF, "--dry-run", "--json"))
    assert dry["found"] > 50
    four = [casework(seeded, tmp_path, "sweep", "--as-of", AS_OF, "--json") for _ in range(4)]
    results = [said(process) for process in four]
    assert sum(one["changed"] for one in results) == dry["found"]
    assert sum(one["failed"] for one in results) == 0
    engine = create_engine(seeded.url)
    for query in (RAISED_TWICE, NOT_HIGHEST, WITHOUT_EVENT):
        assert count(engine, query) == 0, query
    engine.dispose()
    again = said(casework(seeded, tmp_path, "sweep", "--as-of", AS_OF, "--json"))
    assert again["changed"] <= again["found"], "what lapsing set going, and nothing that was raised"
    last = said(casework(seeded, tmp_path, "sweep", "--as-of", AS_OF, "--json"))
    assert (last["found"], last["changed"]) == (0, 0)


def test_without_the_claim_the_same_check_fails(postgres_server, postgres_template):
    """The control: looking first and writing then, as a naive sweep does, raises twice."""
    with postgres_server.database("casework-naive", postgres_template) as url:
        engine = create_engine(url, pool_size=4)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE planned (id int)"))
            connection.execute(text("CREATE TABLE raised (id int)"))
            connection.execute(text("INSERT INTO planned SELECT generate_series(1, 50)"))
        together = Barrier(4)

        def naive() -> None:
            with engine.begin() as connection:
                due = connection.scalars(
                    text("SELECT id FROM planned WHERE id NOT IN (SELECT id FROM raised)")
                ).all()
                together.wait(10)
                for id in due:
                    connection.execute(text("INSERT INTO raised VALUES (:id)"), {"id": id})

        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(naive) for _ in range(4)]:
                done.result()
        assert count(engine, "SELECT count(*) FROM raised") == 4 * 50
        engine.dispose()
