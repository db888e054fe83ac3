"""The command line as a person and a script meet it: counts, refusals in one line, one JSON."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from casework.__main__ import main
from tests.conftest import Store
from tests.domain.counting import HOLIDAYS, last_day

# Written out by hand from the Act on Public Holidays and its decree, election days included.
CLOSED = {
    2026: "0101 0216 0217 0218 0301 0302 0501 0505 0524 0525 0603 0606 0717 0815 0817 0924 0925 "
    "0926 1003 1005 1009 1225",
    2027: "0101 0206 0207 0208 0209 0301 0501 0503 0505 0513 0606 0717 0719 0815 0816 0914 0915 "
    "0916 1003 1004 1009 1011 1225 1227",
}
# Kind → amount and unit of the routine, the urgent and the emergency target.
TARGETS: dict[str, tuple[tuple[int, str], tuple[int, str], tuple[int, str]]] = {
    "survey": ((5, "working_days"), (1, "working_days"), (1, "working_days")),
    "assessment": ((10, "working_days"), (2, "working_days"), (2, "working_days")),
    "plan": ((5, "working_days"), (2, "working_days"), (2, "working_days")),
    "decision": ((5, "working_days"), (1, "working_days"), (1, "working_days")),
    "notify_plan": ((5, "working_days"),) * 3,
    "discharge": ((0, "same_day"),) * 3,
    "link": ((3, "working_days"), (1, "working_days"), (1, "working_days")),
    "response": ((3, "working_days"), (1, "working_days"), (4, "hours")),
    "waitlist": ((10, "working_days"), (2, "working_days"), (2, "working_days")),
    "start": ((10, "working_days"), (2, "working_days"), (24, "hours")),
    "disposition": ((3, "working_days"), (1, "working_days"), (1, "working_days")),
    "signal": ((1, "working_days"), (4, "hours"), (4, "hours")),
    "first_check": ((3, "months"),) * 3,
    "check": ((6, "months"),) * 3,
}


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def casework(*args: str, folder: Path | None = None, **environment: str) -> Done:
    """Run the command in this process, with nothing of this process's own settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CASEWORK_")}
    told = {"CASEWORK_DATA_DIR": str(folder or "/nowhere/at/all")} | environment
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, clean | told, clear=True),
        patch.object(sys, "argv", ["casework", *args]),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as end,
    ):
        main()
    return Done(int(end.value.code or 0), out.getvalue(), err.getvalue())


def test_the_shipped_holidays_are_those_written_out_by_hand():
    for year, days in CLOSED.items():
        by_hand = {datetime.strptime(f"{year}{day}", "%Y%m%d").date() for day in days.split()}  # noqa: DTZ007
        assert {day for day in HOLIDAYS if day.year == year} == by_hand


@pytest.mark.parametrize("kind", TARGETS)
def test_every_day_of_two_years_is_counted_as_by_hand(kind: str):
    for priority, (amount, unit) in zip(
        ("routine", "urgent", "emergency"), TARGETS[kind], strict=True
    ):
        done = casework("due", kind, "--from", "2026-01-01", "--to", "2027-12-31",
                        "--priority", priority, "--json")  # fmt: skip
        assert done.returncode == 0, done.stderr
        rows = json.loads(done.stdout)
        days = [date(2026, 1, 1) + timedelta(days=n) for n in range(730)]
        assert [row["from"] for row in rows] == [day.isoformat() for day in days]
        for day, row in zip(days, rows, strict=True):
            assert row["due_at"] == expected(day, amount, unit), (kind, priority, day)
            assert row["due_on"] == row["due_at"][:10]


def expected(day: date, amount: int, unit: str) -> str:
    if unit == "hours":
        return (datetime.combine(day, datetime.min.time()) + timedelta(hours=amount)).isoformat() \
            + "+09:00"  # fmt: skip
    due = day if unit == "same_day" else last_day(day, amount, unit, frozenset())
    return f"{due.isoformat()}T23:59:59+09:00"


