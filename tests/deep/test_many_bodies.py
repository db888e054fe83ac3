"""Sixty connections that each send 16 MiB where nobody takes them: the memory of the server.

The server is `casework serve` as an operator starts it, over real sockets. The control is a server
that reads what it will refuse, and is found.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Final

import pytest

from tests.api.conftest import Api
from tests.deep.test_killed_server import Killable

CONNECTIONS: Final = 60
BODY: Final = 16 * 2**20
CHUNK: Final = b"x" * 2**16
BOUND_MIB: Final = 100
ANSWERED_S: Final = 5.0
# The path, what is said to come, and how it is refused.
TAKEN_BY_NOBODY: Final = (
    ("/api/v1/nothing-here", "application/json", 404),
    ("/nothing-here", "text/plain", 404),
    ("/api/v1/imports", "multipart/form-data; boundary=x", 401),
)
READS_IT_ALL: Final = """
import sys, uvicorn
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})
uvicorn.run(app, port=int(sys.argv[1]), log_level="critical", lifespan="off")
"""


def resident_mib(pid: int) -> float:
    """What a process has in memory, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("it is gone")


@dataclass
class Measured:
    """Memory before and at its peak in MiB, the answers, and the slowest look meanwhile."""

    before: float
    peak: float
    statuses: Counter[int]
    slowest_s: float

    @property
    def growth(self) -> float:
        """How much more it was."""
        return self.peak - self.before


def request(port: int, path: str, kind: str, size: int) -> socket.socket:
    """A connection that announces a body."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sendall(
        f"POST {path} HTTP/1.1\r\nHost: test\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {size}\r\n\r\n".encode()
    )
    return connection


def send_all(port: int, path: str, kind: str, together: Barrier) -> int:
    """Send a whole body unless it is cut off; the status, 0 where none was read."""
    with request(port, path, kind, BODY) as connection:
        together.wait()
        with contextlib.suppress(OSError):  # it was answered, and the connection ended
            for _ in range(BODY // len(CHUNK)):
                connection.sendall(CHUNK)
        with contextlib.suppress(OSError):
            said = connection.recv(64)
            return int(said.split()[1]) if said else 0
    return 0


def is_answered(port: int) -> bool:
    """Whether somebody else is answered."""
    with contextlib.suppress(OSError), request(port, "/health/live", "text/plain", 0) as one:
        return bool(one.recv(64))
    return False


def measure(port: int, pid: int, path: str, kind: str, connections: int) -> Measured:
    """Send from so many at once, and look at the process all the while."""
    found = Measured(resident_mib(pid), 0, Counter(), 0)
    end = Event()

    def look() -> None:
        while not end.is_set():
            found.peak = max(found.peak, resident_mib(pid))
            end.wait(0.01)

    def ask() -> None:
        while not end.is_set():
            began = time.monotonic()
            is_answered(port)
            found.slowest_s = max(found.slowest_s, time.monotonic() - began)
            end.wait(0.05)

    others = [Thread(target=look), Thread(target=ask)]
    for one in others:
        one.start()
    together = Barrier(connections)
    with ThreadPoolExecutor(connections) as pool:
        sent = [pool.submit(send_all, port, path, kind, together) for _ in range(connections)]
        found.statuses.update(one.result() for one in sent)
    end.set()
    for one in others:
        one.join()
    return found


def until_answered(port: int) -> None:
    """Wait for a server that starts."""
    for _ in range(600):
        if is_answered(port):
            return
        time.sleep(0.1)
    raise AssertionError("it does not start")


@pytest.fixture
def server(api: Api) -> Iterator[Killable]:
    """A server over the small world."""
    found = Killable(api)
    yield found
    found.end()


def test_what_nobody_takes_is_not_kept_in_memory(server: Killable) -> None:
    until_answered(server.port)
    for path, kind, status in TAKEN_BY_NOBODY:
        measure(server.port, server.pid, path, kind, 2)  # what a first request loads is no growth
        found = measure(server.port, server.pid, path, kind, CONNECTIONS)
        print(f"{path}: {found}, {found.growth:.1f} MiB more")
        assert found.growth < BOUND_MIB, (path, found)
        assert set(found.statuses) <= {status, 0}, (path, found)
        assert found.statuses[status] > 0, (path, found)
        assert found.slowest_s < ANSWERED_S, (path, found)


def test_the_control_a_server_that_reads_what_it_refuses_is_found() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", READS_IT_ALL, str(port)])
    try:
        until_answered(port)
        found = measure(port, process.pid, "/nothing-here", "text/plain", 12)
    finally:
        process.kill()
        process.wait()
    assert found.growth > BOUND_MIB, found
