"""Moving a referral through its life, as the lifecycle table says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Final

from casework.domain.access.policy import SYSTEM_ROLE, Actor, is_guest, may
from casework.domain.act import Act
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.hold_limits import check_hold_until
from casework.domain.casefile.plan import PlannedService, ServiceStatus
from casework.domain.casefile.referral import Referral
from casework.domain.casefile.referral_events import ReferralResumed
from casework.domain.casefile.referral_moves import (
    MOVES,
    OTHER,
    OUTCOMES,
    REASONS,
    RESUME_BY_ITSELF,
    Move,
    Party,
)
from casework.domain.casefile.states import HoldReason, ReferralOutcome, ReferralStatus
from casework.domain.clocks.calendar import ONE_DAY, Pause, PauseSource, midnight
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.no_answer import is_given_up
from casework.domain.clocks.standards import ClockKind
from casework.domain.directory import capacity
from casework.domain.errors import Forbidden, Invalid, NotAllowedInState, require
from casework.domain.referring.details import Details
from casework.domain.referring.disclosure_basis import (
    DISCLOSED,
    check_basis,
    check_offering,
    check_plan,
)
from casework.domain.referring.recording import MAKERS
from casework.domain.residents.death import check_lived, check_lives

ANSWERS: Final = ("accept", "waitlist", "decline")
# Nobody takes on, or begins with, somebody who died.
ENGAGES: Final = ("accept", "waitlist", "start")
FOR_THE_LIVING: Final = ("send", *ENGAGES)


def allowed_actions(
    file_is_open: bool,
    referral: Referral,
    actor: Actor,
    at: datetime | None = None,
    *,
    died: bool = False,
) -> list[str]:
    """What this actor may do to the referral now, in the table's order.

    With ``at``, a hold whose last day has passed counts as over, recorded or not (rule 6). For
    one who ``died`` nothing begins, but for what is entered late of a day before.
    """
    if is_guest(actor, referral):
        return []
    possible = [
        action
        for action in referral.possible_moves(at)
        if MOVES[action].who is not Party.SWEEP
        and may(actor, MOVES[action].who)
        and (file_is_open or action == "enter-in-error")
        and not (died and action in FOR_THE_LIVING)
    ]
    if referral.is_with_provider and may(actor, Party.ANSWERER):
        possible.append("signal")
    return possible


def move(file: CaseFile, referral: Referral, action: str, details: Details, act: Act) -> None:
    """Make a move of the table: check it, change the state, end and start its clocks.

    A refused move changes nothing. A disposition is more than a move: see ``referring.dispose``.
    """
    check_move(file, referral, action, details, act)
    make_move(file, referral, action, details, act)


def check_move(file: CaseFile, referral: Referral, action: str, details: Details, act: Act) -> None:
    """Refuse what the table, the actor's part or the details do not allow."""
    if action == "dispose":
        raise ValueError("a disposition is made by referring.dispose")
    row = MOVES[action]
    _check_party(row, details, act.by)
    open_enough = file.case.is_open or action == "enter-in-error"
    if action not in referral.possible_moves(act.at) or not open_enough:
        raise refused(file, referral, action, act)
    if action == "lapse" and not is_given_up(referral.lapse_at, act.at):
        raise refused(file, referral, action, act)
    check_reason(action, details)
    _check_dates(file, row, referral, details, act)
    capacity.check_full_until(action, details.reason, details.full_until, act)
    if action in ENGAGES:
        on, tells_day = details.acted_on or act.today, not act.by.answers_as_provider
        check_lived(file.died_on, on, tells_day=tells_day)
    if action == "send":
        _check_sendable(file, referral, details, act)


def refused(file: CaseFile, referral: Referral, action: str, act: Act) -> NotAllowedInState:
    """The refusal of a move, with the state and what may be done instead."""
    died = file.died_on is not None
    allowed = allowed_actions(file.case.is_open, referral, act.by, act.at, died=died)
    return NotAllowedInState(action, referral.status, allowed)