@pytest.mark.parametrize(
    "args",
    [
        ("due", "tea", "--from", "2026-01-01"),
        ("due", "survey"),
        ("due", "survey", "--from", "2026-02-30"),
        ("due", "survey", "--from", "2026-02-03", "--to", "2026-02-02"),
        ("due", "survey", "--from", "2026-02-03", "--priority", "soon"),
        ("due", "progress", "--from", "2026-02-03"),
        ("sweep", "dust"),
        ("sweep", "overdue", "--as-of", "2026-03-01T10:00:00"),
        ("sweep", "overdue", "--as-of", "tomorrow"),
        ("serve", "--port", "70000"),
        ("demo", "--port", "many"),
        ("seed", "--residents", "-1"),
        ("bench", "sweep", "--sizes", "some"),
        ("brew",),
    ],
)
def test_what_cannot_be_right_is_said_in_one_line_with_exit_code_2(
    tmp_path: Path, args: tuple[str, ...]
):
    done = casework(*args, folder=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith("casework: ")


@pytest.mark.parametrize(
    ("args", "environment", "says"),
    [
        (("serve",), {}, "CASEWORK_DATABASE_URL"),
        (("migrate",), {"CASEWORK_DATABASE_URL": "postgresql://127.0.0.1:1/x"}, "_KEY"),
        (("demo",), {}, "production"),
        (
            ("serve",),
            {"CASEWORK_DATABASE_URL": "postgresql://127.0.0.1:1/x", "CASEWORK_TOKEN_KEY": "short"},
            "shorter",
        ),
    ],
)
def test_production_does_not_start_without_what_it_needs(
    tmp_path: Path, args: tuple[str, ...], environment: dict[str, str], says: str
):
    done = casework(*args, folder=tmp_path, CASEWORK_MODE="production", **environment)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_production_is_neither_seeded_nor_swept_as_of_the_future(store: Store, tmp_path: Path):
    keys = {"CASEWORK_MODE": "production", "CASEWORK_DATABASE_URL": store.url,
            "CASEWORK_TOKEN_KEY": "t" * 32, "CASEWORK_CURSOR_KEY": "c" * 32}  # fmt: skip
    for args, says in (
        (("seed", "--residents", "1"), "not seeded"),
        (("sweep", "overdue", "--as-of", "2126-01-01T00:00:00+09:00"), "future"),
    ):
        done = casework(*args, folder=tmp_path, **keys)
        assert (done.returncode, says in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/x", "nonsense", "mysql://x"])
def test_a_database_that_cannot_be_used_is_said_in_one_line(tmp_path: Path, url: str):
    done = casework("sweep", folder=tmp_path, CASEWORK_DATABASE_URL=url)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "args",
    [(), ("demo",), ("serve",), ("scheduler",), ("migrate",), ("seed",), ("sweep",), ("due",),
     ("policy",), ("bench",), ("bench", "sweep"), ("bench", "worklist")],
)  # fmt: skip
def test_every_command_helps(args: tuple[str, ...]):
    done = casework(*args, "--help")
    assert done.returncode == 0
    assert "Usage" in done.stdout


def test_a_database_is_migrated_seeded_once_and_swept_from_the_shell(store: Store, tmp_path: Path):
    here = {"CASEWORK_DATABASE_URL": store.url}
    assert casework("migrate", folder=tmp_path, **here).returncode == 0
    assert casework("seed", "--residents", "16", folder=tmp_path, **here).returncode == 0
    again = casework("seed", "--residents", "16", folder=tmp_path, **here)
    assert (again.returncode, again.stderr.strip()) == (2, "casework: the database is not empty")
    first = casework("sweep", "overdue", "--json", folder=tmp_path, **here)
    assert json.loads(first.stdout)["found"] == 0, "the first tick finds nothing old"
    dry = casework("sweep", "--dry-run", "--as-of", "2126-01-01T00:00:00+09:00", "--json",
                   folder=tmp_path, **here)  # fmt: skip
    assert json.loads(dry.stdout)["found"] > 0
    assert json.loads(dry.stdout)["changed"] == 0


def test_the_policy_is_one_json_document():
    done = casework("policy", "--json")
    assert json.loads(done.stdout)["overdue.review"] == {"supervisor": "district"}


@pytest.mark.parametrize("name", ["sweep", "worklist"])
def test_a_benchmark_prints_its_figures_and_its_ratio(tmp_path: Path, name: str):
    done = casework("bench", name, "--sizes", "60,120", "--due", "20", "--rounds", "3", "--json",
                    folder=tmp_path)  # fmt: skip
    figures = json.loads(done.stdout)
    assert [one["open_referrals"] for one in figures["figures"]] == [60, 120]
    assert figures["ratio_of_sizes"] > 0
