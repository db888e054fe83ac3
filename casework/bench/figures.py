"""Figures: what a question costs, what counting takes, and what an act pays for being counted.

The demo's city on PostgreSQL, whose residents have histories of more than a year. Every question
goes through the whole application, as its own role behind row-level security, by somebody who
signed in: first while too much waits to be counted, so that it is answered from the rows, and
then from what is kept, which has to be the same. The instant is the same throughout. Those whose
histories were made are counted as the product counts; of their copies that is copied too.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, func, select, text

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.schema import migrations
from casework.adapters.persistence.scope import session_context
from casework.bench.database import Databases, databases, opened
from casework.bench.figures_asked import AT_MOST_MS, Asked, Asking, questions_on
from casework.bench.figures_copied import add_up, copy_residents, let_none_wait, let_too_many_wait
from casework.bench.figures_noted import cost_of_noting
from casework.bench.filling import tidy
from casework.bench.http import Result
from casework.bench.http_report import conditions
from casework.bench.lives import Product
from casework.bench.processes import BenchmarkFailed, cpu_of
from casework.bench.sides import Progress
from casework.bench.standing import settings_of
from casework.domain.clocks.calendar import day_in_seoul
from casework.settings import Settings

DISTRICT: Final = "26110"
# Cases that wait to be counted while a question is asked.
WAITING: Final = (1, 10, 100)
ROWS: Final = (t.care_case, t.referral, t.deadline)
KEPT: Final = (t.figure_entry, t.figure_total, t.city_total, t.city_sum)


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresMeasurement:
    """How large the city is, and how often each question is asked.

    So many residents have a history of their own, which the others share.
    """

    residents: int = 2000
    histories: int = 1000
    rounds: int = 10
    seed: int = 1
    database: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The wired product, which a benchmark knows by what it does with it.

    ``seed`` yields how many residents are there, and ``count`` how many changes it counted.
    """

    open: Callable[[Settings, datetime], Product]
    seed: Callable[[Product, int, int], Iterator[int]]
    count: Callable[[Product], Iterator[int]]


def bench_figures(of: FiguresMeasurement, product: Installation, progress: Progress) -> Result:
    """The figures of figures. Raises BenchmarkFailed where an answer was bad or another one."""
    with ExitStack() as stack:
        made = stack.enter_context(databases(of.database))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        version, postmaster = made.server()
        found = conditions(version)
        city = _City(of, product, progress, made, settings_of(made, folder), postmaster)
        stack.callback(city.close)
        city.fill()
        return {"benchmark": "figures", **found, **asyncio.run(city.measured())}


