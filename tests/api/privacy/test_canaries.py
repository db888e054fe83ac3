"""Canary values appear only in answers that may hold them; and a leak would be found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from tests import canaries
from tests.api.conftest import Api
from tests.conftest import Store
from tests.proofs._ask import asking
from tests.proofs._subjects import NOW, plant
from tests.proofs.matrix import WHO

LEAKING = """
import sys
from tests import canaries

def test_a_log_line():
    print("resident 카나리01가상", file=sys.stderr)
"""
TELLING = """
from tests import canaries

def test_a_refusal():
    canaries.look_at_answer(200, "카나리".encode())
    canaries.look_at_answer(422, "the name 카나리01가상 is wrong".encode())
"""
QUIET = """
import sys

def test_nothing():
    print("카나리01가상")
    print("request failed", file=sys.stderr)
"""


def told(folder: Path, source: str) -> subprocess.CompletedProcess[str]:
    """The output of a separate pytest session with the plugin, over one file."""
    (folder / "test_one.py").write_text(source, "utf-8")
    own = {canaries.SESSION_FOLDER: str(folder), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.canaries", "-p", "no:cacheprovider",
         "-c", os.devnull, "--rootdir", str(folder), str(folder / "test_one.py")],
        env=os.environ | own, cwd=Path(__file__).parents[3],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(("source", "where"), [(LEAKING, "stderr"), (TELLING, "a 422")])
def test_a_session_in_which_something_came_out_fails(
    tmp_path: Path, source: str, where: str
) -> None:
    done = told(tmp_path, source)
    assert done.returncode == 1, done.stdout
    assert "1 passed" in done.stdout
    assert "what was planted came out" in done.stdout
    assert where in done.stdout
    assert "카나리" in done.stdout


def test_what_the_log_of_postgresql_and_the_metrics_say_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("DETAIL:  Key (name)=(카나리01가상) already exists.\n", "utf-8")
    done = told(tmp_path, QUIET)
    assert done.returncode == 1
    assert "PostgreSQL's log" in done.stdout


def test_a_quiet_session_passes(tmp_path: Path) -> None:
    done = told(tmp_path, QUIET)
    assert done.returncode == 0, done.stdout


def test_marks_are_found_in_every_writing() -> None:
    for text in (
        "카나리",
        "x 가상주민12 y",
        '"\\uce74\\ub098\\ub9ac"',
        "010-7701-5501",
        "01088015501",
    ):
        assert canaries.found_in(text) is not None, text
    for text in ("", "010-0000-0000", "가상", "request failed", "01077"):
        assert canaries.found_in(text) is None, text


def test_all_that_can_be_asked_of_the_planted_leaves_nothing_behind(
    api: Api, store: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    """Including a sweep and its messages: log, outbox, metrics and every 422 have no canary."""
    planted = plant(api)
    assert planted.relations["own"].canaries
    api.clock.set(NOW)
    api.clock.forward(days=30)
    api.application.sweep(api.application.context())
    api.application.relay(api.application.context())
    with asking(api.application.app()) as ask:
        for username in WHO.values():
            token = api.application.tokens.issue(api.id_of(username), api.clock.now)
            for name in ("카나리01가상", "카" * 200):
                body = {"name": name, "sex": name, "phone": "010-7701-5501x", "rrn": name}
                ask("POST", "/api/v1/residents", token=token, json=body)
                ask("GET", "/api/v1/referrals", token=token, query={"status": name})
    with api.engine.connect() as connection:
        kept = repr([connection.execute(select(table)).all() for table in (t.message, t.notice)])
    assert len(kept) > 1000
    for text in (*capfd.readouterr(), kept, api.client.get("/metrics").text):
        assert canaries.found_in(text) is None
