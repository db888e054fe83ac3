"""Accounts: valid roles, passwords and addresses, and when one is locked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from casework.domain.access.accounts import (
    Account,
    NewAccount,
    check_email,
    check_password,
    role_of,
)
from casework.domain.access.policy import Actor, Role
from casework.domain.errors import Invalid
from tests.domain.helpers import field_of, refused
from tests.factories import seoul

NOW = seoul("2026-04-01T09:00")
WORKER = NewAccount(username="lee.u1", role=Role.WORKER, name="가상 담당자", centre="2635051000")
HEAD = NewAccount(
    username="kim", role=Role.SUPERVISOR, name="가상 과장", district="26350", is_head=True
)


def an_account(**facts: Any) -> Account:
    usual: dict[str, Any] = {
        "id": UUID(int=1), "username": "kim", "name": "가상 과장", "role": "supervisor",
        "password_hash": "x", "created_at": NOW, "district_code": "26350", "is_head": True,
    }  # fmt: skip
    return Account(**(usual | facts))


@pytest.mark.parametrize(
    "asked",
    [
        WORKER, HEAD,
        NewAccount(username="a1", role=Role.ASSESSOR, name="가", district="26350"),
        NewAccount(username="alpha", role=Role.PROVIDER, name="알파", provider="alpha"),
        NewAccount(username="c" * 120, role=Role.CITY, name="시" * 120),
        NewAccount(username="au", role=Role.AUDITOR, name="감사"),
        NewAccount(username="0.a_b@c+d-e", role=Role.ADMIN, name="관리"),
        NewAccount(username="him", role=Role.INTEGRATION, name="연계", email="him@example.org"),
    ],
)  # fmt: skip
def test_each_role_belongs_to_what_it_works_for(asked):
    asked.check()


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"username": "k"}, "username_invalid", "username"),
        ({"username": "Kim"}, "username_invalid", "username"),
        ({"username": "k" * 121}, "username_invalid", "username"),
        ({"username": ".kim"}, "username_invalid", "username"),
        ({"name": " "}, "name_invalid", "name"),
        ({"name": "가" * 121}, "name_invalid", "name"),
        ({"name": "가\n나"}, "name_invalid", "name"),
        ({"email": "nobody"}, "email_invalid", "email"),
        ({"centre": None}, "belonging_required", "centre"),
        ({"centre": ""}, "belonging_required", "centre"),
        ({"centre": "26\x00"}, "belonging_required", "centre"),
        ({"district": "26350"}, "belongs_elsewhere", "district"),
        ({"provider": ""}, "belongs_elsewhere", "provider"),
        ({"is_head": True}, "head_is_supervisor", "head"),
    ],
)
def test_what_no_account_can_be_is_refused(changed, code, field):
    asked = replace(WORKER, **changed)
    with refused(Invalid, code, asked) as caught:
        asked.check()
    assert field_of(caught) == field


def test_an_agencys_account_may_lead_it_and_no_workers_may():
    lead = NewAccount(
        username="ha", role=Role.PROVIDER, name="가상 대표", provider="alpha", is_head=True
    )
    lead.check()
    for role, place in ((Role.ASSESSOR, {"district": "26350"}), (Role.ADMIN, {})):
        asked = NewAccount(username="ha", role=role, name="가상", is_head=True, **place)
        with refused(Invalid, "head_is_supervisor", asked):
            asked.check()


def test_a_refusal_says_what_the_role_needs():
    with refused(Invalid, "belonging_required") as caught:
        replace(HEAD, district=None).check()
    assert str(caught.value) == "an account of the role supervisor needs its district"
    with refused(Invalid, "belongs_elsewhere") as caught:
        replace(HEAD, centre="2635051000").check()
    assert str(caught.value) == "an account of the role supervisor belongs to no centre"


def test_a_role_that_there_is_not_is_refused():
    assert role_of("supervisor") is Role.SUPERVISOR
    with refused(Invalid, "unknown_role") as caught:
        role_of("king")
    assert field_of(caught) == "role"
    assert str(caught.value).startswith("no such role; one of worker, supervisor, ")


@pytest.mark.parametrize(
    "email", [None, "a@b", "first.last+tag@mail.example.org", "x" * 242 + "@example.org"]
)
def test_an_address_is_a_name_at_a_host(email):
    check_email(email)


@pytest.mark.parametrize(
    "email",
    ["", "a", "@b", "a@", "a@b@c", "a b@c.d", "a@b..c", "가@b.c", "x" * 243 + "@example.org"],
)
def test_what_no_mail_server_would_take_is_refused(email):
    with refused(Invalid, "email_invalid") as caught:
        check_email(email)
    assert field_of(caught) == "email"


@pytest.mark.parametrize(
    ("password", "code"),
    [("x" * 11, "password_length"), ("x" * 1025, "password_length"), ("", "password_length"),
     ("administrator1", "password_is_username"), (" Admini strator1", "password_is_username")],
)  # fmt: skip
def test_a_password_is_long_and_not_the_user_name(password, code):
    with refused(Invalid, code) as caught:
        check_password(password, "administrator1")
    assert field_of(caught) == "password"
    for fits in ("x" * 12, "x" * 1024, "administrator2"):
        check_password(fits, "administrator1")


def test_an_account_acts_as_what_it_is():
    account = an_account(centre_code="2635051000", provider_id=UUID(int=2))
    assert account.actor() == Actor(
        id=UUID(int=1), role=Role.SUPERVISOR, name="가상 과장", username="kim",
        centre_code="2635051000", district_code="26350", provider_id=UUID(int=2), is_head=True,
    )  # fmt: skip


@pytest.mark.parametrize("ended", [NOW, NOW + timedelta(milliseconds=500)])
@pytest.mark.parametrize(("seconds", "lets_in"), [(-1, False), (0, True), (1, True)])
def test_a_token_of_before_signing_out_everywhere_lets_nobody_in(ended, seconds, lets_in):
    account = an_account(signed_out_at=ended)
    assert account.lets_in(NOW + timedelta(seconds=seconds)) is lets_in
    assert an_account().lets_in(NOW + timedelta(seconds=seconds)), "nobody signed out"
    assert not an_account(is_active=False).lets_in(NOW + timedelta(seconds=seconds))
