"""What one request of each mode sends and writes, by sending it once in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import httpx2
from sqlalchemy import Engine

from casework.bench.asking import API, Clients, Request
from casework.bench.database import Databases
from casework.bench.lives import Product
from casework.bench.processes import BenchmarkFailed
from casework.bench.statements import statements
from casework.bench.written import Statement, for_driver, mark, rows_between, statements_of

TRIES, PAUSE_S = 10, 1.0
# Those whose writes the prototype repeats.
WRITTEN: Final = ("create", "read", "worklist")
COUNTED: Final = (*WRITTEN, "overdue", "search")


@dataclass(frozen=True, slots=True)
class Recorded:
    """Statements a request by mode, what it writes, and the answer to a referral made."""

    statements: dict[str, int]
    writes: dict[str, list[Statement]]
    tables: set[str]
    shown: Any

    def for_prototype(self) -> dict[str, Any]:
        """The writes as the prototype sends them, with the ids that are put in."""
        return {
            "shown": self.shown,
            "writes": {mode: for_driver(all) for mode, all in self.writes.items()},
        }


def record(made: Databases, product: Product, clients: Clients, password: str) -> Recorded:
    """Send each mode's request twice, and count the second: what rarely changes is then cached."""
    city, copy = made.engine(made.name), made.engine(made.copy)
    try:
        return asyncio.run(_record(product, clients, password, (city, copy)))
    finally:
        for engine in (city, copy, product.engine):
            engine.dispose()


async def _record(
    product: Product, clients: Clients, password: str, engines: tuple[Engine, Engine]
) -> Recorded:
    city, copy = engines
    counts: dict[str, int] = {}
    writes: dict[str, list[Statement]] = {}
    tables: set[str] = set()
    transport = httpx2.ASGITransport(app=product.app())
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for mode in COUNTED:
            token = await _token(client, clients.username(0, mode), password)
            number, requests = clients.recorded(mode, token)
            await _sent(client, requests[0])
            marks: list[int] = []
            with statements(product.engine) as sent:
                answer = await _sent(client, requests[1], partial(_begin, sent, marks, city))
            counts[mode] = len(sent)
            if mode in WRITTEN:
                rows = rows_between(city, marks[-1], mark(city))
                tables |= {table.name for table in rows}
                key = requests[1].get("key", "")
                writes[mode] = statements_of(rows, copy, number, key)
            if mode == "create":
                shown = answer
    return Recorded(counts, writes, tables, shown)


def _begin(sent: list[str], marks: list[int], city: Engine) -> None:
    """Forget what an earlier try sent, and leave what it wrote behind a mark."""
    sent.clear()
    marks.append(mark(city))


async def _token(client: httpx2.AsyncClient, username: str, password: str) -> str:
    who = {"username": username, "password": password}
    answer = await _patiently(lambda: client.post(f"{API}/auth/token", data=who))
    return str(answer.json()["access_token"])


async def _sent(
    client: httpx2.AsyncClient, request: Request, begin: Callable[[], None] = lambda: None
) -> Any:
    """The answer to a request; ``begin`` is called before each time it is sent."""
    headers = {"Authorization": f"Bearer {request['token']}"}
    if "key" in request:
        headers["Idempotency-Key"] = request["key"]

    async def send() -> httpx2.Response:
        begin()
        return await client.request(
            request["method"], request["path"], json=request.get("body"), headers=headers
        )

    return (await _patiently(send)).json()


async def _patiently(send: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response:
    """A good answer, also of a machine so busy that the first is 503."""
    for _ in range(TRIES):
        answer = await send()
        if answer.status_code != 503:
            break
        await asyncio.sleep(PAUSE_S)
    if not answer.is_success:
        raise BenchmarkFailed(f"{answer.url.path} was refused: {answer.status_code} {answer.text}")
    return answer
