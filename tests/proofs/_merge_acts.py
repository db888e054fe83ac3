"""Two records turn out to be of one person, or of two after all."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from hypothesis.stateful import rule

from casework.domain.duplicates.merged_facts import MergeSide
from casework.workflows.duplicates import merging
from tests.proofs._correction_acts import CorrectionActs
from tests.proofs._model import ModelCase
from tests.proofs._people import ModelConsent, ModelNote, ModelResident
from tests.proofs._stage import ANY, CENTRES, HOW


@dataclass
class ModelMerge:
    """What a merge moved, and how it was before."""

    id: UUID
    survivor: UUID
    duplicate: UUID
    survivor_centre: str
    duplicate_centre: str
    moved: set[UUID]
    former: list[UUID]
    # Of an open case that moved to another centre, whose it was, and whether it had arrived.
    carried: dict[UUID, tuple[str | None, bool]] = field(default_factory=dict)
    took_death: bool = False
    died_before: date | None = None
    is_undone: bool = False


class MergeActs(CorrectionActs):
    """What a supervisor says of two records."""

    def __init__(self) -> None:
        super().__init__()
        self.merges: list[ModelMerge] = []

    @rule(n=ANY, how=HOW)
    def merge(self, n: int, how: str) -> None:
        """A duplicate is merged into a survivor, who gets all that it has."""
        if len(self.residents) < 2 and n % 3:
            self._registered()
        ids = list(self.residents)
        survivor, duplicate = (
            self.residents[ids[n % len(ids)]],
            self.residents[ids[-1 - n % min(2, len(ids))]],
        )
        side = MergeSide.DUPLICATE if n % 4 else MergeSide.SURVIVOR
        before = self._everything()
        done = self.attempt(
            "merge", f"supervisor.{CENTRES[survivor.centre]}",
            lambda ctx: merging.merge_residents(
                ctx, survivor.id, duplicate.id, "one person", {"died_on": side}
            ),
            may=self._may_merge(survivor, duplicate), how=how,
        )  # fmt: skip
        if done:
            assert self._everything() == before, "9: a merge lost something"
            self._merged(done, survivor, duplicate, side)

    def _may_merge(self, survivor: ModelResident, duplicate: ModelResident) -> bool:
        open_ = [case for case in self.cases if case.is_open
                 and case.resident in (survivor.id, duplicate.id)]  # fmt: skip
        alone = survivor.merged_into is None and duplicate.merged_into is None
        near = CENTRES[survivor.centre] == CENTRES[duplicate.centre]
        return survivor is not duplicate and alone and near and len(open_) < 2

    def _merged(
        self, id: UUID, survivor: ModelResident, duplicate: ModelResident, side: MergeSide
    ) -> None:
        theirs = [case for case in self.cases if case.resident == duplicate.id]
        things = [one for one in self._things() if one.resident == duplicate.id]
        former = [one for one in self.residents.values() if one.merged_into == duplicate.id]
        made = ModelMerge(
            id, survivor.id, duplicate.id, survivor.centre, duplicate.centre,
            {one.id for one in things}, [one.id for one in former],
        )  # fmt: skip
        died = duplicate.died_on
        differ = None not in (survivor.died_on, died) and survivor.died_on != died
        if died and (survivor.died_on is None or (differ and side is MergeSide.DUPLICATE)):
            made.took_death, made.died_before, survivor.died_on = True, survivor.died_on, died
        for case in theirs:
            if case.is_open and case.centre != survivor.centre:
                made.carried[case.id] = case.worker, case.arrived
                case.worker, case.arrived = None, True
        for one in things:
            one.resident = survivor.id
        for record in (duplicate, *former):
            record.merged_into = survivor.id
        self._moves_to(survivor.id, survivor.centre)
        self.merges.append(made)

    @rule(n=ANY, how=HOW)
    def merge_undone(self, n: int, how: str) -> None:
        """They were two after all: what was moved goes back, what was made since stays."""
        if not self.merges:
            return
        made = self.merges[n % len(self.merges)]
        survivor, duplicate = self.residents[made.survivor], self.residents[made.duplicate]
        stayed = survivor.centre == made.survivor_centre
        home = made.duplicate_centre if stayed else survivor.centre
        returning = [self._returning(made, case, home) for case in self._moved_cases(made)]
        may = not (made.is_undone or survivor.merged_into or self._crosses(made))
        before = self._everything()
        done = self.attempt(
            "merge undone", f"supervisor.{CENTRES[survivor.centre]}",
            lambda ctx: merging.undo_merge(ctx, made.id, "two persons"), may=may, how=how,
        )  # fmt: skip
        if done:
            assert self._everything() == before, "9: an undone merge lost something"
            for case, worker, arrived in returning:
                case.worker, case.arrived = worker, arrived
            self._undone(made, survivor, duplicate, home)

    def _things(self) -> list[ModelCase | ModelConsent | ModelNote]:
        """What a record has, and a merge moves."""
        return [*self.cases, *self.consents, *self.notes]

    def _moved_cases(self, made: ModelMerge) -> list[ModelCase]:
        return [case for case in self.cases if case.id in made.moved]

    def _crosses(self, made: ModelMerge) -> bool:
        """Whether an open request of one would rest on a consent of the other."""
        return any(
            (case.id in made.moved) != (one.consent in made.moved)
            for case in self.cases
            if case.resident == made.survivor
            for one in case.referrals
            if one.is_open and one.consent is not None
        )

    def _returning(
        self, made: ModelMerge, case: ModelCase, home: str
    ) -> tuple[ModelCase, str | None, bool]:
        """Whose a case is after it went home: its worker's before, or nobody's yet."""
        if not case.is_open or case.centre == home:
            return case, case.worker, case.arrived
        waits = self.state.cases[case.id].arrived_at == self.state.merges[made.id].merged_at
        if case.id not in made.carried or case.worker is not None or not waits:
            return case, None, True
        worker, arrived = made.carried[case.id]
        if worker is None:
            return case, None, arrived
        is_there = worker in self.staff.active_at(home)
        return case, worker if is_there else None, arrived if is_there else True

    def _undone(
        self, made: ModelMerge, survivor: ModelResident, duplicate: ModelResident, home: str
    ) -> None:
        made.is_undone = True
        duplicate.merged_into = None
        for one in self._things():
            if one.id in made.moved and one.resident == survivor.id:
                one.resident = duplicate.id
        for id in made.former:
            self.residents[id].merged_into = duplicate.id
        if made.took_death and survivor.died_on == duplicate.died_on:
            survivor.died_on = made.died_before
        self._moves_to(duplicate.id, home)
