"""Acts on a planned service and its referrals. Each is laid on a story's day."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from casework.demo import texts
from casework.demo.case_steps import review_clock
from casework.demo.story import Slot, Story
from casework.domain.casefile.states import BasisKind
from casework.domain.clocks.standards import ClockKind, Priority
from casework.domain.planning import settling
from casework.domain.referring import referring
from casework.domain.referring.referring import Details, Request
from casework.domain.residents.events import ConsentWithdrawn
from casework.domain.supervision.reviewing import ReviewDecision

BY_PHONE: Final = 0.25  # how often a worker writes down what the agency said


def ask(story: Story, slot: Slot, priority: Priority | None = None) -> None:
    """Ask an agency that was not asked before."""
    _refer(story, slot, priority, send=True)


def prepare(story: Story, slot: Slot) -> None:
    """Write a referral that is not sent yet."""
    _refer(story, slot, None, send=False)


def _refer(story: Story, slot: Slot, priority: Priority | None, *, send: bool) -> None:
    consent = story.sharing
    request = Request(
        offering=story.offering_for(slot),
        priority=priority or story.file.case.priority,
        basis_kind=BasisKind.CONSENT if consent else BasisKind.ARTICLE_14_2,
        consent=consent,
        message=story.rng.choice(texts.MESSAGES),
        send=send,
    )
    act = story.act(story.worker)
    slot.latest = referring.refer(story.file, story.service_of(slot), request, act)


def accept(story: Story, slot: Slot) -> None:
    """The agency takes it on, and names the day it expects to begin."""
    _answer(story, slot, "accept", expected_start_on=_in_days(story, 3, 14))


def waitlist(story: Story, slot: Slot) -> None:
    """The agency has no place yet."""
    _answer(story, slot, "waitlist", expected_on=_in_days(story, 7, 30))


def decline(story: Story, slot: Slot, reason: str) -> None:
    """The agency says no."""
    _answer(story, slot, "decline", reason=reason)


def start(story: Story, slot: Slot) -> None:
    """The service begins today."""
    _answer(story, slot, "start", started_on=story.today)


def report(story: Story, slot: Slot) -> None:
    """The agency says how it goes, and what it gave."""
    unit = story.city.catalogue[slot.code].unit
    delivered = {"quantity": Decimal(story.between(1, 12)), "unit": unit}
    _answer(story, slot, "report", reported_on=story.today, delivered=delivered)


def hold(story: Story, slot: Slot, reason: str, days: int) -> None:
    """The service rests until so many days from then."""
    until = story.today + timedelta(days=days)
    _answer(story, slot, "hold", reason=reason, until=until)


def resume(story: Story, slot: Slot) -> None:
    """The service is taken up again before its hold has run out."""
    _answer(story, slot, "resume")


def complete(story: Story, slot: Slot, outcome: str = "ended_as_planned") -> None:
    """The service is over."""
    _answer(story, slot, "complete", outcome=outcome, ended_on=story.today)


def fail(story: Story, slot: Slot, reason: str = "provider_unable") -> None:
    """The service cannot go on, or never could begin."""
    _answer(story, slot, "fail", reason=reason, note=texts.UNABLE)


def _answer(story: Story, slot: Slot, action: str, **details: Any) -> None:
    """The agency moves, or a worker writes down its word."""
    agency = story.city.workforce.providers.get(slot.referral.provider_id)
    said = None
    if agency is None or story.chance(BY_PHONE):
        said = {"channel": story.rng.choice(texts.ON_BEHALF), "person": "가상 접수 담당자"}
    act = story.act(story.worker if agency is None or said else agency)
    referring.move(story.file, slot.referral, action, Details(on_behalf=said, **details), act)


def _in_days(story: Story, low: int, high: int) -> Any:
    return story.today + timedelta(days=story.between(low, high))


def cancel(story: Story, slot: Slot, reason: str = "no_longer_needed") -> None:
    """The worker takes the request back."""
    _send(story, slot, "cancel", reason)


def withdraw(story: Story, slot: Slot, reason: str = "resident_asked") -> None:
    """The resident does not want it any more."""
    _send(story, slot, "withdraw", reason)


def _send(story: Story, slot: Slot, action: str, reason: str) -> None:
    act = story.act(story.worker)
    referring.move(story.file, slot.referral, action, Details(reason=reason), act)


def enter_in_error(story: Story, slot: Slot) -> None:
    """It should never have been written: another resident was meant."""
    details = Details(reason="다른 대상자의 의뢰를 잘못 등록함")
    act = story.act(story.supervisor)
    referring.move(story.file, slot.referral, "enter-in-error", details, act)


def withdraw_consent(story: Story) -> None:
    """The resident takes the consent to share back, and with it every request that rests on it."""
    consent = story.sharing
    if consent is None:
        return
    act = story.act(story.worker)
    consent.withdraw(act, "본인이 동의를 철회함")
    for referral in story.file.open_referrals():
        if referral.consent_id == consent.id:
            details = Details(reason="consent_withdrawn")
            referring.move(story.file, referral, "withdraw", details, act)
    story.events.append(
        ConsentWithdrawn(story.meta(act), consent_id=consent.id, purpose=consent.purpose)
    )


def dispose(story: Story, slot: Slot, disposition: str) -> None:
    """Say what happens instead; ``re_refer`` asks the next agency."""
    offering = story.offering_for(slot) if disposition == "re_refer" else None
    act = story.act(story.worker)
    consent = story.sharing if slot.referral.basis_kind == BasisKind.CONSENT else None
    successor = referring.dispose(
        story.file, slot.referral, disposition, None, act, offering=offering, consent=consent
    )
    slot.latest = successor or slot.latest


def settle(story: Story, slot: Slot, how: str) -> None:
    """Settle the service without asking anyone."""
    settling.settle(story.file, story.service_of(slot), how, None, story.act(story.worker))


def redirect(story: Story, slot: Slot) -> None:
    """The supervisor reviews a silent agency's clock and has another one asked in its place."""
    consent = story.sharing if slot.referral.basis_kind == BasisKind.CONSENT else None
    offering = story.offering_for(slot)
    deadline = story.file.clock(ClockKind.RESPONSE, slot.referral.id)
    if deadline is not None:
        verdict = ReviewDecision(action="redirect", cause="provider_slow", offering_id=offering.id)
        review_clock(story, deadline, verdict)
    act = story.act(story.supervisor)
    slot.latest = referring.redirect(story.file, slot.referral, offering, act, consent)
