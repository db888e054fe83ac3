"""Links: their validity, how often a code may be tried, and the prefilled days of a roster."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from casework.domain.access.tokens import CLOCKS_DIFFER
from casework.domain.agencies import rosters
from casework.domain.agencies.links import (
    CODE_FOR,
    CODES_AN_HOUR,
    FAILURES,
    HOUR,
    OPENINGS_AN_HOUR,
    SESSION_FOR,
    TRIES_A_CODE,
    TRIES_AN_HOUR,
    AgencyLink,
    LinkSession,
    TooManyCodes,
)
from casework.domain.agencies.rosters import DeliveryReport, quantity_of
from casework.domain.casefile.plan import PlannedItem
from casework.domain.casefile.referral import Referral
from casework.domain.casefile.states import BasisKind, ReferralStatus
from casework.domain.clocks.standards import CareField, Priority
from casework.domain.errors import Conflict, Invalid
from casework.domain.residents.homes import check_way_in, is_visiting

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
A_MOMENT = timedelta(microseconds=1)
ID = UUID(int=1)


def a_link(**facts: Any) -> AgencyLink:
    return AgencyLink(
        id=ID, provider_id=ID, account_id=ID, digest="d", created_at=NOW, created_by=None,
        expires_at=NOW + timedelta(days=30), **facts,
    )  # fmt: skip


def test_a_link_is_good_until_it_expires() -> None:
    link = a_link()
    assert [link.is_good(link.expires_at + by) for by in (-A_MOMENT, 0 * A_MOMENT, A_MOMENT)] == [
        True, False, False,
    ]  # fmt: skip


def test_a_revoked_link_is_not_good_and_not_revoked_twice() -> None:
    link = a_link()
    link.revoke(ID, NOW)
    assert (link.is_good(NOW), link.revoked_by) == (False, ID)
    with pytest.raises(Conflict):
        link.revoke(ID, NOW)


@pytest.mark.parametrize(("wrong", "good"), [(FAILURES - 1, True), (FAILURES, False)])
def test_a_link_is_worn_out_by_wrong_codes(wrong: int, good: bool) -> None:
    assert a_link(failures=wrong).is_good(NOW) is good


def test_openings_are_counted_by_the_hour() -> None:
    link = a_link()
    assert all(link.count_opening(NOW) for _ in range(OPENINGS_AN_HOUR))
    assert not link.count_opening(NOW + HOUR - A_MOMENT)
    assert link.count_opening(NOW + HOUR)


def test_so_many_codes_an_hour_and_the_last_one_counts() -> None:
    link = a_link()
    for number in range(CODES_AN_HOUR):
        link.take_code(UUID(int=number), f"{number}", NOW)
    with pytest.raises(TooManyCodes):
        link.take_code(ID, "late", NOW + HOUR - A_MOMENT)
    assert link.count_attempt(NOW) == f"{CODES_AN_HOUR - 1}"
    link.take_code(ID, "new", NOW + HOUR)
    assert link.count_attempt(NOW + HOUR) == "new"


def test_a_code_is_good_for_ten_minutes() -> None:
    link = a_link()
    link.take_code(ID, "code", NOW)
    found = [link.count_attempt(NOW + CODE_FOR + by) for by in (-A_MOMENT, 0 * A_MOMENT)]
    assert found == ["code", None]


def test_a_code_is_tried_five_times_and_each_is_counted_before() -> None:
    link = a_link()
    link.take_code(ID, "code", NOW)
    found = [link.count_attempt(NOW) for _ in range(TRIES_A_CODE + 1)]
    assert found == ["code"] * TRIES_A_CODE + [None]
    assert (link.failures, len(link.tries)) == (TRIES_A_CODE, TRIES_A_CODE)


def test_in_an_hour_ten_tries_are_compared() -> None:
    link = a_link()
    found: list[str | None] = []
    for number in range(4):
        link.take_code(ID, "code", NOW + number * A_MOMENT)
        found += [link.count_attempt(NOW + number * A_MOMENT) for _ in range(TRIES_A_CODE)]
    assert found.count("code") == TRIES_AN_HOUR


def test_a_right_try_counts_no_more_and_its_code_is_used_up() -> None:
    link = a_link()
    link.take_code(ID, "code", NOW)
    assert link.count_attempt(NOW) == "code"
    link.accept_code(NOW)
    assert (link.failures, link.tries, link.count_attempt(NOW)) == (0, [], None)


# Rosters


def an_item(per: str, quantity: str = "3", ends_on: date = date(2026, 12, 31)) -> PlannedItem:
    return PlannedItem(
        id=ID, service_code="CARE-MEALS", content="lunch", quantity=Decimal(quantity), unit="meal",
        per=per, starts_on=date(2026, 1, 1), ends_on=ends_on,
    )  # fmt: skip


def a_referral(status: ReferralStatus = ReferralStatus.IN_PROGRESS, **facts: Any) -> Referral:
    return Referral(
        id=ID, case_id=ID, resident_id=ID, centre_code="1", district_code="1", service_code="S",
        planned_service_id=ID, field=CareField.CARE, offering_id=ID, provider_id=ID, status=status,
        priority=Priority.ROUTINE, basis_kind=BasisKind.ARTICLE_14_2,
        created_at=NOW, created_by=None, **({"started_on": date(2026, 3, 2)} | facts),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("per", "quantity", "planned"),
    [("day", "1", "30"), ("week", "3", "13"), ("month", "2", "2"), ("once", "1", "1")],
)
def test_a_month_is_prefilled_for_the_days_on_which_the_service_ran(
    per: str, quantity: str, planned: str
) -> None:
    found = rosters.planned_in(an_item(per, quantity), a_referral(), "2026-03")
    assert found == Decimal(planned)


def test_what_was_once_stands_in_the_month_of_its_start_alone() -> None:
    assert rosters.planned_in(an_item("once", "1"), a_referral(), "2026-04") == 0


@pytest.mark.parametrize(
    ("started", "ended", "runs"),
    [
        (date(2026, 4, 1), None, False), (date(2026, 3, 31), None, True),
        (date(2026, 1, 1), date(2026, 3, 1), True), (date(2026, 1, 1), date(2026, 2, 28), False),
        (None, None, False),
    ],
)  # fmt: skip
def test_a_roster_holds_what_ran_in_its_month(
    started: date | None, ended: date | None, runs: bool
) -> None:
    assert rosters.is_in(a_referral(started_on=started, ended_on=ended), "2026-03") is runs


def test_after_the_service_or_the_plan_ended_nothing_is_foreseen() -> None:
    ended = a_referral(ended_on=date(2026, 3, 4))
    assert rosters.planned_in(an_item("day", "1"), ended, "2026-03") == 3
    assert rosters.planned_in(an_item("day", "1"), ended, "2026-04") == 0
    item = an_item("day", "1", ends_on=date(2026, 3, 10))
    assert rosters.planned_in(item, a_referral(), "2026-03") == 9


@pytest.mark.parametrize(
    ("ended_at", "runs", "planned"),
    [
        (datetime(2026, 3, 20, 1, tzinfo=UTC), True, 19),
        (datetime(2026, 2, 28, 15, tzinfo=UTC), True, 0),  # midnight in Seoul
        (datetime(2026, 2, 28, 14, 59, tzinfo=UTC), False, 0),
    ],
)
def test_what_others_ended_ran_until_the_day_on_which_they_did(
    ended_at: datetime, runs: bool, planned: int
) -> None:
    ended = a_referral(ReferralStatus.CANCELLED, ended_at=ended_at)
    earlier = a_referral(ReferralStatus.CANCELLED, ended_at=ended_at, started_on=date(2026, 1, 5))
    assert rosters.is_in(earlier, "2026-03") is runs
    assert rosters.planned_in(an_item("day", "1"), ended, "2026-03") == planned
    assert not rosters.is_in(ended, "2026-04")


def test_what_was_entered_in_error_stands_in_no_roster() -> None:
    assert not rosters.is_in(a_referral(ReferralStatus.ENTERED_IN_ERROR), "2026-03")


@pytest.mark.parametrize("month", ["2026-13", "2026-3", "26-03", "", "2026-03-01", "x"])
def test_what_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(Invalid) as refused:
        rosters.days_of(month)
    assert refused.value.code == "month_invalid"


def test_a_month_is_asked_for_once_it_has_begun() -> None:
    rosters.check_month("2026-03", date(2026, 3, 1))
    with pytest.raises(Conflict):
        rosters.check_month("2026-03", date(2026, 2, 28))
    assert rosters.month_before(date(2026, 1, 31)) == "2025-12"
    assert rosters.month_before(date(2026, 3, 1)) == "2026-02"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (DeliveryReport(delivered=Decimal(12)), "reason_required"),
        (DeliveryReport(delivered=Decimal(12), reason="no such"), "reason_unknown"),
        (DeliveryReport(delivered=Decimal(12), reason="other"), "note_required"),
        (DeliveryReport(delivered=Decimal(-1), reason="other", note="x"), "invalid"),
        (DeliveryReport(delivered=Decimal(10000), reason="other", note="x"), "invalid"),
        (DeliveryReport(reason="other", note="x" * 501), "invalid"),
    ],
)
def test_an_exception_says_why(said: DeliveryReport, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        said.check(Decimal(13))
    assert refused.value.code == code


def test_what_was_planned_needs_no_word() -> None:
    assert DeliveryReport().check(Decimal(13)) == 13
    assert DeliveryReport(delivered=Decimal(13)).check(Decimal(13)) == 13
    assert DeliveryReport(delivered=Decimal(0), reason="hospitalised").check(Decimal(13)) == 0


@pytest.mark.parametrize("text", ["", "x", "1.234", "NaN", "Infinity", "1e9999", "--1"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        quantity_of(text)


def test_a_quantity_is_read_as_people_write_it() -> None:
    assert [quantity_of(one) for one in (" 3 ", "2.5", "2,5", "0")] == [
        3, Decimal("2.5"), Decimal("2.5"), 0,
    ]  # fmt: skip


# Homes


def test_an_agency_comes_from_its_acceptance_to_its_end() -> None:
    found = {status for status in ReferralStatus if is_visiting(a_referral(status))}
    assert found == {ReferralStatus.ACCEPTED, ReferralStatus.IN_PROGRESS, ReferralStatus.ON_HOLD}


@pytest.mark.parametrize("text", ["", "  ", "x" * 501])
def test_a_way_in_is_a_description(text: str) -> None:
    with pytest.raises(Invalid):
        check_way_in(text)
    check_way_in("x" * 500)


@pytest.mark.parametrize(
    ("back", "forgotten"), [(timedelta(minutes=59), False), (HOUR, True), (timedelta(days=2), True)]
)
def test_what_was_asked_before_the_clock_was_set_back_an_hour_is_forgotten(
    back: timedelta, forgotten: bool
) -> None:
    link = a_link()
    for _ in range(CODES_AN_HOUR):
        link.take_code(ID, "digest", NOW)
    for _ in range(OPENINGS_AN_HOUR):
        link.count_opening(NOW)
    assert link.count_opening(NOW - back) is forgotten
    if forgotten:
        link.take_code(ID, "digest", NOW - back)
    else:
        with pytest.raises(TooManyCodes):
            link.take_code(ID, "digest", NOW - back)


def test_a_session_lasts_half_an_hour_and_none_begins_later_than_now() -> None:
    session = LinkSession(
        digest="d", link_id=ID, started_at=NOW, ends_at=NOW + SESSION_FOR, source=None
    )
    ends = session.ends_at
    assert [session.is_good(at) for at in (ends - A_MOMENT, ends)] == [True, False]
    earliest = NOW - CLOCKS_DIFFER
    assert [session.is_good(at) for at in (earliest - A_MOMENT, earliest, NOW)] == [
        False, True, True,
    ]  # fmt: skip
