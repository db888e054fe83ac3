"""Care conferences, planned or recorded, with an agenda; decisions are in ``planning``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from casework.domain.casefile.plan import Conference
from casework.domain.errors import Invalid, NotFound
from casework.domain.planning import conferences
from casework.workflows.context import Context
from casework.workflows.ports.unit_of_work import Work


def hold_conference(ctx: Context, held_on: date, members: list[dict[str, str]]) -> UUID:
    """Plan or record a meeting of the actor's district, for decisions to refer to."""
    with ctx.work("plan.decide") as work:
        conferences.check_members(members)
        ctx.act.not_too_late(held_on, "held_on")
        conference = add_conference(ctx, work, ctx.actor.district_code or "", held_on, members)
        work.commit(conference.id)
        return conference.id


def add_conference(
    ctx: Context, work: Work, district_code: str, held_on: date, members: list[dict[str, str]]
) -> Conference:
    """Add a meeting within the caller's transaction."""
    conference = Conference(
        id=ctx.new_id(),
        district_code=district_code,
        held_on=held_on,
        members=members,
        recorded_at=ctx.now,
        recorded_by=ctx.actor.id,
    )
    work.conferences.add(conference)
    return conference


def known_conference(work: Work, id: UUID) -> Conference:
    """A meeting that a request body names, which must be of the actor's district."""
    try:
        return work.conferences.get(id)
    except NotFound:
        raise Invalid(
            "no such conference", code="unknown_conference", field="conference_id"
        ) from None


def put_on_agenda(ctx: Context, conference_id: UUID, case_ids: Sequence[UUID]) -> UUID:
    """Put submitted plans on the agenda of a meeting, all of them or none."""
    with ctx.work("plan.decide") as work:
        conference = work.conferences.get(conference_id, lock=True)
        ctx.expect(work.conferences.stamp(conference_id))
        submissions = work.conferences.submissions(case_ids)
        items, events = conferences.put_on_agenda(
            conference, case_ids, submissions, work.conferences.agenda(conference_id), ctx.act
        )
        work.conferences.add_items(items)
        work.record(events)
        work.about(*(one.resident_id for one in submissions.values() if one is not None))
        work.commit(conference_id)
        return conference_id


def check_decisions(ctx: Context, work: Work, conference_id: UUID) -> None:
    """Refuse decisions of a meeting outside the actor's district, or not held yet."""
    conference = work.conferences.get(conference_id)
    ctx.expect(work.conferences.stamp(conference_id))
    conferences.check_held(conference, ctx.act)
