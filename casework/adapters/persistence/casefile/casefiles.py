"""Case files: loaded in a few selects under the case's lock, saved as what changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    func,
    select,
)
from sqlalchemy.exc import IntegrityError

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile import case_numbers, escalations, place_counts
from casework.adapters.persistence.casefile.case_statements import (
    case_of,
    change,
    clock_changes,
    parts_query,
)
from casework.adapters.persistence.casefile.originals import Originals, written
from casework.adapters.persistence.casefile.several import (
    cases,
    locked,
    parts_of,
    write,
)
from casework.adapters.persistence.engine.encrypted_columns import encrypt_row, vault_of
from casework.adapters.persistence.engine.faults import is_taken
from casework.adapters.persistence.rows.mapper import from_row, stored, table_of
from casework.adapters.persistence.rows.nested import Nested
from casework.adapters.persistence.rows.together import (
    Beside,
    Inserted,
    insert_later,
    insert_now,
    rows_for,
)
from casework.adapters.persistence.scope import session_context
from casework.adapters.persistence.scope.subjects import note_opened
from casework.adapters.persistence.scope.who_sees_what import (
    form_of,
    is_told_numbers,
    seen,
    seen_or_opened,
    sees_a_part,
)
from casework.domain.access.policy import Scope, is_outside
from casework.domain.casefile.case import Assessment, Case, Check, Signal
from casework.domain.casefile.casefile import CaseFile, by_id
from casework.domain.casefile.correction import Correction
from casework.domain.casefile.plan import PlannedService, PlanVersion
from casework.domain.casefile.referral import Referral
from casework.domain.clocks.deadlines import Deadline
from casework.domain.directory.capacity import changes as changes_of_places
from casework.domain.errors import Conflict, NotFound
from casework.domain.events import Event
from casework.domain.notices.notice_rules import notice_of
from casework.domain.notices.notices import Notice

# Slots that a unique constraint keeps exclusive.
TAKEN = {
    Case: ("open_case_exists", "the resident has an open case"),
    Referral: ("open_referral_exists", "this provider has an open request for this service"),
}

# What belongs to a case, and needs nothing else of what is new with it to be let in.
OF_A_CASE = (
    PlanVersion, PlannedService, Referral, Deadline, Signal, Assessment, Check, Correction,
)  # fmt: skip
FINDINGS = (Assessment, Check)
# Clocks that are changed in the statement that inserts what is new; more are changed together.
CLOCKS_BESIDE = 3
# Rows of a class of which the same columns changed.
Changed = tuple[type, frozenset[str]]


class SqlCaseFiles:
    """The repository of case files for one transaction of one actor."""

    def __init__(
        self,
        connection: Connection,
        scope: Scope,
        now: datetime,
        about: set[UUID],
        *,
        lock: bool = True,
    ) -> None:
        self._connection, self._scope, self._now = connection, scope, now
        self._about, self._lock = about, lock
        self._vault = vault_of(connection)
        self._originals: dict[UUID, Originals] = {}

    # Loading

    def of_case(self, id: UUID, *, with_plan: bool = False) -> CaseFile:
        return self._of(t.care_case, id, with_plan)

    def of_planned_service(self, id: UUID, *, with_plan: bool = False) -> CaseFile:
        return self._of(t.planned_service, id, with_plan)

    def of_referral(self, id: UUID, *, with_plan: bool = False) -> CaseFile:
        return self._of(t.referral, id, with_plan)

    def of_deadline(self, id: UUID, *, with_plan: bool = False) -> CaseFile:
        """The clock is in the file even if it has ended."""
        file = self._of(t.deadline, id, with_plan)
        if id not in file.deadlines:
            self._read_deadlines(file, t.deadline.c.id == id)
        return file

    def of_signal(self, id: UUID) -> CaseFile:
        file = self._of(t.signal, id, with_plan=True)
        file.signals = by_id(self._read(file, Signal, t.signal.c.id == id))
        return file

    def resting_on(self, consent_id: UUID) -> list[CaseFile]:
        cases = (
            select(t.referral.c.case_id)
            .distinct()
            .where(t.referral.c.consent_id == consent_id, t.referral.c.ended_at.is_(None))
            .order_by(t.referral.c.case_id)
        )
        return [self.of_case(id) for id in self._connection.scalars(cases)]

    def whole(self, id: UUID, *, with_plan: bool = False, with_findings: bool = False) -> CaseFile:
        sees = seen_or_opened(t.care_case, self._scope, self._now)
        which = and_(t.care_case.c.id == id, sees)
        also = (Signal, *(FINDINGS if with_findings else ()))
        file = self._load(which, with_plan, ended_clocks=True, also=also)
        note_opened(self._about, self._scope, file.case, file.case.resident_id)
        return file

    def to_correct(self, id: UUID) -> CaseFile:
        """The file of a case with ended clocks, assessments and checks, to put them right."""
        which = and_(t.care_case.c.id == id, self._sees(t.care_case))
        return self._load(which, with_plan=True, ended_clocks=True, also=FINDINGS)

    def to_correct_check(self, id: UUID) -> CaseFile:
        owner = select(t.care_check.c.case_id).where(t.care_check.c.id == id)
        case_id = self._connection.scalar(owner)
        if case_id is None:
            raise NotFound("no such thing")
        return self.to_correct(case_id)

    def carried_by(self, worker_id: UUID) -> list[UUID]:
        case = t.care_case
        if is_told_numbers(self._scope) and self._connection.dialect.name == "postgresql":
            theirs = select(func.casework_residents_carried(worker_id).column_valued())
            session_context.allow_residents(self._connection, self._connection.scalars(theirs))
        query = select(case.c.id).where(
            case.c.worker_id == worker_id, case.c.status != "closed", self._sees(case)
        )
        return list(self._connection.scalars(query.order_by(case.c.id)))

    def _sees(self, table: Any) -> ColumnElement[bool]:
        return seen(table, self._scope, self._now)

    def _of(self, table: Table, id: UUID, with_plan: bool) -> CaseFile:
        form, facts = form_of(self._scope, self._now)
        query = case_of(form, table, is_locked=self._lock)
        return self._file(query, facts | {"of": id}, with_plan=with_plan)

    def several(self, ids: Sequence[UUID]) -> list[CaseFile]:
        files = [self._file_of(row) for row in locked(self._connection, ids, self._sees)]
        found, parts = parts_of(self._connection, [file.case.id for file in files])
        for file in files:
            self._take(file, parts, found[file.case.id])
        return files

    def _file_of(self, row: Any) -> CaseFile:
        file = CaseFile(case=from_row(Case, row, self._vault), died_on=row.died_on)
        self._about.add(file.case.resident_id)
        originals = self._originals[file.case.id] = Originals()
        originals.remember([file.case])
        return file

    def _load(
        self,
        which: ColumnElement[bool],
        with_plan: bool = False,
        *,
        ended_clocks: bool = False,
        also: tuple[type, ...] = (),
    ) -> CaseFile:
        query = cases().where(which)
        query = query.with_for_update() if self._lock else query
        return self._file(query, {}, with_plan=with_plan, ended_clocks=ended_clocks, also=also)

    def _file(
        self,
        query: Select[Any],
        given: dict[str, Any],
        *,
        with_plan: bool = False,
        ended_clocks: bool = False,
        also: tuple[type, ...] = (),
    ) -> CaseFile:
        row = self._connection.execute(query, given).first()
        if row is None:
            raise NotFound("no such thing")
        file = self._file_of(row)
        if self._lock and sees_a_part(self._scope):
            # An agency's answer is decided on the whole file, of which it sees its own part.
            session_context.allow_residents(self._connection, [file.case.resident_id])
        classes = (PlannedService, Referral, Deadline, *((PlanVersion,) if with_plan else ()))
        self._read_parts(file, (*classes, *also), ended_clocks)
        return file

    def _read_parts(self, file: CaseFile, classes: tuple[type, ...], ended_clocks: bool) -> None:
        """One statement, sent when the case is locked: another may have changed them till then."""
        query, parts = parts_query(self._connection.dialect.name, classes, ended_clocks)
        self._take(file, parts, self._connection.execute(query, {"case": file.case.id}).one())

    def _take(self, file: CaseFile, parts: Mapping[type, Nested], row: Any) -> None:
        found = {
            cls: sorted(
                (from_row(cls, one, self._vault) for one in nested.of(row)), key=lambda it: it.id
            )
            for cls, nested in parts.items()
        }
        for things in found.values():
            self._originals[file.case.id].remember(things)
        file.services, file.referrals = by_id(found[PlannedService]), by_id(found[Referral])
        file.deadlines |= by_id(found[Deadline])
        file.versions = found.get(PlanVersion, file.versions)
        file.signals = by_id(found.get(Signal, ()))
        file.assessments = by_id(found.get(Assessment, ()))
        file.checks = by_id(found.get(Check, ()))

    def _read_deadlines(self, file: CaseFile, *which: ColumnElement[bool]) -> None:
        file.deadlines |= by_id(self._read(file, Deadline, *which))

    def _read(self, file: CaseFile, cls: type, *which: ColumnElement[bool]) -> list[Any]:
        table = table_of(cls)
        query = select(table).where(table.c.case_id == file.case.id, *which).order_by(table.c.id)
        things = [from_row(cls, row, self._vault) for row in self._connection.execute(query)]
        self._originals[file.case.id].remember(things)
        return things

    # Saving

    def add(self, file: CaseFile) -> None:
        case_numbers.give_numbers(self._connection, [file.case])
        self._originals[file.case.id] = Originals()
        self.save(file, self._now)
        self._about.add(file.case.resident_id)

    def save(self, file: CaseFile, at: datetime) -> None:
        """Insert what is new, update what changed, plan steps again, write the events."""
        originals = self._originals[file.case.id]
        new: dict[type, list[Any]] = defaultdict(list)
        changed: dict[Changed, list[dict[str, Any]]] = defaultdict(list)
        clocks = []
        if is_outside(self._scope, file.case):  # it leaves the actor's scope
            session_context.allow_residents(self._connection, [file.case.resident_id])
        for thing, changes in originals.counted(self._parts(file)):
            if changes is None:
                new[type(thing)].append(thing)
            elif row := written(thing, changes):
                changed[type(thing), frozenset(row)].append({"key": thing.id} | row)
            if (isinstance(thing, Deadline) and changes != {}) or _replanned(thing):
                clocks.append((thing, changes is None))
        beside = self._beside(changed) if new else []
        # Ended rows first: a new open referral or approved version may take their place.
        for (cls, names), rows in changed.items():
            self._update(cls, names, rows)
        unplanned = escalations.unplanned(clocks, at)
        self._insert_new(new, [*beside, *([unplanned] if unplanned else [])])
        escalations.plan(self._connection, clocks, at, is_unplanned=unplanned is not None)
        insert_later(self._connection, self._rows(Event, file.events))
        was = {id: row["status"] for id, row in originals.rows.items() if id in file.referrals}
        moved = changes_of_places(was, file.referrals.values(), file.events)
        told = (notice_of(event, file) for event in file.events)
        notices = [notice for notice in told if notice is not None]
        insert_later(self._connection, self._rows(Notice, notices))
        # Last: others who want a place of the same offering wait from here to the commit.
        place_counts.settle(self._connection, moved)
        file.events.clear()
        file.added.clear()
        originals.remember(list(self._parts(file)))

    def save_several(self, files: Sequence[CaseFile], at: datetime) -> None:
        if len(files) == 1:
            self.save(files[0], at)
            return
        if any(is_outside(self._scope, file.case) for file in files):
            raise TypeError("a case that leaves the actor's scope is saved by itself")
        saved = [(file, self._originals[file.case.id], self._parts(file)) for file in files]
        write(self._connection, saved, at)

    def _parts(self, file: CaseFile) -> list[Any]:
        return [
            file.case,
            *file.versions,
            *file.services.values(),
            *file.referrals.values(),
            *file.deadlines.values(),
            *file.signals.values(),
            *file.assessments.values(),
            *file.checks.values(),
            *file.added,
        ]

    def _update(self, cls: type, names: frozenset[str], rows: list[dict[str, Any]]) -> None:
        table = table_of(cls)
        sealed = [encrypt_row(table, row, row["key"], self._vault) for row in rows]
        with _taken_by_another([cls]):
            self._connection.execute(change(table, names), sealed)

    def _beside(self, changed: dict[Changed, list[dict[str, Any]]]) -> list[Beside]:
        """The changes of some clocks, taken out of what changed: no new row takes their place."""
        of_clocks = [one for one in changed if one[0] is Deadline]
        if sum(len(changed[one]) for one in of_clocks) > CLOCKS_BESIDE:
            return []
        rows = [(names, row) for cls, names in of_clocks for row in changed.pop((cls, names))]
        return [_changing(names, row, index) for index, (names, row) in enumerate(rows)]

    def _insert_new(self, new: Mapping[type, list[Any]], beside: Sequence[Beside]) -> None:
        """What belongs to a case that is there goes in together, and what changes beside it."""
        together = [] if Case in new else [cls for cls in new if cls in OF_A_CASE]
        with _taken_by_another(together):
            rows = [row for cls in together for row in self._rows(cls, new[cls])]
            insert_now(self._connection, rows, beside)
        for cls in new:
            if cls not in together:
                with _taken_by_another([cls]):
                    insert_now(self._connection, self._rows(cls, new[cls]))

    def _rows(self, cls: type, things: Sequence[Any]) -> list[Inserted]:
        return rows_for(table_of(cls), (stored(thing, self._vault) for thing in things))


@contextmanager
def _taken_by_another(classes: Sequence[type]) -> Iterator[None]:
    """Raises the domain's error where another took a unique slot of these meanwhile."""
    try:
        yield
    except IntegrityError as error:
        for cls in classes:
            if cls in TAKEN and is_taken(error):
                code, detail = TAKEN[cls]
                raise Conflict(detail, code=code) from None
        raise


def _changing(names: frozenset[str], row: dict[str, Any], index: int) -> Beside:
    parameters = {f"c{index}_{name}": value for name, value in row.items()}
    return clock_changes(names, index), parameters


def _replanned(thing: Any) -> bool:
    return isinstance(thing, Deadline) and thing.planned is not None
