"""Deleting the files of closed cases past their time, and residents of whom nothing is left.

Statement by statement in the order of foreign keys. Residents are locked before their cases, and
both in the order of their ids, as everybody does who opens, reopens or merges.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, and_, delete, exists, func, or_, select, union

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.past_retention import is_held, is_past
from casework.adapters.persistence.engine.types import Instant
from casework.domain.duplicates.moved_by_merge import WITH_ITS_CASE, WITH_ITS_REFERRAL, Child

_case, _note = t.care_case.c, t.note.c
_is_promise: Final = and_(
    _note.come_back_on.is_not(None),
    _note.answered_at.is_(None),
    _note.corrected_by_note_id.is_(None),
)
# What is of a case by its id, the last of what refers to each other first.
_OF_A_CASE: Final = (
    t.review, t.deadline, t.signal, t.assessment, t.care_check, t.correction, t.referral,
    t.agenda_item, t.plan_version, t.planned_service,
)  # fmt: skip
# What is of a resident alone.
_OF_A_RESIDENT: Final = (
    t.contact, t.consent, t.note, t.way_in, t.access_request, t.break_glass, t.duplicate_check,
    t.household_member, t.import_row, t.event,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class OldCases:
    """Cases of one district past their time: to be deleted, under hold, and the oldest closing."""

    found: int
    held: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedCases:
    """One batch: each case's number and resident, who of those is gone, and where to go on."""

    cases: tuple[tuple[str, UUID], ...]
    residents: frozenset[UUID]
    last: UUID


def count_old_cases(connection: Connection, district: str, before: datetime) -> OldCases:
    """How many cases of a district were closed before an instant."""
    free, held = func.count().filter(~is_held()), func.count().filter(is_held())
    oldest = func.min(_case.closed_at, type_=Instant).filter(~is_held())
    row = connection.execute(select(free, held, oldest).where(is_past(district, before))).one()
    return OldCases(found=row[0], held=row[1], oldest=row[2])


def delete_old_cases(
    connection: Connection, district: str, before: datetime, after: UUID | None, limit: int
) -> DeletedCases | None:
    """Delete up to ``limit`` cases with ids ``after`` that one; None where there is none left.

    A case that somebody works on, or put under hold meanwhile, is passed over.
    """
    past = and_(is_past(district, before), ~is_held())
    query = select(_case.id, _case.resident_id).where(past).order_by(_case.id).limit(limit)
    some = connection.execute(query if after is None else query.where(_case.id > after)).all()
    if not some:
        return None
    residents = _locked(connection, t.resident, {row.resident_id for row in some})
    may = and_(past, _case.resident_id.in_(residents))
    cases = _locked(connection, t.care_case, {row.id for row in some}, may)
    found = connection.execute(
        select(_case.number, _case.resident_id).where(_case.id.in_(cases)).order_by(_case.number)
    ).all()
    families = _families(connection, {row.resident_id for row in found})
    _delete_cases(connection, cases, set().union(*families.values()))
    gone = _of_whom_nothing_is_left(connection, families, before)
    _delete_residents(connection, set().union(*(families[one] for one in gone)))
    return DeletedCases(
        cases=tuple((row.number, row.resident_id) for row in found),
        residents=frozenset(gone),
        last=some[-1].id,
    )


def delete_notices_of_no_case(connection: Connection) -> None:
    """Notices about cases that are gone: at once for all, since they are found by no index."""
    gone = and_(t.notice.c.case_id.is_not(None), ~exists().where(_case.id == t.notice.c.case_id))
    about = select(t.notice.c.id).where(gone)
    connection.execute(delete(t.addressee).where(t.addressee.c.notice_id.in_(about)))
    connection.execute(delete(t.notice).where(gone))


def _locked(
    connection: Connection, table: Any, ids: Collection[UUID], *conditions: Any
) -> list[UUID]:
    query = select(table.c.id).where(table.c.id.in_(ids), *conditions).order_by(table.c.id)
    return list(connection.scalars(query.with_for_update(skip_locked=True)))


def _families(connection: Connection, residents: Iterable[UUID]) -> dict[UUID, set[UUID]]:
    """Each resident with the records that were merged into that one, and into those."""
    families = {id: {id} for id in residents}
    above = {id: id for id in families}
    while above:
        merged = t.resident.c
        query = select(merged.id, merged.merged_into_id).where(
            merged.merged_into_id.in_(list(above))
        )
        below = {row.id: above[row.merged_into_id] for row in connection.execute(query)}
        for id, top in below.items():
            families[top].add(id)
        above = below
    return families


