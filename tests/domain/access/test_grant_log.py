"""The rights of an account are replayed from its log entries, in any order."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from casework.domain.access.accounts import Account
from casework.domain.access.grant_log import (
    RETENTION,
    GrantAct,
    GrantEntry,
    check_prunable,
    entry_of,
    replay,
    state_of,
)
from casework.domain.access.policy import SYSTEM, Actor, Role
from casework.domain.errors import Conflict
from tests.factories import seoul

NOW = seoul("2026-04-01T09:00")
ADMIN = Actor(id=UUID(int=9), role=Role.ADMIN, username="admin.kim")


def an_account(**facts: Any) -> Account:
    usual: dict[str, Any] = {
        "id": UUID(int=1), "username": "sys", "name": "연계", "role": "integration",
        "password_hash": "x", "created_at": NOW, "district_code": "26350",
    }  # fmt: skip
    return Account(**(usual | facts))


def test_an_entry_says_who_did_what_and_what_is_allowed_from_then_on() -> None:
    account = an_account(grants=["unmet.read", "case.read"])
    entry = entry_of(account, GrantAct.GRANTED, ADMIN, NOW, UUID(int=5), "case.read")
    assert (entry.by_id, entry.by, entry.act) == (ADMIN.id, "admin.kim", "granted")
    assert entry.state["grants"] == ["case.read", "unmet.read"]
    by_itself = entry_of(account, GrantAct.CREATED, SYSTEM, NOW, UUID(int=6))
    assert (by_itself.by_id, by_itself.by) == (None, "casework")


def test_nothing_by_which_anybody_could_sign_in_stands_in_an_entry() -> None:
    account = an_account(password_hash="canary-hash", totp_step=1)
    assert "canary" not in str(entry_of(account, GrantAct.CREATED, ADMIN, NOW, UUID(int=5)))
    assert "연계" not in str(state_of(account))


def test_before_its_first_entry_there_is_no_account() -> None:
    entry = entry_of(an_account(), GrantAct.CREATED, ADMIN, NOW, UUID(int=5))
    assert replay([entry], NOW - timedelta(microseconds=1)) is None
    assert replay([entry], NOW) == state_of(an_account()) | {"tokens": []}
    assert replay([], NOW) is None


@pytest.mark.parametrize("seed", range(20))
def test_every_past_instant_is_replayed_as_it_was(seed: int) -> None:
    rng, account, tokens = Random(seed), an_account(), set[str]()
    entries: list[GrantEntry] = []
    was: list[dict[str, Any]] = []
    for n in range(40):
        act, about = rng.choice(list(GrantAct)), None
        if act is GrantAct.TOKEN_MADE:
            about = str(UUID(int=n))
            tokens.add(about)
        elif act is GrantAct.TOKEN_REVOKED:
            about = rng.choice(sorted(tokens)) if tokens else None
            tokens.discard(about or "")
        account.is_active = rng.random() < 0.5
        account.grants = rng.sample(["case.read", "unmet.read", "referral.read"], rng.randint(0, 3))
        account.must_change_password = rng.random() < 0.5
        at = NOW + timedelta(minutes=n)
        entries.append(entry_of(account, act, ADMIN, at, UUID(int=n), about))
        was.append(state_of(account) | {"tokens": sorted(tokens)})
    for n, state in enumerate(was):
        assert replay(entries, NOW + timedelta(minutes=n)) == state
        assert replay(entries, NOW + timedelta(minutes=n, seconds=59)) == state


def test_nothing_younger_than_three_years_is_forgotten() -> None:
    assert timedelta(days=1096) == RETENTION
    check_prunable(NOW - RETENTION, NOW)
    with pytest.raises(Conflict) as caught:
        check_prunable(NOW - RETENTION + timedelta(microseconds=1), NOW)
    assert caught.value.code == "kept_three_years"
