"""The courses that a planned service can take from the day its plan was approved.

Nothing is generated for the future: the history stops today.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from casework.demo import referral_steps as acts
from casework.demo.story import Slot, Story

REPORTS_AT_MOST: Final = 4


def run_smoothly(story: Story, slot: Slot, approved: int) -> None:
    """Asked, accepted, started, reported on, and in the end perhaps completed."""
    requested = story.then(approved, story.gap("link"), acts.ask, slot)
    _answered_well(story, slot, requested)


def _answered_well(story: Story, slot: Slot, requested: int) -> None:
    accepted = story.then(requested, story.gap("response"), acts.accept, slot)
    _begin(story, slot, accepted)


def _begin(story: Story, slot: Slot, accepted: int) -> None:
    started = story.then(accepted, story.gap("start"), acts.start, slot)
    go_on(story, slot, started)


def go_on(story: Story, slot: Slot, started: int) -> None:
    """Reports now and then; half of the services come to their end after them."""
    day = started
    for _ in range(story.between(1, REPORTS_AT_MOST)):
        day = story.then(day, story.gap("report"), acts.report, slot)
    if story.chance(0.5):
        story.then(day, story.gap("report"), acts.complete, slot)


def be_declined(story: Story, slot: Slot, approved: int) -> None:
    """The first agency says no; mostly another is asked."""
    reason = story.rng.choice(("at_capacity", "out_of_area", "not_eligible", "cannot_reach"))
    requested = story.then(approved, story.gap("link"), acts.ask, slot)
    declined = story.then(requested, story.gap("response"), acts.decline, slot, reason)
    _look_elsewhere(story, slot, declined)


def _look_elsewhere(story: Story, slot: Slot, ended: int) -> None:
    disposition = story.rng.choices(
        ("re_refer", "alternative", "refused", "no_longer_needed", "unmet_need"), (6, 1, 1, 1, 1)
    )[0]
    disposed = story.then(ended, story.gap("disposition"), acts.dispose, slot, disposition)
    if disposition == "re_refer":
        _answered_well(story, slot, disposed)


def wait_for_a_place(story: Story, slot: Slot, approved: int) -> None:
    """No place at first; it comes after some days."""
    requested = story.then(approved, story.gap("link"), acts.ask, slot)
    waiting = story.then(requested, story.gap("response"), acts.waitlist, slot)
    accepted = story.then(waiting, story.gap("waitlist"), acts.accept, slot)
    _begin(story, slot, accepted)


def rest_before_start(story: Story, slot: Slot, approved: int) -> None:
    """Accepted, then on hold; it begins after the hold has run out or was ended."""
    requested = story.then(approved, story.gap("link"), acts.ask, slot)
    accepted = story.then(requested, story.gap("response"), acts.accept, slot)
    held = story.then(accepted, 1, acts.hold, slot, "hospitalised", story.between(14, 20))
    if story.chance(0.4):
        _begin(story, slot, story.then(held, story.between(2, 4), acts.resume, slot))
    else:
        _begin(story, slot, max(0, held - 16))


def rest_while_running(story: Story, slot: Slot, approved: int) -> None:
    """In progress, then on hold for some weeks, then in progress again by itself."""
    requested = story.then(approved, story.gap("link"), acts.ask, slot)
    accepted = story.then(requested, story.gap("response"), acts.accept, slot)
    started = story.then(accepted, story.gap("start"), acts.start, slot)
    held = story.then(started, story.between(3, 10), acts.hold, slot, "away", 14)
    go_on(story, slot, max(0, held - 11))


def break_down(story: Story, slot: Slot, approved: int) -> None:
    """The agency cannot go on; mostly another is asked."""
    requested = story.then(approved, story.gap("link"), acts.ask, slot)
    accepted = story.then(requested, story.gap("response"), acts.accept, slot)
    failing = accepted
    if story.chance(0.6):
        failing = story.then(accepted, story.gap("start"), acts.start, slot)
    failed = story.then(failing, story.between(2, 12), acts.fail, slot)
    _look_elsewhere(story, slot, failed)


def lapse_unanswered(story: Story, slot: Slot, approved: int) -> None:
    """Nobody answers; the request lapses by itself, and what happens instead is said."""
    requested = story.then(approved, story.gap("link"), acts.ask, slot)
    _look_elsewhere(story, slot, max(0, requested - 11))


def be_taken_back(story: Story, slot: Slot, approved: int) -> None:
    """Cancelled by the worker; since it is wanted all the same, it is settled or asked again."""
    requested = story.then(approved, story.gap("link"), acts.ask, slot)
    cancelled = story.then(requested, 1, acts.cancel, slot, "no_longer_needed")
    if story.chance(0.5):
        story.then(cancelled, 1, acts.settle, slot, "no_longer_needed")
    else:
        _answered_well(story, slot, story.then(cancelled, 1, acts.ask, slot))


def be_given_up(story: Story, slot: Slot, approved: int) -> None:
    """The resident does not want it any more, before or after it began."""
    requested = story.then(approved, story.gap("link"), acts.ask, slot)
    accepted = story.then(requested, story.gap("response"), acts.accept, slot)
    withdrawn = story.then(accepted, story.between(1, 6), acts.withdraw, slot)
    story.then(withdrawn, story.gap("disposition"), acts.dispose, slot, "refused")


def be_a_mistake(story: Story, slot: Slot, approved: int) -> None:
    """Entered in error, found out, and asked again as it should have been."""
    requested = story.then(approved, story.gap("link"), acts.ask, slot)
    corrected = story.then(requested, 1, acts.enter_in_error, slot)
    _answered_well(story, slot, story.then(corrected, 1, acts.ask, slot))


def stay_unsent(story: Story, slot: Slot, approved: int) -> None:
    """Prepared but not sent; the clock that waits for a request runs on."""
    story.then(approved, 1, acts.prepare, slot)


def need_nobody(story: Story, slot: Slot, approved: int) -> None:
    """Settled without a referral."""
    how = story.rng.choice(("alternative", "refused", "no_longer_needed", "unmet_need"))
    story.then(approved, story.between(1, 3), acts.settle, slot, how)


Course = Callable[[Story, Slot, int], None]
COURSES: Final[dict[Course, int]] = {
    run_smoothly: 72,
    be_declined: 6,
    wait_for_a_place: 4,
    rest_before_start: 2,
    rest_while_running: 3,
    break_down: 3,
    lapse_unanswered: 1,
    be_taken_back: 2,
    be_given_up: 2,
    be_a_mistake: 1,
    need_nobody: 4,
}


def some_course(story: Story, slot: Slot, approved: int) -> None:
    """Mostly smooth, sometimes not."""
    course = story.rng.choices(list(COURSES), list(COURSES.values()))[0]
    course(story, slot, approved)
