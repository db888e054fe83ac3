"""Putting right what was typed wrongly of an application, a pre-survey or a determination."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from casework.domain.act import Act
from casework.domain.casefile.case import (
    ASSESSMENT_ROUTES,
    Assessment,
    CaseStatus,
    Channel,
    ClosingReason,
    Determination,
    ExOfficioGround,
    Route,
)
from casework.domain.casefile.case_moves import conflict, refusal
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.correction import (
    Correction,
    counts_from,
    differing,
    not_after,
    put_right,
    recount,
    recount_terms,
)
from casework.domain.casefile.events import (
    AssessmentCorrected,
    CaseCorrected,
    PreSurveyCorrected,
)
from casework.domain.casefile.recounts import RecountedClock
from casework.domain.cases import closing
from casework.domain.cases.intake import (
    CareApplication,
    Finding,
    await_discharge,
    check_application,
    check_consent,
    check_finding,
    route_of,
    score_of,
)
from casework.domain.clocks.calendar import Target, Unit, day_in_seoul
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.standards import REFERRAL, ClockKind
from casework.domain.errors import Invalid, one_of
from casework.domain.residents.resident import Consent, Resident

APPLICATION: Final = (
    "applied_on",
    "discharge_on",
    "channel",
    "urgent",
    "urgent_reason",
    "ex_officio_ground",
    "consent_id",
)


def correct_application(
    file: CaseFile,
    resident: Resident,
    changes: Mapping[str, Any],
    reason: str,
    act: Act,
    consent: Consent | None = None,
) -> list[RecountedClock]:
    """Put right what the application says; returns the clocks that were counted anew.

    ``consent`` is the one that the application rests on then. What stays as it is changes nothing.
    """
    case = file.case
    wanted = differing(case, _wanted(file, changes))
    if not wanted:
        return []
    after = {name: wanted.get(name, getattr(case, name)) for name in APPLICATION}
    application = CareApplication(
        **{name: after[name] for name in APPLICATION if name != "consent_id"}, consent=consent
    )
    check_application(resident, application, act)
    if "channel" in wanted or "consent_id" in wanted:
        check_consent(resident, application, act)
    _check_order(file, after, act)
    applied_on = case.applied_on
    correction = put_right(file, case, wanted, reason, act)
    moved = []
    if "applied_on" in wanted:
        since = counts_from(applied_on, case.opened_at)
        for clock in _of_case(file, ClockKind.SURVEY, ClockKind.DISCHARGE):
            if clock.started_at == since:
                clock.started_at = counts_from(case.applied_on, case.opened_at)
                moved += recount(file, clock, correction, act)
    if "discharge_on" in wanted:
        moved += _move_discharge(file, correction, act)
    if "urgent" in wanted:
        moved += _take_priority(file, correction, act)
    file.record(
        CaseCorrected(
            file.meta(case, act),
            correction_id=correction.id,
            fields=correction.fields,
            applied_on=wanted.get("applied_on"),
            discharge_on=wanted.get("discharge_on"),
            channel=wanted.get("channel"),
            urgent=wanted.get("urgent"),
        )
    )
    return moved


def _wanted(file: CaseFile, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be so: codes as what they are, and what goes with another channel or urgency."""
    wanted = dict(changes)
    if "channel" in wanted:
        channel = one_of(Channel, wanted["channel"], code="channel_unknown", field="channel")
        wanted["channel"] = channel
        if channel is not Channel.EX_OFFICIO:
            wanted.setdefault("ex_officio_ground", None)
    if wanted.get("ex_officio_ground") is not None:
        wanted["ex_officio_ground"] = one_of(
            ExOfficioGround,
            wanted["ex_officio_ground"],
            code="ex_officio_ground",
            field="ex_officio_ground",
        )
    if wanted.get("urgent") is False or not wanted.get("urgent", file.case.urgent):
        wanted["urgent_reason"] = None
    return wanted


def _check_order(file: CaseFile, after: Mapping[str, Any], act: Act) -> None:
    """An application is not after what followed it."""
    case, applied_on = file.case, after["applied_on"]
    followed = [
        on for on in (case.determined_on, case.first_approved_on, case.effective_on) if on
    ] + [one.assessed_on for one in file.assessments.values()]
    followed += [one.requested_on for one in file.referrals.values() if one.requested_on]
    followed.append(day_in_seoul(case.opened_at))
    not_after(applied_on, followed, "applied_on")


def _of_case(file: CaseFile, *kinds: ClockKind) -> list[Deadline]:
    """The clocks of these kinds on the case that run or were met."""
    return [
        clock
        for clock in file.deadlines.values()
        if clock.kind in kinds and clock.subject_id == file.case.id and clock.cancelled_at is None
    ]


