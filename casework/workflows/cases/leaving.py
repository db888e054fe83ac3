"""Who leaves hands the open cases over in the same act."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from casework.domain.access.accounts import Account
from casework.domain.errors import Invalid
from casework.workflows.access import administering
from casework.workflows.cases.caseload import hand_over_cases
from casework.workflows.context import Context
from casework.workflows.ports.unit_of_work import Work


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
