"""Who leaves hands the open cases over in the same act."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from casework.domain.access.accounts import Account
from casework.domain.errors import Invalid, NotFound
from casework.workflows.access import administering
from casework.workflows.access.securing import MANAGE
from casework.workflows.cases.caseload import hand_over_cases
from casework.workflows.context import Context
from casework.workflows.ports.unit_of_work import Reading, Work


def change_account(
    ctx: Context, id: UUID, changes: dict[str, Any], hand_over_to: UUID | None
) -> UUID:
    """Change an account; its open cases go to a worker of the same centre where one is named."""

    def hand_over(work: Work, account: Account) -> None:
        centre, colleague = account.centre_code, None
        if centre is not None and hand_over_to not in (None, account.id):
            colleague = work.accounts.worker_of(hand_over_to, centre)
        if colleague is None:
            raise Invalid(
                "no such worker in this centre", code="unknown_worker", field="hand_over_to"
            )
        hand_over_cases(ctx, work, account.id, [colleague], "hand_over_to")

    return administering.change_account(
        ctx, id, changes, None if hand_over_to is None else hand_over
    )


def disable_and_hand_over(ctx: Context, username: str, hand_over_to: str) -> None:
    """Disable an account by its user name; its open cases go to that of another of its centre."""
    with ctx.reading(MANAGE) as reading:
        leaver, heir = (_named(reading, name) for name in (username, hand_over_to))
    change_account(ctx, leaver.id, {"is_active": False}, heir.id)


def _named(reading: Reading, username: str) -> Account:
    # The input may not be valid text, which must not reach a database query.
    found = reading.account_administration.by_username(username) if username.isprintable() else None
    if found is None:
        raise NotFound(f"no account {username!r}")
    return found
