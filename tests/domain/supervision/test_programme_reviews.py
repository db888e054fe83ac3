"""What is decided about an overdue clock of the city's programme, and what is recorded of it."""

from datetime import date
from uuid import UUID

import pytest

from casework.domain.clocks.calendar import Target, Unit, day_in_seoul
from casework.domain.clocks.standards import ClockKind, ClockSubject
from casework.domain.errors import Invalid
from casework.domain.supervision.codes import ReviewCause
from casework.domain.supervision.programme_clocks import ProgrammeClocks
from casework.domain.supervision.reviewing import ReviewDecision, review
from tests.domain.helpers import field_of
from tests.factories import Town

OFFERING = UUID(int=7)
MORE_CAUSES = (
    "waiting_for_council",
    "waiting_for_other_body",
    "waiting_for_money",
    "waiting_for_ordinance",
)


def overdue(kind="task", due="2026-04-05"):
    """A town, a unit and its clock, which was due on a Sunday; it is the Tuesday after."""
    town = Town("2026-03-16T10:00")
    act = town.act(town.supervisor)
    clock = act.clockwork.begin(
        ClockKind(kind),
        id=act.new_id(),
        subject_id=act.new_id(),
        about=ClockSubject.of_programme(area="26350"),
        started_at=town.now,
        target=Target(date.fromisoformat(due).toordinal(), Unit.ON_DATE),
    )
    assert clock is not None
    town.go_to("2026-04-07T10:00")
    return town, ProgrammeClocks.of([clock]), clock


def decide(town, unit, clock, action, cause="waiting_for_council", **facts):
    """A review by whoever acts in the town."""
    verdict = ReviewDecision(action=action, cause=cause, **facts)
    return review(unit, clock, verdict, town.act(town.supervisor))


@pytest.mark.parametrize("cause", MORE_CAUSES)
def test_a_review_may_name_what_the_programme_waits_for(cause):
    town, unit, clock = overdue()
    done = decide(town, unit, clock, "excuse", cause)
    assert (done.cause, done.case_id) == (ReviewCause(cause), None)
    assert clock.excused
    (event,) = unit.events
    assert (event.name, event.resident_id, event.case_id) == ("DeadlineReviewed", None, None)
    assert [one.id for one in event.clocks] == [clock.id]
    assert unit.added == [done]


def test_a_chase_puts_the_higher_tiers_off_and_moves_no_due_day():
    town, unit, clock = overdue()
    before = clock.due_at
    done = decide(town, unit, clock, "chase")
    assert done.until == clock.deferred_until == date(2026, 4, 9)
    assert clock.due_at == before


@pytest.mark.parametrize("until", ["2026-04-10", "2026-04-11", "2026-04-12"])
def test_an_extension_is_due_on_the_very_day_that_it_names(until):
    town, unit, clock = overdue("adjustment")
    decide(town, unit, clock, "extend", until=date.fromisoformat(until))
    assert day_in_seoul(clock.due_at) == date.fromisoformat(until)
    assert clock.target == Target(date(2026, 4, 5).toordinal(), Unit.ON_DATE)


@pytest.mark.parametrize("until", ["2026-04-07", "2026-04-08", "2026-12-31"])
def test_a_submission_is_never_extended(until):
    town, unit, clock = overdue("submission")
    before = clock.due_at
    with pytest.raises(Invalid) as refusal:
        decide(town, unit, clock, "extend", until=date.fromisoformat(until))
    assert (refusal.value.code, field_of(refusal)) == ("statutory_limit", "until")
    assert (clock.due_at, clock.extensions, unit.events) == (before, (), [])


@pytest.mark.parametrize(
    ("action", "with_it"),
    [("redirect", {"offering_id": OFFERING}), ("reassign", {"worker_id": OFFERING})],
)
def test_what_moves_a_case_or_a_request_is_not_for_the_programme(action, with_it):
    town, unit, clock = overdue()
    with pytest.raises(Invalid) as refusal:
        decide(town, unit, clock, action, **with_it)
    assert refusal.value.code == "action_of_care"
    assert unit.events == []
