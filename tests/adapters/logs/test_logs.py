"""Logs: allowed keys only, whichever logger writes; no personal data gets in."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import BaseModel, ValidationError
from sqlalchemy import create_engine, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from casework.adapters.http.middleware import OuterMiddleware
from casework.adapters.logs import ALLOWED, Libraries, configure_logs
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.engine.ids import new_id
from casework.workflows.referring import referring
from tests.api.conftest import BASE, PROVIDER, WORKER, Api
from tests.conftest import Store

CANARY = "홍길동-canary-820101-1234567"
Read = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Read]:
    """What was logged since it was last read, line by line."""
    configure_logs()

    def read() -> list[dict[str, Any]]:
        out, err = capsys.readouterr()
        assert CANARY not in out + err
        assert "canary" not in out + err
        assert "1234567" not in out + err
        return [json.loads(line) for line in err.splitlines()]

    read()
    yield read
    structlog.reset_defaults()
    root = logging.getLogger()
    root.handlers = [one for one in root.handlers if not isinstance(one, Libraries)]


def test_an_entry_keeps_the_keys_that_are_allowed(logged: Read) -> None:
    structlog.get_logger("casework").info(
        "done", task="GET /x", name=CANARY, note=CANARY, sql=CANARY, request_id="r-1", status=200
    )
    (entry,) = logged()
    assert set(entry) == {"event", "level", "timestamp", "task", "request_id", "status"}
    assert set(entry) <= ALLOWED


def test_an_exception_leaves_its_type_and_the_places_it_came_through(logged: Read) -> None:
    log = structlog.get_logger("casework")

    def deep(secret: str) -> None:
        raise LookupError(secret)

    try:
        deep(CANARY)
    except LookupError as error:
        log.error("failed", exc_info=error)
        log.exception("failed")
        log.error("failed", error=error)
    first, second, third = logged()
    for entry in (first, second):
        assert entry["error"] == "LookupError"
        assert entry["where"][-1].endswith(" deep")
        assert entry["where"][-1].startswith("test_logs.py:")
    assert third["error"] == "LookupError"


def test_text_that_is_too_long_is_cut(logged: Read) -> None:
    structlog.get_logger("casework").info("x" * 5000)
    assert len(logged()[0]["event"]) == 300


@pytest.mark.parametrize("name", ["uvicorn.error", "sqlalchemy.engine", "apscheduler", "psycopg"])
def test_what_a_library_says_is_told_without_its_words(logged: Read, name: str) -> None:
    library = logging.getLogger(name)
    library.error("could not do it for %s", CANARY)
    library.warning(f"a row of {CANARY}") if name != "apscheduler" else None
    try:
        raise ValueError(CANARY)
    except ValueError:
        library.exception("crashed with %s", CANARY)
    library.debug(CANARY)
    entries = logged()
    assert len(entries) == (2 if name == "apscheduler" else 3)
    for entry in entries:
        assert (entry["event"], entry["logger"]) == ("library", name)
        assert set(entry) <= ALLOWED
    assert entries[-1]["error"] == "ValueError"


def test_it_is_set_up_once_however_often_it_is_asked_for(logged: Read) -> None:
    for _ in range(3):
        configure_logs()
    logging.getLogger("uvicorn.error").error("x")
    assert len(logged()) == 1


def test_a_validation_error_that_is_logged_says_nothing_of_the_input(logged: Read) -> None:
    class Form(BaseModel):
        number: int

    with pytest.raises(ValidationError, match="canary") as found:  # so it must never get there
        Form.model_validate({"number": CANARY})
    said = structlog.get_logger("casework")
    said.error("failed", exc_info=found.value, detail=str(found.value))
    assert logged()[0]["error"] == "ValidationError"


def test_lines_of_requests_go_to_their_file_and_everything_else_does_not(
    logged: Read, tmp_path: Path
) -> None:
    file = tmp_path / "requests.log"
    configure_logs(file)
    for status in (200, 404):
        structlog.get_logger("casework.requests").info("request", status=status, name=CANARY)
    structlog.get_logger("casework.http").error("request failed", error="ValueError")
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(line["event"], line["status"]) for line in lines] == [
        ("request", 200), ("request", 404),
    ]  # fmt: skip
    assert all(set(line) <= ALLOWED for line in lines)
    assert [entry["event"] for entry in logged()] == ["request failed"]


# Database error messages


def test_an_error_of_the_database_is_told_without_parameters(store: Store, logged: Read) -> None:
    engine = open_engine(store.url)
    row = {"id": new_id(), "slug": CANARY, "name": CANARY, "kind": "x", "phone": "1",
           "district_code": "nowhere", "lat": 1.0, "lon": 1.0,
           "is_active": True}  # fmt: skip
    for values in (row, row | {"district_code": None}):
        with pytest.raises(IntegrityError) as found, engine.begin() as connection:
            connection.execute(insert(t.provider), [values])
        ours = str(found.value).replace(str(found.value.orig), "")
        assert CANARY not in ours
        assert "SQL parameters hidden due to hide_parameters=True" in ours
        structlog.get_logger("casework").error("failed", exc_info=found.value)
        logging.getLogger("sqlalchemy.pool").error("lost %s", ours, exc_info=found.value)
    entries = logged()
    assert [entry["error"] for entry in entries] == ["IntegrityError"] * 4
    wrong = select(t.provider).where(text("no_such = :it"))
    with engine.connect() as connection, pytest.raises(DBAPIError) as other:
        connection.execute(wrong, {"it": CANARY})
    assert CANARY not in str(other.value)
    engine.dispose()


def test_the_control_with_parameters_shown_would_be_seen() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE it (a TEXT UNIQUE)"))
        connection.execute(text("INSERT INTO it VALUES (:a)"), {"a": CANARY})
        with pytest.raises(IntegrityError) as found:
            connection.execute(text("INSERT INTO it VALUES (:a)"), {"a": CANARY})
    assert CANARY in str(found.value)
    assert isinstance(found.value.orig, sqlite3.IntegrityError)


# Requests


def test_a_request_leaves_one_line_with_the_template_of_its_route(
    api: Api, logged: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    shells = []
    layer = api.client.app.middleware_stack  # type: ignore[attr-defined]
    while layer is not None:
        if isinstance(layer, OuterMiddleware):
            shells.append(layer)
        layer = getattr(layer, "app", getattr(layer, "_app", None))
    (shell,) = shells
    monkeypatch.setattr(shell, "_log_requests", True)
    api.actor(WORKER)
    logged()
    api.as_(WORKER).get(f"/referrals/{new_id()}", params={CANARY: CANARY})
    api.as_(WORKER).post("/residents/search", {"name": CANARY})
    api.client.get(f"/{CANARY}", headers={"X-Request-Id": "mine"})
    api.client.request("TRACE", BASE + "/me")
    entries = logged()
    assert [(one["method"], one["route"], one["status"]) for one in entries] == [
        ("GET", "/referrals/{id}", 422), ("POST", "/residents/search", 200),
        ("GET", "unmatched", 404), ("other", "unmatched", 405),
    ]  # fmt: skip
    for entry in entries:
        assert set(entry) <= ALLOWED
        assert entry["ms"] >= 0
    assert len({one["request_id"] for one in entries[:2]}) == 2


def test_a_failure_leaves_its_type_and_no_word_of_it(
    api: Api, logged: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(referring, "move_referral", broken)
    api.actor(PROVIDER)
    logged()
    answer = api.as_(PROVIDER).post(f"/referrals/{new_id()}/accept", {"note": CANARY})
    assert answer.status_code == 500
    (entry,) = logged()
    assert (entry["event"], entry["error"]) == ("request failed", "RuntimeError")
    assert entry["request_id"] == answer.headers["x-request-id"]
