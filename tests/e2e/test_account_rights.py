"""Grants, identities, lost factors and the history of rights, at the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from casework.adapters.persistence import tables as t
from tests.conftest import Store
from tests.e2e.test_accounts import ADMIN, PASSWORD, Account, account, accounts, in_earnest, stored
from tests.e2e.test_cli import is_one_line, run

__all__ = ["account", "in_earnest", "run"]

SYSTEM = ("sys.hd", "--role", "integration", "--name", "연계", "--district", "26350")
ISSUER = "https://login.example/realms/care"


def test_an_account_begins_with_a_password_that_must_be_changed(
    account: Account, store: Store
) -> None:
    account("add", *ADMIN, password=PASSWORD)
    assert accounts(store)[0].must_change_password is True
    is_one_line(account("add", *SYSTEM, password="비밀번호비밀번호비밀번호"), "commonest")
    assert len(accounts(store)) == 1


def test_a_system_is_granted_and_loses_single_actions(account: Account, store: Store) -> None:
    account("add", *SYSTEM, password=PASSWORD)
    said = account("grant", "sys.hd", "referral.read")
    assert (said.code, said.out) == (0, "granted referral.read to sys.hd\n")
    assert account("grant", "sys.hd", "referral.read").code == 0, "it is so already"
    assert account("grant", "sys.hd", "case.read").code == 0
    said = account("revoke", "sys.hd", "case.read")
    assert (said.code, said.out) == (0, "revoked case.read from sys.hd\n")
    assert accounts(store)[0].grants == ["referral.read"]
    before = accounts(store)
    is_one_line(account("grant", "sys.hd", "plan.decide"), "not an action")
    is_one_line(account("revoke", "sys.hd", "case.read"), "no such grant")
    is_one_line(account("grant", "nobody", "case.read"), "no account")
    account("add", *ADMIN, password=PASSWORD)
    is_one_line(account("grant", ADMIN[0], "case.read"), "not an action")
    assert accounts(store)[1:] == before


def test_an_account_is_linked_to_one_identity(account: Account, store: Store) -> None:
    account("add", *ADMIN, password=PASSWORD)
    account("add", *SYSTEM, password=PASSWORD)
    assert account("link", ADMIN[0], ISSUER, "5f2c").out == f"linked {ADMIN[0]}\n"
    is_one_line(account("link", "sys.hd", ISSUER, "5f2c"), "another account has this identity")
    assert [row.external_id for row in accounts(store)] == [f"{ISSUER} 5f2c", None]
    assert account("unlink", ADMIN[0]).code == 0
    assert account("link", "sys.hd", ISSUER, "5f2c").code == 0
    is_one_line(account("link", ADMIN[0], ISSUER, "x" * 500), "at most 512")


def test_a_lost_second_factor_is_removed(account: Account, store: Store) -> None:
    account("add", *ADMIN, password=PASSWORD)
    said = account("reset-totp", ADMIN[0])
    assert (said.code, said.out) == (0, f"{ADMIN[0]} has no second factor\n")
    acts = [row.act for row in stored(store, select(t.account_grant_log))]
    assert acts == ["created", "totp_removed"]


def test_the_history_says_who_did_what_and_replays_an_instant(
    account: Account, store: Store
) -> None:
    before = datetime.now(UTC)
    account("add", *SYSTEM, password=PASSWORD)
    made = datetime.now(UTC)
    account("grant", "sys.hd", "referral.read")
    account("disable", "sys.hd")
    entries = json.loads(account("history", "sys.hd", "--json").out)
    assert [(one["act"], one["about"], one["by"]) for one in entries] == [
        ("created", None, "casework"), ("granted", "referral.read", "casework"),
        ("disabled", None, "casework"),
    ]  # fmt: skip
    lines = account("history", "sys.hd").out.splitlines()
    assert lines[1].endswith("  granted  referral.read  by casework")
    for at, grants, active in ((made, [], True), (datetime.now(UTC), ["referral.read"], False)):
        found = account("history", "sys.hd", "--at", at.isoformat(), "--json")
        rights = json.loads(found.out)
        assert (rights["grants"], rights["is_active"], rights["tokens"]) == (grants, active, [])
    told = account("history", "sys.hd", "--at", before.isoformat())
    assert told.out == "there was no such account then\n"
    is_one_line(account("history", "nobody"), "no account")
    is_one_line(account("history", "sys.hd", "--at", "yesterday"), "no instant")
    audited = stored(store, select(t.audit_entry.c.action).order_by(t.audit_entry.c.id))
    assert [row.action for row in audited][-1] == "account.history"


def test_nothing_younger_than_three_years_is_forgotten(account: Account, store: Store) -> None:
    account("add", *ADMIN, password=PASSWORD)
    young = (datetime.now(UTC) - timedelta(days=1095)).isoformat()
    is_one_line(account("prune-history", "--before", young), "three years")
    old = (datetime.now(UTC) - timedelta(days=1097)).isoformat()
    assert account("prune-history", "--before", old).out == "deleted 0 entries\n"
    assert len(stored(store, select(t.account_grant_log))) == 1
