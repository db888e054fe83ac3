"""Administration of an agency's own staff accounts by its lead.

The changes and the grant log are those of ``casework/workflows/access/accounts.py``, as for an
administrator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from casework.domain.access.accounts import Account, NewAccount, check_password
from casework.domain.access.grant_log import GrantAct
from casework.domain.access.policy import Role
from casework.domain.errors import Conflict, Forbidden
from casework.workflows.access import accounts
from casework.workflows.access.accounts import AccountEditor
from casework.workflows.access.administering import refuse_own, rename
from casework.workflows.context import Context
from casework.workflows.ports.access import Authentication
from casework.workflows.ports.unit_of_work import Work

STAFF: Final = "staff.manage"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStaff:
    """A request for a staff account; its agency is the actor's."""

    username: str
    name: str
    email: str | None = None
    is_lead: bool = False


def add_staff(
    ctx: Context, authentication: Authentication, requested: NewStaff, password: str
) -> UUID:
    """Create an account in one's own agency with a first password; returns its id."""
    with ctx.reading(STAFF) as reading:  # by slug, as every creation request names it
        slug = reading.staff.agency()
    new = NewAccount(
        username=requested.username, role=Role.PROVIDER, name=requested.name, provider=slug,
        is_head=requested.is_lead, email=requested.email,
    )  # fmt: skip
    new.check()
    check_password(password, new.username, authentication.common)
    password_hash = authentication.passwords.digest(password)  # slow, so outside the transaction
    with ctx.work(STAFF) as work:
        _leads(ctx, work)
        id = accounts.create(_editor(ctx, work), new, password_hash)
        work.commit(id)
        return id


def change_staff(ctx: Context, id: UUID, changes: dict[str, Any]) -> UUID:
    """Change name, mail address or lead; enable or disable."""
    with ctx.work(STAFF) as work:
        leads = _leads(ctx, work)
        account = work.staff.locked(id)
        ctx.expect(account.version)
        _keep_a_lead(account, leads, changes)
        editor = _editor(ctx, work)
        if changes.get("is_lead", account.is_head) != account.is_head:
            account.is_head = changes["is_lead"]
            if not account.is_head:
                accounts.end_credentials(editor, account)
            editor.save(account, GrantAct.CHANGED)
        if "is_active" in changes:
            accounts.activate(editor, account, active=changes["is_active"])
        rename(work, account, changes)
        work.commit(id)
        return id


def reset_staff_password(
    ctx: Context, authentication: Authentication, id: UUID, password: str
) -> UUID:
    """Reset a forgotten password to one that its owner must change."""
    with ctx.reading(STAFF) as reading:
        known = reading.staff.get(id)
    check_password(password, known.username, authentication.common)
    password_hash = authentication.passwords.digest(password)
    with ctx.work(STAFF) as work:
        _leads(ctx, work)
        account = work.staff.locked(id)
        refuse_own(ctx, account)
        accounts.reset_password(_editor(ctx, work), account, password_hash)
        work.commit(id)
        return id


def _leads(ctx: Context, work: Work) -> list[UUID]:
    """The agency's leads, locked; refuses an actor who is no longer one."""
    leads = work.staff.leads()
    if ctx.actor.id not in leads:
        raise Forbidden(f"{ctx.actor.role} may not do this")
    return leads


def _keep_a_lead(account: Account, leads: list[UUID], changes: dict[str, Any]) -> None:
    """Refuse to disable or demote the last lead of an agency."""
    goes = changes.get("is_active") is False or changes.get("is_lead") is False
    if goes and leads == [account.id]:
        raise Conflict("nobody else leads this agency", code="last_lead")


def _editor(ctx: Context, work: Work) -> AccountEditor:
    return AccountEditor(work.account_administration, ctx.actor, ctx.now, ctx.new_id)
