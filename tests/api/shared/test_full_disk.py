"""A disk without room: refused with a code of its own, nothing half done, and readiness says so."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections import namedtuple
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, func, select, text

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.faults import fault
from tests.api.acts import a_referral, a_resident
from tests.api.asking import everything, refusal
from tests.api.conftest import BASE, PROVIDER, WORKER, Api

pytestmark = pytest.mark.both_stores
FULL = (503, "storage_full")
LONG = {"kind": "call", "text": "a long talk " * 300}
MIB = 2**20
Usage = namedtuple("Usage", "total used free")


@contextmanager
def full_disk(api: Api, table: str = "audit_entry") -> Iterator[None]:
    """No room for another page; on PostgreSQL, for another row of a table."""
    if api.engine.dialect.name == "sqlite":
        with _no_more_pages(api):
            yield
        return
    with api.engine.begin() as connection:
        connection.execute(text(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$"
        ))  # fmt: skip
        connection.execute(text(
            f"CREATE TRIGGER full_disk BEFORE INSERT ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION full_disk()"
        ))  # fmt: skip
    yield
    with api.engine.begin() as connection:
        connection.execute(text("DROP FUNCTION full_disk CASCADE"))


@contextmanager
def _no_more_pages(api: Api) -> Iterator[None]:
    pool = api.application.engine.pool

    def limit(connection: Any, *_: Any) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages}")

    event.listen(pool, "checkout", limit)
    yield
    event.remove(pool, "checkout", limit)
    api.application.engine.dispose()  # a limit stays with its connection


def until_refused(api: Api, path: str) -> Any:
    """Write until no page is left."""
    for _ in range(500):
        before = everything(api)
        answer = api.as_(WORKER).post(path, LONG)
        if not answer.is_success:
            assert everything(api) == before, "of what is refused nothing is kept"
            return answer
    raise AssertionError("there was room all the time")


def test_what_finds_no_room_is_refused_whole_and_done_once_there_is_some(api: Api) -> None:
    resident = a_resident(api)
    path, key = f"/residents/{resident}/notes", {"Idempotency-Key": "once"}
    with full_disk(api):
        answer = until_refused(api, path)
        assert refusal(answer) == FULL, answer.text
        assert answer.headers["retry-after"] == "60"
        before = everything(api)
        assert refusal(api.as_(WORKER).post(path, LONG, headers=key)) == FULL
        assert everything(api) == before
        assert notes(api) == len(before["note"])
    for _ in range(2):
        assert api.as_(WORKER).post(path, LONG, headers=key).status_code == 201
    assert notes(api) == len(before["note"]) + 1


def notes(api: Api) -> int:
    """How many notes there are."""
    with api.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(t.note)) or 0


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
@pytest.mark.parametrize("table", ["event", "deadline", "audit_entry"])
def test_wherever_in_a_change_the_room_ends_nothing_of_it_is_kept(
    api: Api, store: object, table: str
) -> None:
    referral = a_referral(api)
    before = everything(api)
    accept = f"/referrals/{referral}/accept"
    with full_disk(api, table):
        assert refusal(api.as_(PROVIDER).post(accept)) == FULL
        assert everything(api) == before
    assert api.as_(PROVIDER).post(accept).status_code == 200


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_what_cannot_be_recorded_is_not_shown_either(api: Api, store: object) -> None:
    resident = a_resident(api, name="가상주민갑")
    with full_disk(api):
        answers = [
            api.as_(WORKER).get(f"/residents/{resident}"),
            api.client.get(f"{BASE}/residents/{resident}"),
        ]
    for answer in answers:
        assert refusal(answer) == FULL
        assert "가상주민갑" not in answer.text


def test_the_code_reads_in_both_languages(api: Api) -> None:
    resident = a_resident(api)
    path = f"/residents/{resident}/notes"
    with full_disk(api):
        until_refused(api, path)
        titles = [
            api.as_(WORKER).post(path, LONG, headers={"Accept-Language": language}).json()["title"]
            for language in ("ko", "en")
        ]
    assert titles == [
        "저장 공간이 없어 처리하지 못했습니다. 나중에 다시 시도하십시오",
        "No room to write; nothing was done. Try again later",
    ]


# Readiness


def storage(api: Api) -> tuple[int, str, bool]:
    """What readiness says: status, in one word, and of the storage."""
    answer = api.client.get("/health/ready")
    said = answer.json()
    return answer.status_code, said["status"], said["storage"]


def free(monkeypatch: pytest.MonkeyPatch, left: int) -> None:
    """Let every disk have that much free."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - left, left))


@pytest.mark.parametrize(("left", "has_room"), [(-1, False), (0, True), (1, True)])
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_readiness_says_that_less_than_the_least_is_free(
    api: Api, monkeypatch: pytest.MonkeyPatch, store: object, left: int, has_room: bool
) -> None:
    free(monkeypatch, api.application.settings.min_free_mb * MIB + left)
    assert storage(api) == ((200, "ok", True) if has_room else (503, "unready", False))


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_readiness_says_that_the_database_takes_no_row(api: Api, store: object) -> None:
    assert storage(api) == (200, "ok", True)
    with full_disk(api, "idempotency"):
        assert storage(api) == (503, "unready", False)
    assert storage(api) == (200, "ok", True)
    with api.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(t.idempotency)) == 0


def test_the_room_is_a_figure_as_well(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 'casework_ready{part="storage"} 1.0' in api.client.get("/metrics").text
    if api.engine.dialect.name == "sqlite":
        free(monkeypatch, 0)
        assert 'casework_ready{part="storage"} 0.0' in api.client.get("/metrics").text


def _sqlite(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (_sqlite(sqlite3.SQLITE_FULL), "full"),
        (_sqlite(sqlite3.SQLITE_IOERR), "busy"),
        (_sqlite(sqlite3.SQLITE_ERROR), None),
        (psycopg.errors.DiskFull(), "full"),
        (psycopg.errors.OutOfMemory(), "busy"),
        (OSError(errno.ENOSPC, "no space left on device"), "full"),
        (OSError(errno.EDQUOT, "quota exceeded"), "full"),
        (OSError(errno.EACCES, "permission denied"), None),
        (OSError("of no number"), None),
    ],
)
def test_a_full_disk_is_told_from_other_faults(error: Exception, expected: str | None) -> None:
    assert fault(error) == expected
