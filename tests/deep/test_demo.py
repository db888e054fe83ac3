"""The demo from its start to its end, and the same world for the same seed."""

from __future__ import annotations

import re
import sqlite3
import urllib.request
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from casework import operations
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import decrypt_row
from casework.bootstrap import build
from casework.domain.clocks.calendar import SEOUL
from casework.settings import Settings
from tests.e2e.test_cli import started

RESIDENTS = 40


def rows(folder: Path, query: str) -> list[Any]:
    """What the demo's database holds."""
    with closing(sqlite3.connect(folder / "demo" / "casework.sqlite", timeout=10)) as connection:
        return connection.execute(query).fetchall()


IDS = "SELECT id FROM account UNION ALL SELECT id FROM resident UNION ALL SELECT id FROM referral"


def test_the_demo_starts_keeps_its_data_and_ends_when_told(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    demo = ("demo", "--port", "0", "--residents", str(RESIDENTS))
    with started(folder, *demo) as first:
        address = first.wait_for(lambda: re.search(r"^ready (http://127\.0\.0\.1:\d+)$", first.out,
                                                   re.MULTILINE))[1]  # fmt: skip
        lines = first.out.splitlines()
        assert lines[-1] == f"ready {address}"
        assert f"address: {address}/api/v1" in lines
        assert "worker.2635051000" in first.out
        assert "supervisor.26350" in first.out
        assert "password: care-at-home-2026" in lines
        (tick,) = first.wait_for(
            lambda: rows(folder, "SELECT found, changed, failed, slot IS NULL FROM job_run "
                                 "WHERE ended_at IS NOT NULL")
        )  # fmt: skip
        assert tick == (0, 0, 0, 0), "the world was up to date, and this was a tick"
        with urllib.request.urlopen(f"{address}/health/ready") as answer:
            assert answer.status == 200
        log = folder / "demo" / "requests.log"
        assert f"requests: {log}" in lines
        assert first.wait_for(log.read_text).count("/health/ready") == 1
        ids = rows(folder, IDS)
        assert len(rows(folder, "SELECT id FROM resident")) == RESIDENTS
        assert first.end() == 0
    assert first.out.splitlines()[-1] == f"ready {address}"
    assert "Traceback" not in first.err
    assert '"request"' not in first.err, "between them nobody would find a letter"
    with started(folder, *demo) as second:
        second.wait_for(lambda: "\nready http" in second.out)
        assert rows(folder, IDS) == ids
        assert "password: care-at-home-2026" in second.out
        assert second.end() == 0


def everything(database: Path, at: str, seed: int, residents: int = 12) -> dict[str, list[str]]:
    """Every stored row of a world that was seeded at a moment, except salted passwords.

    Encrypted fields are decrypted: the same value never encrypts to the same bytes twice, so that
    what is stored to know a key ring by is left out.
    """
    settings = Settings().model_copy(
        update={"database_url": f"sqlite:///{database}", "data_dir": database.parent}
    )
    now = datetime.fromisoformat(at).replace(tzinfo=SEOUL)
    application = build(settings, now=lambda: now, cheap_passwords=True)
    operations.migrate(application)
    list(operations.seed(application, residents, seed))
    with application.engine.connect() as connection:
        found = {
            table.name: sorted(
                str(
                    decrypt_row(
                        table, dict(row._mapping), row._mapping.get("id"), application.vault
                    )
                )
                for row in connection.execute(
                    select(*(c for c in table.c if c.name != "password_hash"))
                )
            )
            for table in t.metadata.sorted_tables
            # The notes of what is to be counted have ids of the database.
            if table.name not in ("key_check", "figure_change")
        }
    application.engine.dispose()
    return found


def test_the_same_seed_on_the_same_day_gives_the_same_world(tmp_path: Path) -> None:
    world = everything(tmp_path / "a.sqlite", "2026-11-20T10:00", 1)
    assert everything(tmp_path / "b.sqlite", "2026-11-20T10:00", 1) == world
    later = everything(tmp_path / "c.sqlite", "2026-11-20T16:30", 1)
    raised = ("escalation", "event", "deadline")  # what the time of day decides
    assert {name for name in world if later[name] != world[name]} <= set(raised)
    assert [len(later[name]) for name in raised[::2]] == [len(world[name]) for name in raised[::2]]
    assert len(world["resident"]) == 12

    other = everything(tmp_path / "d.sqlite", "2026-11-20T10:00", 2)
    for name in ("resident", "care_case", "deadline"):
        assert other[name] != world[name]
    for name in ("district", "centre", "service", "standard"):
        assert other[name] == world[name], "facts come from no seed"