class _City:
    """A city with figures: filled, asked, counted, and asked again."""

    def __init__(
        self,
        of: FiguresMeasurement,
        product: Installation,
        progress: Progress,
        made: Databases,
        settings: Settings,
        postmaster: int | None,
    ) -> None:
        self._of, self._product, self._progress = of, product, progress
        self._postmaster, self._now = postmaster, datetime.now(UTC)
        migrations.upgrade(made.as_role("owner"), prefix=made.name)
        self._owner = opened(made.as_role("owner"))
        self._serving = self._open(settings, made.as_role("app"))
        self._seeding = self._open(settings, made.as_role("owner"))
        self._counting = self._open(settings, made.as_role("scheduler"))
        self._password = settings.demo_password
        self._counting_took: Result = {}

    def _open(self, settings: Settings, url: str) -> Product:
        return self._product.open(settings.model_copy(update={"database_url": url}), self._now)

    def close(self) -> None:
        """Let go of the database, which is dropped then."""
        for one in (self._serving, self._seeding, self._counting):
            one.engine.dispose()
        self._owner.dispose()

    def fill(self) -> None:
        """Seed the demo's city, count it, and copy its residents with what they count for."""
        of = self._of
        histories = min(of.histories, of.residents)
        for done in self._product.seed(self._seeding, histories, of.seed):
            self._progress.doing(f"making {done:,} of {histories:,} histories")
        tidy(self._owner)
        self._counting_took = self._count()
        copies = -(-of.residents // histories) - 1
        if copies:
            self._progress.doing(f"copying them {copies} times")
            copy_residents(self._owner, copies)
            self._progress.doing("adding up what they count for")
            add_up(self._owner, self._seeding.engine)
        tidy(self._owner)

    async def measured(self) -> Result:
        """Everything, in turn."""
        app = self._serving.app()
        async with app.router.lifespan_context(app):
            return await self._measured(app)

    async def _measured(self, app: Any) -> Result:
        asking = Asking(app, self._serving.engine, self._password, self._cpu)
        asked = questions_on(day_in_seoul(self._now), DISTRICT)
        try:
            let_too_many_wait(self._owner)
            from_rows = [await self._once(asking, one) for one in asked]
            let_none_wait(self._owner)
            tidy(self._owner)
            questions = await self._asked(asking, asked, from_rows)
            waiting = [await self._while_waiting(asking, asked, number) for number in WAITING]
        finally:
            await asking.close()
        self._progress.doing("writing with triggers and without")
        return {
            "residents": self._of.residents,
            "histories": self._of.histories,
            "rounds": self._of.rounds,
            "rows": self._rows(ROWS),
            "kept": self._rows(KEPT),
            "at_most_ms": AT_MOST_MS,
            "questions": questions,
            "counting": self._counting_took,
            "waiting": waiting,
            "noting": cost_of_noting(self._owner),
        }

    def _cpu(self) -> float | None:
        return None if self._postmaster is None else cpu_of(self._postmaster)

    async def _once(self, asking: Asking, one: Asked) -> tuple[float, Any]:
        self._progress.doing(f"from the rows: {one.name}")
        return await asking.once(one)

    def _count(self) -> Result:
        """Count everything that waits, as the scheduler's job does."""
        cases, done = self._rows([t.care_case])["care_case"], 0
        began = time.perf_counter(), time.process_time(), self._cpu()
        for changes in self._product.count(self._counting):
            done += changes
            self._progress.doing(f"counting: {done:,} changes")
        took, app = time.perf_counter() - began[0], time.process_time() - began[1]
        database = None if began[2] is None else (self._cpu() or 0.0) - began[2]
        return {
            "cases": cases,
            "changes": done,
            "ms_a_case": round(took * 1000 / cases, 2),
            "app_cpu_ms_a_case": round(app * 1000 / cases, 2),
            "db_cpu_ms_a_case": None if database is None else round(database / cases, 2),
        }

    async def _asked(
        self, asking: Asking, asked: list[Asked], from_rows: list[tuple[float, Any]]
    ) -> list[Result]:
        """What each question costs now; its answer has to be that of the rows."""
        sent = []
        for one, (_, before) in zip(asked, from_rows, strict=True):
            self._progress.doing(one.name)
            sent.append(await asking.statements(one))
            _, answer = await asking.once(one)
            if before is not None and answer != before:
                raise BenchmarkFailed(f"{one.name}: what is kept says otherwise than the rows")
        costs = await asking.costs(asked, self._of.rounds)
        return [
            {
                "question": one.name,
                **cost.told(),
                "statements": count,
                "from_rows_ms": None if before is None else round(took, 1),
                "same_as_rows": None if before is None else True,
            }
            for one, cost, count, (took, before) in zip(asked, costs, sent, from_rows, strict=True)
        ]

    async def _while_waiting(self, asking: Asking, asked: list[Asked], number: int) -> Result:
        """The first question of the city and of the district while some cases wait."""
        self._progress.doing(f"while {number} cases wait")
        of_city, of_district = asked[0], next(one for one in asked if one.who != "city")
        _note(self._owner, number)
        city, district = await asking.costs([of_city, of_district], self._of.rounds)
        counting = self._count_some()
        return {
            "cases": number,
            "city_ms": city.told()["ms"],
            "district_ms": district.told()["ms"],
            "counted_in_ms": counting,
        }

    def _count_some(self) -> float:
        began = time.perf_counter()
        for _ in self._product.count(self._counting):
            pass
        return round((time.perf_counter() - began) * 1000, 1)

    def _rows(self, tables: Any) -> dict[str, int]:
        with self._owner.connect() as connection:
            session_context.set_system_context(connection)
            return {
                table.name: connection.scalar(select(func.count()).select_from(table)) or 0
                for table in tables
            }


def _note(owner: Engine, number: int) -> None:
    """Let some cases wait to be counted, as if something of them was changed."""
    with owner.begin() as connection:
        session_context.set_system_context(connection)
        connection.execute(
            text(
                "INSERT INTO figure_change (id, case_id, resident_id) SELECT gen_random_uuid(), "
                "id, resident_id FROM care_case ORDER BY md5(id::text) LIMIT :number"
            ),
            {"number": number},
        )
