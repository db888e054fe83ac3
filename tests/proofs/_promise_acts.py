"""Promises to come back, which end when they are answered; and death, which ends them."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from hypothesis.stateful import rule

from casework.workflows.residents import call_backs, deaths, residents
from tests.proofs._case_acts import CaseActs
from tests.proofs._people import ModelNote, ModelResident
from tests.proofs._stage import ANY, CENTRES, HOW


class PromiseActs(CaseActs):
    """What is promised to residents, with or without a case."""

    def a_resident(self, n: int) -> tuple[UUID, ModelResident]:
        """A record, which may be a duplicate's, and whom it is of."""
        ids = list(self.residents)
        return ids[n % len(ids)], self.resident(ids[n % len(ids)])

    def _writer(self, whom: ModelResident, n: int) -> str:
        """One of the centre's workers, or of the district's supervisors."""
        people = self.staff.active_at(whom.centre) + self.staff.active_at(CENTRES[whom.centre])
        return people[n % len(people)]

    @rule(n=ANY, who=ANY, days=ANY, how=HOW)
    def call_back(self, n: int, who: int, days: int, how: str) -> None:
        """Somebody says when they will call again; that may keep an earlier word."""
        id, whom = self.a_resident(n)
        open_ = [one for one in self.notes if one.resident == whom.id and not one.is_answered]
        kept = open_[n % len(open_)] if open_ and days % 3 == 0 else None
        writer = self._writer(whom, who)
        on = self.today + timedelta(days=days)
        done = self.attempt(
            "call-back", writer,
            lambda ctx: residents.write_note(
                ctx, id, kind="call", with_whom="her daughter", text="again",
                come_back_on=on, answers=kept and kept.id,
            ),
            may=whom.died_on is None, how=how,
        )  # fmt: skip
        if done:
            self.notes.append(ModelNote(done, whom.id, writer))
            if kept:
                kept.is_answered = True

    @rule(n=ANY, who=ANY, how=HOW)
    def answer_to_call_back(self, n: int, who: int, how: str) -> None:
        """Somebody comes back to it, even twice."""
        notes = [one for one in self.notes if not one.is_answered or n % 6 == 0]
        if not notes:
            return
        note = notes[n % len(notes)]
        done = self.attempt(
            "answer to a call-back", self._writer(self.resident(note.resident), who),
            lambda ctx: call_backs.answer_note(ctx, note.id, text="done", with_whom=None),
            may=not note.is_answered, how=how,
        )  # fmt: skip
        if done:
            note.is_answered = True

    def death(self, n: int, how: str) -> None:
        """A resident died some days ago."""
        id, whom = self.a_resident(n)
        on = self.today - timedelta(days=n % 3)
        done = self.attempt(
            "death", self._writer(whom, n), lambda ctx: deaths.record_death(ctx, id, on),
            may=whom.died_on is None, how=how,
        )  # fmt: skip
        if done:
            whom.died_on = on

    def death_taken_back(self, n: int, how: str) -> None:
        """It was somebody else."""
        id, whom = self.a_resident(n)
        done = self.attempt(
            "death taken back", f"supervisor.{CENTRES[whom.centre]}",
            lambda ctx: deaths.take_back_death(ctx, id, "somebody else"),
            may=whom.died_on is not None, how=how,
        )  # fmt: skip
        if done:
            whom.died_on = None
