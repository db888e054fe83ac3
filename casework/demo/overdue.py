"""Histories in which a clock has run out, one for each kind of clock.

The ages lie well past the shipped targets, and before a request would lapse.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from casework.demo import case_steps, referral_steps
from casework.demo.common_steps import check_regularly, lead_to, support
from casework.demo.courses import run_smoothly, some_course
from casework.demo.story import Slot, Story
from casework.domain.casefile.case import Channel
from casework.domain.clocks.standards import ClockKind


def survey_overdue(story: Story) -> None:
    """Applied, and nobody has been there."""
    story.unassigned = story.chance(0.15)
    lead_to(story, "apply", story.between(6, 12))


def assessment_overdue(story: Story) -> None:
    """Sent for assessment, and no result."""
    lead_to(story, "survey", story.between(11, 20))


def plan_overdue(story: Story) -> None:
    """Determined, and no plan was handed in; some have a draft."""
    determined = story.between(6, 11)
    slots = lead_to(story, "assess", determined)
    if story.chance(0.5):
        story.then(determined, 3, case_steps.draft, slots)


def decision_overdue(story: Story) -> None:
    """Handed in, and nobody decided."""
    lead_to(story, "submit", story.between(6, 11))


def notify_overdue(story: Story) -> None:
    """Approved, and the resident was never told."""
    approved = story.between(6, 14)
    for slot in lead_to(story, "decide", approved):
        run_smoothly(story, slot, approved)


def link_overdue(story: Story) -> None:
    """A planned service for which nobody was asked."""
    approved = story.between(4, 10)
    first, *others = support(story, approved)
    if story.chance(0.4):
        story.then(approved, 1, referral_steps.prepare, first)
    _others_run(story, others, approved)


def response_overdue(story: Story) -> None:
    """A request that the agency has not answered; some were asked about already."""
    requested = story.between(4, 9)
    approved = requested + story.gap("link")
    first, *others = support(story, approved)
    story.at(requested, referral_steps.ask, first)
    if requested > 5:
        _reviewed(story, story.between(1, requested - 5), ClockKind.RESPONSE, first)
    _others_run(story, others, approved)


def start_overdue(story: Story) -> None:
    """Accepted, and it never began."""
    accepted = story.between(11, 20)
    requested = accepted + story.gap("response")
    approved = requested + story.gap("link")
    first, *others = support(story, approved)
    story.at(requested, referral_steps.ask, first)
    story.at(accepted, referral_steps.accept, first)
    if accepted > 12:
        _reviewed(story, story.between(1, accepted - 12), ClockKind.START, first)
    _others_run(story, others, approved)


def disposition_overdue(story: Story) -> None:
    """Declined, lapsed or failed, and nobody said what happens instead."""
    how = story.rng.choice(("declined", "declined", "lapsed", "failed"))
    ended = story.between(4, 9)
    accepted = ended + story.between(1, 8) if how == "failed" else ended
    requested = accepted + (11 if how == "lapsed" else story.gap("response"))
    approved = requested + story.gap("link")
    first, *others = support(story, approved)
    story.at(requested, referral_steps.ask, first)
    if how == "declined":
        story.at(ended, referral_steps.decline, first, "at_capacity")
    if how == "failed":
        story.at(accepted, referral_steps.accept, first)
        story.at(ended, referral_steps.fail, first)
    _others_run(story, others, approved)


def waitlist_overdue(story: Story) -> None:
    """Put on a waiting list, and no place came."""
    waiting = story.between(11, 28)
    requested = waiting + story.gap("response")
    approved = requested + story.gap("link")
    first, *others = support(story, approved)
    story.at(requested, referral_steps.ask, first)
    story.at(waiting, referral_steps.waitlist, first)
    _others_run(story, others, approved)


def first_check_overdue(story: Story) -> None:
    """Supported for more than three months, and nobody looked."""
    approved = story.between(72, 95)
    _others_run(story, support(story, approved), approved)


def check_overdue(story: Story) -> None:
    """The last check was more than six months ago."""
    checked = story.between(135, 150)
    approved = checked + story.between(35, 55)
    _others_run(story, support(story, approved), approved)
    story.at(checked, case_steps.check)


def signal_overdue(story: Story) -> None:
    """Something changed, and nobody answered."""
    approved = story.between(15, 40)
    slots = support(story, approved)
    _others_run(story, slots, approved)
    kind = story.rng.choice(("fall", "worse", "nobody_home"))
    story.at(story.between(3, 6), case_steps.signal, kind, slots[0])


def discharge_overdue(story: Story) -> None:
    """Discharged from hospital, and no service has begun."""
    story.urgent, story.channel = True, Channel.DISCHARGE
    approved = story.between(3, 6)
    story.discharge_on = story.city.today - timedelta(days=1)
    for slot in support(story, approved):
        requested = story.then(approved, 1, referral_steps.ask, slot)
        story.then(requested, story.between(0, 1), referral_steps.accept, slot)


def _others_run(story: Story, slots: list[Slot], approved: int) -> None:
    for slot in slots:
        some_course(story, slot, approved)


def _reviewed(story: Story, age: int, kind: ClockKind, slot: Slot) -> None:
    """Now and then the supervisor has seen it; it stays overdue all the same."""
    if story.chance(0.35):
        cause = "provider_slow" if kind == ClockKind.RESPONSE else "no_capacity"
        action = "chase" if story.chance(0.7) else "excuse"
        story.at(age, case_steps.review, kind, slot, action, cause)


def extended(story: Story) -> None:
    """A service that begins late with the supervisor's leave: it has a new date, still to come."""
    accepted = story.between(14, 22)
    approved = accepted + 2
    first, *others = support(story, approved)
    story.at(accepted + 1, referral_steps.ask, first)
    story.at(accepted, referral_steps.accept, first)
    story.at(2, case_steps.review, ClockKind.START, first, "extend", "resident_choice")
    _others_run(story, others, approved)
    check_regularly(story, approved)


def redirected(story: Story) -> None:
    """An agency that stayed silent, and another that was asked in its place."""
    requested = story.between(8, 30)
    approved = requested + 1
    first, *others = support(story, approved)
    story.at(requested, referral_steps.ask, first)
    day = requested - 5
    story.at(day, referral_steps.redirect, first)
    answered = story.then(day, story.gap("response"), referral_steps.accept, first)
    story.then(answered, story.gap("start"), referral_steps.start, first)
    _others_run(story, others, approved)


# Every district has each of the first; of each group after it, every fourth has the same one.
IN_EVERY_DISTRICT: Final = (
    survey_overdue,
    plan_overdue,
    link_overdue,
    response_overdue,
    start_overdue,
    disposition_overdue,
)
IN_SOME_DISTRICTS: Final = (
    (assessment_overdue, decision_overdue, notify_overdue, waitlist_overdue),
    (first_check_overdue, check_overdue, signal_overdue, discharge_overdue),
)
