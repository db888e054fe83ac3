"""Putting right the days of a referral's moves, and raising or lowering its priority."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

from casework.domain.act import Act
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.correction import (
    Correction,
    counts_from,
    differing,
    put_right,
    recount,
    recount_terms,
)
from casework.domain.casefile.recounts import RecountedClock
from casework.domain.casefile.referral import Referral
from casework.domain.casefile.referral_events import ReferralCorrected
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.standards import ClockKind, Priority
from casework.domain.errors import Invalid, NotAllowedInState, one_of
from casework.domain.referring.moving import earliest_request, is_left

DAYS: Final = ("requested_on", "answered_on", "started_on", "ended_on")
_BEGUN_BY: Final[dict[str, tuple[ClockKind, ...]]] = {
    "requested_on": (ClockKind.RESPONSE,),
    "started_on": (ClockKind.PROGRESS,),
    "ended_on": (),
}
_MET_BY: Final[dict[str, tuple[ClockKind, ...]]] = {
    "requested_on": (ClockKind.LINK,),
    "answered_on": (ClockKind.RESPONSE, ClockKind.WAITLIST),
    "started_on": (ClockKind.START, ClockKind.DISCHARGE),
    "ended_on": (ClockKind.PROGRESS,),
}


def correct_days(
    file: CaseFile, referral: Referral, days: Mapping[str, date], reason: str, act: Act
) -> list[RecountedClock]:
    """Put right on which days it was asked, answered, started or ended."""
    for name in days:
        if getattr(referral, name) is None:
            raise Invalid("there is no such day yet", code="nothing_to_correct", field=name)
    _check_order(file, referral, days, act)
    wanted = differing(referral, days)
    if not wanted:
        return []
    before = {name: getattr(referral, name) for name in wanted}
    had_served = referral.served(file.service(referral.planned_service_id))
    correction = put_right(file, referral, wanted, reason, act)
    moved = []
    for name in wanted:
        moved += _move(file, referral, name, before[name], correction, act)
    if "ended_on" in wanted:
        _judge_end(file, referral, act, had_served=had_served)
    _record(file, referral, correction, act, **wanted)
    return moved


def change_priority(
    file: CaseFile, referral: Referral, priority: str, reason: str, act: Act
) -> list[RecountedClock]:
    """Raise or lower how pressing it is; its running clocks are counted anew from their start."""
    wanted = {"priority": one_of(Priority, priority, code="priority_unknown", field="priority")}
    if not referral.is_open or not file.case.is_open:
        raise NotAllowedInState("priority", referral.status, [])
    if not differing(referral, wanted):
        return []
    correction = put_right(file, referral, wanted, reason, act)
    moved = []
    for clock in file.running(referral.id):
        clock.priority = referral.priority
        moved += recount_terms(file, clock, correction, act)
    _record(file, referral, correction, act, **wanted)
    return moved


def _record(
    file: CaseFile, referral: Referral, correction: Correction, act: Act, **after: Any
) -> None:
    file.record(
        ReferralCorrected(
            file.meta(referral, act),
            status=referral.status,
            correction_id=correction.id,
            fields=correction.fields,
            **after,
        )
    )


def _check_order(file: CaseFile, referral: Referral, days: Mapping[str, date], act: Act) -> None:
    """No day lies in the future or before what it follows."""
    earliest = earliest_request(file, file.service(referral.planned_service_id))
    at_fault = None
    for name in DAYS:
        on = days.get(name, getattr(referral, name))
        if on is None:
            continue
        if name in days:
            at_fault = name
            act.not_future(on, name)
        if name == "answered_on":
            earliest = max([earliest, *_waited_since(file, referral)])
        if at_fault is not None:
            act.not_before(on, earliest, at_fault)
        earliest = on


def _waited_since(file: CaseFile, referral: Referral) -> list[date]:
    """Since when it was waited for a place that was answered in the end.

    Where nobody answered further, the waiting is the answer whose day is put right.
    """
    if referral.accepted_at is None and referral.status != ReferralStatus.DECLINED:
        return []
    return [
        day_in_seoul(clock.started_at)
        for clock in _on(file, referral, (ClockKind.WAITLIST,))
        if not clock.is_running
    ]


def _move(
    file: CaseFile,
    referral: Referral,
    name: str,
    old: date,
    correction: Correction,
    act: Act,
) -> list[RecountedClock]:
    """The clocks that the act began count from its other day; those it met are met on that."""
    new: date = getattr(referral, name)
    recorded_at = _recorded_at(referral, name, _met(file, referral, name, None))
    moved = []
    for clock in _on(file, referral, _begun_by(referral, name)):
        if day_in_seoul(clock.started_at) == old:
            clock.started_at = counts_from(new, recorded_at or clock.started_at)
            moved += recount(file, clock, correction, act)
    for clock in _met(file, referral, name, recorded_at):
        moved += recount(file, clock, correction, act, met_on=new)
    return moved


def _begun_by(referral: Referral, name: str) -> tuple[ClockKind, ...]:
    """The clocks that the act began; of an answer, as it was."""
    if name != "answered_on":
        return _BEGUN_BY[name]
    if referral.accepted_at is not None:
        return (ClockKind.START,)
    declined = referral.status == ReferralStatus.DECLINED
    return (ClockKind.DISPOSITION,) if declined else (ClockKind.WAITLIST,)


def _recorded_at(referral: Referral, name: str, met: list[Deadline]) -> datetime | None:
    """When the act was recorded; of a start, the clock knows that it met."""
    if name == "started_on":
        return met[-1].recorded_at if met else None
    if name == "answered_on" and referral.accepted_at is None:
        declined = referral.status == ReferralStatus.DECLINED
        return referral.ended_at if declined else referral.answered_at
    return {
        "requested_on": referral.requested_at,
        "answered_on": referral.accepted_at,
        "ended_on": referral.ended_at,
    }[name]


def _on(file: CaseFile, referral: Referral, kinds: Iterable[ClockKind]) -> list[Deadline]:
    """The clocks of these kinds on the referral, its service or its case that were not in vain."""
    subjects = {referral.id, referral.planned_service_id, file.case.id}
    return [
        clock
        for clock in file.deadlines.values()
        if clock.kind in kinds and clock.subject_id in subjects and clock.cancelled_at is None
    ]


def _met(
    file: CaseFile, referral: Referral, name: str, recorded_at: datetime | None
) -> list[Deadline]:
    """The clocks that the act met; those of a start, whenever it was recorded."""
    found = [one for one in _on(file, referral, _MET_BY[name]) if one.recorded_at is not None]
    if recorded_at is None:
        return [one for one in found if one.subject_id == referral.id]
    return [one for one in found if one.recorded_at == recorded_at]


def _judge_end(file: CaseFile, referral: Referral, act: Act, *, had_served: bool) -> None:
    """Whether the end on its other day leaves the service to be decided upon (rule 8).

    An end that served it no more and no less than before leaves what was owed as it is.
    """
    service = file.service(referral.planned_service_id)
    if referral.served(service) == had_served or not file.case.is_open:
        return
    if referral.disposed_at is None:
        running = file.clock(ClockKind.DISPOSITION, referral.id)
        referral.disposition_owed = is_left(file, referral, service)
        if referral.disposition_owed and running is None:
            file.begin(ClockKind.DISPOSITION, referral, act)
        elif not referral.disposition_owed and running is not None:
            file.end(running, act, met=False)
    file.update_link_clock(service, act)
