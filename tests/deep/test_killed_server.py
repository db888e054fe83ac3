"""A server that is killed in the middle: what it acknowledged is there, once, and nothing twice.

The server is `casework serve` as an operator starts it. Clients write without pause, each thing
under an idempotency key, and send again what was not answered, until it is; meanwhile the server is
killed with SIGKILL, which lets it finish nothing, and started again.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any, Final

import httpx2
import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.rows.mapper import from_row
from casework.domain.residents.resident import Note
from tests.api.acts import a_resident
from tests.api.conftest import HERE, PASSWORD, WORKER, Api
from tests.proofs.sweeps import environment

ROOT: Final = Path(__file__).resolve().parents[2]
KILLS, CLIENTS, BETWEEN, AT_MOST_S = 3, 4, 12, 150


class Killable:
    """The server as its own process, which can be killed and started again on the same port."""

    def __init__(self, api: Api) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._environment = environment(api.application.settings.url())
        self.kills = 0
        self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "casework", "serve", "--port", str(self.port)]
        return subprocess.Popen(
            command, cwd=ROOT, env=self._environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        """The process that serves now."""
        return self._process.pid

    def kill(self) -> None:
        """Kill it and start it again."""
        self.end()
        self.kills += 1
        self._process = self._started()

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()


@pytest.fixture
def server(api: Api) -> Iterator[Killable]:
    """A server over the small world."""
    found = Killable(api)
    yield found
    found.end()


class Client:
    """Somebody who writes, and sends again what was not answered."""

    def __init__(self, server: Killable, number: int, stop: Event) -> None:
        self._base = f"http://127.0.0.1:{server.port}/api/v1"
        self._number, self._stop = number, stop
        self.acknowledged: dict[str, str] = {}
        self.again = 0

    def write(self, resident: str) -> None:
        """Write notes and residents until told to stop, each until it is answered."""
        with httpx2.Client(timeout=10) as client:
            form = {"username": WORKER, "password": PASSWORD}
            token = self._sent(client, "/auth/token", {"data": form}, 200).json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            n = 0
            while not self._stop.is_set():
                name, n = f"가상{self._number}번{n}", n + 1
                path, body = f"/residents/{resident}/notes", {"kind": "call", "text": name}
                if n % 2:
                    path, body = "/residents", {
                        "name": name, "birth_date": "1940-01-02", "sex": "female",
                        "centre_code": HERE,
                    }  # fmt: skip
                key = {"Idempotency-Key": name.encode().hex()}
                answer = self._sent(client, path, {"json": body, "headers": key}, 201)
                self.acknowledged[name] = answer.json()["id"]

    def _sent(self, client: Any, path: str, what: dict[str, Any], wanted: int) -> Any:
        while True:
            try:
                answer = client.post(self._base + path, **what)
            except httpx2.HTTPError:
                self.again += 1
                time.sleep(0.1)
                continue
            if answer.status_code == wanted:
                return answer
            # The same request may be at work still, for a server that is gone.
            assert answer.status_code in (409, 429, 503), answer.text
            assert answer.status_code != 409 or answer.json()["code"] == "in_flight", answer.text
            self.again += 1
            time.sleep(0.2)


def written(api: Api) -> dict[str, list[str]]:
    """The ids of what stands in the database, by its text or name."""
    found: dict[str, list[str]] = {}
    with api.engine.connect() as connection:
        vault = vault_of(connection)
        for row in connection.execute(select(t.note)):
            found.setdefault(from_row(Note, row, vault).text, []).append(str(row.id))
        for row in connection.execute(select(t.resident.c.id, t.resident.c.name)):
            found.setdefault(row.name, []).append(str(row.id))
    return found


def test_what_was_acknowledged_before_a_kill_is_there_exactly_once(
    api: Api, server: Killable
) -> None:
    resident, stop, began = str(a_resident(api)), Event(), time.monotonic()
    clients = [Client(server, number, stop) for number in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        at_work = [pool.submit(client.write, resident) for client in clients]
        try:
            for kill in range(1, KILLS + 1):
                while sum(len(one.acknowledged) for one in clients) < kill * BETWEEN:
                    assert time.monotonic() - began < AT_MOST_S, "hardly anything went on"
                    assert not any(one.done() for one in at_work)
                    time.sleep(0.01)
                server.kill()
        finally:
            stop.set()
        for one in at_work:
            one.result()
    acknowledged = {name: id for one in clients for name, id in one.acknowledged.items()}
    found = written(api)
    assert {name: found.get(name) for name in acknowledged} == {
        name: [id] for name, id in acknowledged.items()
    }
    assert Counter(map(len, found.values())) == Counter({1: len(found)}), "nothing is there twice"
    assert server.kills == KILLS
    assert sum(one.again for one in clients) >= KILLS, "nobody was cut off"
