"""Putting right on which day a plan was decided, and the resident notified of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from casework.domain.act import Act
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.correction import (
    Correction,
    counts_from,
    differing,
    not_after,
    put_right,
    recount,
)
from casework.domain.casefile.plan import PlanDecision, PlanVersion
from casework.domain.casefile.recounts import RecountedClock
from casework.domain.clocks.calendar import ONE_DAY, day_in_seoul
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.standards import ClockKind
from casework.domain.errors import Invalid
from casework.domain.planning.events import DecisionCorrected, NotificationCorrected


def correct_notification(
    file: CaseFile, on: date, to: str, reason: str, act: Act
) -> list[RecountedClock]:
    """Put right when and who was notified of the plan; its clock is met on the other day."""
    case, old = file.case, file.case.notified_on
    if old is None:
        raise Invalid("nobody was notified yet", code="nothing_to_correct", field="correction")
    met = [one for one in _clocks(file, ClockKind.NOTIFY_PLAN) if _met_on(one) == old][-1:]
    approved_on = day_in_seoul(met[0].started_at) if met else case.first_approved_on
    act.not_future(on, "on")
    act.not_before(on, approved_on, "on")
    wanted = differing(case, {"notified_on": on, "notified_to": to})
    if not wanted:
        return []
    correction = put_right(file, case, wanted, reason, act)
    moved = []
    for clock in met:
        moved += recount(file, clock, correction, act, met_on=on)
    file.record(
        NotificationCorrected(
            file.meta(case, act), correction_id=correction.id, fields=correction.fields, on=on
        )
    )
    return moved


def correct_decision(
    file: CaseFile, version: PlanVersion, on: date, reason: str, act: Act, field: str
) -> list[RecountedClock]:
    """Put right on which day a version was decided; ``field`` is the day's name in the request.

    Needs the file with its ended clocks and its checks. The clock that the decision met is met on
    that day, those it began count from it.
    """
    if version.decided_on is None or version.decided_at is None:
        raise Invalid("it is not decided yet", code="nothing_to_correct", field="version")
    was_first = version is _first_approved(file)
    _check_day(file, version, on, act, field, was_first=was_first)
    if version.decided_on == on:
        return []
    begun = _begun_by(file, version, counts_from(version.decided_on, version.decided_at))
    correction = put_right(file, version, {"decided_on": on}, reason, act)
    if was_first:
        file.case.first_approved_on = on
    moved = _move(file, version, begun, correction, act)
    file.record(
        DecisionCorrected(
            file.meta(file.case, act),
            correction_id=correction.id,
            fields=correction.fields,
            plan_version=version.number,
            decided_on=on,
            conference_id=version.conference_id,
        )
    )
    return moved


def _move(
    file: CaseFile, version: PlanVersion, begun: list[Deadline], correction: Correction, act: Act
) -> list[RecountedClock]:
    on, at = version.decided_on, version.decided_at
    moved = []
    for clock in _clocks(file, ClockKind.DECISION):
        if clock.recorded_at == at:
            moved += recount(file, clock, correction, act, met_on=on)
    for clock in begun:
        if on is not None and at is not None:
            clock.started_at = counts_from(on, at)
        moved += recount(file, clock, correction, act)
    return moved


def _check_day(
    file: CaseFile, version: PlanVersion, on: date, act: Act, field: str, *, was_first: bool
) -> None:
    """It was decided after what a decision follows, and before what followed it."""
    case, decided = file.case, [one for one in file.versions if one.decided_on is not None]
    before = [one.decided_on for one in decided if one.number < version.number and one.decided_on]
    after = [one.decided_on for one in decided if one.number > version.number and one.decided_on]
    act.not_future(on, field)
    act.not_before(on, max([case.determined_on or case.applied_on, *before]), field)
    if version.decision is PlanDecision.APPROVE:
        after += [item.ends_on for item in version.services]
        after += _told_on(file, version)
    if was_first:
        after += [one.checked_on - ONE_DAY for one in file.checks.values() if one.was_made]
        if not case.urgent:
            asked = (one.requested_on for one in file.referrals.values())
            after += [day for day in asked if day and day >= (version.decided_on or day)]
    not_after(on, after, field)


def _told_on(file: CaseFile, version: PlanVersion) -> Iterable[date]:
    """When the resident was notified of this version."""
    if version.decided_on is None or version.decided_at is None:
        return []
    since = counts_from(version.decided_on, version.decided_at)
    met = (one for one in _clocks(file, ClockKind.NOTIFY_PLAN) if one.started_at == since)
    return [on for on in map(_met_on, met) if on is not None]


def _begun_by(file: CaseFile, version: PlanVersion, since: datetime) -> list[Deadline]:
    """The clocks that count from the decision."""
    if version.decision is PlanDecision.RETURN:
        at = version.decided_at
        plans = _clocks(file, ClockKind.PLAN)
        return [
            one
            for one in plans
            if one.started_at == since and (at is None or not _met_before(one, at))
        ]
    begun = _clocks(file, ClockKind.FIRST_CHECK, ClockKind.NOTIFY_PLAN, ClockKind.LINK)
    return [one for one in begun if one.started_at == since]


def _met_before(clock: Deadline, at: datetime) -> bool:
    return clock.recorded_at is not None and clock.recorded_at <= at


def _met_on(clock: Deadline) -> date | None:
    """The day of the act that met a clock."""
    if clock.recorded_at is None:
        return None
    return clock.acted_on or day_in_seoul(clock.recorded_at)


def _clocks(file: CaseFile, *kinds: ClockKind) -> list[Deadline]:
    """The clocks of these kinds that were not in vain, but for the end of a closed case."""
    ends = (None, file.case.closed_at)
    return [
        one for one in file.deadlines.values() if one.kind in kinds and one.cancelled_at in ends
    ]


def _first_approved(file: CaseFile) -> PlanVersion | None:
    approved = [one for one in file.versions if one.decision is PlanDecision.APPROVE]
    return min(approved, key=lambda one: one.number, default=None)
