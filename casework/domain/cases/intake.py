"""From the application to the determination: opening, pre-survey and assessment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from casework.domain.act import Act
from casework.domain.casefile.case import (
    ASSESSMENT_ROUTES,
    EX_OFFICIO_GROUNDS,
    Assessment,
    Case,
    CaseStatus,
    Channel,
    ClosingReason,
    Determination,
    ExOfficioGround,
    Route,
)
from casework.domain.casefile.case_moves import check_possible, conflict
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.correction import counts_from
from casework.domain.casefile.events import CaseOpened, Determined, PreSurveyRecorded, Reassessed
from casework.domain.cases import closing
from casework.domain.clocks.calendar import Target, Unit
from casework.domain.clocks.standards import ClockKind
from casework.domain.errors import Conflict, Invalid, one_of, require
from casework.domain.residents.death import check_lives
from casework.domain.residents.resident import Consent, ConsentPurpose, Resident

CONSENT_FOR_CHANNEL: Final = {
    Channel.INSTITUTION: ConsentPurpose.INSTITUTION_APPLICATION,
    Channel.NHIS: ConsentPurpose.NHIS_ROUTE,
    Channel.OUTREACH: ConsentPurpose.OUTREACH,
    Channel.DISCHARGE: ConsentPurpose.DISCHARGE_NOTICE,
}
DISCHARGE_BASIS: Final = "Act 11: discharge"
ACTIVITIES: Final = (
    "rise_from_chair",
    "climb_six_steps",
    "wash",
    "dress_upper",
    "dress_lower",
    "reach_toilet",
    "use_toilet",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CareApplication:
    """How and when someone asked for integrated care (Act 10, Rule 7), as it was sent.

    ``open_case`` refuses a channel or ground that the lists do not have.
    """

    channel: str
    applied_on: date
    discharge_on: date | None = None
    urgent: bool = False
    urgent_reason: str | None = None
    ex_officio_ground: str | None = None
    consent: Consent | None = None
    # Whoever applies knows that the resident died.
    confirm: bool = False


def open_case(
    resident: Resident, application: CareApplication, act: Act, worker_id: UUID | None
) -> CaseFile:
    """Open a case on an application; the ``survey`` clock counts from the day of applying."""
    check_lives(resident.died_on, confirmed=application.confirm)
    check_application(resident, application, act)
    check_consent(resident, application, act)
    ground = application.ex_officio_ground
    case = Case(
        id=act.new_id(),
        resident_id=resident.id,
        centre_code=resident.centre_code,
        district_code=resident.district_code,
        status=CaseStatus.APPLIED,
        channel=Channel(application.channel),
        applied_on=application.applied_on,
        opened_at=act.at,
        opened_by=act.by.id,
        worker_id=worker_id,
        discharge_on=application.discharge_on,
        urgent=application.urgent,
        urgent_reason=application.urgent_reason,
        ex_officio_ground=ExOfficioGround(ground) if ground else None,
        consent_id=application.consent.id if application.consent else None,
    )
    file = CaseFile(case=case)
    file.begin(ClockKind.SURVEY, case, act, since=act.instant_of(application.applied_on))
    await_discharge(file, act)
    file.record(
        CaseOpened(
            file.meta(case, act),
            channel=case.channel,
            applied_on=case.applied_on,
            discharge_on=case.discharge_on,
            urgent=case.urgent,
            worker_id=worker_id,
            centre_code=case.centre_code,
            status=case.status,
        )
    )
    return file


def await_discharge(file: CaseFile, act: Act) -> None:
    """Start the clock of a discharge, if there is one: due on its day, since the application."""
    case = file.case
    if case.discharge_on is not None:
        due = Target(case.discharge_on.toordinal(), Unit.ON_DATE)
        since = counts_from(case.applied_on, case.opened_at)
        file.begin(ClockKind.DISCHARGE, case, act, since=since, target=due, basis=DISCHARGE_BASIS)


def second_case(standing: CaseFile, act: Act) -> Conflict:
    """The refusal of another case for a resident, which names the one that is open."""
    return conflict(
        standing,
        act,
        "the resident has an open case",
        code="open_case_exists",
        case_id=standing.case.id,
    )


def check_application(resident: Resident, application: CareApplication, act: Act) -> None:
    """Refuse days out of order, urgency without its reason, and grounds that do not belong."""
    act.not_future(application.applied_on, "applied_on")
    act.not_before(application.applied_on, resident.birth_date, "applied_on")
    act.not_before(application.discharge_on, application.applied_on, "discharge_on")
    act.not_too_far(application.discharge_on, "discharge_on")
    channel = one_of(Channel, application.channel, code="channel_unknown", field="channel")
    require(
        not application.urgent or (application.urgent_reason or "").strip(),
        "an urgent case needs its reason",
        code="urgent_reason_required",
        field="urgent_reason",
    )
    ground = application.ex_officio_ground
    require(
        ground in EX_OFFICIO_GROUNDS if channel is Channel.EX_OFFICIO else ground is None,
        "an ex officio application, and no other, names one of the six grounds of Act 10(2)",
        code="ex_officio_ground",
        field="ex_officio_ground",
    )


def check_consent(resident: Resident, application: CareApplication, act: Act) -> None:
    """Refuse an applicant other than resident, family or guardian without a valid consent."""
    purpose = CONSENT_FOR_CHANNEL.get(Channel(application.channel))
    consent = application.consent
    if consent is None:
        require(
            purpose is None,
            f"this channel needs a consent for {purpose}",
            code="consent_required",
            field="consent_id",
        )
        return
    fits = consent.resident_id == resident.id and purpose in (None, consent.purpose)
    require(
        fits and consent.is_valid(act.today),
        "this consent does not carry the application",
        code="consent_not_valid",
        field="consent_id",
    )


def score_of(activities: Mapping[str, int]) -> int:
    """The sum over the seven activities, each 0 (alone), 1 (with help) or 2 (not at all)."""
    for name in ACTIVITIES:
        require(
            activities.get(name) in (0, 1, 2),
            "0, 1 or 2",
            code="activity_score",
            field=f"activities.{name}",
        )
    return sum(activities[name] for name in ACTIVITIES)


def route_of(dementia_medicine: bool, score: int) -> Route:
    """Dementia medicine decides alone; otherwise 0-1 guidance, 2-3 local survey, 4 up NHIS."""
    if dementia_medicine or score >= 4:
        return Route.NHIS_ASSESSMENT
    return Route.LOCAL_SURVEY if score >= 2 else Route.GUIDANCE


def record_pre_survey(
    file: CaseFile,
    dementia_medicine: bool,
    activities: Mapping[str, int],
    guidance: str | None,
    act: Act,
) -> None:
    """Record the pre-survey and follow its route; ``guidance`` closes the case as guided."""
    case = file.case
    check_possible(file, "pre-survey", act)
    score = score_of(activities)
    route = route_of(dementia_medicine, score)
    if route is Route.GUIDANCE and not (guidance or "").strip():
        raise Invalid("say what the resident was told", code="guidance_required", field="guidance")
    if route is Route.GUIDANCE:
        closing.refuse_open_referrals(file, act)
    case.dementia_medicine, case.activities = dementia_medicine, dict(activities)
    case.score, case.route, case.guidance = score, route, guidance
    case.surveyed_at, case.status = act.at, CaseStatus.SURVEYING
    file.meet(ClockKind.SURVEY, act)
    if route in ASSESSMENT_ROUTES:
        case.sent_for_assessment_at = act.at
        file.begin(ClockKind.ASSESSMENT, case, act)
    file.record(
        PreSurveyRecorded(file.meta(case, act), score=score, route=route, status=case.status)
    )
    if route is Route.GUIDANCE:
        closing.close(
            file, closing.Closing(reason=ClosingReason.GUIDED, effective_on=act.today), act
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What an assessor reports."""

    assessed_on: date
    received_on: date | None
    assessor: str
    determination: str
    needs: list[dict[str, Any]]


