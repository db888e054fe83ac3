"""Password attempts: at most ten an hour, whatever comes between them."""

from __future__ import annotations

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


@pytest.mark.parametrize("seed", range(50))
def test_no_hour_has_more_than_ten_wrong_tries_whatever_comes_between(seed: int) -> None:
    rng, account, at = Random(seed), an_account(), NOW
    wrong: list[datetime] = []
    for _ in range(400):
        at += timedelta(seconds=rng.choice([0, 1, 30, 300, 900, 1800]))
        if account.count_attempt(at):
            if rng.random() < 0.2:
                account.uncount_attempt(at)
            else:
                wrong.append(at)
    for n, one in enumerate(wrong):
        assert sum(1 for other in wrong[n:] if other - one < HOUR) <= 10
    assert len(wrong) > 20


def test_the_eleventh_try_waits_until_the_first_is_an_hour_old() -> None:
    account = an_account()
    for n in range(10):
        assert account.count_attempt(NOW + n * timedelta(minutes=1))
        account.note_success()  # without the lockout after five in a row
    assert not account.count_attempt(NOW + HOUR - timedelta(microseconds=1))
    assert account.count_attempt(NOW + HOUR)
    account.note_success()
    assert not account.count_attempt(NOW + HOUR)


def test_five_wrong_tries_in_a_row_rest_the_account_for_a_quarter_of_an_hour() -> None:
    account = an_account()
    assert all(account.count_attempt(NOW) for _ in range(5))
    assert not account.count_attempt(NOW + timedelta(minutes=15, microseconds=-1))
    assert account.count_attempt(NOW + timedelta(minutes=15))


def test_a_right_try_counts_no_more_and_the_wrong_ones_stay() -> None:
    account = an_account()
    account.count_attempt(NOW)
    later = NOW + timedelta(seconds=1)
    account.count_attempt(later)
    account.uncount_attempt(later)
    assert (account.tries, account.failed_attempts) == ([NOW], 0)


def test_a_new_password_forgets_every_try() -> None:
    account = an_account(tries=[NOW], failed_attempts=1)
    account.take_password("y", first=True)
    assert (account.tries, account.failed_attempts, account.must_change_password) == ([], 0, True)
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


def test_a_second_factor_is_for_staff_and_not_for_the_demo() -> None:
    for role in Role:
        due = an_account(role=role.value).due_first(totp_is_required=True)
        assert (due is ENROL) is (role in STAFF), role
    assert {Role.PROVIDER, Role.INTEGRATION} == set(Role) - STAFF
    for facts in ({"is_demo": True}, {"totp_confirmed_at": NOW}):
        assert an_account(**facts).due_first(totp_is_required=True) is None


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
