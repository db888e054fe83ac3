"""The public moves of the domain, with the usual details filled in."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from casework.domain.access.policy import SYSTEM, Actor
from casework.domain.casefile.case import Check, Signal
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.plan import Conference, PlannedItem, PlannedService, PlanVersion
from casework.domain.casefile.referral import Referral
from casework.domain.casefile.referral_moves import MOVES, Party
from casework.domain.cases import checks, closing, intake
from casework.domain.clocks.deadlines import Deadline
from casework.domain.directory.directory import Offering
from casework.domain.planning import deciding, planning, settling
from casework.domain.referring import referring
from casework.domain.supervision import reviewing
from casework.domain.supervision.reviewing import Review
from tests.factories.directory import OfferingFactory
from tests.factories.people import ActorFactory
from tests.factories.town import Town, new_id

SCORES = {"guidance": 0, "local_survey": 2, "nhis_assessment": 4}


def survey(town: Town, file: CaseFile, *, route: str = "local_survey") -> None:
    """A pre-survey whose score leads to a route."""
    scores = dict.fromkeys(intake.ACTIVITIES, 0)
    for name in intake.ACTIVITIES[: SCORES[route]]:
        scores[name] = 1
    guidance = "how to apply again" if route == "guidance" else None
    intake.record_pre_survey(file, False, scores, guidance, town.act())


def assess(
    town: Town, file: CaseFile, *, on: date | None = None, received_on: date | None = None
) -> None:
    """An assessment: the first is the determination."""
    finding = intake.Finding(
        assessed_on=on or town.today,
        received_on=received_on,
        assessor="the local survey team",
        determination="community_care",
        needs=[],
    )
    intake.record_assessment(file, finding, town.act(town.assessor))


def item(code: str = "CARE-MEALS", **facts: Any) -> PlannedItem:
    """What a version says of one planned service."""
    usual: dict[str, Any] = {
        "id": new_id(),
        "service_code": code,
        "content": "lunch",
        "quantity": Decimal(3),
        "unit": "visit",
        "per": "week",
        "starts_on": date(2026, 5, 4),
        "ends_on": date(2026, 10, 31),
    }
    return PlannedItem(**(usual | facts))


def draft(
    town: Town,
    file: CaseFile,
    *codes: str,
    keep: tuple[PlannedService, ...] = (),
    by: Actor | None = None,
) -> PlanVersion:
    """Write the draft: the services kept, and a new one for each code."""
    items: list[tuple[UUID | None, PlannedItem]] = [
        (kept.id, item(kept.service_code)) for kept in keep
    ]
    items += [(None, item(code)) for code in codes]
    written = planning.Draft(
        goals=["to stay at home"], items=items, heard_on=town.today, heard_from="her daughter"
    )
    return planning.put_draft(file, written, town.catalogue, town.act(by))


def submit(town: Town, file: CaseFile, by: Actor | None = None) -> PlanVersion:
    """Submit the draft."""
    return planning.submit(file, town.act(by))


def decision(version: PlanVersion, **facts: Any) -> deciding.Decision:
    """An approval without a meeting, bound to the version as it was submitted."""
    usual: dict[str, Any] = {
        "number": version.number,
        "hash": version.hash or "",
        "approve": True,
        "without_meeting_reason": "no meeting this week",
    }
    return deciding.Decision(**(usual | facts))


def conference(town: Town, held_on: date) -> Conference:
    """A conference held on a day."""
    return Conference(
        id=new_id(),
        district_code="26350",
        held_on=held_on,
        members=[{"name": "a nurse", "agency": "the health centre"}],
        recorded_at=town.now,
        recorded_by=town.supervisor.id,
    )


def decide(
    town: Town, file: CaseFile, *, approve: bool = True, held_on: date | None = None
) -> PlanVersion:
    """Decide on the submitted version, in a conference where a day is given."""
    version = max(file.versions, key=lambda v: v.number)
    how: dict[str, Any] = {"approve": approve}
    if not approve:
        how["reason"] = "too few visits"
    if held_on is not None:
        how |= {"conference": conference(town, held_on), "without_meeting_reason": None}
    return deciding.decide(file, decision(version, **how), town.act(town.supervisor))


def approve_plan(
    town: Town, file: CaseFile, *codes: str, keep: tuple[PlannedService, ...] = ()
) -> PlanVersion:
    """Draft, submit and approve, all at this moment."""
    draft(town, file, *codes, keep=keep)
    submit(town, file)
    return decide(town, file)


def only_service(file: CaseFile) -> PlannedService:
    """The one planned service of a file."""
    (service,) = file.services.values()
    return service


def refer(
    town: Town,
    file: CaseFile,
    service: PlannedService | None = None,
    *,
    offering: Offering | None = None,
    by: Actor | None = None,
    **facts: Any,
) -> Referral:
    """Ask an agency (a new one, if none is named) for a planned service (the only one)."""
    service = service or only_service(file)
    asked: Offering = offering or OfferingFactory(service_code=service.service_code)
    town.offerings[asked.id] = asked
    usual: dict[str, Any] = {"priority": "routine", "basis_kind": "article_14_2"}
    request = referring.Request(offering=asked, **(usual | facts))
    if request.consent is not None:
        town.consents[request.consent.id] = request.consent
    return referring.refer(file, service, request, town.act(by))


USUAL: dict[str, dict[str, Any]] = {
    "decline": {"reason": "at_capacity"},
    "hold": {"reason": "hospitalised"},
    "cancel": {"reason": "no_longer_needed"},
    "withdraw": {"reason": "resident_asked"},
    "fail": {"reason": "provider_unable"},
    "complete": {"outcome": "ended_as_planned"},
    "enter-in-error": {"reason": "it was meant for someone else"},
}


def details(town: Town, referral: Referral, action: str, **facts: Any) -> referring.Details:
    """The default details of a move."""
    usual = dict(USUAL.get(action, {}))
    if action == "hold":
        usual["until"] = town.today + timedelta(days=7)
    if action == "send":
        usual["offering"] = town.offerings[referral.offering_id]
        usual["consent"] = town.consents.get(referral.consent_id or new_id())
    return referring.Details(**(usual | facts))


def who_moves(town: Town, referral: Referral, action: str) -> Actor:
    """Whose move it is."""
    match MOVES[action].who:
        case Party.ANSWERER:
            provider: Actor = ActorFactory(provider=True, provider_id=referral.provider_id)
            return provider
        case Party.SUPERVISOR:
            return town.supervisor
        case Party.SWEEP:
            return SYSTEM
    return town.worker


def move(
    town: Town,
    file: CaseFile,
    referral: Referral,
    action: str,
    *,
    by: Actor | None = None,
    **facts: Any,
) -> None:
    """Make a move, by whose move it is; a lapse waits until it is due."""
    if action == "lapse" and referral.lapse_at is not None and town.now < referral.lapse_at:
        town.go_to(referral.lapse_at)
    actor = by or who_moves(town, referral, action)
    with_it = details(town, referral, action, **facts)
    referring.move(file, referral, action, with_it, town.act(actor))


def dispose(
    town: Town,
    file: CaseFile,
    referral: Referral,
    how: str = "no_longer_needed",
    *,
    offering: Offering | None = None,
) -> Referral | None:
    """Say what happens instead."""
    if offering is not None:
        town.offerings[offering.id] = offering
    consent = town.consents.get(referral.consent_id) if referral.consent_id else None
    return referring.dispose(
        file, referral, how, None, town.act(), offering=offering, consent=consent
    )


def settle(
    town: Town, file: CaseFile, how: str = "refused", service: PlannedService | None = None
) -> None:
    """Settle a planned service without a referral."""
    settling.settle(file, service or only_service(file), how, None, town.act())


def check(town: Town, file: CaseFile, **facts: Any) -> Check:
    """Record a check; the first is of another day than the approval."""
    if file.case.first_approved_on == town.today:
        town.wait(days=1)
    confirmed = facts.pop("confirmed", False)
    usual: dict[str, Any] = {"checked_on": town.today, "findings": "well", "goals": []}
    found = checks.Findings(**(usual | facts))
    return checks.record_check(file, found, town.act(), confirmed=confirmed)


def signal(town: Town, file: CaseFile, kind: str = "fall", note: str | None = None) -> Signal:
    """Something changed."""
    return checks.raise_signal(file, kind, note, town.act())


def close(town: Town, file: CaseFile, **facts: Any) -> None:
    """Close the case."""
    usual: dict[str, Any] = {"reason": "refused", "effective_on": town.today}
    closing.close(file, closing.Closing(**(usual | facts)), town.act())


def review(town: Town, file: CaseFile, clock: Deadline, action: str, **facts: Any) -> Review:
    """Decide about an overdue clock."""
    usual: dict[str, Any] = {"cause": "provider_slow"}
    verdict = reviewing.ReviewDecision(action=action, **(usual | facts))
    return reviewing.review(file, clock, verdict, town.act(town.supervisor))
