"""Acts on a case as a whole: holds, handovers, transfers, closing and reopening."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import rule

from casework.domain.errors import NotFound
from casework.workflows.cases import caseload, running
from casework.workflows.planning import planning as plans
from tests.api.conftest import (
    FAR,
    STRANGER,
    WORKER,
)
from tests.proofs._plan_acts import PlanActs
from tests.proofs._stage import (
    ANY,
    CENTRES,
    EVERYDAY,
    HOW,
    WORKERS,
)


class CaseActs(PlanActs):
    """What moves or ends a case with everything in it."""

    @rule(n=ANY, days=ANY, along=st.booleans(), how=HOW)
    def case_held(self, n: int, days: int, along: bool, how: str) -> None:
        """A stay in hospital, for which the running services rest or not."""
        if case := self.case_at(n):
            until = self.today + timedelta(days=days)
            done = self.attempt(
                "hold of a case", self.worker(case),
                lambda ctx: caseload.hold_case(
                    ctx, case.id, "hospitalised", until, None, hold_referrals=along
                ),
                may=case.is_open and not case.is_held(self.today), how=how,
            )  # fmt: skip
            if done:
                case.hold(self.world.clock.now, until, along=along)

    def case_resumed(self, n: int, how: str) -> None:
        """Home again, sooner than planned."""
        if case := self.case_at(n):
            done = self.attempt(
                "resumption of a case", self.worker(case),
                lambda ctx: caseload.resume_case(ctx, case.id),
                may=case.is_open and case.is_held(self.today), how=how,
            )  # fmt: skip
            if done:
                case.resume(self.world.clock.now)

    def assignment(self, n: int, how: str) -> None:
        """The supervisor gives the case to a worker of its centre."""
        if case := self.case_at(n):
            who = WORKERS[case.centre][n // 2 % len(WORKERS[case.centre])]
            id = self.world.id_of(who)
            done = self.attempt(
                "assignment", self.supervisor(case),
                lambda ctx: running.assign_case(ctx, case.id, id),
                may=case.is_open and self.staff.is_active(who), how=how,
            )  # fmt: skip
            if done:
                case.worker, case.arrived = who, False

    def handover(self, n: int, how: str) -> None:
        """A worker leaves; a colleague takes over every open case."""
        centre = list(CENTRES)[n % 3]
        leaver, taker = WORKERS[centre][n // 3 % 2], WORKERS[centre][1 - n // 3 % 2]
        ids = self.world.id_of(leaver), [self.world.id_of(taker)]
        theirs = [case for case in self.cases if case.is_open and case.worker == leaver]
        before = self._everything()
        moved = self.attempt(
            "handover", f"supervisor.{CENTRES[centre]}",
            lambda ctx: caseload.hand_over(ctx, *ids, "she leaves"),
            may=self.staff.is_active(taker), how=how,
        )  # fmt: skip
        if moved is not None:
            assert sorted(moved.case_ids) == sorted(case.id for case in theirs)
            assert self._everything() == before, "9: a handover lost something"
            for case in theirs:
                case.worker, case.arrived = taker, False

    @rule(n=ANY, centre=st.sampled_from(list(CENTRES)), how=HOW)
    def transfer(self, n: int, centre: str, how: str) -> None:
        """The resident moves to another centre."""
        case = self.case_at(n)
        if not case or n % 2:
            return
        before = self._everything()
        done = self.attempt(
            "transfer", self.supervisor(case),
            lambda ctx: caseload.transfer_case(ctx, case.id, centre, "she moved"),
            may=case.is_open and case.centre != centre, how=how,
        )  # fmt: skip
        if done:
            assert self._everything() == before, "9: a transfer lost something"
            case.worker, case.arrived = None, True
            self._moves_to(case.resident, centre)

    def _moves_to(self, resident: UUID, centre: str) -> None:
        """A resident's former records and all cases follow."""
        for one in self.residents.values():
            if resident in (one.id, one.merged_into):
                one.centre = centre
        for other in self.cases:
            if other.resident == resident:
                other.centre = centre

    def _everything(self) -> list[Any]:
        """The ids of all children, and of the clocks that run."""
        children = (self.state.services, self.state.referrals, self.state.versions,
                    self.state.signals)  # fmt: skip
        return [sorted(rows) for rows in children] + [
            sorted(clock.id for clock in self.state.running())
        ]

    @rule(n=ANY, end_open=st.booleans(), how=HOW)
    def closing(self, n: int, end_open: bool, how: str) -> None:
        """The case is closed, perhaps by a death, with or without ending what is open."""
        if (case := self.case_at(n)) and n % 3 == 0:
            open_ = any(one.is_open for one in case.referrals)
            reason = "death" if n % 9 == 0 else "refused"
            what = {"reason": reason, "end_open": end_open}
            done = self.attempt(
                "closing", self.worker(case),
                lambda ctx: running.close_case(ctx, case.id, dict(what)),
                may=case.is_open and (end_open or not open_), how=how,
            )  # fmt: skip
            if done:
                case.close(reason, self.today)
                whom = self.residents[case.resident]
                if reason == "death" and whom.died_on is None:
                    whom.died_on = self.today

    @rule(n=ANY, how=HOW)
    def reopening(self, n: int, how: str) -> None:
        """It turns out not to be over."""
        closed = [case for case in self.cases if not case.is_open]
        case = closed[n % len(closed)] if closed else self.case_at(n)
        if case:
            other = any(one.is_open for one in self.cases if one.resident == case.resident)
            whom, by_death = self.residents[case.resident], case.closed_for == "death"
            done = self.attempt(
                "reopening", self.supervisor(case),
                lambda ctx: caseload.reopen_case(ctx, case.id, "not over"),
                may=not other and (whom.died_on is None or by_death), how=how,
            )  # fmt: skip
            if done:
                if by_death:
                    whom.died_on = None
                carries = case.worker in self.staff.active_at(case.centre)
                case.reopen(case.worker if carries else None)

    def an_outsider(self, n: int, how: str) -> None:
        """An actor of another centre finds nothing."""
        if case := self.case_at(n):
            who = STRANGER if case.centre != FAR else WORKER
            act = plans.submit_plan if how == "once" else caseload.resume_case
            try:
                act(self.context(who), case.id)
            except NotFound:
                self.done["outsiders"] += 1
            else:
                raise AssertionError("8: someone reached what is not in their scope")

    @rule(n=ANY, what=st.sampled_from(EVERYDAY), how=HOW)
    def everyday(self, n: int, what: str, how: str) -> None:
        """What is done to a case at any time."""
        getattr(self, what)(n, how)
