"""An account's own credentials: password, second factor, sessions, tokens."""

from __future__ import annotations

from collections.abc import Callable, Container
from datetime import datetime
from typing import Final
from uuid import UUID

from casework.domain.access import totp
from casework.domain.access.accounts import Account, check_password
from casework.domain.access.grant_log import GrantAct, entry_of
from casework.domain.access.policy import Actor
from casework.domain.access.tokens import MAX_TOKENS, PREFIX, AccountToken, NewToken, live
from casework.domain.errors import Conflict, Forbidden, Invalid, NotFound, require
from casework.domain.text import clean_line
from casework.workflows.access import attempts
from casework.workflows.access.attempts import Credentials
from casework.workflows.context import Context
from casework.workflows.ports.access import AccountAdministration, Authentication

SECURE: Final = "account.secure"
CONTACT: Final = "account.contact"
SECOND_FACTOR: Final = "account.second_factor"
TOKENS: Final = "account.tokens"
MANAGE: Final = "account.manage"
SECRET_BYTES: Final = 32


def change_password(
    ctx: Context, authentication: Authentication, given: Credentials, new: str
) -> None:
    """Change one's own password; ends all sessions and tokens."""
    check_password(new, ctx.actor.username, authentication.common, field="new_password")
    require(
        new != given.password, "this is the old one",
        code="password_unchanged", field="new_password",
    )  # fmt: skip
    _prove(ctx, authentication, given)
    digest = authentication.passwords.digest(new)  # slow, so outside the transaction
    with ctx.work(SECURE) as work:
        account = own(work.account_administration, ctx.actor)
        account.take_password(digest)
        _save(ctx, work.account_administration, account, GrantAct.PASSWORD_CHANGED)
        _end_credentials(ctx, work.account_administration, account)
        work.commit()


def set_own_phone(ctx: Context, phone: str | None) -> None:
    """Say where agencies and colleagues call oneself; not before a first password is one's own."""
    with ctx.work(CONTACT) as work:
        account = own(work.account_administration, ctx.actor)
        account.phone = phone
        work.account_administration.save(account)
        work.commit()


def end_sessions(ctx: Context) -> None:
    """End every session of one's own, and every token."""
    with ctx.work(SECURE) as work:
        account = own(work.account_administration, ctx.actor)
        _end_credentials(ctx, work.account_administration, account)
        work.commit()


def _end_credentials(ctx: Context, register: AccountAdministration, account: Account) -> None:
    end_credentials(register, account, ctx.actor, ctx.now, ctx.new_id)


def end_credentials(
    register: AccountAdministration,
    account: Account,
    by: Actor,
    now: datetime,
    new_id: Callable[[], UUID],
) -> None:
    """End every session of an account and revoke every token: nothing given out lets anybody in."""
    register.sign_out(account, now)
    for token in register.tokens(account.id):
        revoke_token(register, account, token, by, now, new_id())


def prove_anew(ctx: Context, authentication: Authentication, password: str) -> None:
    """Ask for the password before something is given out that outlives the session.

    A wrong one counts as an attempt (403 ``password_wrong``). Where nobody signs in by password,
    the identity provider is who asks, and nothing is asked here.
    """
    if authentication.is_local:
        _prove(ctx, authentication, Credentials(password=password))


def prove_for_address(
    ctx: Context,
    authentication: Authentication,
    account_id: UUID,
    changes: Container[str],
    password: str | None,
) -> None:
    """Ask for the password where one's own mail address or telephone is among the changes.

    Notices go there, so a session that was found open must not lead them elsewhere.
    Raises Invalid ``password_required`` where none was sent, and Forbidden ``password_wrong``.
    """
    is_own = account_id == ctx.actor.id and ("email" in changes or "phone" in changes)
    if not (is_own and authentication.is_local):
        return
    if password is None:
        raise Invalid(
            "one's own address is changed with the password",
            code="password_required", field="password",
        )  # fmt: skip
    prove_anew(ctx, authentication, password)


def begin_totp(ctx: Context, authentication: Authentication, given: Credentials) -> tuple[str, str]:
    """Create a secret for an authenticator, shown only once, and its URI; not in force yet."""
    _prove(ctx, authentication, given)
    secret = totp.as_text(authentication.tokens.random(totp.SECRET_BYTES))
    with ctx.work(SECOND_FACTOR) as work:
        account = own(work.account_administration, ctx.actor)
        if account.has_totp:
            raise Conflict("there is a second factor; remove it first", code="totp_enrolled")
        sealed = authentication.vault.encrypt(secret, attempts.place_of(account))
        work.account_administration.save_totp_sealed(account.id, sealed)
        work.commit()
    return secret, totp.otpauth_uri(secret, ctx.actor.username)


