"""The state machine of random stories: acts of people, time and faults on a small world."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import rule

from casework.adapters.persistence.supervision.sweeping import SqlSweepStore
from casework.domain.access.policy import SYSTEM
from casework.domain.supervision import reviewing
from casework.workflows.ports.supervision import RaisedCounts
from casework.workflows.supervision import overdue, reviews
from tests.proofs._invariants import left_by_sweep
from tests.proofs._merge_acts import MergeActs
from tests.proofs._model import ModelCase
from tests.proofs._services import ModelReferral, ModelService
from tests.proofs._stage import (
    ANY,
    CODES,
    HOW,
    PROVIDERS,
    WAITS,
    WORKERS,
    Crash,
)


class CutOffSweeps(SqlSweepStore):
    """A sweep whose process dies after some batches, or before it moves anything."""

    def __init__(self, engine: Any, batches: int) -> None:
        super().__init__(engine)
        self._left = batches

    def raise_due(self, run_id: UUID, as_of: Any, limit: int) -> RaisedCounts:
        """One batch more, if there is one left."""
        if not self._left:
            raise Crash
        self._left -= 1
        return super().raise_due(run_id, as_of, limit)

    def to_lapse(self, as_of: Any) -> list[UUID]:
        """Never comes to it."""
        raise Crash


class CareMachine(MergeActs):
    """Everything that people, time and faults do to residents and their cases."""

    # Time

    @rule(wait=WAITS)
    def time_passes(self, wait: timedelta) -> None:
        """Nobody does anything for a while."""
        self.world.clock.now += wait
        self.done["waits"] += 1

    @rule(wait=WAITS)
    def sweep(self, wait: timedelta) -> None:
        """A tick of the scheduler, soon or late."""
        self.world.clock.now += wait
        now, today = self.world.clock.now, self.today
        due = self._due(now)
        result = self._sweep(SqlSweepStore(self.world.application.engine))
        assert result is not None
        counts = (result.found, result.changed, result.failed)
        assert counts == (due, due, 0), f"of {due} due a sweep {counts}"
        self.done["sweeps"] += 1
        self.done["raised and moved"] += result.changed
        self._time_moves(now, today)
        self.state = self.look()
        left = left_by_sweep(self.state, now)
        assert not left, left
        again = self._sweep(SqlSweepStore(self.world.application.engine))
        assert again is not None
        assert (again.found, again.changed, again.failed) == (0, 0, 0), "a sweep did it again"
        self.must_be_unchanged("a second sweep")

    @rule(batches=st.integers(0, 3), wait=WAITS)
    def sweep_cut_off(self, batches: int, wait: timedelta) -> None:
        """A tick whose process dies between two batches, or before anything is moved."""
        self.world.clock.now += wait
        moves = self._due_moves(self.world.clock.now)
        try:
            self._sweep(CutOffSweeps(self.world.application.engine, batches))
        except Crash:
            self.done["sweeps cut off"] += 1
        else:
            assert not moves, "a sweep that never came to its moves made them"
        self.state = self.look()

    def _sweep(self, store: SqlSweepStore) -> overdue.SweepResult | None:
        ctx = self.world.application.context(SYSTEM)
        return overdue.sweep_overdue(ctx, store, note_failure=_show)

    def _due_steps(self, now: Any) -> int:
        due = [s for s in self.state.steps.values() if s.raised_at is None and s.at <= now]
        return len({step.deadline_id for step in due})

    def _due_moves(self, now: Any) -> int:
        rows = (*self.state.referrals.values(), *self.state.cases.values())
        ends = [at for row in rows for at in (row.resume_at, getattr(row, "lapse_at", None))]
        return sum(at is not None and at <= now for at in ends)

    def _due(self, now: Any) -> int:
        return self._due_steps(now) + self._due_moves(now)

    def _time_moves(self, now: Any, today: date) -> None:
        """What lapses and what is over, in the model."""
        for case in self.cases:
            if case.held_until and case.held_until < today:
                case.held_until = None
            for _, _, service, one in sorted(self._lapsing(case, now), key=lambda it: it[:2]):
                one.status = "lapsed"
                service.moved(one, "lapse", "", self.done["acts"])
            for one in case.referrals:
                if one.status == "on_hold":
                    one.status = one.stands(today)

    def _lapsing(
        self, case: ModelCase, now: Any
    ) -> Iterator[tuple[Any, UUID, ModelService, ModelReferral]]:
        for service in case.services:
            for one in service.referrals:
                lapse_at = self.state.referrals[one.id].lapse_at
                if one.status in ("requested", "waitlisted") and lapse_at <= now:
                    yield lapse_at, one.id, service, one

    # Reviews

    @rule(
        n=ANY, days=ANY, provider=st.sampled_from(PROVIDERS), how=HOW,
        action=st.sampled_from(["chase", "extend", "reassign", "redirect", "excuse"]),
    )  # fmt: skip
    def review(self, n: int, action: str, days: int, provider: str, how: str) -> None:
        """The supervisor decides about an overdue clock."""
        now = self.world.clock.now
        late = [clock for clock in self.state.deadlines() if clock.is_overdue(now)]
        if not late:
            return
        clock = late[n % len(late)]
        case = next(case for case in self.cases if case.id == clock.case_id)
        worker = WORKERS[case.centre][n % len(WORKERS[case.centre])]
        service, one = self._subject(case, clock.subject_id)
        offering = self.world.offerings[provider, service.code if service else CODES[0]].id
        verdict = reviewing.ReviewDecision(
            action=action, cause="provider_slow",
            until=self.today + timedelta(days=days) if action in ("chase", "extend") else None,
            worker_id=self.world.id_of(worker) if action == "reassign" else None,
            offering_id=offering if action == "redirect" else None,
        )  # fmt: skip
        may: bool | None = action != "reassign" or self.staff.is_active(worker)
        if action == "redirect":
            may = bool(service and one) and one.provider != provider
            may = may and self._may_ask(case, service, one, provider, ends=True)
        elif action == "extend" and clock.kind in ("first_check", "check"):
            may = None  # the law may allow the day
        done = self.attempt(
            f"review: {action}", self.supervisor(case),
            lambda ctx: reviews.review_deadline(ctx, clock.id, verdict), may=may, how=how,
        )  # fmt: skip
        if done and action == "reassign":
            case.worker, case.arrived = worker, False
        elif done and action == "redirect":
            self._redirected(service, one, provider)

    def _subject(self, case: ModelCase, id: UUID) -> tuple[Any, Any]:
        found = [
            (service, one) for service in case.services for one in service.referrals if one.id == id
        ]
        return found[0] if found else (None, None)

    def _redirected(self, service: ModelService, one: ModelReferral, provider: str) -> None:
        self._successor(service, one, provider)
        if one.owes:
            one.disposed = True
            service.words.append((self.done["acts"], "re_refer", one))
        else:
            one.status = "cancelled"


def _show(id: UUID, error: Exception) -> None:
    print(f"a sweep could not move {id}: {error!r}")
