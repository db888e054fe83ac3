"""Places: taken and freed with the referral's own save, offered in order, stated by agencies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.types import Instant
from casework.adapters.persistence.rows.mapper import to_row
from casework.adapters.persistence.rows.offerings import offering_of
from casework.adapters.persistence.scope.who_sees_what import seen
from casework.domain.access.policy import Actor, Role, Scope
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.standards import Priority
from casework.domain.directory.directory import Offering
from casework.domain.directory.told_places import is_told_as_they_are
from casework.domain.errors import NotFound
from casework.domain.notices.notices import Notice
from casework.workflows.ports.paging import Row
from casework.workflows.ports.places import StaleOffering, WaitingList

_offering, _referral = t.offering, t.referral
STATED: Final = (
    "capacity", "available", "stated_available", "waiting", "for_waiting", "full_until", "as_of",
    "stated_by",
)  # fmt: skip


def recount(connection: Connection) -> None:
    """Count what many rows that were written at once hold; where it does not fit, there is more."""
    held, waitlisted = _holders(("accepted", "in_progress", "on_hold")), _holders(("waitlisted",))
    connection.execute(
        update(_offering).values(
            held=held,
            waitlisted=waitlisted,
            for_waiting=0,
            capacity=case(
                (_offering.c.capacity < _offering.c.available + held,
                 _offering.c.available + held),
                else_=_offering.c.capacity,
            ),
            waiting=case(
                (_offering.c.waiting < waitlisted, waitlisted), else_=_offering.c.waiting
            ),
        )
    )  # fmt: skip


def _holders(states: tuple[str, ...]) -> Any:
    return (
        select(func.count())
        .select_from(_referral)
        .where(_referral.c.offering_id == _offering.c.id, _referral.c.status.in_(states))
        .correlate(_offering)
        .scalar_subquery()
    )


def has_free_place(today: date, actor: Actor) -> ColumnElement[bool]:
    """``free_places`` in SQL, as the actor is told: an open offering that could take on more."""
    as_it_is = and_(
        _offering.c.available > _offering.c.for_waiting,
        or_(_offering.c.full_until.is_(None), _offering.c.full_until < today),
    )
    as_stated = _offering.c.stated_available > 0
    told_all = is_told_as_they_are(actor, None)
    is_told = literal(told_all) if told_all else _offering.c.provider_id == actor.provider_id
    return and_(_offering.c.is_open, case((is_told, as_it_is), else_=as_stated))


class SqlPlaces:
    """The places of offerings, for one transaction of one actor."""

    def __init__(self, connection: Connection, scope: Scope, now: datetime) -> None:
        self._connection, self._scope, self._now = connection, scope, now

    # What an agency states

    def figures(self, offering_id: UUID, *, lock: bool = False) -> Offering:
        query = (
            select(_offering)
            .join(t.provider, t.provider.c.id == _offering.c.provider_id)
            .where(_offering.c.id == offering_id, t.provider.c.is_active, self._states())
        )
        if lock:
            query = query.with_for_update(of=_offering)
        row = self._connection.execute(query).first()
        if row is None:
            raise NotFound("no such offering")
        return offering_of(row._mapping, centres=[])

    def _states(self) -> ColumnElement[bool]:
        return seen(t.provider, self._scope)

    def shown(self, offering_id: UUID) -> Row:
        query = (
            select(_offering, t.provider.c.district_code.label("provider_district_code"))
            .join(t.provider, t.provider.c.id == _offering.c.provider_id)
            .where(_offering.c.id == offering_id, t.provider.c.is_active)
        )
        row = self._connection.execute(query).first()
        if row is None:
            raise NotFound("no such offering")
        return dict(row._mapping)

    def save(self, offering: Offering) -> None:
        stated = {name: getattr(offering, name) for name in STATED}
        self._connection.execute(
            update(_offering)
            .where(_offering.c.id == offering.id)
            .values(stated | {"capacity_version": offering.capacity_version + 1})
        )

    # Who is next

    def out_of_step(self, limit: int) -> list[UUID]:
        line = _line(self._now).subquery()
        in_turn = and_(~line.c.is_held, line.c.place <= line.c.for_waiting)
        offered = line.c.place_offered_at.is_not(None)
        query = (
            select(line.c.id)
            .where(or_(and_(in_turn, ~offered), and_(~in_turn, offered)))
            .order_by(line.c.offering_id, line.c.place)
            .limit(limit)
        )
        return list(self._connection.scalars(query))

    def line(self, offering_id: UUID) -> WaitingList:
        held = select(_offering.c.id).where(_offering.c.id == offering_id).with_for_update()
        self._connection.execute(held)
        line = _line(self._now).where(_referral.c.offering_id == offering_id).subquery()
        in_line = select(line).where(~line.c.is_held).order_by(line.c.place)
        rows = self._connection.execute(in_line).all()
        places = max((row.for_waiting for row in rows), default=0)
        return WaitingList(waiting=tuple(row.id for row in rows), places=places)

    # Figures that have grown old

    def request_figures(self, now: datetime) -> list[StaleOffering]:
        days = self._connection.scalars(select(t.service.c.fresh_for_days).distinct()).all()
        found: list[Any] = []
        for one in days:
            limit = timedelta(days=one)
            found += self._connection.execute(_asked(one, now - limit, now)).all()
        ids = [row.id for row in found]
        return (
            [] if not ids else [StaleOffering(**row._mapping) for row in self._stale_offerings(ids)]
        )

    def _stale_offerings(self, ids: list[UUID]) -> Sequence[Any]:
        """Whose offerings they are, and whether anybody signs in there."""
        account = t.account
        signs_in = (
            select(account.c.id)
            .where(
                account.c.provider_id == t.provider.c.id,
                account.c.role == Role.PROVIDER,
                account.c.is_active,
            )
            .exists()
        )
        query = (
            select(
                _offering.c.id.label("offering_id"),
                t.provider.c.id.label("provider_id"),
                t.provider.c.district_code,
                signs_in.label("signs_in"),
            )
            .join(t.provider, t.provider.c.id == _offering.c.provider_id)
            .where(_offering.c.id.in_(ids))
            .order_by(_offering.c.id)
        )
        return self._connection.execute(query).all()

    def tell(self, notices: Sequence[Notice]) -> None:
        if notices:
            self._connection.execute(insert(t.notice), [to_row(one) for one in notices])


def _line(now: datetime) -> Select[Any]:
    """Everybody who waits, with their place in the line of their offering.

    Emergencies first, then who waits longest. Whose case is on hold could not come: they stand
    beside the line, and in their old place again when the hold is over. So do the dead, until their
    case is closed or the death is taken back.
    """
    one = _referral.c
    emergency_first = case((one.priority == Priority.EMERGENCY, 0), else_=1)
    held_until = func.coalesce(t.care_case.c.resume_at, now)
    is_held = or_(literal(now, Instant) < held_until, t.resident.c.died_on.is_not(None))
    place = func.row_number().over(
        partition_by=(one.offering_id, is_held),
        order_by=(emergency_first, one.answered_at, one.id),
    )
    return (
        select(
            *_referral.c["id", "offering_id", "place_offered_at"],
            place.label("place"),
            is_held.label("is_held"),
            # A closed offering accepts nobody, even with a waiting list.
            case((_offering.c.is_open, _offering.c.for_waiting), else_=0).label("for_waiting"),
        )
        .join(_offering, _offering.c.id == _referral.c.offering_id)
        .join(t.care_case, t.care_case.c.id == _referral.c.case_id)
        .join(t.resident, t.resident.c.id == _referral.c.resident_id)
        .where(_referral.c.status == ReferralStatus.WAITLISTED)
    )


def _asked(days: int, before: datetime, now: datetime) -> Any:
    active = select(t.provider.c.id).where(t.provider.c.is_active)
    services = select(t.service.c.code).where(t.service.c.fresh_for_days == days)
    return (
        update(_offering)
        .where(
            _offering.c.is_open,
            _offering.c.as_of < before,
            or_(_offering.c.asked_at.is_(None), _offering.c.asked_at <= before),
            _offering.c.service_code.in_(services),
            _offering.c.provider_id.in_(active),
        )
        .values(asked_at=now)
        .returning(_offering.c.id)
    )
