"""Taking over: true days, true states, by the table of moves, and nothing about the past."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.referral_moves import OPEN, TAKE_OVER
from casework.domain.casefile.states import ReferralStatus
from casework.domain.cases.intake import CareApplication
from casework.domain.cases.taking_over import (
    RunningCase,
    RunningService,
    take_over,
    take_over_service,
)
from casework.domain.errors import Conflict, Invalid
from casework.domain.notices.notice_rules import notice_of
from casework.domain.referring.referring import resume_after_hold
from casework.domain.referring.taking_over import STATES, RunningReferral
from tests.domain.helpers import event_names, last_clock, refused, running
from tests.factories import OfferingFactory, ResidentFactory, Town, moves, seoul

MEALS = OfferingFactory(service_code="CARE-MEALS")
APPROVED = date(2026, 4, 17)


def day(text: str) -> date:
    """A day of 2026."""
    return date.fromisoformat(f"2026-{text}")


def taken(town: Town, **facts: Any) -> CaseFile:
    """A case that was taken over, approved on 17 April."""
    application = CareApplication(channel="self", applied_on=day("03-27"))
    usual: dict[str, Any] = {"approved_on": APPROVED, "notified_on": day("04-20")}
    running_case = RunningCase(application=application, **(usual | facts))
    return take_over(ResidentFactory(), running_case, town.act(town.supervisor), town.worker.id)


def with_service(
    town: Town, file: CaseFile, referral: RunningReferral | None = None, ends_on: str = "12-31"
) -> Any:
    """The same with one service of its plan."""
    service = RunningService(
        service_code="CARE-MEALS", content="lunch", quantity=Decimal(3), unit="meal", per="week",
        starts_on=day("04-20"), ends_on=day(ends_on), referral=referral,
    )  # fmt: skip
    return take_over_service(file, service, town.catalogue, town.act(town.supervisor))


def asked(status: str, **facts: Any) -> RunningReferral:
    """A referral of 20 April in a state."""
    return RunningReferral(
        offering=MEALS, status=ReferralStatus(status), requested_on=day("04-20"), **facts
    )


EACH: dict[str, tuple[dict[str, Any], tuple[str, str] | None]] = {
    # state: its days and codes, the clock that runs on it, due when (or None)
    "requested": ({}, ("response", "2026-04-23")),
    "waitlisted": ({"answered_on": day("04-21")}, ("waitlist", "2026-05-07")),
    "accepted": ({"answered_on": day("04-21")}, ("start", "2026-05-07")),
    "in_progress": ({"started_on": day("04-27")}, None),
    "on_hold": (
        {"started_on": day("04-27"), "reason": "hospitalised", "hold_until": day("09-10")},
        None,
    ),
    "completed": (
        {"started_on": day("04-27"), "ended_on": day("06-30"), "outcome": "ended_early"},
        ("disposition", "2026-07-03"),
    ),
    "declined": (
        {"answered_on": day("04-21"), "reason": "at_capacity"},
        ("disposition", "2026-04-24"),
    ),
    "failed": (
        {"answered_on": day("04-21"), "ended_on": day("04-30"), "reason": "provider_unable"},
        ("disposition", "2026-05-07"),
    ),
    "withdrawn": (
        {"ended_on": day("04-30"), "reason": "resident_asked"},
        ("disposition", "2026-05-07"),
    ),
    "cancelled": ({"ended_on": day("04-30"), "reason": "no_longer_needed"}, None),
}


def test_every_state_that_a_file_can_name_has_its_row_in_the_table() -> None:
    assert set(STATES) == set(EACH)
    assert set(STATES) == {*TAKE_OVER, ReferralStatus.ON_HOLD}
    assert {move.to for move in TAKE_OVER.values()} == set(TAKE_OVER)
    assert all(move.from_ == {ReferralStatus.DRAFT} for move in TAKE_OVER.values())


@pytest.mark.parametrize("status", EACH)
def test_a_referral_comes_in_at_its_days_with_the_clock_of_its_state(status: str) -> None:
    facts, clock = EACH[status]
    town = Town("2026-09-01T10:00")
    file = taken(town)
    service = with_service(town, file, asked(status, **facts))
    (referral,) = file.referrals.values()
    assert (referral.status, referral.requested_on) == (status, day("04-20"))
    assert referral.created_at == town.now
    for name in ("answered_on", "started_on", "ended_on"):
        assert getattr(referral, name) == facts.get(name)
    assert running(file, referral.id) == ([clock[0]] if clock else [])
    if clock:
        due = last_clock(file, referral.id, clock[0]).due_at
        assert due.date().isoformat() == clock[1]
    # It was called off: the worker is to ask anew, since that day.
    wanted = status == "cancelled"
    assert running(file, service.id) == (["link"] if wanted else [])
    if wanted:
        assert last_clock(file, service.id, "link").due_at.date() == day("05-07")


def test_a_service_that_nobody_was_asked_for_is_to_be_asked_for_since_the_approval() -> None:
    town = Town("2026-09-01T10:00")
    file = taken(town)
    service = with_service(town, file)
    assert last_clock(file, service.id, "link").due_at.date() == day("04-22")


@pytest.mark.parametrize("status", EACH)
def test_nothing_of_the_past_is_raised_and_no_event_tells_anybody(status: str) -> None:
    town = Town("2026-09-01T10:00")
    file = taken(town, notified_on=None)
    with_service(town, file, asked(status, **EACH[status][0]))
    assert [notice_of(event, file) for event in file.events] == [None] * len(file.events)
    assert event_names(file) == ["CaseTakenOver", "PlannedServiceTakenOver", "ReferralTakenOver"]
    assert {event.at for event in file.events} == {town.now}
    for clock in file.running():
        for step in clock.planned or ():
            assert step.passed_over == (step.at <= town.now), (clock.kind, step)


@pytest.mark.parametrize(("at", "passed"), [("08:59:59", 2), ("09:00:00", 3), ("09:00:01", 3)])
def test_a_step_of_this_very_instant_is_of_the_past(at: str, passed: int) -> None:
    """Due on 20 July: reminder on the 16th, breach at midnight, the worker on the 21st at 09:00."""
    file = taken(Town(f"2026-07-21T{at}"))
    (clock,) = file.running()
    steps = sorted(clock.planned or (), key=lambda step: step.at)
    assert [step.passed_over for step in steps] == [True] * passed + [False] * (4 - passed)


def test_what_nobody_answered_is_waited_for_as_long_as_if_it_were_asked_today() -> None:
    town = Town("2026-09-01T10:00")
    file = taken(town)
    with_service(town, file, asked("requested"))
    (referral,) = file.referrals.values()
    # Ten working days from 1 September, for a request of yesterday too.
    assert referral.lapse_at == seoul("2026-09-16T00:00:00")
    fresh = taken(town)
    with_service(
        town, fresh, RunningReferral(offering=MEALS, status=ReferralStatus.REQUESTED,
                                     requested_on=day("08-31")),
    )  # fmt: skip
    (referral,) = fresh.referrals.values()
    assert referral.lapse_at == seoul("2026-09-16T00:00:00")


def test_a_held_referral_goes_on_after_its_last_day_whence_it_came() -> None:
    town = Town("2026-09-01T10:00")
    file = taken(town)
    with_service(town, file, asked("on_hold", **EACH["on_hold"][0]))
    (referral,) = file.referrals.values()
    town.go_to("2026-09-11T00:05")
    resume_after_hold(file, referral, town.act())
    assert referral.status == "in_progress"


def test_what_was_taken_over_goes_on_by_the_usual_moves() -> None:
    town = Town("2026-09-01T10:00")
    file = taken(town)
    with_service(town, file, asked("accepted", answered_on=day("04-21")))
    (referral,) = file.referrals.values()
    moves.move(town, file, referral, "start")
    moves.move(town, file, referral, "complete")
    assert referral.status not in OPEN


def test_a_disposition_of_then_settles_the_service() -> None:
    town = Town("2026-09-01T10:00")
    file = taken(town)
    facts = EACH["declined"][0] | {"disposition": "unmet_need"}
    service = with_service(town, file, asked("declined", **facts))
    assert file.is_settled(service)
    assert running(file) == ["first_check"]


def test_a_service_that_ended_as_planned_is_settled_and_owes_nothing() -> None:
    town = Town("2026-09-01T10:00")
    file = taken(town)
    facts = {"started_on": day("04-27"), "ended_on": day("06-30"), "outcome": "ended_as_planned"}
    service = with_service(town, file, asked("completed", **facts))
    assert file.is_settled(service)
    with refused(Invalid, "not_in_state"):
        with_service(town, taken(town), asked("completed", **facts, disposition="refused"))


@pytest.mark.parametrize(
    ("checked", "refusal"), [("04-16", True), ("04-17", True), ("04-18", False)]
)
def test_the_first_check_follows_the_day_of_the_approval(checked: str, refusal: bool) -> None:
    town = Town("2026-09-01T10:00")
    if refusal:
        with refused(Invalid, "date_too_early"):
            taken(town, first_checked_on=day(checked))
    else:
        assert running(taken(town, first_checked_on=day(checked))) == ["check"]


def test_the_plan_that_was_taken_over_takes_no_service_once_it_goes_on_here() -> None:
    town = Town("2026-09-01T10:00")
    file = taken(town)
    first = with_service(town, file)
    assert [item.id for item in file.versions[0].services] == [first.id]
    assert file.versions[0].hash == file.versions[0].content_hash()
    moves.draft(town, file, "CARE-MEALS")
    with refused(Conflict, "plan_goes_on", file.versions):
        with_service(town, file)


def test_a_reason_goes_with_its_state() -> None:
    town = Town("2026-09-01T10:00")
    for status, facts, code in (
        ("declined", {"answered_on": day("04-21"), "reason": "hospitalised"}, "reason_unknown"),
        ("declined", {"answered_on": day("04-21"), "reason": "other"}, "note_required"),
        ("requested", {"reason": "other"}, "not_in_state"),
        ("requested", {"answered_on": day("04-21")}, "not_in_state"),
    ):
        file = taken(town)
        with refused(Invalid, code, file.referrals, file.services):
            with_service(town, file, asked(status, **facts))
