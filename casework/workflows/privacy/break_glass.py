"""Opening a resident out of scope with a reason, ending that, and reviewing it."""

from __future__ import annotations

from uuid import UUID

from casework.domain.access.policy import scope_of
from casework.domain.privacy import break_glass as glass
from casework.workflows.context import Context

OPEN, READ, REVIEW = "break_glass.open", "break_glass.read", "break_glass.review"


def open_resident(ctx: Context, resident_id: UUID, reason: str, hours: int) -> UUID:
    """Open a resident outside the actor's scope, read-only, for some hours.

    It discloses that the resident exists, so the request is audited either way.
    """
    with ctx.work(OPEN) as work:
        found = work.openings.outsider(resident_id, scope_of(ctx.actor, "case.read"))
        opening, event = glass.break_glass(
            found.resident,
            reason,
            hours,
            ctx.act,
            is_within_scope=found.is_within_scope,
            is_open=found.is_open,
        )
        notice = glass.notice_of_opening(opening, event, found.resident)
        work.openings.add(opening, event, notice)
        work.commit(opening.id)
        return opening.id


def end_opening(ctx: Context, id: UUID) -> UUID:
    """End one's own opening early."""
    with ctx.work(OPEN) as work:
        opening = work.openings.get(id)
        ctx.expect(opening.version)
        work.openings.save(opening, opening.end(ctx.act))
        work.commit(id)
        return id


def close_opening(ctx: Context, id: UUID, note: str, *, justified: bool) -> UUID:
    """Record the review by another person of the resident's district."""
    with ctx.work(REVIEW) as work:
        opening = work.openings.get(id)
        ctx.expect(opening.version)
        work.openings.save(opening, opening.close(ctx.act, note, justified=justified))
        work.commit(id)
        return id
