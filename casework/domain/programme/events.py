"""What happens to a body and its seats; the names of office-holders are in none of it."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from uuid import UUID

from casework.domain.act import Act
from casework.domain.events import Code, Event, EventMetadata, EventSubject, event
from casework.domain.programme.bodies import Body
from casework.domain.programme.kinds import BodyKind, SeatedBy, SeatPart
from casework.domain.programme.seats import Seat


@event(EventSubject.BODY)
class BodyAdded(Event):
    """A body was entered."""

    kind: BodyKind
    area: Code
    valid_from: date


@event(EventSubject.BODY)
class BodyChanged(Event):
    """Facts of a body were changed: which."""

    names: tuple[Code, ...]


@event(EventSubject.BODY)
class BodyEnded(Event):
    """A body got its last day, and perhaps somebody who takes over."""

    on: date
    handed_to_id: UUID | None = None


@event(EventSubject.BODY)
class SeatAdded(Event):
    """Somebody has a seat in a body."""

    seat_id: UUID
    part: SeatPart
    seated_by: SeatedBy
    begins_on: date
    ends_on: date | None
    account_id: UUID | None


@event(EventSubject.BODY)
class SeatEnded(Event):
    """A seat got its last day."""

    seat_id: UUID
    on: date


def added(body: Body, act: Act) -> BodyAdded:
    """That a body was entered."""
    return BodyAdded(
        meta=EventMetadata.of(act, body.id),
        kind=body.kind,
        area=body.area,
        valid_from=body.valid_from,
    )


def changed(before: Body, after: Body, act: Act) -> BodyChanged:
    """Which facts of a body were changed."""
    names = (one.name for one in fields(Body))
    return BodyChanged(
        meta=EventMetadata.of(act, after.id),
        names=tuple(name for name in names if getattr(before, name) != getattr(after, name)),
    )


def ended(body: Body, on: date, act: Act) -> BodyEnded:
    """That a body got its last day."""
    return BodyEnded(meta=EventMetadata.of(act, body.id), on=on, handed_to_id=body.handed_to_id)


def seated(seat: Seat, act: Act) -> SeatAdded:
    """That somebody has a seat."""
    return SeatAdded(
        meta=EventMetadata.of(act, seat.body_id),
        seat_id=seat.id,
        part=seat.part,
        seated_by=seat.seated_by,
        begins_on=seat.begins_on,
        ends_on=seat.ends_on,
        account_id=seat.account_id,
    )


def seat_ended(seat: Seat, on: date, act: Act) -> SeatEnded:
    """That a seat got its last day."""
    return SeatEnded(meta=EventMetadata.of(act, seat.body_id), seat_id=seat.id, on=on)
