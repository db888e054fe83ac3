"""Referrals that ran before the system came in, at their true days and in their state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from casework.domain.act import Act
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.hold_limits import check_hold_until
from casework.domain.casefile.plan import PlannedItem, PlannedService
from casework.domain.casefile.referral import Referral
from casework.domain.casefile.referral_events import ReferralTakenOver
from casework.domain.casefile.referral_moves import (
    CAME_TO_NOTHING,
    MOVES,
    OPEN,
    SETTLEMENTS,
    TAKE_OVER,
)
from casework.domain.casefile.states import (
    BasisKind,
    Disposition,
    HoldReason,
    ReferralOutcome,
    ReferralStatus,
)
from casework.domain.clocks.calendar import ONE_DAY, Pause, midnight
from casework.domain.clocks.standards import ClockKind, Priority
from casework.domain.directory.directory import Offering
from casework.domain.errors import require
from casework.domain.planning.settling import note_settlement
from casework.domain.referring.details import Details
from casework.domain.referring.disclosure_basis import DISCLOSED, check_area, check_there
from casework.domain.referring.moving import check_reason, is_left

S = ReferralStatus
DAYS: Final = ("requested_on", "answered_on", "started_on", "ended_on")
# Which days a state needs beside that of the request, which it may have, and whose reason it has.
_NEEDS: Final[dict[ReferralStatus, tuple[str, ...]]] = {
    S.REQUESTED: (),
    S.WAITLISTED: ("answered_on",),
    S.ACCEPTED: ("answered_on",),
    S.IN_PROGRESS: ("started_on",),
    S.ON_HOLD: ("hold_until",),
    S.COMPLETED: ("started_on", "ended_on"),
    S.DECLINED: ("answered_on",),
    S.FAILED: ("ended_on",),
    S.WITHDRAWN: ("ended_on",),
    S.CANCELLED: ("ended_on",),
}
_MAY: Final[dict[ReferralStatus, tuple[str, ...]]] = {
    S.IN_PROGRESS: ("answered_on",),
    S.ON_HOLD: ("answered_on", "started_on"),
    S.COMPLETED: ("answered_on",),
    S.FAILED: ("answered_on", "started_on"),
    S.WITHDRAWN: ("answered_on", "started_on"),
    S.CANCELLED: ("answered_on", "started_on"),
}
_ACTION: Final = {
    S.ON_HOLD: "hold",
    S.COMPLETED: "complete",
    S.DECLINED: "decline",
    S.FAILED: "fail",
    S.WITHDRAWN: "withdraw",
    S.CANCELLED: "cancel",
}
STATES: Final = tuple(_NEEDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningReferral:
    """How a referral stands in the files of before: its state, and the days of its acts."""

    offering: Offering
    status: ReferralStatus
    requested_on: date
    priority: Priority = Priority.ROUTINE
    answered_on: date | None = None
    started_on: date | None = None
    ended_on: date | None = None
    hold_until: date | None = None
    reason: str | None = None
    outcome: str | None = None
    note: str | None = None
    disposition: str | None = None
    outside_area_reason: str | None = None

    @property
    def comes_in_as(self) -> ReferralStatus:
        """The state it enters in: a held one in that which its hold came from."""
        if self.status is not S.ON_HOLD:
            return self.status
        return S.IN_PROGRESS if self.started_on else S.ACCEPTED

    @property
    def since(self) -> date:
        """The day from which the clock of its state counts: that of its latest act."""
        days = (self.ended_on, self.started_on, self.answered_on)
        return next((day for day in days if day is not None), self.requested_on)


def take_over_referral(
    file: CaseFile, service: PlannedService, taken: RunningReferral, act: Act
) -> Referral:
    """Take a referral over: its state by the table of moves, its clocks from the true days.

    It was checked before. Nobody is told. What nobody answered is waited for as if it were asked
    today.
    """
    referral = _referral(file, service, taken, act)
    file.referrals[referral.id] = referral
    row, since = TAKE_OVER[taken.comes_in_as], act.instant_of(taken.since)
    referral.make(row, since)
    referral.disposition_owed = ClockKind.DISPOSITION in row.starts and is_left(
        file, referral, service
    )
    if taken.disposition is not None:
        _dispose(referral, service, taken, act)
    for kind in row.starts:
        if kind is not ClockKind.DISPOSITION or referral.owes_disposition:
            file.begin(kind, referral, act, since=since)
    if taken.status is S.ON_HOLD:
        _hold(file, referral, taken, act)
    file.record(_happened(file, referral, taken, act))
    return referral


def check_referral(file: CaseFile, item: PlannedItem, taken: RunningReferral, act: Act) -> None:
    """Refuse days that its state lacks or does not have, out of order, and unknown reasons.

    So is an agency that no request would go to. ``item`` is what the plan says of its service.
    """
    status = taken.status
    allowed = {"requested_on", *_NEEDS[status], *_MAY.get(status, ())}
    for name in (*DAYS, "hold_until"):
        given = getattr(taken, name)
        require(
            given is not None or name not in _NEEDS[status],
            f"a referral that is {status} needs it",
            code="required_in_state",
            field=name,
        )
        require(
            given is None or name in allowed,
            f"a referral that is {status} does not have it",
            code="not_in_state",
            field=name,
        )
    require(
        status is not S.ON_HOLD or taken.answered_on or taken.started_on,
        "say since when it was accepted, or ran",
        code="required_in_state",
        field="answered_on",
    )
    _check_order(file, taken, act)
    _check_codes(taken, act)
    check_area(file, taken.offering, taken.outside_area_reason)
    check_there(taken.offering, _counted_on(item, taken, act), "agency")
    require(
        taken.disposition is None or _left_something(taken, item.ends_on),
        "nothing was left to be decided",
        code="not_in_state",
        field="disposition",
    )


def _counted_on(item: PlannedItem, taken: RunningReferral, act: Act) -> date:
    """The last day on which the agency was, or is, there for the service, by what the row says.

    What is open goes on today, or begins later; what came to nothing was asked for, or began.
    """
    if taken.status in OPEN:
        return max(act.today, item.starts_on)
    if taken.status is S.COMPLETED and taken.ended_on is not None:
        return taken.ended_on
    return taken.started_on or taken.requested_on


def _left_something(taken: RunningReferral, ends_on: date) -> bool:
    """Whether its end left the service to be decided upon: it came to nothing, or ended early."""
    if taken.status is not S.COMPLETED:
        return taken.status in CAME_TO_NOTHING
    early = taken.ended_on is not None and taken.ended_on < ends_on
    return early and taken.outcome != ReferralOutcome.ENDED_AS_PLANNED


def _check_order(file: CaseFile, taken: RunningReferral, act: Act) -> None:
    """Each day lies not ahead, and not before what it follows."""
    urgent = file.case.urgent
    before = file.case.applied_on if urgent else file.case.first_approved_on
    for name in DAYS:
        given = getattr(taken, name)
        if given is not None:
            act.not_future(given, name)
            act.not_before(given, before, name)
            before = given


def _check_codes(taken: RunningReferral, act: Act) -> None:
    action = _ACTION.get(taken.status)
    if action is not None:
        details = Details(reason=taken.reason, note=taken.note, outcome=taken.outcome)
        check_reason(action, details)
    require(
        taken.reason is None or action not in (None, "complete"),
        f"a referral that is {taken.status} has no reason",
        code="not_in_state",
        field="reason",
    )
    if taken.status is S.ON_HOLD:
        check_hold_until(HoldReason(taken.reason or ""), taken.hold_until, act, "hold_until")
    require(
        taken.disposition in (None, *SETTLEMENTS),
        f"one of {', '.join(SETTLEMENTS)}",
        code="disposition_unknown",
        field="disposition",
    )


def _referral(
    file: CaseFile, service: PlannedService, taken: RunningReferral, act: Act
) -> Referral:
    """The referral before its state: the instant of each act is that of its day."""
    case, answered = file.case, taken.answered_on or taken.started_on
    return Referral(
        id=act.new_id(),
        case_id=case.id,
        resident_id=case.resident_id,
        centre_code=case.centre_code,
        district_code=case.district_code,
        planned_service_id=service.id,
        service_code=service.service_code,
        field=service.field,
        offering_id=taken.offering.id,
        provider_id=taken.offering.provider_id,
        status=S.DRAFT,
        priority=taken.priority,
        outside_area_reason=taken.outside_area_reason,
        basis_kind=BasisKind.ARTICLE_14_2,
        created_at=act.at,
        created_by=act.by.id,
        disclosed=list(DISCLOSED),
        requested_on=taken.requested_on,
        requested_at=act.instant_of(taken.requested_on),
        answered_on=taken.answered_on,
        answered_at=act.instant_of(answered) if answered else None,
        accepted_at=act.instant_of(answered) if answered and _was_accepted(taken) else None,
        started_on=taken.started_on,
        ended_on=taken.ended_on,
        outcome=ReferralOutcome(taken.outcome or "") if taken.status is S.COMPLETED else None,
        reason=taken.reason,
        note=taken.note,
    )


def _was_accepted(taken: RunningReferral) -> bool:
    return taken.status not in (S.WAITLISTED, S.DECLINED)


def _hold(file: CaseFile, referral: Referral, taken: RunningReferral, act: Act) -> None:
    """It rests up to and including its last day; the days until today count."""
    until = taken.hold_until or act.today
    referral.make(MOVES["hold"], act.at)
    referral.hold_until, referral.resume_at = until, midnight(until + ONE_DAY)
    for clock in file.running(referral.id):
        file.pause(clock, act, Pause(act.at, until, taken.reason or "hold"))


def _dispose(referral: Referral, service: PlannedService, taken: RunningReferral, act: Act) -> None:
    """What happened instead was said on the day of the end; it settles the service."""
    chosen = Disposition(taken.disposition or "")
    referral.disposition, referral.disposed_at = chosen, act.instant_of(taken.since)
    note_settlement(service, chosen, taken.note, act)
    service.settled_at = referral.disposed_at


def _happened(
    file: CaseFile, referral: Referral, taken: RunningReferral, act: Act
) -> ReferralTakenOver:
    return ReferralTakenOver(
        file.meta(referral, act),
        status=referral.status,
        planned_service_id=referral.planned_service_id,
        provider_id=referral.provider_id,
        priority=referral.priority,
        requested_on=taken.requested_on,
        answered_on=taken.answered_on,
        started_on=taken.started_on,
        ended_on=taken.ended_on,
        hold_until=taken.hold_until,
        outcome=referral.outcome,
        disposition=referral.disposition,
    )
