"""Account tokens of people and systems: named, scoped, expiring."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from casework.domain.access.accounts import check_name
from casework.domain.access.policy import Actor, CredentialScope, scopes_of
from casework.domain.clocks.calendar import day_in_seoul, midnight
from casework.domain.errors import require

PREFIX: Final = "cwk_"
MAX_LIFETIME: Final = timedelta(days=365)
# By how much the clocks of two servers may differ.
CLOCKS_DIFFER: Final = timedelta(seconds=60)
MAX_TOKENS: Final = 50


@dataclass(slots=True, kw_only=True)
class AccountToken:
    """A token as stored: only its digest."""

    id: UUID
    account_id: UUID
    name: str
    digest: str
    scopes: list[str]
    created_at: datetime
    created_by: UUID | None
    expires_at: datetime
    last_used_on: date | None = None
    revoked_at: datetime | None = None
    revoked_by: UUID | None = None

    def is_good(self, now: datetime) -> bool:
        """Whether the token is valid now."""
        return self.revoked_at is None and now < self.expires_at

    @property
    def credential_scope(self) -> CredentialScope:
        """The token's scopes, and its own account."""
        return CredentialScope(frozenset(self.scopes) | {"account.self"}, "token_scope")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A request for a token, valid until the end of its last day in Busan."""

    name: str
    expires_on: date
    scopes: list[str]

    def check(self, owner: Actor, now: datetime) -> None:
        """Refuse a token that this account cannot have."""
        check_name(self.name)
        today = day_in_seoul(now)
        require(
            today <= self.expires_on <= today + MAX_LIFETIME,
            "a token lasts until today at least, and a year at most",
            code="expiry_out_of_range",
            field="expires_on",
        )
        known = scopes_of(owner)
        require(
            self.scopes and set(self.scopes) <= known,
            "a token needs scopes that its account has itself",
            code="scope_not_owned",
            field="scopes",
        )

    @property
    def expires_at(self) -> datetime:
        """The first instant at which it is invalid."""
        return midnight(self.expires_on + timedelta(days=1))


def live(tokens: Iterable[AccountToken], now: datetime) -> list[AccountToken]:
    """The tokens that are valid now."""
    return [one for one in tokens if one.is_good(now)]


@dataclass(slots=True, kw_only=True)
class RefreshToken:
    """A refresh token as stored; those that descend from one sign-in are a family."""

    id: UUID
    account_id: UUID
    family_id: UUID
    digest: str
    issued_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        """Whether it can be exchanged; one that a clock ahead of this one issued cannot."""
        is_left = self.used_at is None and self.revoked_at is None
        return is_left and self.issued_at <= now + CLOCKS_DIFFER and now < self.expires_at
