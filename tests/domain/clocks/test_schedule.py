"""When a repeated job is due, and when it is late."""

from datetime import timedelta

import pytest

from casework.domain.clocks.schedule import is_late, next_slot, slot_of
from tests.factories.town import seoul

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("now", "minutes", "slot", "following"),
    [
        ("10:00", 5, "10:00", "10:05"),
        ("10:04:59", 5, "10:00", "10:05"),
        ("10:05", 5, "10:05", "10:10"),
        ("10:59:59", 5, "10:55", "11:00"),
        ("10:57", 7, "10:56", "11:00"),
        ("10:30", 60, "10:00", "11:00"),
        ("10:30:30", 1, "10:30", "10:31"),
    ],
)
def test_a_slot_is_the_period_an_instant_lies_in(now, minutes, slot, following):
    moment = seoul(f"2026-04-01T{now}")
    assert slot_of(moment, minutes) == seoul(f"2026-04-01T{slot}")
    assert next_slot(moment, minutes) == seoul(f"2026-04-01T{following}")


def test_the_last_slot_of_a_day_leads_into_the_next_day():
    assert next_slot(seoul("2026-04-01T23:58"), 5) == seoul("2026-04-02T00:00")


@pytest.mark.parametrize(("after", "late"), [(-SECOND, False), (0 * SECOND, False), (SECOND, True)])
def test_it_is_late_when_more_than_three_ticks_have_passed(after, late):
    begun = seoul("2026-04-01T10:00")
    now = begun + timedelta(minutes=15) + after
    assert is_late(begun, now, now, 5) is late
    assert is_late(None, begun, now, 5) is late, "where there was none, since one waits for it"
