"""Nobody is forgotten: what was promised stands in the list of somebody who is there.

A promise is a running clock (an owed disposition has one) or a call-back. The model says who has
it; it is looked up in that person's own worklist.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Connection

from casework.adapters.persistence.casefile.cases import SqlCases
from casework.adapters.persistence.supervision.worklists import SqlWorklists
from casework.domain.access.policy import Scope, scope_of
from casework.workflows.ports.paging import Paging
from casework.workflows.ports.supervision import WorklistFilter
from tests.proofs._model import ModelCase
from tests.proofs._people import ModelNote

if TYPE_CHECKING:
    from tests.proofs._stage import Stage

ALL = Paging(limit=10_000)


class Lists:
    """The worklists of people, each read when it is first asked for."""

    def __init__(self, stage: Stage, connection: Connection) -> None:
        self._stage, self._connection = stage, connection
        self._lists: dict[str, set[UUID]] = {}
        self._nobodys: dict[str, set[UUID]] = {}

    def of(self, who: str) -> set[UUID]:
        """What this person has to do."""
        if who not in self._lists:
            rows = SqlWorklists(*self._as(who)).mine(WorklistFilter(), ALL).rows
            self._lists[who] = {row["id"] for row in rows}
        return self._lists[who]

    def nobodys(self, supervisor: str) -> set[UUID]:
        """The cases of a district that nobody carries."""
        if supervisor not in self._nobodys:
            rows = SqlCases(*self._as(supervisor)).listed({"worker": "none"}, ALL).rows
            counted = SqlWorklists(*self._as(supervisor)).cases_without_worker()
            assert counted == len(rows), f"{counted} cases of nobody are {len(rows)}"
            self._nobodys[supervisor] = {row["id"] for row in rows}
        return self._nobodys[supervisor]

    def _as(self, who: str) -> tuple[Connection, Scope, datetime, set[UUID]]:
        world = self._stage.world
        scope = scope_of(world.actor(who), "deadline.read")
        return self._connection, scope, world.clock.now, set()


def forgotten(stage: Stage) -> Iterator[str]:
    """Every promise that is in the list of nobody who is there, and every such case."""
    for row in stage.state.accounts.values():
        stage.world.actor(row.username)  # looked up before, on a connection of its own
    with stage.world.engine.connect() as connection:
        yield from _forgotten(stage, Lists(stage, connection))
        connection.rollback()


def _forgotten(stage: Stage, lists: Lists) -> Iterator[str]:
    for case in stage.cases:
        if case.is_open:
            yield from _of_case(stage, case, lists)
    for note in stage.notes:
        whom = stage.resident(note.resident)
        if note.is_answered or whom.died_on is not None:
            continue
        people = _for_note(stage, note, whom.centre)
        if not any(note.id in lists.of(who) for who in people):
            yield f"nobody of {people} has the call-back {note.id} of {note.writer}"


def _of_case(stage: Stage, case: ModelCase, lists: Lists) -> Iterator[str]:
    supervisor = stage.supervisor(case)
    if (case.worker is None) != (case.id in lists.nobodys(supervisor)):
        yield f"case {case.id} is of {case.worker}, the list of nobody's says otherwise"
    if case.worker is not None and not stage.staff.is_active(case.worker):
        yield f"case {case.id} is of {case.worker}, whose account is disabled"
    providers = {one.id: f"provider.{one.provider}" for one in case.referrals}
    for clock in stage.state.running():
        if clock.case_id != case.id:
            continue
        people = _for_clock(stage, case, clock, providers)
        if not any(clock.id in lists.of(who) for who in people):
            yield f"nobody of {people} has the clock {clock.kind} {clock.id}"


def _for_clock(stage: Stage, case: ModelCase, clock: Any, providers: dict[UUID, str]) -> list[str]:
    """Who has a clock: of the worker's, whoever does the worker's work today."""
    district = stage.district(case.centre)
    match case.holder(clock.kind):
        case "provider":
            return [providers[clock.subject_id]]
        case "assessor":
            return [f"assessor.{district}"]
        case "worker" if case.worker is not None:
            return _whoever_acts(stage, case.worker, district)
    return stage.staff.there(district, stage.today)


def _for_note(stage: Stage, note: ModelNote, centre: str) -> list[str]:
    """Who has a call-back: the carrier of the open case, without one the writer."""
    district = stage.district(centre)
    open_ = [case for case in stage.cases if case.is_open and case.resident == note.resident]
    who = open_[0].worker if open_ else note.writer
    serves = who is not None and stage.staff.places[who] in (centre, district)
    if who is None or not serves or not stage.staff.is_active(who):
        return stage.staff.there(district, stage.today)
    return _whoever_acts(stage, who, district)


def _whoever_acts(stage: Stage, who: str, district: str) -> list[str]:
    acting = stage.staff.acting_for(who, stage.today)
    return stage.staff.there(district, stage.today) if acting is None else [acting]


def people_differ(stage: Stage) -> Iterator[str]:
    """Where the database tells another story of people than the model."""
    state = stage.state
    for one in stage.residents.values():
        row = state.residents[one.id]
        stored = (row.centre_code, row.died_on, row.merged_into_id)
        if stored != (one.centre, one.died_on, one.merged_into):
            yield f"resident {one.id} is {stored}, not {one}"
    promised = {id: row for id, row in state.notes.items() if row.come_back_on is not None}
    stored_notes = {
        id: (row.resident_id, row.answered_at is not None) for id, row in promised.items()
    }
    if stored_notes != {one.id: (one.resident, one.is_answered) for one in stage.notes}:
        yield f"call-backs are {stored_notes}, not {stage.notes}"
    for consent in stage.consents:
        row = state.consents[consent.id]
        said = (row.resident_id, row.given_on, row.expires_on, row.withdrawn_at is not None)
        if said != (
            consent.resident, consent.given_on, consent.expires_on, consent.is_withdrawn,
        ):  # fmt: skip
            yield f"a consent is {said}, not {consent}"
    away = {id: (row.from_on, row.to_on, row.ended_on) for id, row in state.absences.items()}
    if away != {one.id: (one.from_on, one.to_on, one.ended_on) for one in stage.staff.absences}:
        yield f"absences are {away}, not {stage.staff.absences}"
