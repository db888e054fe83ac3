"""The questions about figures that are measured, and what each costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median
from typing import Any, Final

import httpx2
from sqlalchemy import Engine

from casework.bench.asking import API
from casework.bench.processes import BenchmarkFailed
from casework.bench.statements import statements
from casework.domain.clocks.calendar import ONE_DAY
from casework.domain.figures.figures import Month

MONTHS: Final = 10
# What is asked for, in milliseconds.
AT_MOST_MS: Final = 100
# A machine may be so busy that signing in is answered 503; it is not what is measured.
TRIES: Final = 10
Cpu = Callable[[], float | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: what it is called, who asks it, and its parameters."""

    name: str
    who: str
    params: dict[str, str]


def questions_on(today: date, district: str) -> list[Asked]:
    """The city's and a district's, over ten months and less, whole months and parts of them."""
    months = [Month.of(today)]
    while len(months) < MONTHS:
        months.insert(0, Month.of(months[0].first - ONE_DAY))
    since, until = months[0].first, months[-1].last
    ten = {"from": str(since), "to": str(until)}
    parts = {"from": str(since + timedelta(days=9)), "to": str(months[-2].first)}
    last, now = {"month": str(months[-2])}, {"month": str(months[-1])}
    supervisor = f"supervisor.{district}"
    return [
        Asked("the city, by district, ten months", "city", ten | {"by": "district"}),
        Asked("the city, by month, ten months", "city", ten | {"by": "month"}),
        Asked("the city, by agency, ten months", "city", ten | {"by": "provider"}),
        Asked("the city, last month", "city", last),
        Asked("a district, last month", supervisor, last),
        Asked("a district, this month so far", supervisor, now),
        Asked("a district, by month, ten months", supervisor, ten | {"by": "month"}),
        Asked("a district, by agency, ten months", supervisor, ten | {"by": "provider"}),
        Asked("a district, by centre, parts of months", supervisor, parts | {"by": "centre"}),
    ]


@dataclass(slots=True)
class Spent:
    """What the rounds of a question took: milliseconds, by round or together."""

    wall: list[float] = field(default_factory=list)
    app_cpu: float = 0.0
    db_cpu: float | None = 0.0

    def told(self) -> dict[str, Any]:
        """The median, the longest, and the processor time of one."""
        rounds = len(self.wall)
        return {
            "ms": round(median(self.wall), 1),
            "longest_ms": round(max(self.wall), 1),
            "app_cpu_ms": round(self.app_cpu / rounds, 1),
            "db_cpu_ms": None if self.db_cpu is None else round(self.db_cpu / rounds, 1),
        }


class Asking:
    """Asks an application in this process, signed in."""

    def __init__(self, app: Any, engine: Engine, password: str, database_cpu: Cpu) -> None:
        transport = httpx2.ASGITransport(app=app)
        self._client = httpx2.AsyncClient(transport=transport, base_url="http://localhost")
        self._engine, self._password, self._database_cpu = engine, password, database_cpu
        self._tokens: dict[str, str] = {}

    async def close(self) -> None:
        """Ask nothing more."""
        await self._client.aclose()

    async def once(self, asked: Asked) -> tuple[float, Any]:
        """Milliseconds, and the answer without its instant; None where there was none in time."""
        headers = {"Authorization": f"Bearer {await self._token(asked.who)}"}
        began = time.perf_counter()
        answer = await self._client.get(f"{API}/figures", params=asked.params, headers=headers)
        took = (time.perf_counter() - began) * 1000
        if answer.status_code == 503:
            return took, None
        if answer.status_code != 200:
            raise BenchmarkFailed(f"{asked.name}: {answer.status_code} {answer.text[:200]}")
        return took, {name: value for name, value in answer.json().items() if name != "as_of"}

    async def statements(self, asked: Asked) -> int:
        """How many statements one question sends."""
        await self.once(asked)
        with statements(self._engine) as sent:
            await self._answered(asked)
        return len(sent)

    async def costs(self, asked: Sequence[Asked], rounds: int) -> list[Spent]:
        """What each of some questions costs; they take turns."""
        spent = [Spent() for _ in asked]
        for _ in range(rounds):
            for one, of in zip(asked, spent, strict=True):
                app, database = time.process_time(), self._database_cpu()
                of.wall.append(await self._answered(one))
                of.app_cpu += (time.process_time() - app) * 1000
                now = self._database_cpu()
                if database is None or now is None or of.db_cpu is None:
                    of.db_cpu = None
                else:
                    of.db_cpu += now - database
        return spent

    async def _answered(self, asked: Asked) -> float:
        took, answer = await self.once(asked)
        if answer is None:
            raise BenchmarkFailed(f"{asked.name}: no answer in time")
        return took

    async def _token(self, username: str) -> str:
        who = {"username": username, "password": self._password}
        for _ in range(TRIES if username not in self._tokens else 0):
            answer = await self._client.post(f"{API}/auth/token", data=who)
            if answer.is_success:
                self._tokens[username] = answer.json()["access_token"]
                break
        else:
            if username not in self._tokens:
                raise BenchmarkFailed(f"{username} cannot sign in: {answer.status_code}")
        return self._tokens[username]