def _delete_cases(connection: Connection, cases: list[UUID], residents: set[UUID]) -> None:
    """Everything that a case consists of; the places of its offerings stay as they are."""
    deadlines = select(t.deadline.c.id).where(t.deadline.c.case_id.in_(cases))
    referrals = select(t.referral.c.id).where(t.referral.c.case_id.in_(cases))
    versions = select(t.plan_version.c.conference_id).where(t.plan_version.c.case_id.in_(cases))
    agenda = select(t.agenda_item.c.conference_id).where(t.agenda_item.c.case_id.in_(cases))
    meetings = set(connection.scalars(union(versions, agenda))) - {None}
    of_them = t.event.c.resident_id.in_(residents) & t.event.c.case_id.in_(cases)
    connection.execute(delete(t.event).where(of_them))
    _delete_notes(connection, cases)
    for table in (t.link_referral, t.delivered):
        connection.execute(delete(table).where(table.c.referral_id.in_(referrals)))
    known = or_(t.import_row.c.subject_id.in_(cases), t.import_row.c.subject_id.in_(referrals))
    connection.execute(delete(t.import_row).where(known))
    connection.execute(delete(t.escalation).where(t.escalation.c.deadline_id.in_(deadlines)))
    for table in _OF_A_CASE:
        connection.execute(delete(table).where(table.c.case_id.in_(cases)))
    connection.execute(delete(t.care_case).where(_case.id.in_(cases)))
    _delete_empty_meetings(connection, meetings)
    _forget_what_was_moved(connection, residents)


def _delete_notes(connection: Connection, cases: list[UUID]) -> None:
    """What was noted while the case was open, of which a resident has one; no open promise."""
    of_it = exists().where(
        _case.id.in_(cases),
        _case.resident_id == _note.resident_id,
        _note.written_at >= _case.opened_at,
        _note.written_at <= _case.closed_at,
    )
    connection.execute(delete(t.note).where(of_it, ~_is_promise))


def _delete_empty_meetings(connection: Connection, meetings: Collection[Any]) -> None:
    has_items = exists().where(t.agenda_item.c.conference_id == t.conference.c.id)
    has_plans = exists().where(t.plan_version.c.conference_id == t.conference.c.id)
    empty = and_(t.conference.c.id.in_(meetings), ~has_items, ~has_plans)
    connection.execute(delete(t.conference).where(empty))


def _forget_what_was_moved(connection: Connection, residents: set[UUID]) -> None:
    """A merge that is undone later gives back what is still there."""
    moved, merge = t.merge_child.c, t.resident_merge.c
    merges = list(connection.scalars(select(merge.id).where(_merges_of(residents))))
    if not merges:
        return
    for kind in (Child.CASE, Child.NOTE, Child.EVENT, *WITH_ITS_CASE, *WITH_ITS_REFERRAL):
        table = t.metadata.tables[kind]
        is_gone = ~exists().where(table.c.id == moved.child_id)
        which = and_(moved.merge_id.in_(merges), moved.kind == kind, is_gone)
        connection.execute(delete(t.merge_child).where(which))


def _merges_of(residents: Collection[UUID]) -> Any:
    merge = t.resident_merge.c
    return or_(merge.survivor_id.in_(residents), merge.duplicate_id.in_(residents))


def _of_whom_nothing_is_left(
    connection: Connection, families: dict[UUID, set[UUID]], before: datetime
) -> set[UUID]:
    """Residents with no case, and with nothing younger or still open that needs them."""
    family = set().union(*families.values())
    asked, opened, given = t.access_request.c, t.break_glass.c, t.consent.c
    needs = (
        select(_case.resident_id),
        select(_note.resident_id).where(or_(_note.written_at >= before, _is_promise)),
        select(given.resident_id).where(given.recorded_at >= before),
        select(asked.resident_id).where(
            or_(asked.answered_at.is_(None), asked.answered_at >= before)
        ),
        select(opened.resident_id).where(
            or_(opened.reviewed_at.is_(None), opened.opened_at >= before)
        ),
        # A record that was merged into another is that one's.
        select(t.resident.c.id).where(
            t.resident.c.id.in_(list(families)), t.resident.c.merged_into_id.is_not(None)
        ),
    )
    some = (one.where(one.selected_columns[0].in_(family)) for one in needs)
    needed = set(connection.scalars(union(*some)))
    return {id for id, records in families.items() if not records & needed}


def _delete_residents(connection: Connection, residents: set[UUID]) -> None:
    if not residents:
        return
    merges = select(t.resident_merge.c.id).where(_merges_of(residents))
    pair, moved = t.duplicate_suspicion.c, t.merge_child.c
    connection.execute(delete(t.merge_child).where(moved.merge_id.in_(merges)))
    connection.execute(delete(t.resident_merge).where(_merges_of(residents)))
    either = or_(pair.resident_id.in_(residents), pair.other_id.in_(residents))
    connection.execute(delete(t.duplicate_suspicion).where(either))
    member = t.household_member.c
    homes = set(
        connection.scalars(select(member.household_id).where(member.resident_id.in_(residents)))
    )
    for table in _OF_A_RESIDENT:
        connection.execute(delete(table).where(table.c.resident_id.in_(residents)))
    lives = exists().where(member.household_id == t.household.c.id)
    connection.execute(delete(t.household).where(t.household.c.id.in_(homes), ~lives))
    connection.execute(delete(t.resident).where(t.resident.c.id.in_(residents)))
