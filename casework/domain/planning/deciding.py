"""Deciding a submitted plan: in a meeting or without one, never on one's own draft."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from casework.domain.act import Act
from casework.domain.casefile.case import CaseStatus
from casework.domain.casefile.case_moves import awaits_decision, conflict, refusal
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.plan import (
    Conference,
    PlanDecision,
    PlannedService,
    PlanVersion,
    ServiceStatus,
    VersionStatus,
)
from casework.domain.clocks.standards import ClockKind
from casework.domain.errors import Forbidden, require
from casework.domain.planning.conferences import AgendaItem, check_held
from casework.domain.planning.events import PlanApproved, PlanReturned
from casework.domain.planning.planning import check_not_over, drop, refuse_if_in_use


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided on which version, and how: in a conference, or without one and why.

    ``agenda`` has the plan versions that a known conference is to decide; None where the conference
    is recorded with this decision, which puts the plan on its agenda. ``decided_on`` is the day of
    a decision without a meeting, today where it is None.
    """

    number: int
    hash: str
    approve: bool
    reason: str | None = None
    conference: Conference | None = None
    agenda: frozenset[UUID] | None = None
    without_meeting_reason: str | None = None
    decided_on: date | None = None

    def on(self, act: Act) -> date:
        """The day on which it was decided."""
        return self.conference.held_on if self.conference else self.decided_on or act.today


def decide(file: CaseFile, decision: Decision, act: Act) -> PlanVersion:
    """Approve or return the submitted version; nobody decides on their own draft."""
    version = file.version_in(VersionStatus.SUBMITTED)
    if version is None or not awaits_decision(file):
        raise refusal(file, "decision", act)
    _check_decision(file, version, decision, act)
    version.decision = PlanDecision.APPROVE if decision.approve else PlanDecision.RETURN
    on = version.decided_on = decision.on(act)
    version.decided_at, version.decided_by = act.at, act.by.id
    version.conference_id = decision.conference.id if decision.conference else None
    version.without_meeting_reason = decision.without_meeting_reason
    version.decision_reason = decision.reason
    file.meet(ClockKind.DECISION, act, on=on)
    if decision.conference is not None and decision.agenda is None:
        file.added.append(_on_agenda(decision.conference, version, act))
    follow = _approve if decision.approve else _return
    follow(file, version, on, act)
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
    require(
        decision.conference is None or decision.decided_on is None,
        "a meeting decides on its own day",
        code="how_decided",
        field="decided_on",
    )
    _check_day(file, version, decision, act)
    require(
        decision.approve or (decision.reason or "").strip(),
        "say why it goes back",
        code="reason_required",
        field="reason",
    )
    if decision.approve:
        check_not_over(file, ((item.id, item) for item in version.services), decision.on(act))
        for service in _leaving(file, version):
            refuse_if_in_use(file, service, act)


def _check_day(file: CaseFile, version: PlanVersion, decision: Decision, act: Act) -> None:
    """It was decided on a day that can be entered, after what a decision follows.

    That is the determination, and the decision on the version before: when the plan was typed is
    not asked. A known meeting was held, and had the plan on its agenda.
    """
    conference = decision.conference
    if conference is not None and decision.agenda is not None:
        check_held(conference, act)
        if version.id not in decision.agenda:
            detail = "the plan is not on the agenda of that meeting"
            raise conflict(file, act, detail, code="not_on_agenda")
    field = "conference.held_on" if conference is not None else "decided_on"
    act.dated(decision.on(act), _follows(file), field)


def _follows(file: CaseFile) -> date:
    """The last day of what a decision follows."""
    decided = [one.decided_on for one in file.versions if one.decided_on is not None]
    return max([file.case.determined_on or file.case.applied_on, *decided])


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
    version.status = VersionStatus.APPROVED
    case.status = CaseStatus.SUPPORTED
    _start_approval_clocks(file, on, since, act)
    for service in leaving:
        drop(file, service, act)
    for item in version.services:
        service = file.service(item.id)
        service.status, service.ends_on = ServiceStatus.IN_FORCE, item.ends_on
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
