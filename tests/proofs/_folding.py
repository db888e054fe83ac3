"""The present state from the events alone: a fold function for each event class."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from casework.domain.casefile.events import (
    AssessmentCorrected,
    CaseAssigned,
    CaseClosed,
    CaseOpened,
    CaseReopened,
    CaseTakenOver,
    CaseTransferred,
    Determined,
    PreSurveyCorrected,
    PreSurveyRecorded,
    Reassessed,
)
from casework.domain.casefile.referral_events import ReferralEvent
from casework.domain.duplicates.events import MergeUndone, ResidentsMerged
from casework.domain.events import EVENTS, ClockFacts, Event
from casework.domain.planning.events import PlanApproved


@dataclass
class Told:
    """The state, holder and place of cases and referrals, and the state of each clock."""

    status: dict[UUID, str] = field(default_factory=dict)
    centres: dict[UUID, str] = field(default_factory=dict)
    workers: dict[UUID, UUID | None] = field(default_factory=dict)
    owners: dict[UUID, UUID] = field(default_factory=dict)
    clocks: dict[UUID, ClockFacts] = field(default_factory=dict)


Fold = Callable[[Told, Any], None]


def _status(told: Told, event: Any) -> None:
    told.status[event.subject_id] = event.status


def _opened(told: Told, event: CaseOpened | CaseTakenOver) -> None:
    assert event.resident_id is not None
    told.owners[event.subject_id] = event.resident_id
    _placed(told, event)
    _carried(told, event)


def _placed(told: Told, event: Any) -> None:
    """A closed case follows the resident; a merge says where either of the two is now."""
    told.centres[event.resident_id] = event.centre_code


def _carried(
    told: Told, event: CaseOpened | CaseTakenOver | CaseAssigned | CaseTransferred | CaseReopened
) -> None:
    told.workers[event.subject_id] = event.worker_id


def _merged(told: Told, event: ResidentsMerged) -> None:
    _placed(told, event)
    _handed(told, event, event.duplicate_id)


def _undone(told: Told, event: MergeUndone) -> None:
    _placed(told, event)
    _handed(told, event, event.survivor_id)


def _handed(told: Told, event: ResidentsMerged | MergeUndone, other: UUID | None) -> None:
    """Whose the cases are now: read off the one who gets them, and names the other."""
    if other is not None and event.resident_id is not None:
        told.owners |= dict.fromkeys(event.cases, event.resident_id)


FOLDS: Final[dict[type[Event], tuple[Fold, ...]]] = {
    CaseOpened: (_opened, _status),
    CaseTakenOver: (_opened, _status),
    PreSurveyRecorded: (_status,),
    PreSurveyCorrected: (_status,),
    Determined: (_status,),
    Reassessed: (_status,),
    AssessmentCorrected: (_status,),
    PlanApproved: (_status,),
    CaseClosed: (_status,),
    CaseReopened: (_status, _carried),
    CaseAssigned: (_carried,),
    CaseTransferred: (_placed, _carried),
    ResidentsMerged: (_merged,),
    MergeUndone: (_undone,),
    **{cls: (_status,) for cls in EVENTS.values() if issubclass(cls, ReferralEvent)},
}


def fold(events: Iterable[Event]) -> Told:
    """The state after folding the events in their order."""
    told = Told()
    for event in events:
        for one in FOLDS.get(type(event), ()):
            one(told, event)
        told.clocks |= {clock.id: clock for clock in event.clocks}
    return told