def make_move(file: CaseFile, referral: Referral, action: str, details: Details, act: Act) -> None:
    """Make a move that was checked."""
    if referral.hold_is_over(act.at):
        resume_after_hold(file, referral, act)
        if action == "resume":
            return
    row, service = MOVES[action], file.service(referral.planned_service_id)
    since = _take_over(referral, row, details, act)
    _follow_clocks(file, referral, row, details, act)
    referral.disposition_owed = ClockKind.DISPOSITION in row.starts and is_left(
        file, referral, service
    )
    for kind in row.starts:
        if kind is not ClockKind.DISPOSITION or referral.disposition_owed:
            file.begin(kind, referral, act, since=since)
    if action == "start":
        file.meet(ClockKind.DISCHARGE, act, on=details.acted_on)
    if action == "enter-in-error":
        _take_back_disposition(file, referral, service)
    file.update_link_clock(service, act, on=details.acted_on)
    _record(file, referral, row, details, act)


def is_left(file: CaseFile, referral: Referral, service: PlannedService) -> bool:
    """Rule 8: whether its end leaves the service to nobody: it did not serve, none other is open.

    An open sibling answers for it; should that end without serving, the duty is the link clock's.
    """
    siblings = (one for one in file.referrals_of(service) if one is not referral)
    return not referral.served(service) and not any(one.is_open for one in siblings)


def _record(file: CaseFile, referral: Referral, row: Move, details: Details, act: Act) -> None:
    """Write the move down: codes, dates and references, never what someone wrote freely."""
    file.record(MAKERS[row.event](file.meta(referral, act), referral, details, act))


def _check_party(row: Move, details: Details, by: Actor) -> None:
    """Rule 1: the provider answers, or a worker on their behalf, and the record says so."""
    if by.role == SYSTEM_ROLE:
        return
    if row.who is Party.SWEEP or not may(by, row.who):
        raise Forbidden(f"{by.role} may not do this")
    if row.who is Party.ANSWERER and not by.answers_as_provider and details.on_behalf is None:
        raise Forbidden("the provider answers; say on whose word", code="provider_answers")
    require(
        not (by.answers_as_provider and details.on_behalf),
        "a provider answers for itself",
        code="on_behalf_not_yours",
        field="on_behalf",
    )


def check_reason(action: str, details: Details) -> None:
    """Rule 5: reasons come from lists, and ``other`` needs a note."""
    reasons = REASONS.get(action)
    if reasons is not None:
        require(
            details.reason in reasons,
            f"one of {', '.join(reasons)}",
            code="reason_unknown",
            field="reason",
        )
        require(
            details.reason != OTHER or (details.note or "").strip(),
            "the reason 'other' needs a note",
            code="note_required",
            field="note",
        )
    if action == "enter-in-error":
        require((details.reason or "").strip(), "say why", code="reason_required", field="reason")
    if action == "complete":
        require(
            details.outcome in OUTCOMES,
            f"one of {', '.join(OUTCOMES)}",
            code="outcome_unknown",
            field="outcome",
        )


def _check_dates(file: CaseFile, row: Move, referral: Referral, details: Details, act: Act) -> None:
    """Each day can be entered, and is not before what it follows; nothing lies too far ahead.

    What a day follows is judged by the days of acts, whenever they were recorded.
    """
    asked = referral.answered_on or referral.requested_on
    service = file.service(referral.planned_service_id)
    act.dated(details.requested_on, earliest_request(file, service), "requested_on")
    act.dated(details.answered_on, asked, "answered_on")
    act.dated(details.started_on, asked, "started_on")
    act.dated(details.reported_on, referral.started_on, "reported_on")
    act.dated(details.ended_on, referral.started_on or asked, "ended_on")
    for name in ("expected_start_on", "expected_on"):
        act.not_too_far(getattr(details, name), name)
    if row.action == "hold":
        check_hold_until(HoldReason(details.reason or ""), details.until, act)


def earliest_request(file: CaseFile, service: PlannedService) -> date:
    """A request follows the approval, in an urgent case the application."""
    case = file.case
    waits = service.status == ServiceStatus.IN_FORCE and not case.urgent
    return (case.first_approved_on if waits else None) or case.applied_on


def _check_sendable(file: CaseFile, referral: Referral, details: Details, act: Act) -> None:
    """Rule 3, judged at the moment of sending: a draft may be older than its basis."""
    check_lives(file.died_on)
    service, offering = file.service(referral.planned_service_id), details.offering
    check_plan(file, service, act)
    if offering is None or offering.id != referral.offering_id:
        raise Invalid("the offering it asks is gone", code="offering_required", field="offering_id")
    check_offering(file, service, offering, referral.outside_area_reason, act)
    consent = details.consent
    if consent is not None and consent.id != referral.consent_id:
        consent = None
    check_basis(file, referral.basis_kind, consent, offering, act)


