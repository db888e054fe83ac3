"""Signing in: with the local directory, by rotating tokens, by an identity provider's, by own."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from casework.domain.access.policy import Actor
from casework.domain.access.tokens import PREFIX
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.errors import Forbidden
from casework.workflows.access import attempts
from casework.workflows.access.attempts import Given
from casework.workflows.ports.access import (
    AccountBook,
    Issued,
    Passwords,
    RefreshToken,
    SignIn,
    SignInRefused,
    Tokens,
    Unauthenticated,
)

__all__ = [
    "AccountBook", "Issued", "Passwords", "RefreshToken", "SignIn", "SignInRefused", "Tokens",
    "Unauthenticated", "refresh", "sign_in", "sign_out", "who_asks",
]  # fmt: skip

REFRESH_FOR: Final = timedelta(hours=12)
SOURCE_MAY_FAIL: Final = 100
SOURCE_WINDOW: Final = timedelta(minutes=15)


def sign_in(
    door: SignIn,
    username: str,
    given: Given,
    source: str,
    now: datetime,
) -> Issued:
    """Exchange name and password for tokens. Refuses every failure with the same words.

    Three parts: the try is counted, the password is compared while nothing is locked, and what
    came of it is written.
    """
    check_local(door)
    tried = attempts.begin(door, username, source, now)
    right = door.passwords.matches(tried.digest, given.password)
    with door.book() as book:
        try:
            account = attempts.settle(door, book, tried, given, right=right)
        except attempts.Wrong:
            book.note(book.by_id(tried.account_id), "auth.sign_in", now, "invalid_credentials")
            book.commit()
            raise SignInRefused("name or password is wrong") from None
        issued = _issue(door, book, account.id, door.new_id(), now)
        book.note(account, "auth.sign_in", now, None)
        book.commit()
        return issued


def check_local(door: SignIn) -> None:
    """Refuse passwords where everybody signs in at the identity provider."""
    if not door.is_local:
        raise Forbidden("sign in at the identity provider", code="local_sign_in_off")


def refresh(door: SignIn, secret: str, now: datetime) -> Issued:
    """Exchange a refresh token for new tokens; one that comes twice voids its whole family."""
    check_local(door)
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


def sign_out(door: SignIn, secret: str, now: datetime) -> None:
    """End what descends from one sign-in, by any refresh token of it; says nothing of the token."""
    with door.book() as book:
        known = book.refresh_token(door.tokens.digest(secret))
        account = book.by_id(known.account_id) if known else None
        if known is not None and known.revoked_at is None:
            book.revoke_family(known.family_id, now)
        book.note(account, "auth.sign_out", now, None)
        book.commit()


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
    """The actor behind a token, with the rights the account has now."""
    if not token:
        raise Unauthenticated("sign in first")
    if token.startswith(PREFIX):
        return _by_own_token(door, token, now)
    if door.issuer is not None and door.issuer.is_of(token):
        return _by_issuer(door, door.issuer.external_id_of(token, now))
    account_id = door.tokens.account_of(token, now)
    with door.book() as book:
        account = book.by_id(account_id)
    if account is None or not account.is_active:
        raise Unauthenticated("sign in first")
    return account.actor(account.due_first(totp_is_required=door.totp_is_required))


def _by_issuer(door: SignIn, external_id: str) -> Actor:
    """Whom the identity provider says; its own second factor is its own affair."""
    with door.book() as book:
        account = book.by_external_id(external_id)
    if account is None or not account.is_active:
        raise Unauthenticated("sign in first")
    return account.actor()


def _by_own_token(door: SignIn, secret: str, now: datetime) -> Actor:
    """Whose token it is, for what it was made for; the day of its last use is kept."""
    with door.book() as book:
        found = book.by_token(door.tokens.digest(secret))
        if found is None:
            raise Unauthenticated("sign in first")
        account, token = found
        if not account.is_active or not token.is_good(now):
            raise Unauthenticated("sign in first")
        if token.last_used_on != (today := day_in_seoul(now)):
            book.note_use(token.id, today)
            book.commit()
    return account.actor(token.narrowed)
