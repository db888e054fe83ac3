"""What one request of each mode sends and writes, by sending it once in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx2
from sqlalchemy import Engine, event

from casework.bench.asking import API, Clients, Request
from casework.bench.database import Databases
from casework.bench.lives import Product
from casework.bench.processes import BenchmarkFailed
from casework.bench.written import Statement, for_driver, mark, rows_between, statements_of

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
            who = {"username": clients.username(0, mode), "password": password}
            token = (await client.post(f"{API}/auth/token", data=who)).json()["access_token"]
            number, requests = clients.recorded(mode, token)
            await _sent(client, requests[0])
            first = mark(city)
            with _statements(product.engine) as sent:
                answer = await _sent(client, requests[1])
            counts[mode] = len(sent)
            if mode in WRITTEN:
                rows = rows_between(city, first, mark(city))
                tables |= {table.name for table in rows}
                key = requests[1].get("key", "")
                writes[mode] = statements_of(rows, copy, number, key)
            if mode == "create":
                shown = answer
    return Recorded(counts, writes, tables, shown)


async def _sent(client: httpx2.AsyncClient, request: Request) -> Any:
    headers = {"Authorization": f"Bearer {request['token']}"}
    if "key" in request:
        headers["Idempotency-Key"] = request["key"]
    answer = await client.request(
        request["method"], request["path"], json=request.get("body"), headers=headers
    )
    if not answer.is_success:
        raise BenchmarkFailed(f"{request['path']} was refused: {answer.status_code} {answer.text}")
    return answer.json()


@contextmanager
def _statements(engine: Engine) -> Iterator[list[str]]:
    """The statements that are sent inside the block, except those that open a transaction."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)
