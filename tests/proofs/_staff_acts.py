"""Who is there: absences with deputies, and accounts that are disabled and enabled."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from hypothesis.stateful import rule

from casework.workflows.cases import absences, leaving
from casework.workflows.cases.absences import AbsenceCommand
from tests.proofs._people import ModelAbsence
from tests.proofs._promise_acts import PromiseActs
from tests.proofs._stage import ANY, CENTRES, HOW, PLACES


class StaffActs(PromiseActs):
    """What supervisors and administrators say of those who do the work."""

    def _somebody(self, n: int) -> str:
        """Somebody who matters in this story: those of the centres of its cases, mostly."""
        places = {case.centre for case in self.cases[-2:]} if n % 5 else set()
        people = [who for who, where in PLACES.items() if where in places] or list(PLACES)
        return people[n % len(people)]

    @rule(n=ANY, other=ANY, after=ANY, days=ANY, how=HOW)
    def absence(self, n: int, other: int, after: int, days: int, how: str) -> None:
        """Somebody is away, and a colleague deputises."""
        who = self._somebody(n)
        people = [one for one, where in PLACES.items() if where == PLACES[who]]
        deputy = people[other % len(people)] if other % 8 else f"worker.{list(CENTRES)[other % 3]}"
        from_on = self.today + timedelta(days=after % 4 - 1)
        away = ModelAbsence(uuid4(), who, from_on, from_on + timedelta(days=days - 1), deputy)
        command = AbsenceCommand(
            worker_id=self.world.id_of(who), from_on=away.from_on, to_on=away.to_on,
            deputy_id=self.world.id_of(deputy),
        )  # fmt: skip
        there = self.staff.is_active(who) and self.staff.is_active(deputy)
        done = self.attempt(
            "absence", f"supervisor.{self.district(PLACES[who])}",
            lambda ctx: absences.record_absence(ctx, command),
            may=there and self.staff.may_be_away(away, self.today), how=how,
        )  # fmt: skip
        if done:
            away.id = done
            self.staff.absences.append(away)

    @rule(n=ANY, other=ANY, days=ANY, how=HOW)
    def absence_changed(self, n: int, other: int, days: int, how: str) -> None:
        """It is corrected, or ends early."""
        if not self.staff.absences:
            return
        away = self.staff.absences[-1 - n % min(3, len(self.staff.absences))]
        if n % 2:
            self._absence_ends(away, self.today + timedelta(days=days % 6 - 3), how)
        else:
            self._absence_corrected(away, other, days, how)

    def _absence_corrected(self, away: ModelAbsence, other: int, days: int, how: str) -> None:
        people = [one for one, where in PLACES.items() if where == PLACES[away.who]]
        deputy = people[other % len(people)]
        to_on = away.from_on + timedelta(days=days)
        changes: dict[str, Any] = {"deputy_id": self.world.id_of(deputy), "to_on": to_on}
        wanted = replace(away, deputy=deputy, to_on=to_on, ended_on=None)
        there = deputy == away.deputy or self.staff.is_active(deputy)
        done = self.attempt(
            "correction of an absence", f"supervisor.{self.district(PLACES[away.who])}",
            lambda ctx: absences.correct_absence(ctx, away.id, dict(changes)),
            may=not away.is_over(self.today) and there
            and self.staff.may_be_away(wanted, self.today), how=how,
        )  # fmt: skip
        if done:
            away.deputy, away.to_on, away.ended_on = deputy, to_on, None

    def _absence_ends(self, away: ModelAbsence, on: date, how: str) -> None:
        earliest = min(away.from_on, self.today) - timedelta(days=1)
        done = self.attempt(
            "end of an absence", f"supervisor.{self.district(PLACES[away.who])}",
            lambda ctx: absences.end_absence(ctx, away.id, on),
            may=not away.is_over(self.today) and earliest <= on <= away.to_on, how=how,
        )  # fmt: skip
        if done:
            away.ended_on = on

    @rule(n=ANY, other=ANY, how=HOW)
    def account_disabled(self, n: int, other: int, how: str) -> None:
        """Somebody leaves, with or without handing the cases over in the same act."""
        who = self._somebody(n)
        if PLACES[who] == self.district(PLACES[who]):
            return  # somebody supervises at any time
        people = list(PLACES)[: other % 4 + 2]
        colleagues = [one for one, where in PLACES.items() if where == PLACES[who]]
        to = None if other % 3 == 0 else (people if other % 7 == 0 else colleagues)[-1]
        takes = to in self.staff.active_at(PLACES[who]) and to != who
        theirs = [case for case in self.cases if case.is_open and case.worker == who]
        before = self._everything()
        to_id = None if to is None else self.world.id_of(to)
        done = self.attempt(
            "disabling", "admin",
            lambda ctx: leaving.change_account(
                ctx, self.world.id_of(who), {"is_active": False}, to_id
            ),
            may=not theirs if to is None else takes, how=how,
        )  # fmt: skip
        if done:
            assert self._everything() == before, "9: a handover lost something"
            self.staff.disabled.add(who)
            for case in theirs:
                case.worker, case.arrived = to, False

    def account_enabled(self, n: int, how: str) -> None:
        """Somebody is back."""
        if gone := sorted(self.staff.disabled):
            who = gone[n % len(gone)]
            done = self.attempt(
                "enabling", "admin",
                lambda ctx: leaving.change_account(
                    ctx, self.world.id_of(who), {"is_active": True}, None
                ), how=how,
            )  # fmt: skip
            if done:
                self.staff.disabled.discard(who)
