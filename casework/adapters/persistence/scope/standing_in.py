"""Who stands in for whom on a day, read in one statement whatever it is asked for."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Date, Select, and_, bindparam, func, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.scope.who_sees_what import (
    ScopeForm,
    form_of,
    holder,
    once_for_each_form,
    seen,
)
from casework.domain.access.policy import EVERYTHING, Scope
from casework.domain.access.standing_in import StandIns
from casework.domain.clocks.standards import SUPERVISOR, WORKER

_away, _deputy = t.absence, t.account
# A deputy who was disabled, or moved elsewhere, has the work no more than nobody.
_CAN_ACT: Final = and_(
    _deputy.c.is_active,
    _deputy.c.district_code == _away.c.district_code,
    func.coalesce(_deputy.c.centre_code, "") == func.coalesce(_away.c.centre_code, ""),
)


def covers(absence: Any, on: Any) -> ColumnElement[bool]:
    """Absences that cover a day."""
    last = func.coalesce(absence.c.ended_on, absence.c.to_on)
    return and_(absence.c.from_on <= on, absence.c.to_on >= on, last >= on)


def stand_ins(connection: Connection, today: date, scope: Scope = EVERYTHING) -> StandIns:
    """Who is away today of those in scope, and their deputies."""
    form, facts = form_of(scope)
    rows = connection.execute(_absences(form), facts | {"today": today}).all()
    return StandIns(
        {row.worker_id: row.deputy_id for row in rows},
        frozenset(row.deputy_id for row in rows if not row.can_act),
    )


@once_for_each_form
def _absences(form: ScopeForm) -> Select[Any]:
    """Who is away on the day that is the parameter ``today``."""
    return (
        select(_away.c.worker_id, _away.c.deputy_id, _CAN_ACT.label("can_act"))
        .join(_deputy, _deputy.c.id == _away.c.deputy_id)
        .where(covers(_away, bindparam("today", type_=Date)), seen(_away, form))
    )


def people_of(connection: Connection, today: date, scope: Scope) -> list[UUID]:
    """Whose work an actor has today: their own, and what absent colleagues left to them.

    A supervisor also has the work of those whose deputies end in nobody.
    """
    own = [] if scope.actor.id is None else [scope.actor.id]
    held_by = holder(scope)
    if held_by not in (WORKER, SUPERVISOR):
        return own
    away = stand_ins(connection, today, scope)
    left = away.left_to_nobody if held_by == SUPERVISOR else []
    return [*own, *left, *(one for id in own for one in away.work_of(id))]