def check_finding(file: CaseFile, finding: Finding, act: Act) -> Determination:
    """The determination; refuses an unknown one, and days out of order."""
    act.not_future(finding.assessed_on, "assessed_on")
    act.not_future(finding.received_on, "received_on")
    act.not_before(finding.assessed_on, file.case.applied_on, "assessed_on")
    act.not_before(finding.received_on, finding.assessed_on, "received_on")
    return one_of(
        Determination, finding.determination, code="determination_unknown", field="determination"
    )


def record_assessment(file: CaseFile, finding: Finding, act: Act) -> Assessment:
    """Record an assessment; the first one is the determination, and the plan is next.

    The ``plan`` clock counts from the day the result was received. In a later state it is a
    reassessment, which is recorded and changes no state.
    """
    case = file.case
    check_possible(file, "assessments", act)
    determination = check_finding(file, finding, act)
    assessment = Assessment(
        id=act.new_id(),
        case_id=case.id,
        resident_id=case.resident_id,
        assessed_on=finding.assessed_on,
        received_on=finding.received_on,
        assessor=finding.assessor,
        determination=determination,
        needs=finding.needs,
        recorded_at=act.at,
        recorded_by=act.by.id,
    )
    file.added.append(assessment)
    happened: type[Determined | Reassessed] = Reassessed
    if case.status == CaseStatus.SURVEYING:
        happened = Determined
        case.status, case.determination = CaseStatus.PLANNING, determination
        case.determined_at = act.at
        case.determined_on = finding.received_on or finding.assessed_on
        file.meet(ClockKind.ASSESSMENT, act, on=finding.received_on)
        file.begin(ClockKind.PLAN, case, act, since=act.instant_of(finding.received_on))
    file.record(
        happened(
            file.meta(case, act),
            assessment_id=assessment.id,
            determination=determination,
            assessed_on=finding.assessed_on,
            status=case.status,
        )
    )
    return assessment
