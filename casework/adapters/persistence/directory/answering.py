"""Which bodies answer for which entries of the list, as of a day."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, false, or_, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.scope.who_sees_what import listed
from casework.adapters.persistence.tables.programme import FIELD, SERVICE
from casework.domain.access.policy import Role, Scope
from casework.domain.clocks.standards import CITY_AREA
from casework.domain.directory.answering import Answering, AnsweringBody
from casework.domain.errors import Invalid

_body, _answers, _seat = t.body, t.body_answers, t.seat


def answering(connection: Connection, today: date) -> Answering:
    """The bodies of the city that answer for something on that day."""
    query = (
        select(_answers.c.what, _answers.c.code, *_body.c["id", "name_ko", "name_en"])
        .join(_body, _body.c.id == _answers.c.body_id)
        .where(_answers.c.area == CITY_AREA, _holds(today))
    )
    found: dict[str, dict[str, AnsweringBody]] = {FIELD: {}, SERVICE: {}}
    for row in connection.execute(query):
        found[row.what][row.code] = AnsweringBody(row.id, row.name_ko, row.name_en)
    return Answering(found[FIELD], found[SERVICE])


def seated(connection: Connection, body_id: UUID, today: date) -> frozenset[UUID]:
    """The active accounts of the city with a seat in a body on that day."""
    query = (
        select(_seat.c.account_id)
        .join(t.account, t.account.c.id == _seat.c.account_id)
        .where(
            _seat.c.body_id == body_id,
            _seat.c.begins_on <= today,
            or_(_seat.c.ends_on.is_(None), _seat.c.ends_on >= today),
            t.account.c.is_active,
            t.account.c.role == Role.CITY,
        )
    )
    return frozenset(connection.scalars(query))


def answered_by(
    connection: Connection, scope: Scope, body_id: UUID, today: date
) -> ColumnElement[bool]:
    """Which entries a body answers for; of a district's body only those of its agencies.

    Refuses a body that the actor is not shown, ``unknown_body``.
    """
    query = select(_body.c.area).where(_body.c.id == body_id, listed(_body, "shown", scope))
    area = connection.scalar(query)
    if area is None:
        raise Invalid("no such body", code="unknown_body", field="body")
    own, others = _codes(connection, area, body_id, today)
    entries: ColumnElement[bool] = or_(
        t.service.c.code.in_(own[SERVICE]),
        and_(t.service.c.field.in_(own[FIELD]), t.service.c.code.not_in(others)),
    )
    if not any(own.values()):
        entries = false()
    return entries if area == CITY_AREA else and_(entries, t.provider.c.district_code == area)


def _codes(
    connection: Connection, area: str, body_id: UUID, today: date
) -> tuple[dict[str, list[str]], list[str]]:
    """What a body answers for by kind, and the services that others of its area name."""
    query = (
        select(*_answers.c["body_id", "what", "code"])
        .join(_body, _body.c.id == _answers.c.body_id)
        .where(_answers.c.area == area, _holds(today))
    )
    own: dict[str, list[str]] = {FIELD: [], SERVICE: []}
    others: list[str] = []
    for row in connection.execute(query):
        if row.body_id == body_id:
            own[row.what].append(row.code)
        elif row.what == SERVICE:
            others.append(row.code)
    return own, others


def _holds(today: date) -> Any:
    """Answers of bodies that are there on a day."""
    return and_(
        _body.c.valid_from <= today, or_(_answers.c.until.is_(None), _answers.c.until >= today)
    )
