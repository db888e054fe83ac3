"""Runs each act of a random story on the real use cases and on the model.

Both must agree on whether it is possible and on the state afterwards; what is refused, crashes
or comes twice must change nothing; and after every step the invariants hold.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant
from sqlalchemy import Connection, insert, select, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.errors import Refusal
from casework.workflows.context import Context
from casework.workflows.ports.unit_of_work import Replay, RequestFacts
from casework.workflows.supervision.batches import Batches
from tests.api.conftest import (
    COLLEAGUE,
    DISTRICT,
    FAR,
    HERE,
    NEIGHBOUR,
    NEXT_DOOR,
    OTHER_DISTRICT,
    STRANGER,
    WORKER,
    Api,
)
from tests.proofs._invariants import SERVED_BESIDES, State, broken, read
from tests.proofs._kept_figures import count_again, miskept
from tests.proofs._model import ModelCase, differs, miscounted
from tests.proofs._people import ModelConsent, ModelNote, ModelResident, ModelStaff
from tests.proofs._promises import forgotten, people_differ
from tests.proofs._services import ModelReferral, ModelService
from tests.proofs._world import begin_again

T = TypeVar("T")
ACTS_A_STORY = 30
CENTRES = {HERE: DISTRICT, NEXT_DOOR: DISTRICT, FAR: OTHER_DISTRICT}
WORKERS = {
    HERE: (WORKER, COLLEAGUE, f"worker3.{HERE}"),
    NEXT_DOOR: (NEIGHBOUR, f"worker2.{NEXT_DOOR}"),
    FAR: (STRANGER, f"worker2.{FAR}"),
}
PROVIDERS = ("alpha", "beta", "gamma")
CODES = ("CARE-MEALS", "MED-VISIT")
STARTS = ("2026-03-02T10:00", "2026-04-30T17:30", "2026-09-22T23:30", "2026-12-30T08:00")
# Everybody whose work somebody can take on, and where.
PLACES = {who: centre for centre, people in WORKERS.items() for who in people} | {
    f"{role}.{district}": district
    for district in (DISTRICT, OTHER_DISTRICT)
    for role in ("supervisor", "head")
}
# More places than a story can take: which acts are possible does not depend on them.
PLENTY = update(t.offering).values(capacity=20 + SERVED_BESIDES, available=20)
# A batch so small that a sweep has several, between which it can be cut off.
BATCHES = Batches(first=2, least=2, most=2)
# After so many checks the figures are compared with the rows, counted, and compared again.
KEPT_EVERY = 4
ANY = st.integers(0, 23)
WAITS = st.sampled_from(
    [timedelta(minutes=1), timedelta(minutes=50), timedelta(hours=4), timedelta(hours=20)]
    + [timedelta(days=n) for n in (1, 2, 4, 7, 16, 35, 100)]
)
# How many days ago an act was: mostly today, seldom too long ago or before what it follows.
DAYS_BACK, TOO_LATE = 30, 31
BACK = st.sampled_from([0, 0, 0, 0, 1, 3, 5, 9, 25, 31, -1])
# How an act is sent: once, twice under one key, or by a process that dies before it commits.
HOW = st.sampled_from(["once"] * 6 + ["retried", "cut off"])
EVERYDAY = (
    "telling", "check", "signal", "answer_to_signal", "assignment", "handover", "case_resumed",
    "an_outsider", "death", "death_taken_back", "account_enabled",
)  # fmt: skip


class Crash(BaseException):
    """The process ends here; nothing that it had not committed remains."""


class DyingStore:
    """A store whose process dies in the moment before a commit."""

    def __init__(self, store: Any) -> None:
        self._store = store

    @contextmanager
    def work(self, *args: Any) -> Iterator[Any]:
        """A transaction that never commits."""

        def die(*_: Any) -> None:
            raise Crash

        with self._store.work(*args) as work:
            work.commit = die
            yield work


class Stage(RuleBasedStateMachine):
    """Runs acts, and checks the invariants after each of them."""

    world: ClassVar[Api]
    done: ClassVar[Counter[str]] = Counter()
    actors: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.cases: list[ModelCase] = []
        self.residents: dict[UUID, ModelResident] = {}
        self.consents: list[ModelConsent] = []
        self.notes: list[ModelNote] = []
        self.staff = ModelStaff(dict(PLACES))
        begin_again(self.world)
        with self.world.engine.begin() as connection:
            connection.execute(PLENTY)
            connection.execute(update(t.account).values(is_active=True))
            _hire(connection)
        self.state = self.look()
        self.checked: State | None = None
        self.done["stories"] += 1
        if self.done["stories"] % 20 == 0:
            print(f"{self.done['stories']} stories", end="\r", file=sys.stderr, flush=True)

    # Running an act

    def look(self) -> State:
        """What the database holds now."""
        return read(self.world.engine)

    @property
    def today(self) -> date:
        """The day it is in Seoul."""
        return day_in_seoul(self.world.clock.now)

    def context(self, who: str, key: str | None = None, version: int | None = None) -> Context:
        """The context of a use case called by an account now, perhaps under an idempotency key."""
        if who not in self.actors:
            self.actors[who] = self.world.actor(who)
        ctx = replace(self.world.application.context(self.actors[who]), expected_version=version)
        if key is None:
            return ctx
        facts = RequestFacts(task="proof", idempotency_key=key, digest=key)
        return replace(ctx, store=self.world.application.store.for_request(facts))

    def attempt(
        self,
        name: str,
        who: str,
        act: Callable[[Context], T],
        *,
        may: bool | None = True,
        how: str = "once",
        version: int | None = None,
    ) -> T | None:
        """Run an act, sent as drawn; None if it was refused or did not finish."""
        self.settle()
        self.world.clock.forward(seconds=1)
        self.done["acts"] += 1
        key = str(new_id())
        ctx = self.context(who, key, version)
        if how == "cut off":
            self._dies(name, ctx, act)
            return None
        refusal = None
        try:
            result = act(ctx)
        except Refusal as error:
            refusal = error
        if refusal is not None:
            assert not may, f"{name} was refused: {refusal.code}"
            self.done["refused"] += 1
            self.must_be_unchanged(name)
            return None
        assert may is not False, f"{name} was done, which is not possible"
        self.done[name] += 1
        self.state = self.look()
        if how == "retried":
            self._again(name, self.context(who, key, version), act)
        return result

    def _dies(self, name: str, ctx: Context, act: Callable[[Context], Any]) -> None:
        try:
            act(replace(ctx, store=DyingStore(ctx.store)))  # type: ignore[arg-type]
        except (Crash, Refusal):
            self.done["cut off"] += 1
        else:
            raise AssertionError(f"{name} went on without its commit")
        self.must_be_unchanged(name)

    def _again(self, name: str, ctx: Context, act: Callable[[Context], Any]) -> None:
        try:
            act(ctx)
        except Replay:
            self.done["retried"] += 1
        else:
            raise AssertionError(f"{name} was done twice under one key")
        self.must_be_unchanged(name)

    def must_be_unchanged(self, name: str) -> None:
        """What was refused, cut off or repeated has changed nothing."""
        assert self.look() == self.state, f"{name} changed something"

    def case_at(self, n: int) -> ModelCase | None:
        """One of the cases, the newest ones rather than the old."""
        return self.cases[-1 - n % min(2, len(self.cases))] if self.cases else None

    def worker(self, case: ModelCase) -> str:
        """Who acts on a case: its worker, or one of its centre."""
        return case.worker or self.somebody(case.centre)

    def somebody(self, centre: str) -> str:
        """A worker of a centre, or the head of its district where there is none."""
        return next(iter(self.staff.active_at(centre)), f"head.{CENTRES[centre]}")

    def resident(self, id: UUID) -> ModelResident:
        """Whose a record is: of a duplicate, the survivor."""
        found = self.residents[id]
        return self.residents[found.merged_into] if found.merged_into else found

    def consent(self, case: ModelCase) -> ModelConsent | None:
        """A consent of a case's resident that was not withdrawn."""
        return next(
            (one for one in self.consents
             if one.resident == case.resident and not one.is_withdrawn), None,
        )  # fmt: skip

    def consent_by(self, id: UUID | None) -> ModelConsent | None:
        """The consent on which something rests."""
        return next((one for one in self.consents if one.id == id), None)

    def district(self, place: str) -> str:
        """The district of a centre, or the district itself."""
        return CENTRES.get(place, place)

    def supervisor(self, case: ModelCase) -> str:
        """The supervisor of a case's district."""
        return f"supervisor.{CENTRES[case.centre]}"

    def a_referral(self, n: int) -> tuple[ModelCase, ModelService, ModelReferral] | None:
        """One of the requests of a case."""
        found = [
            (case, service, one)
            for case in self.cases
            for service in case.services
            for one in service.referrals
        ]
        return found[n % len(found)] if found else None

    def a_service(self, n: int) -> tuple[ModelCase, ModelService] | None:
        """One of the planned services of the newest cases."""
        found = [(case, service) for case in self.cases[-2:] for service in case.services]
        return found[n % len(found)] if found else None

    def a_day(self, back: int, earliest: date | None) -> date:
        """A day so far back, mostly not before what it follows; ``-1`` is the day before that."""
        first = earliest or self.today
        if back < 0:
            return first - timedelta(days=1)
        on = self.today - timedelta(days=back)
        return on if back >= TOO_LATE else max(on, min(first, self.today))

    def may_be_dated(self, on: date, earliest: date | None) -> bool:
        """Whether an act can be entered now for a day."""
        first = self.today - timedelta(days=DAYS_BACK)
        return max(first, earliest or first) <= on <= self.today

    def settle(self) -> None:
        """Let the clocks of the model begin and end as the act before said."""
        for case in self.cases:
            case.settle(self.world.clock.now)

    # After every step

    @invariant()
    def everything_holds(self) -> None:
        """The database agrees with the model, and with itself."""
        self.settle()
        if self.state is self.checked:
            return  # nothing was written since
        self.checked = self.state
        self.done["checks"] += 1
        faults = broken(self.state, self.world.application.clockwork())
        for case in self.cases:
            id = self.world.id_of(case.worker) if case.worker else None
            faults += differs(case, self.state, id)
            faults += miscounted(case, self.state)
        if self.done["checks"] % KEPT_EVERY == 0:
            faults += miskept(self.world)
            count_again(self.world)
            faults += miskept(self.world)
        faults += people_differ(self)
        faults += forgotten(self)
        assert not faults, "\n".join(faults)


def _hire(connection: Connection) -> None:
    """A third worker for a centre, so that a deputy can have a deputy."""
    known = connection.execute(select(t.account.c.id, t.account.c.username)).all()
    third = WORKERS[HERE][2]
    if third not in {row.username for row in known}:
        like = connection.execute(select(t.account).where(t.account.c.username == WORKER)).one()
        row = dict(like._mapping) | {"id": new_id(), "username": third}
        connection.execute(insert(t.account), [row])