def _take_over(referral: Referral, row: Move, details: Details, act: Act) -> datetime:
    """Change the referral as the move says; returns the instant its new clocks count from."""
    since = _take_over_facts(referral, row, details, act)
    if row.who is Party.ANSWERER:
        referral.on_behalf = details.on_behalf
    if details.note is not None:
        referral.note = details.note
    if row.action in ANSWERS:
        referral.answered_on = details.answered_on or act.today
        referral.answered_at = referral.answered_at or act.at
        since = act.instant_of(referral.answered_on)
    if row.action in REASONS or row.action == "enter-in-error":
        referral.reason = details.reason
    referral.make(row, act.at)
    return since


def _take_over_facts(referral: Referral, row: Move, details: Details, act: Act) -> datetime:
    """What only this move brings with it."""
    match row.action:
        case "send":
            referral.requested_at, referral.disclosed = act.at, list(DISCLOSED)
            referral.requested_on = details.requested_on or act.today
            return act.instant_of(referral.requested_on)
        case "accept":
            referral.accepted_at, referral.expected_start_on = act.at, details.expected_start_on
        case "waitlist":
            referral.expected_on = details.expected_on
        case "start":
            referral.started_on = details.started_on or act.today
            return act.instant_of(referral.started_on)
        case "report":
            return act.instant_of(details.reported_on)
        case "hold":
            referral.hold_until = details.until
            referral.resume_at = midnight((details.until or act.today) + ONE_DAY)
        case "complete":
            referral.outcome = ReferralOutcome(details.outcome or "")
            referral.ended_on = details.ended_on or act.today
        case "fail":
            referral.ended_on = details.ended_on or act.today
    return act.at


def _take_back_disposition(file: CaseFile, referral: Referral, service: PlannedService) -> None:
    """What was said instead of a referral entered in error falls with it (rule 9)."""
    if referral.disposed_at is None or referral.disposed_at != service.settled_at:
        return
    others = [
        other
        for other in file.referrals_of(service)
        if other.disposed_at is not None and other.status != ReferralStatus.ENTERED_IN_ERROR
    ]
    before = max(others, key=lambda other: other.disposed_at or other.created_at, default=None)
    service.settlement = before.disposition if before else None
    service.settled_at = before.disposed_at if before else None
    service.settled_by = service.settlement_note = None


def _follow_clocks(
    file: CaseFile, referral: Referral, row: Move, details: Details, act: Act
) -> None:
    """End the clocks the move ends, cancel those its new state leaves behind, pause, resume."""
    for deadline in file.running(referral.id):
        if deadline.kind in row.meets:
            file.end(deadline, act, met=True, on=details.acted_on)
        elif row.pauses and details.until is not None:
            file.pause(deadline, act, Pause(act.at, details.until, details.reason or "hold"))
        elif row.returns:
            _resume_clock(file, deadline, act)
        elif row.to is not None:
            file.end(deadline, act, met=False)
    if row.to is not None:
        referral.lapse_at = None  # until a clock begins on which an answer is waited for


def _resume_clock(file: CaseFile, deadline: Deadline, act: Act) -> None:
    """End the referral's own pause; a hold of the whole case goes on."""
    pauses = tuple(
        replace(pause, resumed_at=act.at)
        if pause.source == PauseSource.REFERRAL and act.at < pause.ends_at
        else pause
        for pause in deadline.pauses
    )
    if pauses != deadline.pauses:
        deadline.pauses = pauses
        file.recount(deadline, act)


def resume_after_hold(file: CaseFile, referral: Referral, act: Act) -> None:
    """Record that a hold ran out, dated the day after its last day; only the state moves."""
    if not referral.hold_is_over(act.at):
        raise refused(file, referral, "resume", act)
    resumed_on = referral.hold_until and referral.hold_until + ONE_DAY
    referral.make(RESUME_BY_ITSELF, act.at)
    file.record(
        ReferralResumed(
            file.meta(referral, act), status=referral.status, resumed_on=resumed_on, by_itself=True
        )
    )
