"""The counters of places, moved by what a save changed of the referrals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Update, case, update

from casework.adapters.persistence import tables as t
from casework.domain.directory.capacity import CapacityChange
from casework.domain.errors import Conflict


def settle(connection: Connection, changes: Sequence[CapacityChange]) -> None:
    """Take and free places, each in one statement that locks the offering until the commit.

    A request for the last place waits for the lock; if no place is left, it gets 409, and all
    that belongs to the move is undone. Offerings are locked in the order of their ids, so that two
    transactions that touch several of them do not deadlock.
    """
    for change in changes:
        if change.is_any_found:
            connection.execute(_found(change))
        elif connection.execute(_settled(change)).rowcount == 0:
            raise Conflict(
                "no place is free; where there is one, state the figures again",
                code="no_free_place",
                state=change.taker_was,
            )


def _settled(change: CapacityChange) -> Update:
    held, joined = change.taken - change.released, change.joined - change.left
    available = t.offering.c.available - held
    waitlisted = t.offering.c.waitlisted + joined
    # Of what comes free, as many as wait, before and afterwards: who joins now was told to wait.
    kept = t.offering.c.for_waiting + change.released - change.taken_as_offered
    before = waitlisted if joined < 0 else t.offering.c.waitlisted
    values: dict[str, Any] = {
        "available": available,
        "held": t.offering.c.held + held,
        "waitlisted": waitlisted,
        "waiting": t.offering.c.waiting + joined,
        "for_waiting": _at_least_none(_least(kept, _least(available, before))),
        "capacity_version": t.offering.c.capacity_version + 1,
    }
    if change.full_until is not None:
        values["full_until"] = _latest(change.full_until)
    return (
        update(t.offering)
        .where(t.offering.c.id == change.offering_id, t.offering.c.available >= held)
        .values(values)
    )


def _found(change: CapacityChange) -> Update:
    """What ran before the agency stated its figures is in them: it takes no free place.

    Where more run or wait than it stated, that is how many there are.
    """
    held = t.offering.c.held + change.found_holding
    waitlisted = t.offering.c.waitlisted + change.found_waiting
    capacity = _most(t.offering.c.capacity, held)
    available = _least(t.offering.c.available, capacity - held)
    values: dict[str, Any] = {
        "capacity": capacity,
        "available": available,
        "held": held,
        "waitlisted": waitlisted,
        "waiting": _most(t.offering.c.waiting, waitlisted),
        "for_waiting": _least(t.offering.c.for_waiting, available),
        "capacity_version": t.offering.c.capacity_version + 1,
    }
    return update(t.offering).where(t.offering.c.id == change.offering_id).values(values)


def _most(one: Any, other: Any) -> Any:
    return case((one > other, one), else_=other)


def _least(one: Any, other: Any) -> Any:
    return case((one < other, one), else_=other)


def _at_least_none(number: Any) -> Any:
    return case((number < 0, 0), else_=number)


def _latest(until: date) -> Any:
    """A mark is moved to a later day only; stating figures takes it away."""
    return case((t.offering.c.full_until > until, t.offering.c.full_until), else_=until)
