"""The grant log: each account's rights, entry by entry, to replay any past instant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from casework.domain.access.accounts import Account
from casework.domain.access.policy import Actor
from casework.domain.errors import Conflict

# Three years by the safety-measures notice; a leap day more does no harm.
RETENTION: Final = timedelta(days=3 * 365 + 1)


class GrantAct(StrEnum):
    """What was done to an account."""

    CREATED = "created"
    CHANGED = "changed"
    ENABLED = "enabled"
    DISABLED = "disabled"
    GRANTED = "granted"
    GRANT_REVOKED = "grant_revoked"
    TOKEN_MADE = "token_made"  # noqa: S105 - the name of an act
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - the name of an act
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the name of an act
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of an act
    TOTP_ENROLLED = "totp_enrolled"
    TOTP_REMOVED = "totp_removed"
    LINKED = "linked"
    UNLINKED = "unlinked"


@dataclass(slots=True, kw_only=True)
class GrantEntry:
    """One act, its actor, and the account's rights from then on."""

    id: UUID
    at: datetime
    account_id: UUID
    act: str
    by_id: UUID | None
    by: str
    about: str | None
    state: dict[str, Any]


def state_of(account: Account) -> dict[str, Any]:
    """All that decides what an account may do, as plain values."""
    return {
        "role": account.role,
        "centre_code": account.centre_code,
        "district_code": account.district_code,
        "provider_id": str(account.provider_id) if account.provider_id else None,
        "is_head": account.is_head,
        "is_active": account.is_active,
        "grants": sorted(account.grants),
        "must_change_password": account.must_change_password,
        "has_totp": account.has_totp,
        "external_id": account.external_id,
    }


def entry_of(
    account: Account, act: GrantAct, by: Actor, at: datetime, id: UUID, about: str | None = None
) -> GrantEntry:
    """The entry of an act, from the account after it."""
    return GrantEntry(
        id=id, at=at, account_id=account.id, act=act.value, by_id=by.id,
        by=by.username or by.name, about=about, state=state_of(account),
    )  # fmt: skip


def replay(entries: Iterable[GrantEntry], at: datetime) -> dict[str, Any] | None:
    """An account's rights at an instant, from its entries in order; None before the first.

    Tokens are folded from their own entries: those created and not revoked, by id.
    """
    state: dict[str, Any] | None = None
    tokens: set[str] = set()
    for entry in entries:
        if entry.at > at:
            break
        state = dict(entry.state)
        if entry.act == GrantAct.TOKEN_MADE and entry.about:
            tokens.add(entry.about)
        elif entry.act == GrantAct.TOKEN_REVOKED and entry.about:
            tokens.discard(entry.about)
    return None if state is None else state | {"tokens": sorted(tokens)}


def check_prunable(before: datetime, now: datetime) -> None:
    """Refuse to delete entries younger than three years."""
    if before > now - RETENTION:
        raise Conflict("entries are kept for three years", code="kept_three_years")
