"""A pytest plugin: canary values in personal data must not leak.

It is active in the whole suite. The test data gives residents names, addresses, numbers
and notes that can be recognised: MARKS. Searched are what each test made the application write
to its log and to stderr, every 422, the contents of notices, outbox, events and audit when a test
of the API ends, the metrics, and PostgreSQL's log. Anything found there fails the session, and the
summary says where it was.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import pytest

SESSION_FOLDER: Final = "CASEWORK_TEST_SESSION_FOLDER"
MARKS: Final = re.compile(
    r"카나리|가상주민|김영자|\\uce74\\ub098\\ub9ac"
    # A telephone number, and not some digits of an id that happen to read like one.
    r"|(?<![0-9a-f])010-?(77|88)\d\d(?![0-9a-f]{5})"
)
# The tables that must hold no personal data: notices, outbox, audit, events.
SPARSE: Final = (
    "notice", "message", "addressee", "run_notices", "job_run", "idempotency", "event",
    "audit_entry",
)  # fmt: skip
AROUND: Final = 60
MERGE_CONFLICT: Final = '"code":"merge_conflict"'


def found_in(text: str) -> str | None:
    """What surrounds the first mark in a text, or None."""
    hit = MARKS.search(text)
    return None if hit is None else text[max(0, hit.start() - AROUND) : hit.end() + AROUND]


def look_at(where: str, text: str) -> None:
    """Record a mark found in a text, for the end of the session."""
    found = found_in(text)
    if found is not None:
        test = os.environ.get("PYTEST_CURRENT_TEST", "no test")
        with _leaks().open("a", encoding="utf-8") as leaks:
            leaks.write(f"{where}, in {test}: {' '.join(found.split())}\n")


def look_at_answer(status: int, content: bytes) -> None:
    """A 422 names the fault of a field, never its value; but a merge asks which of two is right."""
    if status != 422:
        return
    text = content.decode("utf-8", "replace")
    if MERGE_CONFLICT in text:
        text = json.dumps(json.loads(text) | {"fields": None}, ensure_ascii=False)
    look_at("a 422", text)


def look_at_response(response: Any) -> None:
    """The same, as a hook of httpx."""
    if response.status_code == 422:
        response.read()
        look_at_answer(response.status_code, response.content)


def look_at_rows(connection: Any) -> None:
    """Search the tables that must hold no personal data, as this connection sees them."""
    if connection.dialect.name == "postgresql":  # as text, to read all of them in one query
        every = " UNION ALL ".join(f"SELECT '{one}', one::text FROM {one} AS one" for one in SPARSE)
        found = connection.exec_driver_sql(every).cursor.fetchall()
    else:
        found = [
            (table, repr(row))
            for table in SPARSE
            for row in connection.exec_driver_sql(f'SELECT * FROM "{table}"').cursor
        ]
    for table, row in found:
        look_at(f"a row of {table}", row)


def _leaks() -> Path:
    return Path(os.environ[SESSION_FOLDER]) / "leaks"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """The application logs to stderr; what a command prints on stdout is intended."""
    report = yield
    for name, text in report.sections:
        if "stdout" not in name:
            look_at(f"{name} of {item.nodeid}", text)
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Search the metrics of this process; in the controller also the server's log, and decide."""
    if "prometheus_client" in sys.modules:
        from prometheus_client import generate_latest

        look_at("metrics", generate_latest().decode())
    if hasattr(session.config, "workerinput"):
        return
    log = Path(os.environ[SESSION_FOLDER]) / "log"
    if log.exists():
        look_at("PostgreSQL's log", log.read_text("utf-8", "replace"))
    if _leaks().exists() and session.exitstatus in (
        pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED,
    ):  # fmt: skip
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Report where marks were found."""
    if _leaks().exists():
        terminalreporter.section("what was planted came out", red=True)
        terminalreporter.write(_leaks().read_text("utf-8"))
