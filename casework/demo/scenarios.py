"""Which histories the city has, and in which order each district gets them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from casework.demo import case_steps, overdue, referral_steps
from casework.demo.common_steps import lead_to, revise, support, support_well
from casework.demo.courses import (
    be_a_mistake,
    be_declined,
    be_given_up,
    be_taken_back,
    break_down,
    go_on,
    lapse_unanswered,
    need_nobody,
    rest_before_start,
    rest_while_running,
    run_smoothly,
    some_course,
    stay_unsent,
    wait_for_a_place,
)
from casework.demo.overdue import IN_EVERY_DISTRICT, IN_SOME_DISTRICTS
from casework.demo.story import Story
from casework.domain.casefile.case import Channel

Scenario = Callable[[Story], None]
FIRST: Final = len(IN_EVERY_DISTRICT) + len(IN_SOME_DISTRICTS)
STRIDE: Final = 7  # how far apart neighbouring districts begin in the list of usual histories


def applied(story: Story) -> None:
    """Applied some days ago; the pre-survey is due this week."""
    lead_to(story, "apply", story.between(1, 4))


def survey_due_today(story: Story) -> None:
    """The pre-survey is due today, or on the next working day."""
    story.urgent = False
    lead_to(story, "apply", 5)


def arrived(story: Story) -> None:
    """Taken in by the district, and nobody carries it yet."""
    story.unassigned = True
    lead_to(story, "apply", story.between(1, 3))


def assigned(story: Story) -> None:
    """Taken in by the district, and given to a worker the day after."""
    story.unassigned = True
    opened = story.between(3, 5)
    lead_to(story, "apply", opened)
    story.then(opened, 1, case_steps.assign)


def being_assessed(story: Story) -> None:
    """Sent for assessment."""
    lead_to(story, "survey", story.between(1, 10))


def being_planned(story: Story) -> None:
    """Determined; half of them with a draft."""
    determined = story.between(2, 5)
    slots = lead_to(story, "assess", determined)
    if story.chance(0.5):
        story.then(determined, 1, case_steps.draft, slots)


def to_be_decided(story: Story) -> None:
    """Handed in."""
    lead_to(story, "submit", story.between(1, 5))


def returned(story: Story) -> None:
    """Sent back; a new version is being written."""
    submitted = story.between(4, 9)
    lead_to(story, "submit", submitted)
    story.then(submitted, story.between(1, 3), case_steps.decide, False)


def approved_at_second_try(story: Story) -> None:
    """Sent back once, then approved."""
    submitted = story.between(20, 50)
    slots = lead_to(story, "submit", submitted)
    returned = story.then(submitted, story.gap("decision"), case_steps.decide, False)
    drafted = story.then(returned, story.between(1, 3), case_steps.draft, list(slots))
    again = story.then(drafted, 1, case_steps.submit)
    approved = story.then(again, story.gap("decision"), case_steps.decide)
    story.then(approved, story.gap("notify_plan"), case_steps.notify)
    for slot in slots:
        some_course(story, slot, approved)


def newly_supported(story: Story) -> None:
    """Approved in the last two weeks; the services are being arranged."""
    support_well(story, story.between(1, 12))


def supported(story: Story) -> None:
    """Approved in the last months; the services run."""
    support_well(story, story.between(13, 60))


def long_supported(story: Story) -> None:
    """Approved long ago, and checked."""
    approved = story.between(61, 160)
    slots = support_well(story, approved)
    if story.chance(0.4):
        told = story.between(5, approved - 30)
        kind = story.rng.choice(("fall", "worse", "nobody_home", "hospitalised", "other"))
        story.at(told, case_steps.signal, kind, slots[0])
        story.then(told, story.gap("signal"), case_steps.answer_signals)


def signalled(story: Story) -> None:
    """Something changed on the last working day; the answer is due."""
    approved = story.between(20, 60)
    slots = support_well(story, approved)
    kind = story.rng.choice(("fall", "worse", "nobody_home"))
    story.at(1, case_steps.signal, kind, slots[0])


def revised(story: Story) -> None:
    """A second version with one more service has replaced the first."""
    approved = story.between(40, 110)
    support_well(story, approved)
    revise(story, story.between(12, approved - 20))


def being_revised(story: Story) -> None:
    """A second version is in draft, handed in, or was sent back."""
    support_well(story, story.between(30, 90))
    last = story.rng.choice(("draft", "submit", "return"))
    revise(story, story.between(2, 6), last)


def urgent_from_the_first_day(story: Story) -> None:
    """Help was asked for before anyone was assessed."""
    story.urgent = True
    story.channel = story.rng.choice((Channel.FAMILY, Channel.EX_OFFICIO))
    applied = story.between(1, 12)
    slots = lead_to(story, "apply", applied)
    story.at(applied, case_steps.draft, slots)
    for slot in slots:
        requested = story.then(applied, 0, referral_steps.ask, slot, "emergency")
        accepted = story.then(requested, 0, referral_steps.accept, slot)
        go_on(story, slot, story.then(accepted, 1, referral_steps.start, slot))
    surveyed = story.then(applied, 1, case_steps.survey, story.between(4, 12))
    assessed = story.then(surveyed, 2, case_steps.assess, "community_care")
    submitted = story.then(assessed, 1, case_steps.submit)
    decided = story.then(submitted, 1, case_steps.decide)
    story.then(decided, story.between(0, 3), case_steps.notify)


def discharged_soon(story: Story) -> None:
    """Leaves hospital in the coming days."""
    story.urgent, story.channel = True, Channel.DISCHARGE
    story.discharge_on = story.city.today + timedelta(days=story.between(0, 6))
    lead_to(story, "survey", story.between(1, 3))


def discharged(story: Story) -> None:
    """Left hospital, and help was there on the day or soon after."""
    story.urgent, story.channel = True, Channel.DISCHARGE
    approved = story.between(10, 40)
    story.discharge_on = story.day(approved - story.between(3, 6))
    for slot in support(story, approved):
        run_smoothly(story, slot, approved)


def _with_one(course: Callable[..., None], low: int, high: int) -> Scenario:
    """A supported resident, one of whose services goes a certain way."""

    def scenario(story: Story) -> None:
        approved = story.between(low, high)
        first, *others = support(story, approved)
        course(story, first, approved)
        for slot in others:
            some_course(story, slot, approved)

    return scenario


def on_hold_now(story: Story) -> None:
    """One service rests before it began, another while it ran; both go on in some days."""
    accepted = story.between(7, 10)
    requested = accepted + story.gap("response")
    approved = requested + story.gap("link")
    first, second, *others = support(story, approved)
    for slot in (first, second):
        story.at(requested, referral_steps.ask, slot)
        story.at(accepted, referral_steps.accept, slot)
    story.at(accepted - 3, referral_steps.start, second)
    rests = story.between(1, 3)
    story.at(rests, referral_steps.hold, first, "hospitalised", story.between(14, 30))
    story.at(rests, referral_steps.hold, second, "away", story.between(14, 30))
    for slot in others:
        some_course(story, slot, approved)


def consent_withdrawn(story: Story) -> None:
    """Took the consent to share back: what rested on it was withdrawn."""
    story.by_consent = True
    approved = story.between(12, 40)
    for slot in support(story, approved):
        run_smoothly(story, slot, approved)
    withdrawn = story.between(1, 6)
    story.forget_after(withdrawn)
    story.at(withdrawn, referral_steps.withdraw_consent)


def guided(story: Story) -> None:
    """Needs no integrated care, and was told what else there is."""
    applied = story.between(3, 120)
    lead_to(story, "apply", applied)
    story.then(applied, story.between(1, 2), case_steps.survey, story.between(0, 1))


def _closed_before_plan(reason: str, last: str) -> Scenario:
    """Closed before there was a plan."""

    def scenario(story: Story) -> None:
        reached = story.between(5, 120)
        lead_to(story, last, reached)
        story.then(reached, story.between(1, 4), case_steps.close, reason)

    return scenario


def _closed(reason: str, told: str = "") -> Scenario:
    """Supported for some time, then closed; what was open ended with it."""

    def scenario(story: Story) -> None:
        approved = story.between(20, 150)
        slots = support_well(story, approved)
        closed = story.between(1, approved - 10)
        if told:
            story.at(closed, case_steps.signal, told, slots[0])
        story.at(closed, case_steps.close, reason)

    return scenario


def without_a_case(story: Story) -> None:
    """Registered, and perhaps called on; no application."""
    registered = story.between(1, 100)
    story.by_consent = False
    story.at(registered, case_steps.register)
    if story.chance(0.6):
        story.at(registered, case_steps.agree, "outreach")
    noted = story.between(1, registered)
    story.at(noted, case_steps.note)
    story.then(noted, 10, case_steps.come_back)  # two weeks: by then every promise is due


USUAL: Final[tuple[Scenario, ...]] = (
    applied, supported, newly_supported, guided, being_assessed, long_supported, without_a_case,
    _with_one(be_declined, 3, 30), to_be_decided, supported, revised, survey_due_today,
    _with_one(be_a_mistake, 4, 25), _closed("death", "died"), newly_supported, long_supported,
    being_planned, urgent_from_the_first_day, _with_one(wait_for_a_place, 6, 25), supported,
    returned, _closed("needs_no_longer_complex"), on_hold_now, newly_supported, arrived,
    _with_one(lapse_unanswered, 16, 35), long_supported, discharged_soon, being_revised,
    _closed("long_stay", "hospitalised"), supported, _with_one(be_taken_back, 4, 20),
    consent_withdrawn, overdue.redirected, approved_at_second_try, without_a_case,
    _closed_before_plan("refused", "survey"), newly_supported, _with_one(break_down, 12, 40),
    overdue.extended, signalled, assigned, long_supported, discharged, _with_one(stay_unsent, 2, 4),
    _closed("moved_away"), supported, _with_one(rest_before_start, 8, 40),
    _closed_before_plan("not_eligible", "assess"), _with_one(be_given_up, 8, 30),
    being_assessed, _with_one(need_nobody, 3, 20), _closed("other_recognised"), newly_supported,
    _with_one(rest_while_running, 15, 45), overdue.response_overdue, overdue.start_overdue,
    overdue.link_overdue, overdue.decision_overdue,
)  # fmt: skip


def scenario_for(district: int, place: int) -> Scenario:
    """The history of the resident at this place (from 0) of a district.

    The first ones leave no usual kind of overdue clock out; the rest are the usual histories. Each
    district begins at another point of both, so that a small city is mixed too.
    """
    if place >= FIRST:
        return USUAL[(place - FIRST + district * STRIDE) % len(USUAL)]
    turn = (place + district) % FIRST
    if turn < len(IN_EVERY_DISTRICT):
        return IN_EVERY_DISTRICT[turn]
    group = IN_SOME_DISTRICTS[turn - len(IN_EVERY_DISTRICT)]
    return group[district % len(group)]
