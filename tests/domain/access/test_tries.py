"""Tries to sign in, and what must be done first: who waits, for how long, and who does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from casework.domain.access.accounts import CHANGE_PASSWORD, ENROL, STAFF, Account, check_password
from casework.domain.access.policy import (
    Actor,
    CredentialScope,
    Role,
    grantable,
    may,
    scope_of,
    scopes_of,
)
from casework.domain.access.tokens import NewToken
from casework.domain.errors import Forbidden, Invalid
from tests.factories import seoul

NOW = seoul("2026-04-01T09:00")
HOUR = timedelta(hours=1)


def an_account(**facts: object) -> Account:
    usual = {"id": UUID(int=1), "username": "kim", "name": "가상", "role": "worker",
             "password_hash": "x", "created_at": NOW}  # fmt: skip
    return Account(**(usual | facts))  # type: ignore[arg-type]


HERE, THERE = "10.0.0.1", "10.0.0.2"


def wrong(account: Account, at: datetime, source: str = HERE, times: int = 1) -> int:
    """Try a wrong password that often; how many were compared."""
    compared = 0
    for _ in range(times):
        if account.count_attempt(source, at):
            account.note_wrong(source, at)
            compared += 1
    return compared


def right(account: Account, at: datetime, source: str = HERE) -> bool:
    """Try the right password; whether it was compared."""
    if not account.count_attempt(source, at):
        return False
    account.note_right(source, at)
    return True


def may_try(account: Account, at: datetime, source: str = HERE) -> bool:
    """Whether a try would be compared, without making it."""
    return replace(account, tries=list(account.tries)).count_attempt(source, at)


@pytest.mark.parametrize("seed", range(50))
def test_no_hour_has_more_than_ten_wrong_tries_from_one_place(seed: int) -> None:
    rng, account, at = Random(seed), an_account(), NOW
    tried: list[datetime] = []
    for _ in range(400):
        at += timedelta(seconds=rng.choice([0, 1, 30, 300, 900, 1800]))
        if rng.random() < 0.2:
            right(account, at, THERE)
        elif wrong(account, at):
            tried.append(at)
    for n, one in enumerate(tried):
        assert sum(1 for other in tried[n:] if other - one < HOUR) <= 10
    assert len(tried) > 20


def test_the_eleventh_try_waits_until_the_first_is_an_hour_old() -> None:
    account = an_account()
    assert wrong(account, NOW, times=6) == 5
    assert wrong(account, NOW + timedelta(minutes=15), times=6) == 5
    assert not may_try(account, NOW + HOUR - timedelta(microseconds=1))
    assert may_try(account, NOW + HOUR)


def test_five_wrong_in_a_row_let_that_place_wait_and_no_other() -> None:
    account = an_account()
    assert wrong(account, NOW, times=6) == 5
    assert not may_try(account, NOW + timedelta(minutes=15, microseconds=-1))
    assert may_try(account, NOW, THERE)
    assert may_try(account, NOW + timedelta(minutes=15))


def test_what_was_begun_and_never_compared_is_forgotten_and_was_never_wrong() -> None:
    account = an_account()
    assert all(account.count_attempt(HERE, NOW) for _ in range(10))
    assert not may_try(account, NOW + timedelta(seconds=15, microseconds=-1))
    later = NOW + timedelta(seconds=15)
    assert right(account, later)
    assert account.tries == []


def test_six_at_the_same_moment_are_all_compared() -> None:
    account = an_account()
    assert all(account.count_attempt(HERE, NOW) for _ in range(6))
    for _ in range(6):
        account.note_right(HERE, NOW)
    assert account.tries == []


def test_tries_at_the_same_moment_are_ten_at_most() -> None:
    account = an_account()
    assert sum(account.count_attempt(HERE, NOW) for _ in range(30)) == 10
    for _ in range(10):
        account.note_wrong(HERE, NOW)
    assert not may_try(account, NOW + HOUR - timedelta(microseconds=1))


def test_an_account_that_is_tried_from_everywhere_is_slowed_and_never_shut() -> None:
    account = an_account()
    assert sum(wrong(account, NOW, f"10.0.1.{n}") for n in range(30)) == 10
    minute = timedelta(minutes=1)
    assert not may_try(account, NOW + minute - timedelta(microseconds=1), THERE)
    assert may_try(account, NOW + minute, THERE)
    compared = sum(
        wrong(account, NOW + n * timedelta(seconds=1), f"10.1.{n // 250}.{n % 250}")
        for n in range(60, 3600)
    )
    assert compared == 59, "one a minute"


def test_where_the_owner_signs_in_nothing_from_elsewhere_is_felt() -> None:
    account = an_account()
    assert right(account, NOW, HERE)
    at = NOW
    for n in range(400):
        at = NOW + n * timedelta(seconds=30)
        wrong(account, at, f"10.0.{n // 250}.{n % 250}", times=3)
        assert right(account, at, HERE), at


def test_whoever_tries_where_the_owner_signs_in_slows_the_owner_by_a_minute() -> None:
    account = an_account()
    assert right(account, NOW)
    assert wrong(account, NOW, times=6) == 5
    minute = timedelta(minutes=1)
    assert not may_try(account, NOW + minute - timedelta(microseconds=1))
    assert wrong(account, NOW + minute, times=6) == 5
    later = NOW + 2 * minute
    assert wrong(account, later, times=6) == 1, "ten of the hour were wrong: one a minute"
    assert not may_try(account, later + minute - timedelta(microseconds=1))
    assert right(account, later + minute)


def test_a_place_is_known_for_ninety_days_and_twenty_are_remembered() -> None:
    account = an_account()
    assert right(account, NOW)
    for n in range(10):
        wrong(account, NOW + timedelta(days=90), f"10.0.1.{n}")
    assert not may_try(account, NOW + timedelta(days=90))
    for n in range(30):
        right(account, NOW + timedelta(days=91, seconds=n), f"10.0.2.{n}")
    assert len(account.signed_in_from) == 20
    assert "10.0.2.29" in account.signed_in_from


def test_a_right_try_counts_no_more_and_the_wrong_ones_stay() -> None:
    account = an_account()
    wrong(account, NOW, times=4)
    assert right(account, NOW)
    assert [one.state for one in account.tries] == ["past"] * 4
    assert wrong(account, NOW, times=5) == 5, "a row begins anew"


def test_the_owner_is_told_of_the_fifth_wrong_try_of_an_hour_wherever_from() -> None:
    account, told = an_account(), []
    for n in range(8):
        at = NOW + n * timedelta(minutes=1)
        assert account.count_attempt(f"10.0.0.{n}", at)
        told.append(account.note_wrong(f"10.0.0.{n}", at))
    assert told == [False] * 4 + [True] + [False] * 3


def test_a_new_password_forgets_every_try() -> None:
    account = an_account()
    wrong(account, NOW, times=3)
    account.take_password("y", first=True)
    assert (account.tries, account.must_change_password) == ([], True)
    account.take_password("z")
    assert not account.must_change_password


def test_one_of_everybodys_passwords_is_refused_with_what_is_hung_on_it_too() -> None:
    common = frozenset({"qwertyuiopasdf", "비밀번호비밀번호"})
    for password in (
        "qwertyuiopasdf",
        "Qwertyuiop ASDF",
        "qwertyuiopasdf2026!",
        "비밀번호비밀번호123*",
    ):
        check_password(password, "kim")
        with pytest.raises(Invalid) as caught:
            check_password(password, "kim", common)
        assert caught.value.code == "password_common", password
    check_password("three odd herons walk", "kim", common)
    check_password("2026qwertyuiopasdf", "kim", common)


# What must be done before anything else


def test_a_first_password_comes_before_the_second_factor() -> None:
    account = an_account(must_change_password=True)
    assert account.due_first(totp_is_required=True) is CHANGE_PASSWORD
    account.must_change_password = False
    assert account.due_first(totp_is_required=True) is ENROL
    assert account.due_first(totp_is_required=False) is None


def test_a_second_factor_is_for_staff_and_for_the_demo_as_well() -> None:
    for role in Role:
        due = an_account(role=role.value).due_first(totp_is_required=True)
        assert (due is ENROL) is (role in STAFF), role
    assert {Role.PROVIDER, Role.INTEGRATION} == set(Role) - STAFF
    assert an_account(is_demo=True).due_first(totp_is_required=True) is ENROL
    assert an_account(totp_confirmed_at=NOW).due_first(totp_is_required=True) is None


# What a token, or a system, may do


def test_a_narrowed_actor_does_what_both_the_role_and_the_token_allow() -> None:
    narrow = CredentialScope(frozenset({"case.read", "plan.decide"}), "token_scope")
    worker = Actor(id=None, role=Role.WORKER, centre_code="1", credential_scope=narrow)
    assert scope_of(worker, "case.read").relation == "centre"
    assert may(worker, "case.read")
    assert not may(worker, "case.write")
    assert not may(worker, "plan.decide")
    with pytest.raises(Forbidden) as caught:
        scope_of(worker, "case.write")
    assert caught.value.code == "token_scope"
    with pytest.raises(Forbidden) as caught:
        scope_of(worker, "plan.decide")
    assert caught.value.code == "forbidden"


@pytest.mark.parametrize(
    ("place", "relation"),
    [({"centre_code": "1", "district_code": "2"}, "centre"), ({"district_code": "2"}, "district"),
     ({"provider_id": UUID(int=3)}, "own_agency")],
)  # fmt: skip
def test_a_system_reaches_as_far_as_what_it_belongs_to(
    place: dict[str, object], relation: str
) -> None:
    system = Actor(id=None, role=Role.INTEGRATION, **place)  # type: ignore[arg-type]
    offered = grantable(system)
    assert "referral.read" in offered
    assert not any(may(system, one) for one in offered)
    granted = Actor(id=None, role=Role.INTEGRATION, grants=offered, **place)  # type: ignore[arg-type]
    for action in offered:
        assert scope_of(granted, action).relation == relation, action


def test_a_system_of_nowhere_is_granted_nothing_and_no_grant_goes_beyond_the_list() -> None:
    everything = frozenset({"case.read", "plan.decide", "account.manage", "standard.write"})
    assert grantable(Actor(id=None, role=Role.INTEGRATION)) == frozenset()
    nowhere = Actor(id=None, role=Role.INTEGRATION, grants=everything)
    district = Actor(id=None, role=Role.INTEGRATION, grants=everything, district_code="26350")
    worker = Actor(id=None, role=Role.WORKER, grants=everything)
    assert not any(may(nowhere, one) for one in everything)
    assert [one for one in sorted(everything) if may(district, one)] == ["case.read"]
    assert not may(worker, "plan.decide")


def test_a_token_has_scopes_of_its_account_and_ends_within_a_year() -> None:
    worker = Actor(id=None, role=Role.WORKER, centre_code="1")
    today = NOW.date()
    for scopes, expires_on, code in (
        (["case.read"], today, None),
        (["case.read", "note.read"], today + timedelta(days=365), None),
        (["case.read"], today - timedelta(days=1), "expiry_out_of_range"),
        (["case.read"], today + timedelta(days=366), "expiry_out_of_range"),
        ([], today, "scope_not_owned"),
        (["plan.decide"], today, "scope_not_owned"),
        (["account.tokens"], today, "scope_not_owned"),
        (["account.secure"], today, "scope_not_owned"),
        (["case.destroy"], today, "scope_not_owned"),
    ):
        asked = NewToken(name="밤 집계", expires_on=expires_on, scopes=scopes)
        if code is None:
            asked.check(worker, NOW)
            continue
        with pytest.raises(Invalid) as caught:
            asked.check(worker, NOW)
        assert caught.value.code == code, (scopes, expires_on)
    assert not any(
        one.startswith("account.manage") for one in scopes_of(Actor(id=None, role=Role.ADMIN))
    )
    asked = NewToken(name="밤", expires_on=today, scopes=["case.read"])
    assert asked.expires_at == seoul("2026-04-02T00:00")


@pytest.mark.parametrize(
    ("back", "compared"), [(timedelta(minutes=59), False), (HOUR, True), (timedelta(days=2), True)]
)
def test_what_was_tried_before_the_clock_was_set_back_an_hour_is_forgotten(
    back: timedelta, compared: bool
) -> None:
    account = an_account()
    wrong(account, NOW, times=10)
    assert not may_try(account, NOW)
    assert may_try(account, NOW - back) is compared
    if compared:  # and from then on it is counted as ever
        assert wrong(account, NOW - back, times=12) == 5