def _move_discharge(file: CaseFile, correction: Correction, act: Act) -> list[RecountedClock]:
    """The clock of a discharge is due on its day; without one there is none."""
    case, clocks = file.case, _of_case(file, ClockKind.DISCHARGE)
    if case.discharge_on is None:
        for clock in clocks:
            if clock.is_running:
                file.end(clock, act, met=False)
        return []
    if clocks:
        clocks[-1].target = Target(case.discharge_on.toordinal(), Unit.ON_DATE)
        return recount(file, clocks[-1], correction, act)
    if case.is_open:
        await_discharge(file, act)
        started = [one.started_on for one in file.referrals.values() if one.started_on]
        if started:
            file.meet(ClockKind.DISCHARGE, act, on=min(started))
    return []


def _take_priority(file: CaseFile, correction: Correction, act: Act) -> list[RecountedClock]:
    """The running clocks of the case and its services are counted by the other standards."""
    moved = []
    for clock in file.running():
        if clock.subject_type != REFERRAL:
            clock.priority = file.case.priority
            moved += recount_terms(file, clock, correction, act)
    for service in file.services.values():
        file.update_link_clock(service, act)
    return moved


def correct_pre_survey(
    file: CaseFile,
    dementia_medicine: bool,
    activities: Mapping[str, int],
    guidance: str | None,
    reason: str,
    act: Act,
) -> None:
    """Put the answers of the pre-survey right, until the determination; follow the other route."""
    case = file.case
    if case.determined_at is not None:
        raise conflict(file, act, "it was determined since", code="too_late_to_correct")
    if case.status != CaseStatus.SURVEYING:
        raise refusal(file, "pre-survey", act)
    score = score_of(activities)
    route = route_of(dementia_medicine, score)
    if route is Route.GUIDANCE and not (guidance or "").strip():
        raise Invalid("say what the resident was told", code="guidance_required", field="guidance")
    if route is Route.GUIDANCE:
        closing.refuse_open_referrals(file, act)
    wanted = {
        "dementia_medicine": dementia_medicine,
        "activities": dict(activities),
        "score": score,
        "route": route,
        "guidance": guidance,
    }
    correction = put_right(file, case, differing(case, wanted), reason, act)
    file.record(
        PreSurveyCorrected(
            file.meta(case, act),
            correction_id=correction.id,
            fields=correction.fields,
            score=score,
            route=route,
            status=case.status,
        )
    )
    if route not in ASSESSMENT_ROUTES:
        closing.close(
            file, closing.Closing(reason=ClosingReason.GUIDED, effective_on=act.today), act
        )


def correct_assessment(
    file: CaseFile, assessment: Assessment, finding: Finding, reason: str, act: Act
) -> None:
    """Put an assessment right; the determination only until a plan is submitted."""
    case = file.case
    is_determination = assessment.recorded_at == case.determined_at
    if is_determination and any(one.submitted_at is not None for one in file.versions):
        raise conflict(file, act, "a plan was submitted since", code="too_late_to_correct")
    determination = check_finding(file, finding, act)
    wanted = {
        "assessed_on": finding.assessed_on,
        "received_on": finding.received_on,
        "assessor": finding.assessor,
        "determination": determination,
        "needs": finding.needs,
    }
    received_on = assessment.received_on
    correction = put_right(file, assessment, differing(assessment, wanted), reason, act)
    if is_determination:
        _determine_again(file, assessment, received_on, correction, act)
    file.record(
        AssessmentCorrected(
            file.meta(case, act),
            correction_id=correction.id,
            fields=correction.fields,
            assessment_id=assessment.id,
            determination=Determination(determination),
            assessed_on=finding.assessed_on,
            status=case.status,
        )
    )


def _determine_again(
    file: CaseFile, to: Assessment, received_on: Any, correction: Correction, act: Act
) -> None:
    """The determination stands on the case too; the plan's clock counts from its receipt."""
    case, at = file.case, to.recorded_at
    case.determination = to.determination
    case.determined_on = to.received_on or to.assessed_on
    if to.received_on == received_on:
        return
    day, old = to.received_on or day_in_seoul(at), received_on or day_in_seoul(at)
    for clock in _of_case(file, ClockKind.PLAN, ClockKind.ASSESSMENT):
        if clock.kind is ClockKind.PLAN and clock.started_at == counts_from(old, at):
            clock.started_at = counts_from(day, at)
            recount(file, clock, correction, act)
        elif clock.kind is ClockKind.ASSESSMENT and clock.recorded_at == at:
            recount(file, clock, correction, act, met_on=day)
