"""Merging two records of one person, and undoing it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from casework.domain.access.policy import may
from casework.domain.cases import handover
from casework.domain.directory.directory import Centre
from casework.domain.duplicates import merging
from casework.domain.duplicates.events import MergeUndone, ResidentsMerged
from casework.domain.duplicates.merged_facts import (
    RRN,
    MergeSide,
    Record,
    notices_of_change,
    return_facts,
    take_facts,
)
from casework.domain.duplicates.moved_by_merge import Child
from casework.domain.errors import Conflict, Invalid, NotFound
from casework.domain.events import Event, EventMetadata
from casework.domain.privacy.masks import gets_everything
from casework.domain.residents.events import ResidentChanged
from casework.domain.residents.resident import Resident
from casework.workflows.context import Context
from casework.workflows.ports.unit_of_work import Work

SUPERVISE = "case.supervise"
Before = dict[UUID, dict[str, Any]]


def merge_residents(
    ctx: Context,
    survivor_id: UUID,
    duplicate_id: UUID,
    reason: str,
    keep: Mapping[str, MergeSide],
) -> UUID:
    """Merge a duplicate into the survivor, who gets all the duplicate's records.

    ``keep`` says of facts in which the two differ which record is right.

    An open case of the duplicate at another centre moves to the survivor's, and waits there for a
    worker as after a transfer.
    """
    with ctx.work(SUPERVISE) as work:
        merging.check_two(survivor_id, duplicate_id)
        survivor, duplicate = _two(work, survivor_id, duplicate_id)
        ctx.expect(survivor.version)
        work.merges.cases_of(duplicate.id)
        open_cases = work.residents.open_case(survivor.id), work.residents.open_case(duplicate.id)
        was, came_from = replace(survivor), duplicate.centre_code
        made = merging.merge(survivor, duplicate, open_cases, reason, ctx.act)
        records = _records(work, survivor, duplicate)
        shows_values = gets_everything(ctx.actor) and may(ctx.actor, "case.read")
        made.before = take_facts(*records, keep, shows_values=shows_values)
        requests = work.merges.open_requests([survivor.id, duplicate.id])
        before: Before = {}
        if open_cases[1] is not None and came_from != survivor.centre_code:
            before = _transfer(ctx, work, open_cases[1], duplicate)
        _save(work, records, made.before)
        cases = work.merges.move_rows(made, before)
        work.residents.move_with_resident(survivor)
        knew = {survivor.id: was, duplicate.id: duplicate}
        told = ((one, knew[one.resident_id], survivor) for one in requests)
        work.merges.tell(notices_of_change(told, ctx.act))
        work.record(_changed(survivor, made.before, ctx))
        work.record(merging.events_of(ResidentsMerged, made, survivor, duplicate, cases, ctx.act))
        work.commit(made.id)
        return made.id


def _records(work: Work, survivor: Resident, duplicate: Resident) -> tuple[Record, Record]:
    return (
        Record(resident=survivor, rrn=work.residents.rrn(survivor.id)),
        Record(resident=duplicate, rrn=work.residents.rrn(duplicate.id)),
    )


def _save(work: Work, records: tuple[Record, Record], changed: Iterable[str]) -> None:
    """Save both; the registration number of the survivor where that changed."""
    for record in records:
        work.residents.save(record.resident, None)
    if RRN in changed:
        work.residents.save_rrn(records[0].resident.id, records[0].rrn)


def _changed(survivor: Resident, fields: Iterable[str], ctx: Context) -> list[Event]:
    """That the survivor's facts are others now, by their names."""
    meta = EventMetadata.of(ctx.act, survivor.id, resident_id=survivor.id)
    names = tuple(sorted(fields))
    return [ResidentChanged(meta, fields=names)] if names else []


