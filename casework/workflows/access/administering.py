"""Account administration over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from casework.domain.access.accounts import (
    Account,
    NewAccount,
    check_email,
    check_name,
    check_password,
)
from casework.domain.access.policy import Role
from casework.domain.access.tokens import NewToken
from casework.domain.errors import Conflict, NotFound, require
from casework.domain.text import clean_line
from casework.workflows.access import accounts
from casework.workflows.access.accounts import AccountEditor
from casework.workflows.access.securing import MANAGE, make_token, revoke_token
from casework.workflows.context import Context
from casework.workflows.ports.access import Authentication
from casework.workflows.ports.unit_of_work import Work

PLACE = ("role", "centre", "district", "provider", "is_head")


def create_account(
    ctx: Context, authentication: Authentication, requested: NewAccount, password: str
) -> UUID:
    """Create an account with a first password; returns its id."""
    requested.check()
    check_password(password, requested.username, authentication.common)
    password_hash = authentication.passwords.digest(password)  # slow, so outside the transaction
    with ctx.work(MANAGE) as work:
        id = accounts.create(_editor(ctx, work), requested, password_hash)
        work.commit(id)
        return id


def change_account(
    ctx: Context,
    id: UUID,
    changes: dict[str, Any],
    hand_over: Callable[[Work, Account], object] | None = None,
) -> UUID:
    """Change name, mail address, telephone, role or place; enable or disable.

    ``hand_over`` gives the open cases of one who is disabled or moved to somebody else.
    """
    with ctx.work(MANAGE) as work:
        editor, account = _editor(ctx, work), found(work, id)
        ctx.expect(account.version)
        placed = {name: value for name, value in changes.items() if name in PLACE}
        leaves = bool(placed) or changes.get("is_active") is False
        if leaves:
            refuse_own(ctx, account)
        if hand_over is not None:
            require(
                leaves, "only of who is disabled or moved",
                code="does_not_leave", field="hand_over_to",
            )  # fmt: skip
            hand_over(work, account)
        if placed:
            accounts.move(editor, account, accounts.moved(_asked(account), placed))
        if changes.get("is_active") is not None:
            accounts.activate(editor, account, active=changes["is_active"])
        rename(work, account, changes)
        work.commit(id)
        return id


def rename(work: Work, account: Account, changes: dict[str, Any]) -> None:
    """Change name, mail address or telephone, where one is among the changes."""
    if not {"name", "email", "phone"} & set(changes):
        return
    account.name = clean_line(changes.get("name", account.name))
    account.email = changes.get("email", account.email)
    account.phone = changes.get("phone", account.phone)
    check_name(account.name)
    check_email(account.email)
    work.account_administration.save(account)


def _asked(account: Account) -> NewAccount:
    """The account as a creation request; a move to an agency must name the agency."""
    return accounts.as_asked(account, None)


def refuse_own(ctx: Context, account: Account) -> None:
    """Refuse administrators such changes to their own account."""
    if account.id == ctx.actor.id:
        raise Conflict("somebody else does this to your account", code="own_account")


def reset_password(ctx: Context, authentication: Authentication, id: UUID, password: str) -> UUID:
    """Reset a forgotten password to one that its owner must change."""
    with ctx.reading(MANAGE) as reading:
        known = reading.account_administration.get(id)
    check_password(password, known.username, authentication.common)
    password_hash = authentication.passwords.digest(password)
    with ctx.work(MANAGE) as work:
        account = found(work, id)
        refuse_own(ctx, account)
        accounts.reset_password(_editor(ctx, work), account, password_hash)
        work.commit(id)
        return id


def reset_totp(ctx: Context, id: UUID) -> UUID:
    """Remove the second factor that the owner has lost."""
    with ctx.work(MANAGE) as work:
        account = found(work, id)
        refuse_own(ctx, account)
        accounts.drop_totp(_editor(ctx, work), account)
        work.commit(id)
        return id


def set_grant(ctx: Context, id: UUID, action: str, *, given: bool) -> UUID:
    """Grant a system's account an action, or revoke it."""
    with ctx.work(MANAGE) as work:
        (accounts.give if given else accounts.take)(_editor(ctx, work), found(work, id), action)
        work.commit(id)
        return id


def make_token_for(
    ctx: Context, authentication: Authentication, id: UUID, requested: NewToken
) -> tuple[UUID, str]:
    """Create a token for a system; people create their own. Returns its id and secret."""
    with ctx.work(MANAGE) as work:
        account = found(work, id)
        if account.role is not Role.INTEGRATION:
            raise Conflict("people make their own tokens", code="not_a_system")
        token, secret = make_token(
            ctx, authentication, work.account_administration, account, requested
        )
        work.commit(token.id)
        return token.id, secret


def revoke_token_of(ctx: Context, id: UUID, token_id: UUID) -> UUID:
    """Revoke any account's token at once."""
    with ctx.work(MANAGE) as work:
        account, token = found(work, id), work.account_administration.token(token_id)
        if token is None or token.account_id != account.id:
            raise NotFound("no such token")
        revoke_token(work.account_administration, account, token, ctx.actor, ctx.now, ctx.new_id())
        work.commit(token_id)
        return token_id


def found(work: Work, id: UUID) -> Account:
    """An account, locked."""
    account = work.account_administration.locked(id)
    if account is None:
        raise NotFound("no such account")
    return account


def _editor(ctx: Context, work: Work) -> AccountEditor:
    return AccountEditor(work.account_administration, ctx.actor, ctx.now, ctx.new_id)
