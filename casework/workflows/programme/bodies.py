"""Entering, changing and ending bodies, and who sits in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from casework.domain.errors import Invalid
from casework.domain.programme import bodies, events, seats
from casework.domain.programme.bodies import Body, Ending
from casework.workflows.context import Context
from casework.workflows.ports.unit_of_work import Work

READ: Final = bodies.READ
WRITE: Final = bodies.WRITE
# No body owes or awaits a task: there are no tasks yet.
NO_TASKS: Final = 0


def add_body(ctx: Context, facts: Mapping[str, Any]) -> UUID:
    """Enter a body of the city or of a district."""
    with ctx.work(WRITE) as work:
        bodies.check_area(ctx.actor, facts["area"])
        work.bodies.check_area(facts["area"])
        _check_known(work, facts)
        since = max(ctx.act.today, facts.get("valid_from") or ctx.act.today)
        around = work.bodies.around(None, facts["area"], facts.get("parent_id"), since)
        body = bodies.new_body(facts, around, ctx.act)
        work.bodies.add(body)
        work.record([events.added(body, ctx.act)])
        work.commit(body.id)
        return body.id


def change_body(ctx: Context, id: UUID, changes: Mapping[str, Any]) -> UUID:
    """Change what a body is called, is under, goes by, or answers for."""
    with ctx.work(WRITE) as work:
        before = work.bodies.get(id)
        ctx.expect(before.version)
        _check_known(work, changes)
        parent_id = changes.get("parent_id", before.parent_id)
        since = max(ctx.act.today, before.valid_from)
        around = work.bodies.around(id, before.area, parent_id, since)
        changed = bodies.changed_body(before, changes, around, ctx.act)
        if changed != before:
            work.bodies.save(changed)
            work.record([events.changed(before, changed, ctx.act)])
        work.commit(id)
        return id


def end_body(ctx: Context, id: UUID, on: date, reason: str, hand_to: UUID | None) -> UUID:
    """Say on which day a body is there for the last time; its seats end with it."""
    with ctx.work(WRITE) as work:
        before = work.bodies.get(id)
        ctx.expect(before.version)
        ending = Ending(on=on, reason=reason, open_tasks=NO_TASKS, hand_to=_taker(work, hand_to))
        around = work.bodies.around(id, before.area, before.parent_id, before.valid_to or on)
        ended = bodies.ended_body(before, ending, around, ctx.act)
        held = work.bodies.seats(id)
        shortened, gone = seats.ended_with(ended, held), seats.never_held(ended, held)
        work.bodies.save(ended)
        work.bodies.save_seats(shortened)
        work.bodies.remove_seats(gone)
        work.record([events.ended(ended, on, ctx.act)])
        work.record([events.seat_ended(one, on, ctx.act) for one in (*shortened, *gone)])
        work.commit(id)
        return id


def add_seats(ctx: Context, body_id: UUID, wanted: Sequence[Mapping[str, Any]]) -> UUID:
    """Give people, or offices, a seat in a body: all of them, or none."""
    with ctx.work(WRITE) as work:
        body = work.bodies.get(body_id)
        ctx.expect(body.version)
        _check_accounts(work, body, wanted)
        made = seats.added_seats(body, work.bodies.seats(body_id), wanted, ctx.act)
        work.bodies.add_seats(body, made)
        work.record([events.seated(one, ctx.act) for one in made])
        work.commit(body_id)
        return body_id


def end_seat(ctx: Context, seat_id: UUID, on: date) -> UUID:
    """Say on which day a seat is held for the last time; returns its body."""
    with ctx.work(WRITE) as work:
        body, seat = work.bodies.of_seat(seat_id)
        ctx.expect(body.version)
        ended = seats.ended_seat(seat, on, ctx.act)
        work.bodies.save_seats([ended])
        work.bodies.save(replace(body))
        work.record([events.seat_ended(ended, on, ctx.act)])
        work.commit(body.id)
        return body.id


def _taker(work: Work, id: UUID | None) -> Body | None:
    """Who takes over, by an id from a request."""
    if id is None:
        return None
    found = work.bodies.named(id)
    if found is None:
        raise Invalid("no such body", code="unknown_body", field="hand_to")
    return found


def _check_known(work: Work, facts: Mapping[str, Any]) -> None:
    """Refuse services and an agency that there are not."""
    if work.bodies.unknown_services(facts.get("services") or ()):
        raise Invalid("no such service", code="unknown_service", field="services")
    agency = facts.get("provider_id")
    if agency is not None and not work.directory.known_providers([agency]):
        raise Invalid("no such agency", code="unknown_provider", field="provider_id")


def _check_accounts(work: Work, body: Body, wanted: Sequence[Mapping[str, Any]]) -> None:
    """Refuse an account that there is not, not in scope, or of another district than the body's.

    The answer is the same.
    """
    named = {one["account_id"] for one in wanted} - {None}
    known = work.bodies.known_accounts(named, body.area)
    for n, one in enumerate(wanted):
        if one["account_id"] is not None and one["account_id"] not in known:
            raise Invalid("no such account", code="unknown_account", field=f"seats.{n}.account_id")