def _two(work: Work, survivor_id: UUID, duplicate_id: UUID) -> tuple[Resident, Resident]:
    """Both records, locked.

    One of another district is NotFound, unless the actor's queue has the pair: then the refusal
    says how to proceed.
    """
    found = work.merges.pair(survivor_id, duplicate_id)
    if len(found) == 2:
        return found[survivor_id], found[duplicate_id]
    if work.duplicates.knows(survivor_id, duplicate_id):
        raise Conflict(
            "one of the two is of another district: have it transferred first",
            code="other_district",
        )
    raise NotFound("no such resident")


def _transfer(ctx: Context, work: Work, case_id: UUID, duplicate: Resident) -> Before:
    """Transfer the open case to its resident's centre; its worker is stored for an undo."""
    file = work.files.of_case(case_id)
    case = file.case
    before = {"worker_id": case.worker_id, "arrived_at": case.arrived_at}
    handover.transfer(file, duplicate, _centre(work, duplicate.centre_code), ctx.act)
    work.files.save(file, ctx.now)
    return {case_id: before}


def _centre(work: Work, code: str) -> Centre:
    found = work.directory.centre(code)
    if found is None:
        raise Invalid("no such centre", code="unknown_centre", field="centre_code")
    return found


def undo_merge(ctx: Context, merge_id: UUID, reason: str | None) -> UUID:
    """Undo a merge: moved records go back, those made since stay.

    Merges that build on each other are undone in reverse order. Refused while an open referral of
    one resident rests on a consent of the other.
    """
    with ctx.work(SUPERVISE) as work:
        made = work.merges.get(merge_id, lock=True)
        ctx.expect(made.version)
        merging.check_not_undone(made)
        survivor, duplicate = _two(work, made.survivor_id, made.duplicate_id)
        was, requests = replace(survivor), work.merges.open_requests([survivor.id])
        moved_rows = work.merges.moved_rows(made.id)
        home = _centre(work, merging.centre_after_undo(made, survivor))
        merging.undo(made, survivor, duplicate, home, reason, ctx.act)
        _check_consents(work, survivor.id, moved_rows)
        _bring_cases_home(ctx, work, moved_rows, made.merged_at, home)
        records = _records(work, survivor, duplicate)
        returned = return_facts(made.before, *records)
        _save(work, records, returned)
        cases = work.merges.return_rows(made, moved_rows)
        work.residents.move_with_resident(duplicate)
        told = ((one, was, duplicate if one.case_id in cases else survivor) for one in requests)
        work.merges.tell(notices_of_change(told, ctx.act))
        work.record(_changed(survivor, returned, ctx))
        work.record(merging.events_of(MergeUndone, made, survivor, duplicate, cases, ctx.act))
        work.commit(made.id)
        return made.id


def _check_consents(work: Work, survivor_id: UUID, moved_rows: dict[tuple[str, UUID], Any]) -> None:
    crossing = work.merges.crossing(survivor_id, moved_rows)
    if crossing:
        raise Conflict(
            "open referrals of one rest on a consent of the other",
            code="consent_shared",
            referral_ids=crossing,
        )


def _bring_cases_home(
    ctx: Context,
    work: Work,
    moved_rows: dict[tuple[str, UUID], Any],
    merged_at: datetime,
    home: Centre,
) -> None:
    """Assign an open case to its previous worker.

    Where it was assigned to someone else since, or that worker has left, it goes into the queue of
    its old centre.
    """
    for kind, case_id in sorted(moved_rows):
        if kind != Child.CASE:
            continue
        file = work.files.of_case(case_id)
        case = file.case
        if not case.is_open or case.centre_code == home.code:
            continue
        worker_id: UUID | None = None
        arrived_at: datetime | None = ctx.now
        before = moved_rows[kind, case_id]
        if before is not None and case.worker_id is None and case.arrived_at == merged_at:
            carried_by = before["worker_id"] and UUID(before["worker_id"])
            worker_id = work.accounts.still_carries(carried_by, home.code)
            if worker_id == carried_by:
                arrived_at = before["arrived_at"] and datetime.fromisoformat(before["arrived_at"])
        merging.return_case(file, home, worker_id, arrived_at, ctx.act)
        work.files.save(file, ctx.now)
