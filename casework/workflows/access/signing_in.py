"""Authentication: local password, rotating refresh tokens, identity provider, account tokens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from casework.domain.access.policy import Actor
from casework.domain.access.tokens import PREFIX, RefreshToken
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.errors import Forbidden
from casework.workflows.access import attempts
from casework.workflows.access.asking import Asker, KnownActors
from casework.workflows.access.attempts import Credentials
from casework.workflows.ports.access import (
    Authentication,
    Issued,
    Passwords,
    SignInRefused,
    SignInStore,
    Tokens,
    Unauthenticated,
)

__all__ = [
    "Authentication",
    "Issued",
    "Passwords",
    "SignInRefused",
    "SignInStore",
    "Tokens",
    "Unauthenticated",
    "assume",
    "authenticate",
    "refresh",
    "sign_in",
    "sign_out",
]  # fmt: skip

REFRESH_FOR: Final = timedelta(hours=12)
MAX_SOURCE_FAILURES: Final = 100
SOURCE_WINDOW: Final = timedelta(minutes=15)


def sign_in(
    authentication: Authentication,
    username: str,
    given: Credentials,
    source: str,
    now: datetime,
) -> Issued:
    """Exchange name and password for tokens. Every failure gets the same refusal.

    Three steps: the attempt is counted, the password is compared while nothing is locked, and
    the result is written.
    """
    check_local(authentication)
    tried = attempts.begin_attempt(authentication, username, source, now)
    right = authentication.passwords.matches(tried.digest, given.password)
    with authentication.store() as store:
        try:
            account = attempts.settle_attempt(authentication, store, tried, given, right=right)
        except attempts.WrongCredentials:
            store.note(store.by_id(tried.account_id), "auth.sign_in", now, "invalid_credentials")
            store.commit()
            raise SignInRefused("name or password is wrong") from None
        issued = _issue(authentication, store, account.id, authentication.new_id(), now)
        store.note(account, "auth.sign_in", now, None)
        store.commit()
        return issued


def check_local(authentication: Authentication) -> None:
    """Refuse passwords where everyone signs in at the identity provider."""
    if not authentication.is_local:
        raise Forbidden("sign in at the identity provider", code="local_sign_in_off")


def refresh(authentication: Authentication, secret: str, now: datetime) -> Issued:
    """Exchange a refresh token for new tokens; reusing one revokes its whole family."""
    check_local(authentication)
    with authentication.store() as store:
        known = store.refresh_token(authentication.tokens.digest(secret))
        account = store.by_id(known.account_id) if known else None
        if known is not None and known.used_at is not None and known.revoked_at is None:
            store.revoke_family(known.family_id, now)
        fresh = known is not None and known.is_good(now)
        if known is not None and known.revoked_at is None and now >= known.expires_at:
            # So that it is not good again where the clock is set back.
            store.revoke_family(known.family_id, now)
        if known is None or account is None or not account.is_active or not fresh:
            store.note(account, "auth.refresh", now, "invalid_credentials")
            store.commit()
            raise SignInRefused("sign in again")
        store.use_refresh_token(known.id, now)
        issued = _issue(authentication, store, account.id, known.family_id, now)
        store.note(account, "auth.refresh", now, None)
        store.commit()
        return issued


def sign_out(authentication: Authentication, secret: str, now: datetime) -> None:
    """Revoke a sign-in's token family by any of its refresh tokens; discloses nothing."""
    with authentication.store() as store:
        known = store.refresh_token(authentication.tokens.digest(secret))
        account = store.by_id(known.account_id) if known else None
        if known is not None and known.revoked_at is None:
            store.revoke_family(known.family_id, now)
        store.note(account, "auth.sign_out", now, None)
        store.commit()


def _issue(
    authentication: Authentication,
    store: SignInStore,
    account_id: UUID,
    family_id: UUID,
    now: datetime,
) -> Issued:
    secret, digest = authentication.tokens.new_secret()
    store.add_refresh_token(
        RefreshToken(
            id=authentication.new_id(),
            account_id=account_id,
            family_id=family_id,
            digest=digest,
            issued_at=now,
            expires_at=now + REFRESH_FOR,
        )
    )
    return Issued(
        authentication.tokens.issue(account_id, now),
        secret,
        int(authentication.tokens.lifetime.total_seconds()),
    )


def authenticate(
    authentication: Authentication,
    token: str | None,
    now: datetime,
    known: KnownActors | None = None,
) -> Actor:
    """The actor of a token, with the account's current rights.

    Who asks with an access token of ours is remembered among those who are ``known``.
    """
    if not token:
        raise Unauthenticated("sign in first")
    if token.startswith(PREFIX):
        return _by_own_token(authentication, token, now)
    if authentication.issuer is not None and authentication.issuer.is_of(token):
        return _by_issuer(authentication, authentication.issuer.external_id_of(token, now))
    account_id, issued_at = authentication.tokens.read(token, now)
    with authentication.store() as store:
        account = store.by_id(account_id)
    is_required = authentication.totp_is_required
    actor = None if account is None else account.actor_for(issued_at, totp_is_required=is_required)
    if actor is None:
        raise Unauthenticated("sign in first")
    if known is not None:
        known.remember(actor)
    return actor


def assume(
    authentication: Authentication, known: KnownActors, token: str | None, now: datetime
) -> Asker | None:
    """Who asks with an access token of ours, without asking the database.

    None where it is another kind of token, or of somebody who is not known.
    """
    if not token or token.startswith(PREFIX):
        return None
    if authentication.issuer is not None and authentication.issuer.is_of(token):
        return None
    account_id, issued_at = authentication.tokens.read(token, now)
    actor = known.get(account_id)
    if actor is None:
        return None
    return Asker(actor, account_id, issued_at, authentication.totp_is_required)


def _by_issuer(authentication: Authentication, external_id: str) -> Actor:
    """The account of an identity; a second factor is the identity provider's concern."""
    with authentication.store() as store:
        account = store.by_external_id(external_id)
    if account is None or not account.is_active:
        raise Unauthenticated("sign in first")
    return account.actor()


def _by_own_token(authentication: Authentication, secret: str, now: datetime) -> Actor:
    """The actor of an account token, with its scopes; the day of its last use is stored."""
    with authentication.store() as store:
        found = store.by_token(authentication.tokens.digest(secret))
        if found is None:
            raise Unauthenticated("sign in first")
        account, token = found
        if not account.is_active or not token.is_good(now):
            raise Unauthenticated("sign in first")
        if token.last_used_on != (today := day_in_seoul(now)):
            store.note_use(token.id, today)
            store.commit()
    return account.actor(token.credential_scope)
