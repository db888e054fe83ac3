"""Merging two records of one person, and undoing it.

The survivor keeps its facts and gets the other's children; the duplicate points at it and is kept
as it was. What was moved is written down child by child, so that undoing gives back exactly that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from casework.domain.act import Act
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.events import CaseTransferred
from casework.domain.clocks.standards import HELD_BY, SUPERVISOR, WORKER
from casework.domain.directory.directory import Centre
from casework.domain.duplicates.events import MergeUndone, ResidentsMerged
from casework.domain.errors import Conflict, require
from casework.domain.events import Event, EventMetadata
from casework.domain.residents.resident import Resident


@dataclass(slots=True, kw_only=True)
class Merge:
    """That a duplicate was merged into a survivor, and where both were then."""

    id: UUID
    survivor_id: UUID
    duplicate_id: UUID
    reason: str
    merged_at: datetime
    merged_by: UUID | None
    survivor_centre: str
    duplicate_centre: str
    undone_at: datetime | None = None
    undone_by: UUID | None = None
    undo_reason: str | None = None
    # What the survivor said before of each fact that it took from the duplicate.
    before: dict[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """``merged`` or ``undone``."""
        return "merged" if self.undone_at is None else "undone"

    @property
    def version(self) -> int:
        """It changes once."""
        return 1 if self.undone_at is None else 2


def check_two(survivor_id: UUID, duplicate_id: UUID) -> None:
    """Nobody is merged into themselves."""
    require(
        survivor_id != duplicate_id,
        "the duplicate is the resident",
        code="same_resident",
        field="duplicate_id",
    )


def merge(
    survivor: Resident,
    duplicate: Resident,
    open_cases: tuple[UUID | None, UUID | None],
    reason: str,
    act: Act,
) -> Merge:
    """Point the duplicate at the survivor.

    Refused where one was merged before, or both have an open case: from then on the two have at
    most one.
    """
    for one in (survivor, duplicate):
        if one.merged_into_id is not None:
            raise Conflict(
                "one of the two was merged before", code="already_merged", resident_id=one.id
            )
    if None not in open_cases:
        raise Conflict(
            "both have an open case: close one first",
            code="open_case_exists",
            case_ids=list(open_cases),
        )
    require(reason.strip(), "say why", code="note_required", field="reason")
    made = Merge(
        id=act.new_id(),
        survivor_id=survivor.id,
        duplicate_id=duplicate.id,
        reason=reason,
        merged_at=act.at,
        merged_by=act.by.id,
        survivor_centre=survivor.centre_code,
        duplicate_centre=duplicate.centre_code,
    )
    duplicate.merged_into_id = survivor.id
    duplicate.centre_code, duplicate.district_code = survivor.centre_code, survivor.district_code
    return made


def check_not_undone(made: Merge) -> None:
    """What was undone is not undone again."""
    if made.undone_at is not None:
        raise Conflict(
            "this merge was undone before",
            code="already_undone",
            state="undone",
            allowed_actions=[],
        )


def undo(
    made: Merge, survivor: Resident, duplicate: Resident, home: Centre, reason: str | None, act: Act
) -> None:
    """Undo the merge: the duplicate is a resident of its own again, at its centre."""
    check_not_undone(made)
    if survivor.merged_into_id is not None:
        raise Conflict(
            "the survivor was merged itself: undo that first", code="merged_further", state="merged"
        )
    made.undone_at, made.undone_by, made.undo_reason = act.at, act.by.id, reason
    duplicate.merged_into_id = None
    duplicate.centre_code, duplicate.district_code = home.code, home.district_code


def centre_after_undo(made: Merge, survivor: Resident) -> str:
    """Where the duplicate belongs after an undo.

    That is its old centre or, where the survivor has moved since, the survivor's new one.
    """
    stayed = survivor.centre_code == made.survivor_centre
    return made.duplicate_centre if stayed else survivor.centre_code


def return_case(
    file: CaseFile, home: Centre, worker_id: UUID | None, arrived_at: datetime | None, act: Act
) -> None:
    """Return an open case with its duplicate, to its worker before the merge."""
    case = file.case
    before = case.centre_code
    case.centre_code, case.district_code = home.code, home.district_code
    case.worker_id, case.arrived_at = worker_id, arrived_at
    for referral in file.referrals.values():
        referral.centre_code, referral.district_code = home.code, home.district_code
    for deadline in file.running():
        deadline.centre_code, deadline.district_code = home.code, home.district_code
        holder = HELD_BY[deadline.kind]
        waits = arrived_at is not None and holder == WORKER
        deadline.worker_id, deadline.held_by = worker_id, SUPERVISOR if waits else holder
        file.touch(deadline)
    file.record(
        CaseTransferred(
            file.meta(case, act), centre_code=home.code, before=before, worker_id=worker_id
        )
    )


def events_of(
    happened: type[ResidentsMerged | MergeUndone],
    made: Merge,
    survivor: Resident,
    duplicate: Resident,
    cases: Sequence[UUID],
    act: Act,
) -> list[Event]:
    """What stands on both timelines: whose cases are whose now, and where each of the two is."""
    return [
        happened(
            EventMetadata.of(act, survivor.id, resident_id=survivor.id),
            merge_id=made.id,
            duplicate_id=duplicate.id,
            cases=tuple(cases),
            centre_code=survivor.centre_code,
        ),
        happened(
            EventMetadata.of(act, duplicate.id, resident_id=duplicate.id),
            merge_id=made.id,
            survivor_id=survivor.id,
            cases=tuple(cases),
            centre_code=duplicate.centre_code,
        ),
    ]
