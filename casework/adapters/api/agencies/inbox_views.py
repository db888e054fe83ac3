"""Response views of an agency's inbox: what is owed, results of answers, its own staff."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from casework.adapters.api.referring import views as referral_views
from casework.adapters.api.shared import views as shared_views
from casework.adapters.api.shared.views import Lateness
from casework.adapters.http.responses import WithETag
from casework.domain.access.accounts import Account
from casework.domain.access.policy import Actor
from casework.domain.agencies.inbox import WANTS
from casework.domain.privacy.masks import masked
from casework.workflows.context import Context
from casework.workflows.ports.casefile import ReferralView

READ: Final = "inbox.read"
OF_REFERRAL: Final = (
    "id",
    "status",
    "priority",
    "service_code",
    "field",
    "centre_code",
    "case_id",
    "case_number",
    "planned_service_id",
    "message",
    "resident",
    "asked",
    "contact",
    "requested_at",
    "expected_start_on",
    "expected_on",
    "hold_until",
    "allowed_actions",
)
STAFF: Final = ("id", "username", "name", "email", "is_lead", "is_active", "must_change_password")


def inbox_item(ctx: Context) -> Callable[[ReferralView], dict[str, Any]]:
    """A request as ``GET /referrals/{id}`` shows it to this one, with what it waits for."""
    lateness, actor, now = Lateness(ctx.clockwork, ctx.now), ctx.actor, ctx.now

    def show(view: ReferralView) -> dict[str, Any]:
        whole, clock = referral_views.referral(view, actor, now), view.deadlines[0]
        is_late = clock.is_overdue(now)
        row = {"district_code": clock.district_code, "due_at": clock.due_at}
        body = {name: whole[name] for name in OF_REFERRAL} | {
            "wants": WANTS[clock.kind],
            "deadline": next(iter(whole["deadlines"]), None),
            "due_at": shared_views.instant(clock.due_at),
            "overdue": is_late,
            "working_days_late": lateness.of(row) if is_late else 0,
        }
        return masked(body, actor, READ, "inbox item")

    return show


def standing(view: ReferralView | None, actor: Actor, ctx: Context) -> dict[str, Any]:
    """Where a request stands now and what may be done next; nothing of one that is not seen."""
    if view is None:
        return {"state": None, "allowed_actions": []}
    whole = referral_views.referral(view, actor, ctx.now)
    return {"state": whole["status"], "allowed_actions": whole["allowed_actions"]}


def staff(it: Account) -> dict[str, Any]:
    """Somebody of the agency as its lead sees them."""
    shown = {name: getattr(it, name) for name in STAFF if name != "is_lead"}
    return {name: it.is_head if name == "is_lead" else shown[name] for name in STAFF}


def one_of_staff(it: Account) -> WithETag:
    """The same as a single resource."""
    return WithETag(staff(it), it.version)
