"""Every list and search of a filled city, timed, with what the database says of each statement.

Asked of the product in this process, as users who sign in, over the role that serves, behind
row-level security. Beside the whole of a request stands the time that its statements took.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

import httpx2
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import OperationalError

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.scope import session_context
from casework.adapters.persistence.supervision.backlog import read_backlog
from casework.adapters.persistence.supervision.clock_counts import count_clocks
from casework.bench.asking import API
from casework.bench.city import copy_of
from casework.bench.copying import birth_of, phone_of
from casework.bench.database import opened
from casework.bench.filling import numbered_id
from casework.bench.http_report import conditions
from casework.bench.lives import Product, kind_of
from casework.bench.names import name_of
from casework.bench.processes import BenchmarkFailed
from casework.bench.questions import LIFE, PAGE, WHO, Question, questions
from casework.bench.sides import Progress
from casework.bench.standing import Filled, Open, Standing
from casework.domain.access.policy import Actor, Role
from casework.domain.duplicates.likeness import Likeness

WALKED: Final = 200
EXPLAIN: Final = "EXPLAIN (ANALYZE, BUFFERS) "
NO_BODY: Final = 500
# A statement is planned for its own values five times, then perhaps for all values alike.
UNTIL_PREPARED: Final = 8
Result = dict[str, Any]


class Unanswered(Exception):
    """A question was refused, or took longer than a statement may."""


@dataclass(frozen=True, slots=True)
class Round:
    """What a job does, or the domain in the course of an act, where nothing is to be done."""

    name: str
    run: Callable[[], Any]


Asked = Question | Round


def _rounds(product: Product, filled: Filled) -> Iterator[Round]:
    now, life = filled.filled_at, min(LIFE, filled.city.residents)
    at = copy_of(life).centre
    there = Actor(id=new_id(), role=Role.SUPERVISOR, district_code=at.district_code)
    like = Likeness(
        name=name_of(life), birth_date=birth_of(life), phone=phone_of(life),
        district_code=at.district_code,
    )  # fmt: skip

    def candidates() -> None:
        with product.context(there).reading("case.read") as reading:
            reading.residents.like(like, numbered_id(kind_of(t.resident, 0), life))

    yield Round("candidates for a duplicate", candidates)
    yield Round("sweep with nothing due", lambda: product.sweep(product.context()))
    yield Round("relay with nothing to send", lambda: product.relay(product.context()))
    yield Round("backlog of the metrics", lambda: read_backlog(product.engine, now))
    yield Round("clocks counted for the metrics", lambda: count_clocks(product.engine, now))


@dataclass(slots=True)
class Statements:
    """What is sent meanwhile: how long it takes, and on demand its plans."""

    seconds: float = 0.0
    sent: int = 0
    plans: list[str] | None = None
    _began: float = field(default=0.0)

    def reset(self) -> None:
        """Forget what was sent so far."""
        self.seconds, self.sent = 0.0, 0

    def before(self, _connection: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        """A statement is about to be sent."""
        if self.plans is not None and statement.lstrip()[:6] in ("SELECT", "WITH"):
            with cursor.connection.cursor() as apart:
                apart.execute(EXPLAIN + statement, values)
                lines = "\n".join(str(row[0]) for row in apart.fetchall())
            self.plans.append(f"{statement}\n{lines}")
        self._began = time.perf_counter()

    def after(self, *_: Any) -> None:
        """It was answered."""
        self.seconds += time.perf_counter() - self._began
        self.sent += 1


@contextmanager
def _watched(engine: Engine) -> Iterator[Statements]:
    found = Statements()
    event.listen(engine, "before_cursor_execute", found.before)
    event.listen(engine, "after_cursor_execute", found.after)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", found.before)
        event.remove(engine, "after_cursor_execute", found.after)


def bench_size(
    at: Standing, open_product: Open, rounds: int, progress: Progress, *,
    with_plans: bool = False, only: str = "",
) -> Result:  # fmt: skip
    """The figures of each question; of one that got no answer, why."""
    filled = at.filled()
    version, _ = at.databases.server()
    product = open_product(at.settings(), lambda: filled.filled_at)
    password = _let_in(at, product)
    every: list[Asked] = [
        *questions(filled.city, f"{filled.filled_at:%Y-%m}"),
        *_rounds(product, filled),
    ]
    asked = [one for one in every if only in one.name]
    progress.total(len(asked) * (rounds + 1))
    try:
        with _watched(product.engine) as statements:
            bench = _Asking(product, statements, rounds, progress, with_plans)
            figures = asyncio.run(bench.all(asked, password))
    finally:
        product.engine.dispose()
    return {
        "benchmark": "size",
        **conditions(version),
        "database": at.name,
        "residents": filled.city.residents,
        "referrals": filled.referrals,
        "events": filled.events,
        "rounds": rounds,
        "figures": figures,
    }


def _let_in(at: Standing, product: Product) -> str:
    """Give those who ask a password that nobody else knows."""
    password = secrets.token_urlsafe(16)
    owner = opened(at.databases.as_role("owner"))
    try:
        with owner.begin() as connection:
            session_context.set_system_context(connection)
            connection.execute(
                text("UPDATE account SET password_hash = :hash WHERE username = ANY(:names)"),
                {"hash": product.passwords.digest(password), "names": list(WHO)},
            )
    finally:
        owner.dispose()
    return password


@dataclass(slots=True)
class _Asking:
    product: Product
    statements: Statements
    rounds: int
    progress: Progress
    with_plans: bool
    tokens: dict[str, str] = field(default_factory=dict)

    async def all(self, asked: Sequence[Asked], password: str) -> list[Result]:
        """Every question once to warm up, then in rounds in which they take turns."""
        transport = httpx2.ASGITransport(app=self.product.app())
        taken: list[list[tuple[float, float]]] = [[] for _ in asked]
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            for who in {one.who for one in asked if isinstance(one, Question)}:
                self.tokens[who] = await self._token(client, who, password)
            figures = [await self._first(client, one) for one in asked]
            for number in range(self.rounds):
                for which, one in enumerate(asked):
                    self._doing(f"round {number + 1} of {self.rounds}: {one.name}")
                    if "failed" not in figures[which]:
                        path = figures[which]["path"]
                        taken[which].append(await self._timed(client, one, path))
        return [one | _spread(times) for one, times in zip(figures, taken, strict=True)]

    def _doing(self, what: str) -> None:
        self.progress.doing(what)
        self.progress.step()

    async def _token(self, client: httpx2.AsyncClient, who: str, password: str) -> str:
        answer = await client.post(
            f"{API}/auth/token", data={"username": who, "password": password}
        )
        if not answer.is_success:
            raise BenchmarkFailed(f"{who} cannot sign in: {answer.status_code} {answer.text}")
        return str(answer.json()["access_token"])

    async def _sent(self, client: httpx2.AsyncClient, one: Asked, path: str) -> Any:
        if isinstance(one, Round):
            try:
                return one.run()
            except OperationalError as error:
                raise Unanswered(str(error.orig).partition("\n")[0]) from None
        answer = await client.request(
            "GET" if one.body is None else "POST", API + path, json=one.body,
            headers={"Authorization": f"Bearer {self.tokens[one.who]}"},
        )  # fmt: skip
        if not answer.is_success:
            raise Unanswered(f"{answer.status_code} {answer.text[:NO_BODY]}")
        return answer.json()

    async def _path(self, client: httpx2.AsyncClient, one: Asked) -> str:
        """The path with the cursor of the last page, where that is asked for."""
        if isinstance(one, Round):
            return ""
        if not one.is_last:
            return one.path
        self.progress.doing(f"turning the pages: {one.name}")
        cursor = found = None
        while True:
            page = await self._sent(client, one, _with(one.path, WALKED, cursor))
            if page["next_cursor"] is None:
                return _with(one.path, PAGE, found)
            found = cursor = page["next_cursor"]

    async def _first(self, client: httpx2.AsyncClient, one: Asked) -> Result:
        """To warm up: how much is answered, or why nothing is."""
        self._doing(f"warm-up: {one.name}")
        try:
            return await self._looked_at(client, one)
        except Unanswered as error:
            return {"name": one.name, "failed": str(error), "rows": None, "statements": 0}

    async def _looked_at(self, client: httpx2.AsyncClient, one: Asked) -> Result:
        """The answer's rows, the number of statements, and on demand their plans."""
        path = await self._path(client, one)
        for _ in range(UNTIL_PREPARED):
            await self._sent(client, one, path)
        self.statements.reset()
        self.statements.plans = [] if self.with_plans else None
        answer = await self._sent(client, one, path)
        plans, self.statements.plans = self.statements.plans, None
        rows = answer.get("items") if isinstance(answer, dict) else None
        found: Result = {
            "name": one.name, "path": path, "statements": self.statements.sent,
            "rows": None if rows is None else len(rows),
        }  # fmt: skip
        return found | ({"plans": plans} if plans is not None else {})

    async def _timed(
        self, client: httpx2.AsyncClient, one: Asked, path: str
    ) -> tuple[float, float]:
        self.statements.reset()
        began = time.perf_counter()
        await self._sent(client, one, path)
        return time.perf_counter() - began, self.statements.seconds


def _with(path: str, limit: int, cursor: str | None) -> str:
    """A path with a limit and a cursor."""
    query = f"limit={limit}" + (f"&cursor={cursor}" if cursor else "")
    return f"{path}{'&' if '?' in path else '?'}{query}"


def _spread(times: Sequence[tuple[float, float]]) -> Result:
    """Median and 95th percentile of whole requests and of their statements, in milliseconds."""
    found: Result = {}
    if not times:
        return dict.fromkeys(("ms", "p95_ms", "database_ms", "p95_database_ms"))
    for name, all in zip(("ms", "database_ms"), zip(*times, strict=True), strict=True):
        ordered = sorted(1000 * one for one in all)
        found[name] = round(median(ordered), 2)
        p95 = ordered[min(len(ordered) * 95 // 100, len(ordered) - 1)]
        found[f"p95_{name}"] = round(p95, 2)
    return found
