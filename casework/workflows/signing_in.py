"""Signing in with the local directory of accounts, and staying signed in by rotating tokens."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from casework.domain.access import Actor
from casework.domain.accounts import Account
from casework.domain.errors import Refusal

REFRESH_FOR: Final = timedelta(hours=12)
SOURCE_MAY_FAIL: Final = 100
SOURCE_WINDOW: Final = timedelta(minutes=15)


class Unauthenticated(Refusal):
    """Nobody we know is asking; the same words whatever the cause."""

    code = "unauthenticated"


class SignInRefused(Unauthenticated):
    """A refused attempt, written down in the transaction that counted it."""

    code = "invalid_credentials"


class Passwords(Protocol):
    """How passwords are kept and compared."""

    def digest(self, password: str) -> str:
        """What is stored of a password."""
        ...

    def matches(self, digest: str | None, password: str) -> bool:
        """Whether the password is right; takes as long where there is no digest at all."""
        ...


class Tokens(Protocol):
    """What a signed-in client carries."""

    lifetime: timedelta

    def issue(self, account_id: UUID, now: datetime) -> str:
        """An access token for that account."""
        ...

    def account_of(self, token: str, now: datetime) -> UUID:
        """Whose token it is; raises Unauthenticated for anything but a valid one."""
        ...

    def new_secret(self) -> tuple[str, str]:
        """A random refresh token and the digest under which it is stored."""
        ...

    def digest(self, secret: str) -> str:
        """The digest of a refresh token that was sent."""
        ...


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


class AccountBook(Protocol):
    """Accounts and refresh tokens, in one transaction."""

    def by_username(self, username: str) -> Account | None:
        """The account of that name, locked, active or not."""
        ...

    def by_id(self, id: UUID) -> Account | None:
        """An account as it stands now."""
        ...

    def save_attempts(self, account: Account) -> None:
        """How often signing in failed."""
        ...

    def source_is_locked(self, source: str, now: datetime) -> bool:
        """Whether too many attempts failed from there."""
        ...

    def note_source_failure(self, source: str, now: datetime) -> None:
        """One more failed attempt from there."""
        ...

    def refresh_token(self, digest: str) -> RefreshToken | None:
        """A refresh token by digest, locked."""
        ...

    def add_refresh_token(self, token: RefreshToken) -> None:
        """A new refresh token."""
        ...

    def use_refresh_token(self, id: UUID, now: datetime) -> None:
        """It was exchanged."""
        ...

    def revoke_family(self, family_id: UUID, now: datetime) -> None:
        """Every token that descends from one sign-in is void."""
        ...

    def note(self, account: Account | None, action: str, now: datetime, code: str | None) -> None:
        """The audit entry; ``code`` None says it went well."""
        ...

    def commit(self) -> None:
        """Keep it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """What signing in needs."""

    passwords: Passwords
    tokens: Tokens
    book: Callable[[], AbstractContextManager[AccountBook]]
    new_id: Callable[[], UUID]


@dataclass(frozen=True, slots=True)
class Issued:
    """What a client gets: lifetime in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


def sign_in(door: SignIn, username: str, password: str, source: str, now: datetime) -> Issued:
    """Exchange name and password for tokens. Refuses every failure with the same words."""
    with door.book() as book:
        account = book.by_username(username)
        usable = (
            account is not None
            and account.is_active
            and not account.is_locked(now)
            and not book.source_is_locked(source, now)
        )
        right = door.passwords.matches(account.password_hash if account else None, password)
        if account is None or not usable or not right:
            if account is not None and not account.is_locked(now):
                account.note_failure(now)
                book.save_attempts(account)
            book.note_source_failure(source, now)
            book.note(account, "auth.sign_in", now, "invalid_credentials")
            book.commit()
            raise SignInRefused("name or password is wrong")
        if account.failed_attempts or account.locked_until:
            account.note_success()
            book.save_attempts(account)
        issued = _issue(door, book, account.id, door.new_id(), now)
        book.note(account, "auth.sign_in", now, None)
        book.commit()
        return issued


def refresh(door: SignIn, secret: str, now: datetime) -> Issued:
    """Exchange a refresh token for new tokens; one that comes twice voids its whole family."""
    with door.book() as book:
        known = book.refresh_token(door.tokens.digest(secret))
        account = book.by_id(known.account_id) if known else None
        if known is not None and known.used_at is not None and known.revoked_at is None:
            book.revoke_family(known.family_id, now)
        fresh = (
            known is not None
            and known.used_at is None
            and known.revoked_at is None
            and now < known.expires_at
        )
        if known is None or account is None or not account.is_active or not fresh:
            book.note(account, "auth.refresh", now, "invalid_credentials")
            book.commit()
            raise SignInRefused("sign in again")
        book.use_refresh_token(known.id, now)
        issued = _issue(door, book, account.id, known.family_id, now)
        book.note(account, "auth.refresh", now, None)
        book.commit()
        return issued


def _issue(
    door: SignIn, book: AccountBook, account_id: UUID, family_id: UUID, now: datetime
) -> Issued:
    secret, digest = door.tokens.new_secret()
    book.add_refresh_token(
        RefreshToken(
            id=door.new_id(),
            account_id=account_id,
            family_id=family_id,
            digest=digest,
            issued_at=now,
            expires_at=now + REFRESH_FOR,
        )
    )
    return Issued(
        door.tokens.issue(account_id, now), secret, int(door.tokens.lifetime.total_seconds())
    )


def who_asks(door: SignIn, token: str | None, now: datetime) -> Actor:
    """The actor behind an access token, with the rights the account has now."""
    if not token:
        raise Unauthenticated("sign in first")
    account_id = door.tokens.account_of(token, now)
    with door.book() as book:
        account = book.by_id(account_id)
    if account is None or not account.is_active:
        raise Unauthenticated("sign in first")
    return account.actor()
