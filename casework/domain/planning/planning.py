"""The care plan: drafting, submitting, deciding, telling; and settling without a referral."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from casework.domain.act import Act
from casework.domain.casefile.allowed import (
    awaits_decision,
    check_possible,
    conflict,
    may_submit,
    refusal,
)
from casework.domain.casefile.case import CaseStatus
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.lifecycle import SETTLEMENTS
from casework.domain.casefile.plan import (
    Conference,
    PlanDecision,
    PlannedItem,
    PlannedService,
    PlanVersion,
    ServiceStatus,
    VersionStatus,
)
from casework.domain.casefile.states import Disposition
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.clocks.standards import ClockKind
from casework.domain.directory.directory import Service
from casework.domain.errors import Conflict, Forbidden, Invalid, NotAllowedInState, require
from casework.domain.planning.conferences import AgendaItem, check_held
from casework.domain.planning.events import (
    PlanApproved,
    PlanDrafted,
    PlannedServiceSettled,
    PlanNotified,
    PlanReturned,
    PlanSubmitted,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a worker writes down as the plan. An item whose id is None is a new service."""

    goals: list[str]
    items: list[tuple[UUID | None, PlannedItem]]
    heard_on: date
    heard_from: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided on which version, and how: in a conference, or without one and why.

    ``agenda`` has the plan versions that a known conference is to decide; None where the conference
    is recorded with this decision, which puts the plan on its agenda.
    """

    number: int
    hash: str
    approve: bool
    reason: str | None = None
    conference: Conference | None = None
    agenda: frozenset[UUID] | None = None
    without_meeting_reason: str | None = None


def put_draft(
    file: CaseFile, draft: Draft, catalogue: Mapping[str, Service], act: Act
) -> PlanVersion:
    """Write the draft; the next version where none is in draft."""
    check_possible(file, "draft", act)
    act.not_future(draft.heard_on, "heard.on")
    _check_items(file, draft.items, catalogue)
    _check_in_force(draft.items, catalogue, act)
    known = {id for id, _ in draft.items}
    for service in file.services.values():
        if service.id not in known and service.status != ServiceStatus.DROPPED:
            _refuse_if_in_use(file, service, act)
    items = [_planned(file, id, item, catalogue, act) for id, item in draft.items]
    version = file.version_in(VersionStatus.DRAFT) or _next_version(file, draft, act)
    version.goals, version.services = draft.goals, items
    version.heard_on, version.heard_from = draft.heard_on, draft.heard_from
    version.drafted_at, version.drafted_by = act.at, act.by.id
    version.version += 1
    file.case.plan_revision += 1
    dropped = _settle_membership(file, version, act)
    file.record(
        PlanDrafted(
            file.meta(file.case, act),
            plan_version=version.number,
            services=tuple(item.id for item in items),
            dropped=tuple(dropped) or None,
        )
    )
    return version


def _check_items(
    file: CaseFile, items: list[tuple[UUID | None, PlannedItem]], catalogue: Mapping[str, Service]
) -> None:
    """Each item is of the catalogue, and a known planned service stands once, as it was."""
    for n, (id, item) in enumerate(items):
        where = f"services.{n}"
        item.check(where)
        require(
            item.service_code in catalogue,
            "no such service",
            code="unknown_service",
            field=f"{where}.service_code",
        )
        if id is None:
            continue
        known = file.services.get(id)
        if known is None or known.status == ServiceStatus.DROPPED:
            raise Invalid(
                "no such planned service", code="unknown_planned_service", field=f"{where}.id"
            )
        require(
            known.service_code == item.service_code,
            "a planned service keeps its service",
            code="service_changed",
            field=f"{where}.service_code",
        )
    named = [id for id, _ in items if id is not None]
    require(
        len(set(named)) == len(named),
        "the same planned service twice",
        code="duplicate_service",
        field="services",
    )


def _check_in_force(
    items: list[tuple[UUID | None, PlannedItem]], catalogue: Mapping[str, Service], act: Act
) -> None:
    """A service is planned anew only while it is in force; what is planned already stays."""
    for n, (id, item) in enumerate(items):
        begins = max(act.today, item.starts_on)
        if id is None and not catalogue[item.service_code].is_in_force(begins):
            raise Invalid(
                f"this service is not in force on {begins}",
                code="service_not_in_force",
                field=f"services.{n}.service_code",
            )


def _planned(
    file: CaseFile,
    id: UUID | None,
    item: PlannedItem,
    catalogue: Mapping[str, Service],
    act: Act,
) -> PlannedItem:
    """The item with the id of its planned service, which is made where it is new."""
    if id is None:
        entry = catalogue[item.service_code]
        service = PlannedService(
            id=act.new_id(),
            case_id=file.case.id,
            resident_id=file.case.resident_id,
            service_code=entry.code,
            field=entry.field,
            status=ServiceStatus.DRAFTED,
            created_at=act.at,
        )
        file.services[service.id] = service
        id = service.id
    return replace(item, id=id)


def _next_version(file: CaseFile, draft: Draft, act: Act) -> PlanVersion:
    version = PlanVersion(
        id=act.new_id(),
        case_id=file.case.id,
        status=VersionStatus.DRAFT,
        number=1 + max((v.number for v in file.versions), default=0),
        goals=draft.goals,
        services=[],
        heard_on=draft.heard_on,
        heard_from=draft.heard_from,
        drafted_at=act.at,
        drafted_by=act.by.id,
        version=0,
    )
    file.versions.append(version)
    return version


def _settle_membership(file: CaseFile, version: PlanVersion, act: Act) -> list[UUID]:
    """Drop services that only stood in a draft and no longer do; returns their ids."""
    kept = {item.id for item in version.services}
    dropped = []
    for service in file.services.values():
        if service.id in kept:
            file.update_link_clock(service, act)
        elif service.status == ServiceStatus.DRAFTED:
            _drop(file, service, act)
            dropped.append(service.id)
    return dropped


def _refuse_if_in_use(file: CaseFile, service: PlannedService, act: Act) -> None:
    if any(r.is_open or r.owes_disposition for r in file.referrals_of(service)):
        raise conflict(
            file,
            act,
            "a planned service with an open referral or an owed disposition cannot be dropped",
            code="service_in_use",
            planned_service_id=service.id,
        )


def _drop(file: CaseFile, service: PlannedService, act: Act) -> None:
    service.status = ServiceStatus.DROPPED
    service.version += 1
    file.update_link_clock(service, act)


def submit(file: CaseFile, act: Act) -> PlanVersion:
    """Freeze the draft for decision; its hash is what the decision is bound to."""
    version = file.version_in(VersionStatus.DRAFT)
    if version is None or not may_submit(file):
        raise refusal(file, "submit", act)
    version.status, version.hash = VersionStatus.SUBMITTED, version.content_hash()
    version.submitted_at, version.submitted_by = act.at, act.by.id
    version.version += 1
    file.case.plan_revision += 1
    file.meet(ClockKind.PLAN, act)
    file.begin(ClockKind.DECISION, file.case, act)
    file.record(
        PlanSubmitted(file.meta(file.case, act), plan_version=version.number, hash=version.hash)
    )
    return version


def decide(file: CaseFile, decision: Decision, act: Act) -> PlanVersion:
    """Approve or return the submitted version; nobody decides on their own draft."""
    version = file.version_in(VersionStatus.SUBMITTED)
    if version is None or not awaits_decision(file):
        raise refusal(file, "decision", act)
    _check_decision(file, version, decision, act)
    version.decision = PlanDecision.APPROVE if decision.approve else PlanDecision.RETURN
    version.decided_at, version.decided_by = act.at, act.by.id
    version.conference_id = decision.conference.id if decision.conference else None
    version.without_meeting_reason = decision.without_meeting_reason
    version.decision_reason = decision.reason
    version.version += 1
    file.case.plan_revision += 1
    file.meet(ClockKind.DECISION, act)
    if decision.conference is not None and decision.agenda is None:
        file.added.append(_on_agenda(decision.conference, version, act))
    decided_on = decision.conference.held_on if decision.conference else act.today
    follow = _approve if decision.approve else _return
    follow(file, version, decided_on, act)
    return version


def _check_decision(file: CaseFile, version: PlanVersion, decision: Decision, act: Act) -> None:
    if (version.number, version.hash) != (decision.number, decision.hash):
        raise conflict(
            file, act, "this is not the version that was submitted", code="version_changed"
        )
    if act.by.id in (version.drafted_by, version.submitted_by):
        raise Forbidden("nobody decides on their own draft", code="own_draft")
    require(
        (decision.conference is None) == bool((decision.without_meeting_reason or "").strip()),
        "say how it was decided: a conference, or why without one",
        code="how_decided",
        field="conference",
    )
    if decision.conference is not None:
        _check_meeting(file, version, decision.conference, decision.agenda, act)
    if decision.approve:
        for service in _leaving(file, version):
            _refuse_if_in_use(file, service, act)


def _check_meeting(
    file: CaseFile,
    version: PlanVersion,
    conference: Conference,
    agenda: frozenset[UUID] | None,
    act: Act,
) -> None:
    """The meeting was held, not before the submission, and had the plan on its agenda."""
    if agenda is None:
        act.not_future(conference.held_on, "conference.held_on")
    else:
        check_held(conference, act)
        if version.id not in agenda:
            detail = "the plan is not on the agenda of that meeting"
            raise conflict(file, act, detail, code="not_on_agenda")
    submitted_on = version.submitted_at and day_in_seoul(version.submitted_at)
    act.not_before(conference.held_on, submitted_on, "conference.held_on")


def _on_agenda(conference: Conference, version: PlanVersion, act: Act) -> AgendaItem:
    """A meeting that is recorded with a decision had the plan on its agenda."""
    return AgendaItem(
        id=act.new_id(),
        conference_id=conference.id,
        plan_version_id=version.id,
        case_id=version.case_id,
        added_at=act.at,
        added_by=act.by.id,
    )


def _leaving(file: CaseFile, version: PlanVersion) -> list[PlannedService]:
    """The services in force that a version no longer has."""
    kept = {item.id for item in version.services}
    return [
        service
        for service in file.services.values()
        if service.status == ServiceStatus.IN_FORCE and service.id not in kept
    ]


def _approve(file: CaseFile, version: PlanVersion, on: date, act: Act) -> None:
    case, since, leaving = file.case, act.instant_of(on), _leaving(file, version)
    before = file.in_force
    if before is not None:
        before.status = VersionStatus.SUPERSEDED
        before.version += 1
    version.status = VersionStatus.APPROVED
    case.status = CaseStatus.SUPPORTED
    case.version += 1
    _start_approval_clocks(file, on, since, act)
    for service in leaving:
        _drop(file, service, act)
    for item in version.services:
        service = file.service(item.id)
        if service.status != ServiceStatus.IN_FORCE:
            service.status = ServiceStatus.IN_FORCE
            service.version += 1
        file.update_link_clock(service, act, since=since)
    file.record(
        PlanApproved(
            file.meta(case, act),
            plan_version=version.number,
            decided_on=on,
            conference_id=version.conference_id,
            status=case.status,
            services=tuple(item.id for item in version.services),
            dropped=tuple(service.id for service in leaving) or None,
        )
    )


def _start_approval_clocks(file: CaseFile, on: date, since: datetime, act: Act) -> None:
    """The first approval starts the first check; each one, telling the resident of it."""
    case = file.case
    if case.first_approved_on is None:
        case.first_approved_on = on
        file.begin(ClockKind.FIRST_CHECK, case, act, since=since)
    untold = file.clock(ClockKind.NOTIFY_PLAN, case.id)
    if untold is not None:  # nobody needs to be told of a plan that no longer holds
        file.end(untold, act, met=False)
    file.begin(ClockKind.NOTIFY_PLAN, case, act, since=since)


def _return(file: CaseFile, version: PlanVersion, on: date, act: Act) -> None:
    version.status = VersionStatus.RETURNED
    file.begin(ClockKind.PLAN, file.case, act, since=act.instant_of(on))
    file.record(
        PlanReturned(
            file.meta(file.case, act),
            plan_version=version.number,
            decided_on=on,
            conference_id=version.conference_id,
        )
    )


def notify(file: CaseFile, on: date, to: str, act: Act) -> None:
    """The resident or applicant was told of the plan in force."""
    check_possible(file, "notified", act)
    act.not_future(on, "on")
    clock = file.clock(ClockKind.NOTIFY_PLAN, file.case.id)
    approved_on = day_in_seoul(clock.started_at) if clock else file.case.first_approved_on
    act.not_before(on, approved_on, "on")
    file.case.notified_on, file.case.notified_to = on, to
    file.case.version += 1
    file.meet(ClockKind.NOTIFY_PLAN, act)
    file.record(PlanNotified(file.meta(file.case, act), on=on))


def settle(file: CaseFile, service: PlannedService, how: str, note: str | None, act: Act) -> None:
    """Settle a planned service without a referral: refused, found otherwise, not found at all."""
    if not file.case.is_open or service.status == ServiceStatus.DROPPED:
        raise NotAllowedInState("settle", service.status, [])
    why_not = _why_not_settled_so(file, service)
    if why_not is not None:
        code, detail = why_not
        raise Conflict(detail, code=code, state=service.status, allowed_actions=[])
    require(
        how in SETTLEMENTS,
        f"one of {', '.join(SETTLEMENTS)}",
        code="disposition_unknown",
        field="disposition",
    )
    note_settlement(service, Disposition(how), note, act)
    file.update_link_clock(service, act)
    file.record(PlannedServiceSettled(file.meta(service, act), settlement=Disposition(how)))


def may_settle(file: CaseFile, service: PlannedService) -> bool:
    """Whether the service can be settled now, without a referral."""
    wanted = file.case.is_open and service.status != ServiceStatus.DROPPED
    return wanted and _why_not_settled_so(file, service) is None


def _why_not_settled_so(file: CaseFile, service: PlannedService) -> tuple[str, str] | None:
    """The code and the words of what stands against settling a service directly, if anything."""
    referrals = file.referrals_of(service)
    if any(referral.is_open for referral in referrals):
        return "referral_open", "a referral of it is open"
    if any(referral.owes_disposition for referral in referrals):
        return "disposition_owed", "a referral of it still owes its disposition"
    if file.is_settled(service):
        return "already_settled", "it is settled"
    return None


def note_settlement(service: PlannedService, how: Disposition, note: str | None, act: Act) -> None:
    """The latest word on a planned service."""
    service.settlement, service.settlement_note = how, note
    service.settled_at, service.settled_by = act.at, act.by.id
    service.version += 1
