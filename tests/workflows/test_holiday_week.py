"""The week of Chuseok 2026 through the wiring: an emergency knows no holidays, a routine one does.

Wednesday 23 September is the last working day; the 24th to the 26th are Chuseok, the 27th is a
Sunday. The days are counted by a calendar written by hand.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest

from casework.domain.access.policy import SYSTEM
from casework.domain.clocks.deadlines import BREACH
from casework.workflows.supervision.overdue import SweepResult
from tests.adapters.looking import raised, steps, the_clock, told
from tests.api.acts import a_referral, a_supported_case, clock
from tests.api.conftest import WORKER, Api, api, application, owner, seoul
from tests.e2e.holidays_by_hand import HOLIDAYS

__all__ = ["api", "application", "owner"]
SENT_AT = "2026-09-23T16:00"


def by_hand(after: date, working_days: int) -> date:
    """The last of so many working days after a day."""
    day = after
    while working_days:
        day += timedelta(days=1)
        working_days -= day.weekday() < 5 and day not in HOLIDAYS
    return day


def asked(api: Api, priority: str) -> UUID:
    """The clock of a request that was sent on the eve of the holidays."""
    api.clock.set("2026-09-21T10:00")
    case = a_supported_case(api)
    api.clock.set(SENT_AT)
    return clock(api, "response", a_referral(api, case, priority=priority))


def sweep(api: Api, at: str) -> SweepResult:
    """A tick at a moment."""
    api.clock.set(at)
    result = api.application.sweep(api.application.context(SYSTEM))
    assert result is not None
    return result


def heard(api: Api, clock: UUID) -> list[int]:
    """The tiers with a notice; the breach itself has none."""
    assert sorted(told(api, clock)) == sorted(raised(api, clock)), "one notice for each step"
    return [tier for tier in told(api, clock) if tier != BREACH]


def test_an_emergency_is_due_the_same_evening_and_told_before_midnight(api: Api) -> None:
    response = asked(api, "emergency")
    assert the_clock(api, response).due_at == seoul("2026-09-23T20:00")
    sweep(api, "2026-09-23T19:59:59")
    assert heard(api, response) == []
    sweep(api, "2026-09-23T20:00")
    assert heard(api, response) == [1]
    (first,) = [step for step in steps(api, response) if step.tier == 1]
    assert first.raised_at is not None
    assert first.raised_at < seoul("2026-09-24T00:00")
    assert sorted(first.tell) == ["provider", "worker"]
    sweep(api, "2026-09-23T23:59:59")
    assert heard(api, response) == [1]
    sweep(api, "2026-09-24T00:00")
    assert heard(api, response) == [1, 2], "the supervisor hears of it four hours later, at night"


@pytest.mark.parametrize(
    ("at", "tiers"),
    [
        ("2026-09-25T12:00", []),  # Chuseok
        ("2026-09-29T08:59:59", []),
        ("2026-09-29T09:00", [-1]),
        ("2026-10-01T08:59:59", [-1]),
        ("2026-10-01T09:00", [-1, 1]),
        ("2026-10-06T08:59:59", [-1, 1]),  # after the 3rd to the 5th of October
        ("2026-10-06T09:00", [-1, 1, 2]),
    ],
)
def test_a_routine_request_waits_for_the_working_days_and_so_do_its_steps(
    api: Api, at: str, tiers: list[int]
) -> None:
    response = asked(api, "routine")
    due_on = by_hand(date(2026, 9, 23), 3)
    assert due_on == date(2026, 9, 30)
    assert the_clock(api, response).due_at == seoul(f"{due_on}T23:59:59")
    moment, end = seoul("2026-09-23T16:05"), seoul(at)
    while moment < end:  # as the scheduler would, though more seldom
        sweep(api, moment.replace(tzinfo=None).isoformat())
        moment += timedelta(hours=12)
    sweep(api, at)
    assert heard(api, response) == tiers


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_date_of_a_routine_request_names_chuseok(api: Api, language: str) -> None:
    response = asked(api, "routine")
    answer = api.as_(WORKER).get(
        f"/deadlines/{response}/explanation", headers={"Accept-Language": language}
    )
    assert answer.status_code == 200, answer.text
    told = answer.json()
    days = [date(2026, 9, day) for day in (24, 25, 26, 27)]
    assert [date.fromisoformat(one["on"]) for one in told["left_out"]] == days
    assert all(day in HOLIDAYS or day.weekday() == 6 for day in days)
    assert "추석" in [one["why"] for one in told["left_out"]]
    assert {"ko": "추석", "en": "Chuseok"}[language] in told["sentence"]
    assert datetime.fromisoformat(told["due_at"]) == seoul("2026-09-30T23:59:59")
