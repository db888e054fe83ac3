"""Every hostile file sent in over a real socket, while others ask who they are and are answered.

Each is refused, or taken, within its bounds. Asked all the while is `/me` of another account; the
control reads the same file within the process that answers, with its bounds off, and is found.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from threading import Event, Thread
from typing import Any, BinaryIO

import httpx2
import pytest

from casework.adapters.sheets import SheetFiles, workbooks
from tests.adapters.sheets import hostile
from tests.api.conftest import BASE, COLLEAGUE, STRANGER, WORKER, Api
from tests.api.shared.test_hygiene import services
from tests.serving import served

WITHIN_S = 1.0
FILE_S = 45.0


def headers(api: Api, username: str) -> dict[str, str]:
    """The headers of an account."""
    token = api.application.tokens.issue(api.id_of(username), api.clock.now)
    return {"Authorization": f"Bearer {token}"}


@dataclass
class Others:
    """Who asks all the while, and how long each answer took."""

    address: str
    headers: dict[str, str]
    seconds: list[float] = field(default_factory=list)
    wrong: list[int] = field(default_factory=list)

    def ask_until(self, end: Event) -> None:
        """Ask who one is, again and again."""
        with httpx2.Client(base_url=self.address, headers=self.headers, timeout=60) as client:
            while not end.is_set():
                began = time.monotonic()
                status = client.get(f"{BASE}/me").status_code
                self.seconds.append(time.monotonic() - began)
                if status != 200:
                    self.wrong.append(status)
                end.wait(0.05)


@contextmanager
def asking(api: Api, address: str) -> Iterator[Others]:
    """While the block lasts another account asks."""
    others, end = Others(address, headers(api, STRANGER)), Event()
    thread = Thread(target=others.ask_until, args=(end,))
    thread.start()
    try:
        yield others
    finally:
        end.set()
        thread.join()


def sent(api: Api, address: str, by: str, content: bytes) -> tuple[int, str | None, float]:
    """Send a file in: the status, the code, and how long it took."""
    began = time.monotonic()
    answer = httpx2.post(
        f"{address}{BASE}/imports", headers=headers(api, by), timeout=120,
        data={"kind": "residents", "dry_run": "true"}, files={"file": ("x.xlsx", content)},
    )  # fmt: skip
    return answer.status_code, answer.json().get("code"), time.monotonic() - began


def test_each_hostile_file_is_refused_or_taken_while_others_are_answered(api: Api) -> None:
    files = {name: hostile.content_of(name) for name in hostile.CORPUS}
    with served(api.client.app) as address, asking(api, address) as others:
        for name, content in files.items():
            status, code, seconds = sent(api, address, WORKER, content)
            assert code in hostile.CORPUS[name][1], (name, status, code)
            assert status == (201 if code is None else 422), name
            assert seconds < FILE_S, (name, seconds)
    assert (len(others.seconds) > 20, others.wrong) == (True, [])
    assert max(others.seconds) < WITHIN_S


def test_eight_files_of_one_account_keep_nobody_elses_waiting(api: Api) -> None:
    content = hostile.content_of("a million strings")
    with (
        served(api.client.app) as address,
        asking(api, address) as others,
        ThreadPoolExecutor(9) as pool,
    ):
        many = [pool.submit(sent, api, address, WORKER, content) for _ in range(8)]
        time.sleep(0.3)
        status, _, seconds = sent(api, address, COLLEAGUE, hostile.content_of("an ordinary one"))
        found = [one.result()[:2] for one in many]
    assert (status, seconds < FILE_S / 3) == (201, True), seconds
    assert set(found) <= {(422, "file_too_large"), (429, "too_many_requests")}
    assert (422, "file_too_large") in found
    assert (429, "too_many_requests") in found
    assert max(others.seconds) < WITHIN_S
    assert others.wrong == []


class Within:
    """The fault switched on: files are read in the process that answers, and without bounds."""

    def read(self, source: BinaryIO) -> Iterator[tuple[int, list[str]]]:
        """As it once was."""
        return enumerate(SheetFiles().read(source), start=1)

    write = SheetFiles().write


def test_the_control_that_reads_within_the_process_is_found(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bound in ("MAX_RATIO", "MAX_MARKS", "MAX_STRINGS"):
        monkeypatch.setattr(workbooks, bound, 10**9)
    tools: Any = api.application.import_tools()
    content = hostile.content_of("tiny strings, all the same")
    with (
        services(api, import_tools=type(tools)(**_fields(tools) | {"sheets": Within()})),
        served(api.client.app) as address,
        asking(api, address) as others,
        ThreadPoolExecutor(3) as pool,
    ):
        time.sleep(1)
        before = len(others.seconds)
        found = [pool.submit(sent, api, address, by, content) for by in (WORKER, COLLEAGUE)]
        # Taken for a file like any other: a million strings were read for one row.
        assert [one.result()[1] for one in found] == ["column_missing"] * 2
    assert median(others.seconds[before:]) > 3 * median(others.seconds[:before])


def _fields(tools: Any) -> dict[str, Any]:
    return {name: getattr(tools, name) for name in tools.__dataclass_fields__}
