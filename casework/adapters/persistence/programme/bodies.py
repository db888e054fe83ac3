"""Bodies with their seats, as an area maintains them and as others are shown them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, true, update
from sqlalchemy.exc import IntegrityError

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.faults import is_taken
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.rows.bodies import answer_rows, answers_of
from casework.adapters.persistence.rows.mapper import from_row, to_row
from casework.adapters.persistence.rows.saving import update_row
from casework.adapters.persistence.scope.who_sees_what import listed, seen
from casework.adapters.persistence.tables.programme import FIELD, SERVICE
from casework.domain.access.policy import Role, Scope
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.clocks.standards import CITY_AREA, CareField
from casework.domain.errors import Conflict, Invalid, NotFound
from casework.domain.programme.bodies import LEVELS, Around, Body
from casework.domain.programme.kinds import BodyKind
from casework.domain.programme.seats import Seat
from casework.workflows.ports.programme import BodyView
from casework.workflows.ports.unit_of_work import Page, Paging

_body, _answers, _seat = t.body, t.body_answers, t.seat
SHOWN: Final = "shown"


class SqlBodies:
    """The repository of bodies for one transaction of one actor."""

    def __init__(self, connection: Connection, scope: Scope, now: datetime) -> None:
        self._connection, self._scope = connection, scope
        self._today = day_in_seoul(now)

    # What is shown

    def shown(self, id: UUID) -> BodyView:
        """Takes three statements."""
        body = self._one(id, listed(_body, SHOWN, self._scope))
        seats = self._seats([id], or_(_seat.c.ends_on.is_(None), _seat.c.ends_on >= self._today))
        return BodyView(body=body, seats=seats.get(id, []))

    def listed(self, kind: str | None, area: str | None, on: date, paging: Paging) -> Page:
        """Takes three statements, and one more for an area that is named."""
        query = select(_body).where(
            listed(_body, SHOWN, self._scope),
            _body.c.valid_from <= on,
            or_(_body.c.valid_to.is_(None), _body.c.valid_to >= on),
        )
        if kind is not None:
            query = query.where(_body.c.kind == kind)
        if area is not None:
            self.check_area(area)
            query = query.where(_body.c.area == area)
        found = page(
            self._connection, query, [_body.c.area, _body.c.id], paging,
            make=lambda row: from_row(Body, row),
        )  # fmt: skip
        bodies = self._with_answers(found.rows)
        seats = self._seats([one.id for one in bodies], _held(on))
        views = [BodyView(body=one, seats=seats.get(one.id, [])) for one in bodies]
        return Page(views, found.last_key)

    # What is changed

    def get(self, id: UUID) -> Body:
        return self._one(id, seen(_body, self._scope), lock=True)

    def named(self, id: UUID) -> Body | None:
        try:
            return self._one(id, listed(_body, SHOWN, self._scope))
        except NotFound:
            return None

    def of_seat(self, seat_id: UUID) -> tuple[Body, Seat]:
        query = select(_seat).where(_seat.c.id == seat_id, seen(_seat, self._scope))
        row = self._connection.execute(query).first()
        if row is None:
            raise NotFound("no such seat")
        body = self.get(row.body_id)
        # As it is now that its body is locked.
        return body, from_row(Seat, self._connection.execute(query).one())

    def seats(self, body_id: UUID) -> list[Seat]:
        return self._seats([body_id]).get(body_id, [])

    def around(
        self, body_id: UUID | None, area: str, parent_id: UUID | None, since: date
    ) -> Around:
        return Around(
            councils=self._councils(body_id, area),
            above=self._above(parent_id),
            answered=self._answered(body_id, area, since),
        )

    def add(self, body: Body) -> None:
        with _the_only_one():
            self._connection.execute(insert(_body), [to_row(body)])
            self._add_answers(body, answers_of(body))

    def save(self, body: Body) -> None:
        with _the_only_one():
            update_row(self._connection, _body, to_row(body))
            self._save_answers(body)

    def add_seats(self, body: Body, seats: Iterable[Seat]) -> None:
        with _the_only_one():
            self._connection.execute(insert(_seat), [to_row(one) for one in seats])
        update_row(self._connection, _body, to_row(body))

    def save_seats(self, seats: Iterable[Seat]) -> None:
        for one in seats:
            self._connection.execute(update(_seat).where(_seat.c.id == one.id).values(to_row(one)))

    def remove_seats(self, seats: Iterable[Seat]) -> None:
        ids = [one.id for one in seats]
        if ids:
            self._connection.execute(delete(_seat).where(_seat.c.id.in_(ids)))

    # What it refers to

    def check_area(self, area: str) -> None:
        known = select(t.district.c.code).where(t.district.c.code == area)
        if area != CITY_AREA and self._connection.execute(known).first() is None:
            raise Invalid("no such district", code="unknown_district", field="area")

    def unknown_services(self, codes: Collection[str]) -> list[str]:
        query = select(t.service.c.code).where(t.service.c.code.in_(codes))
        return sorted(set(codes) - set(self._connection.scalars(query)))

    def known_accounts(self, ids: Collection[UUID], area: str) -> set[UUID]:
        district = t.account.c.district_code
        query = select(t.account.c.id).where(
            t.account.c.id.in_(ids),
            t.account.c.is_active,
            t.account.c.role != Role.INTEGRATION,
            true() if area == CITY_AREA else or_(district.is_(None), district == area),
            seen(t.account, self._scope),
        )
        return set(self._connection.scalars(query)) if ids else set()

    # Parts

    def _one(self, id: UUID, which: ColumnElement[bool], *, lock: bool = False) -> Body:
        query = select(_body).where(_body.c.id == id, which)
        row = self._connection.execute(query.with_for_update() if lock else query).first()
        if row is None:
            raise NotFound("no such body")
        return self._with_answers([from_row(Body, row)])[0]

    def _with_answers(self, bodies: Sequence[Body]) -> list[Body]:
        """The bodies with what each answers for."""
        query = select(_answers).where(_answers.c.body_id.in_([one.id for one in bodies]))
        found: dict[tuple[UUID, str], list[str]] = defaultdict(list)
        for row in self._connection.execute(query.order_by(_answers.c.code)) if bodies else ():
            found[row.body_id, row.what].append(row.code)
        return [
            replace(
                one,
                fields=tuple(map(CareField, found[one.id, FIELD])),
                services=tuple(found[one.id, SERVICE]),
            )
            for one in bodies
        ]

    def _seats(
        self, body_ids: Sequence[UUID], *which: ColumnElement[bool]
    ) -> dict[UUID, list[Seat]]:
        """The seats of bodies that the actor is shown, the first ones first."""
        query = select(_seat).where(
            _seat.c.body_id.in_(body_ids), listed(_seat, SHOWN, self._scope), *which
        )
        found: dict[UUID, list[Seat]] = defaultdict(list)
        order = (_seat.c.begins_on, _seat.c.id)
        for row in self._connection.execute(query.order_by(*order)) if body_ids else ():
            found[row.body_id].append(from_row(Seat, row))
        return found

    def _councils(self, body_id: UUID | None, area: str) -> list[Body]:
        """Locked: whoever changes what its area has at a time waits for who does so already."""
        query = select(_body).where(_body.c.kind == BodyKind.COUNCIL, _body.c.area == area)
        if body_id is not None:
            query = query.where(_body.c.id != body_id)
        rows = self._connection.execute(query.order_by(_body.c.id).with_for_update())
        return [from_row(Body, row) for row in rows]

    def _above(self, parent_id: UUID | None) -> list[Body]:
        """The body of that id, and those that it is under, the nearest first."""
        found: list[Body] = []
        while parent_id is not None and len(found) < LEVELS:
            parent = self.named(parent_id)
            if parent is None:
                break
            found.append(parent)
            parent_id = parent.parent_id
        return found

    def _answered(self, body_id: UUID | None, area: str, since: date) -> frozenset[str]:
        query = select(_answers.c.code).where(
            _answers.c.area == area,
            or_(_answers.c.until.is_(None), _answers.c.until >= since),
        )
        if body_id is not None:
            query = query.where(_answers.c.body_id != body_id)
        return frozenset(self._connection.scalars(query))

    def _save_answers(self, body: Body) -> None:
        """Take out what it answers for no more, add what is new, and say until when it does."""
        query = select(_answers.c.what, _answers.c.code).where(_answers.c.body_id == body.id)
        before = {(row.what, row.code) for row in self._connection.execute(query)}
        after = answers_of(body)
        for what, code in sorted(before - after):
            self._connection.execute(
                delete(_answers).where(
                    _answers.c.body_id == body.id,
                    _answers.c.what == what,
                    _answers.c.code == code,
                )
            )
        if before & after:
            of_it = _answers.c.body_id == body.id
            self._connection.execute(update(_answers).where(of_it).values(until=body.valid_to))
        self._add_answers(body, after - before)

    def _add_answers(self, body: Body, answers: Iterable[tuple[str, str]]) -> None:
        rows = answer_rows(body, answers)
        if rows:
            self._connection.execute(insert(_answers), rows)


def _held(on: date) -> ColumnElement[bool]:
    """Seats that are held on a day."""
    return and_(_seat.c.begins_on <= on, or_(_seat.c.ends_on.is_(None), _seat.c.ends_on >= on))


@contextmanager
def _the_only_one() -> Iterator[None]:
    """Refuse what somebody else entered at the same time."""
    try:
        yield
    except IntegrityError as error:
        if not is_taken(error):
            raise
        for name, (code, says) in _TAKEN.items():
            if name in str(error.orig):
                raise Conflict(says, code=code) from None
        raise


# By what the two databases name of a constraint.
_TAKEN: Final = {
    "uq_body_council_of_area": ("body_exists", "the area has a council at that time"),
    "body.area": ("body_exists", "the area has a council at that time"),
    "uq_seat_chair_of_body": ("seat_taken", "somebody chairs it at that time"),
    "seat.body_id": ("seat_taken", "somebody chairs it at that time"),
    "uq_body_answers_one_of_area": ("answered_elsewhere", "another body answers for it"),
    "body_answers.area": ("answered_elsewhere", "another body answers for it"),
}