def confirm_totp(ctx: Context, authentication: Authentication, code: str) -> list[str]:
    """Enable the second factor by its first code; returns the recovery codes, shown only once."""
    with ctx.work(SECOND_FACTOR) as work:
        account = own(work.account_administration, ctx.actor)
        sealed = work.account_administration.totp_sealed(account.id)
        if account.has_totp or sealed is None:
            raise Conflict("no second factor waits to be confirmed", code="totp_not_begun")
        step = attempts.accepted_step(authentication, account, sealed, code, ctx.now)
        if step is None:
            raise Forbidden("the code is not right", code="code_wrong")
        account.totp_step, account.totp_confirmed_at = step, ctx.now
        _save(ctx, work.account_administration, account, GrantAct.TOTP_ENROLLED)
        codes = [
            totp.recovery_code(authentication.tokens.random(totp.RECOVERY_BYTES))
            for _ in range(totp.RECOVERY_CODES)
        ]
        digests = [authentication.tokens.digest(totp.plain_recovery_code(one)) for one in codes]
        work.account_administration.save_recovery_codes(account.id, digests)
        work.account_administration.sign_out(account, ctx.now)
        work.commit()
    return codes


def disable_totp(ctx: Context, authentication: Authentication, given: Credentials) -> None:
    """Remove one's own second factor, by password and code."""
    with ctx.work(SECOND_FACTOR) as work:
        if not own(work.account_administration, ctx.actor).has_totp:
            raise Conflict("there is no second factor", code="totp_not_enrolled")
    _prove(ctx, authentication, given, with_factor=True)
    with ctx.work(SECOND_FACTOR) as work:
        account = own(work.account_administration, ctx.actor)
        account.drop_totp()
        work.account_administration.save_totp_sealed(account.id, None)
        _save(ctx, work.account_administration, account, GrantAct.TOTP_REMOVED)
        work.account_administration.save_recovery_codes(account.id, ())
        work.account_administration.sign_out(account, ctx.now)
        work.commit()


def _prove(
    ctx: Context, authentication: Authentication, given: Credentials, *, with_factor: bool = False
) -> None:
    """Check the password for what a stolen token alone must not do; it counts as an attempt."""
    tried = attempts.begin_attempt(authentication, id_of(ctx), None, ctx.now)
    right = authentication.passwords.matches(tried.digest, given.password)
    with authentication.store() as store:
        try:
            attempts.settle_attempt(
                authentication, store, tried, given, right=right, with_factor=with_factor
            )
        except attempts.WrongCredentials:
            store.commit()
            raise Forbidden("password or code is wrong", code="password_wrong") from None
        store.commit()


def id_of(ctx: Context) -> UUID:
    """The id of the actor's account; the system has none."""
    if ctx.actor.id is None:
        raise NotFound("no such account")
    return ctx.actor.id


def own(register: AccountAdministration, actor: Actor) -> Account:
    """One's own account, locked."""
    account = register.locked(actor.id) if actor.id is not None else None
    if account is None:
        raise NotFound("no such account")
    return account


def _save(ctx: Context, register: AccountAdministration, account: Account, act: GrantAct) -> None:
    register.save(account)
    register.log(entry_of(account, act, ctx.actor, ctx.now, ctx.new_id()))


# Tokens


def make_own_token(
    ctx: Context, authentication: Authentication, requested: NewToken
) -> tuple[UUID, str]:
    """Create a token of one's own; returns its id and the secret, shown only once."""
    with ctx.work(TOKENS) as work:
        account = own(work.account_administration, ctx.actor)
        token, secret = make_token(
            ctx, authentication, work.account_administration, account, requested
        )
        work.commit(token.id)
        return token.id, secret


def make_token(
    ctx: Context,
    authentication: Authentication,
    register: AccountAdministration,
    account: Account,
    requested: NewToken,
) -> tuple[AccountToken, str]:
    """Create a token of an account, in the caller's transaction."""
    requested.check(account.actor(), ctx.now)
    if len(live(register.tokens(account.id), ctx.now)) >= MAX_TOKENS:
        raise Conflict("there are too many tokens; revoke some", code="too_many_tokens")
    secret = PREFIX + authentication.tokens.new_secret()[0]
    token = AccountToken(
        id=ctx.new_id(),
        account_id=account.id,
        name=clean_line(requested.name),
        digest=authentication.tokens.digest(secret),
        scopes=sorted(set(requested.scopes)),
        created_at=ctx.now,
        created_by=ctx.actor.id,
        expires_at=requested.expires_at,
    )
    register.add_token(token)
    act = GrantAct.TOKEN_MADE
    register.log(entry_of(account, act, ctx.actor, ctx.now, ctx.new_id(), str(token.id)))
    return token, secret


def revoke_own_token(ctx: Context, token_id: UUID) -> UUID:
    """Revoke a token of one's own at once; idempotent."""
    with ctx.work(TOKENS) as work:
        token = work.account_administration.token(token_id)
        if token is None or token.account_id != ctx.actor.id:
            raise NotFound("no such token")
        account = own(work.account_administration, ctx.actor)
        revoke_token(work.account_administration, account, token, ctx.actor, ctx.now, ctx.new_id())
        work.commit(token_id)
        return token_id


def revoke_token(
    register: AccountAdministration,
    account: Account,
    token: AccountToken,
    by: Actor,
    now: datetime,
    entry_id: UUID,
) -> None:
    """Revoke a token, unless it was revoked before."""
    if token.revoked_at is not None:
        return
    token.revoked_at, token.revoked_by = now, by.id
    register.save_token(token)
    act = GrantAct.TOKEN_REVOKED
    register.log(entry_of(account, act, by, now, entry_id, str(token.id)))
