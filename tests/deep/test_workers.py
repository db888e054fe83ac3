"""`casework serve --workers`: several processes on one port, renewed while they serve."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from casework.settings import Settings
from tests.e2e.test_cli import ENDS_WITHIN_S, Started, started

NUMBER = 2
ANSWERED = 'casework_requests_total{method="GET",route="/health/live",status="200"}'


def _command_of(pid: str) -> bytes:
    """What a process was started with; nothing where it ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@dataclass(frozen=True)
class Serving:
    """A command that serves by processes, and its address."""

    command: Started
    url: str

    def processes(self) -> set[int]:
        """Those that answer; one that only counts what is shared is none."""
        parent = self.command.process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return {int(one) for one in children if b"spawn_main" in _command_of(one)}

    def live(self) -> int:
        """The status of one question on a connection of its own."""
        return httpx2.get(f"{self.url}/health/live", timeout=10).status_code

    def told(self, sample: str) -> list[float]:
        """The values of one sample in the metrics, which must be one."""
        lines = httpx2.get(f"{self.url}/metrics", timeout=10).text.splitlines()
        return [float(one.rpartition(" ")[2]) for one in lines if one.startswith(f"{sample} ")]


@pytest.fixture
def serving(tmp_path: Path, sqlite_template: Path) -> Iterator[Serving]:
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copyfile(sqlite_template, folder / "casework.sqlite")
    with started(folder, "serve", "--port", "0", "--workers", str(NUMBER)) as command:
        said = command.wait_for(lambda: [one for one in command.out.split("\n") if "ready" in one])
        yield Serving(command, said[0].removeprefix("ready "))


def test_processes_are_renewed_without_a_request_refused(serving: Serving) -> None:
    before, answers, done = serving.processes(), [], threading.Event()
    assert len(before) == NUMBER

    def ask() -> None:
        while not done.is_set():
            answers.append(serving.live())

    def are_renewed() -> bool:
        now = serving.processes()
        return len(now) == NUMBER and not now & before

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        serving.command.process.send_signal(signal.SIGHUP)
        try:
            serving.command.wait_for(are_renewed)
        finally:
            done.set()
        asking.result()
    assert set(answers) == {200}
    counted = httpx2.get(f"{serving.url}/metrics").text
    assert f"{ANSWERED} {float(len(answers))}" in counted, "those that ended count as well"


def test_none_is_left_where_the_one_that_started_them_is_killed(serving: Serving) -> None:
    left = serving.processes()
    serving.command.process.kill()
    serving.command.process.wait()
    until = time.monotonic() + ENDS_WITHIN_S
    while any(Path(f"/proc/{pid}").exists() for pid in left):
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_process_that_is_killed_is_replaced_and_all_end_when_told(serving: Serving) -> None:
    killed, at_most = min(serving.processes()), NUMBER * Settings().threads
    assert serving.told("casework_connections_at_most") == [at_most]
    os.kill(killed, signal.SIGKILL)

    def is_replaced() -> bool:
        now = serving.processes()
        return len(now) == NUMBER and killed not in now

    serving.command.wait_for(is_replaced)
    # The one that is gone is left out, or it would be counted beside the one that came for it.
    serving.command.wait_for(lambda: serving.told("casework_connections_at_most") == [at_most])
    assert serving.live() == 200
    assert serving.told('casework_waiting{queue="messages"}') == [0]
    assert serving.told("casework_backlog_read") == [1], "by the one that is asked, and no sum"
    left = serving.processes()
    assert serving.command.end() == 0
    assert not [pid for pid in left if Path(f"/proc/{pid}").exists()]
