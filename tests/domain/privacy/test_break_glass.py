"""Break-glass access to a resident out of scope: who, why, how long, and who reviews it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from casework.domain.access.policy import OPENS, POLICY, Actor, Role, scope_of
from casework.domain.act import Act
from casework.domain.errors import Conflict, Forbidden, Invalid
from casework.domain.privacy.break_glass import (
    MAX_HOURS,
    MAX_REASON_LENGTH,
    BreakGlass,
    break_glass,
    notice_of_opening,
)
from casework.domain.residents.resident import Resident
from tests.factories import ActorFactory, ResidentFactory, Town, seoul

MONDAY = "2026-03-09T10:00"


def a_resident() -> Resident:
    found: Resident = ResidentFactory(centre_code="2611051000", district_code="26110")
    return found


def an_act(by: Actor, at: str) -> Act:
    return Town(at).act(by)


def worker(role: Role = Role.WORKER) -> Actor:
    actor: Actor = ActorFactory(role=role, district_code="26350", is_head=role == Role.PROVIDER)
    return actor


def opened(act: Act, hours: int = 24, reason: str = "found on the street") -> BreakGlass:
    return break_glass(a_resident(), reason, hours, act, is_within_scope=False)[0]


@pytest.mark.parametrize("role", list(Role))
def test_only_workers_and_supervisors_open_residents(role: Role) -> None:
    act = an_act(by=worker(role), at=MONDAY)
    if role in (Role.WORKER, Role.SUPERVISOR):
        assert opened(act).account_id == act.by.id
    else:
        with pytest.raises(Forbidden):
            opened(act)


@pytest.mark.parametrize(
    ("hours", "is_right"), [(0, False), (1, True), (MAX_HOURS, True), (MAX_HOURS + 1, False)]
)
def test_it_is_for_one_to_seventy_two_hours(hours: int, is_right: bool) -> None:
    act = an_act(by=worker(), at=MONDAY)
    if is_right:
        assert opened(act, hours).ends_at == act.at + timedelta(hours=hours)
    else:
        with pytest.raises(Invalid) as refused:
            opened(act, hours)
        assert refused.value.code == "hours_out_of_range"


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("", "reason_required"),
        (" \n\t", "reason_required"),
        ("a", None),
        ("a" * MAX_REASON_LENGTH, None),
        ("a" * (MAX_REASON_LENGTH + 1), "invalid"),
    ],
)
def test_a_reason_is_needed(reason: str, code: str | None) -> None:
    act = an_act(by=worker(), at=MONDAY)
    if code is None:
        assert opened(act, reason=reason).reason == reason
    else:
        with pytest.raises(Invalid) as refused:
            opened(act, reason=reason)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"is_within_scope": True}, "not_needed"),
        ({"is_within_scope": False, "is_open": True}, "already_open"),
    ],
)
def test_what_is_seen_already_is_not_opened(state: dict[str, Any], code: str) -> None:
    with pytest.raises(Conflict) as refused:
        break_glass(a_resident(), "why", 24, an_act(by=worker(), at=MONDAY), **state)
    assert refused.value.code == code


def test_it_is_live_up_to_but_not_at_the_instant_it_ends() -> None:
    opening = opened(an_act(by=worker(), at=MONDAY), hours=2)
    tick = timedelta(microseconds=1)
    assert opening.is_live(opening.ends_at - tick)
    assert not opening.is_live(opening.ends_at)
    assert not opening.is_live(opening.ends_at + tick)


def test_its_opener_ends_it_once() -> None:
    act = an_act(by=worker(), at=MONDAY)
    opening = opened(act)
    with pytest.raises(Conflict) as refused:
        opening.end(an_act(by=worker(), at=MONDAY))
    assert refused.value.code == "not_your_opening"
    assert opening.end(act).name == "BreakGlassEnded"
    assert not opening.is_live(act.at)
    with pytest.raises(Conflict) as refused:
        opening.end(act)
    assert refused.value.code == "already_ended"


def test_somebody_else_reviews_it_once_and_shuts_it() -> None:
    act = an_act(by=worker(Role.SUPERVISOR), at=MONDAY)
    opening, other = opened(act), an_act(by=worker(Role.SUPERVISOR), at=MONDAY)
    with pytest.raises(Conflict) as refused:
        opening.close(act, "fine", justified=True)
    assert refused.value.code == "own_break_glass"
    with pytest.raises(Invalid):
        opening.close(other, "  ", justified=True)
    assert opening.reviewed_at is None
    event = opening.close(other, "no reason was given to us", justified=False)
    assert (event.name, event.data) == ("BreakGlassReviewed", {"justified": False})
    assert (opening.reviewed_by, opening.justified) == (other.by.id, False)
    assert not opening.is_live(other.at)
    with pytest.raises(Conflict) as refused:
        opening.close(other, "again", justified=True)
    assert refused.value.code == "already_reviewed"


def test_its_review_is_overdue_after_the_third_working_day() -> None:
    act = an_act(by=worker(), at=MONDAY)
    opening = opened(act)
    for at, is_late in (
        ("2026-03-12T23:59:59", False),
        ("2026-03-13T00:00", True),
    ):
        assert opening.review_is_overdue(replace(act, at=seoul(at))) is is_late, at
    opening.close(an_act(by=worker(Role.SUPERVISOR), at=MONDAY), "fine", justified=True)
    assert not opening.review_is_overdue(replace(act, at=seoul("2026-06-01T09:00")))


def test_what_is_told_names_nobody() -> None:
    resident, act = a_resident(), an_act(by=worker(), at=MONDAY)
    opening, event = break_glass(resident, "found on the street", 2, act, is_within_scope=False)
    notice = notice_of_opening(opening, event, resident)
    assert event.data == {"hours": 2}
    assert (notice.tell, notice.district_code, notice.at_once) == (["supervisor"], "26110", True)
    assert "street" not in repr((event, notice))
    assert resident.name not in repr((event, notice))


@pytest.mark.parametrize("action", sorted(POLICY))
def test_only_looking_opens_with_it(action: str) -> None:
    for role in POLICY[action]:
        found = scope_of(worker(role), action)
        assert found.opens is (action in OPENS and role in ("worker", "supervisor"))
    assert action not in OPENS or action.endswith(".read")
