"""An agency's inbox: what it owes and what was requested; one SELECT each, in its own scope."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.overdue import IS_RUNNING, is_overdue
from casework.adapters.persistence.casefile.referral_views import (
    items_of,
    view_of,
    viewed,
    who_is_there,
)
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.engine.paging import cut_out, page
from casework.adapters.persistence.engine.seoul import seoul_day
from casework.adapters.persistence.figures.figure_sources import outcome_of_clock
from casework.adapters.persistence.rows.mapper import from_row, pauses_of
from casework.adapters.persistence.scope import session_context
from casework.adapters.persistence.scope.who_sees_what import counted, seen
from casework.domain.access.policy import Scope
from casework.domain.casefile.states import DeclineReason, ReferralStatus
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.standards import PROVIDER, ClockKind
from casework.domain.figures.figures import Figure, Period
from casework.workflows.ports.agencies import InboxFilter, RequestGroup
from casework.workflows.ports.casefile import ReferralView
from casework.workflows.ports.unit_of_work import Page, Paging

CLOCK = "clock_"


class SqlInbox:
    """What the actor's agency owes, and what was requested of it."""

    def __init__(
        self, connection: Connection, scope: Scope, now: datetime, about: set[UUID]
    ) -> None:
        self._connection, self._scope, self._now = connection, scope, now
        self._about = about

    def owed(self, filters: InboxFilter, paging: Paging) -> Page:
        """The page is cut out of the clocks, along their index, before anything else is read."""
        vault = vault_of(self._connection)
        there = who_is_there(self._connection, day_in_seoul(self._now))

        def make(row: Any) -> ReferralView:
            running = from_row(Deadline, row, None, CLOCK)
            return view_of(row, vault, there=there, deadlines=[running], history=[])

        cut = cut_out(self._running(filters), [t.deadline.c.due_at, t.deadline.c.id], paging)
        clocks = cut.subquery("clocks")
        shown = {column.name: column.label(CLOCK + column.name) for column in clocks.c}
        query = viewed(day_in_seoul(self._now), *shown.values()).join(
            clocks, clocks.c.subject_id == t.referral.c.id
        )
        keys = [shown["due_at"], shown["id"]]
        found = page(self._connection, query, keys, paging, make=make)
        of = {view.referral.resident_id for view in found.rows}
        self._about.update(of)
        session_context.allow_residents(self._connection, of)
        services = [view.referral.planned_service_id for view in found.rows]
        asked = items_of(self._connection, services) if services else {}
        rows = [replace(one, asked=asked.get(one.referral.planned_service_id))
                for one in found.rows]  # fmt: skip
        return replace(found, rows=rows)

    def _running(self, filters: InboxFilter) -> Select[Any]:
        """Clocks that the agency holds on requests that it sees."""
        clock = t.deadline.c
        return select(t.deadline).where(
            IS_RUNNING,
            clock.provider_id == self._scope.actor.provider_id,
            clock.held_by == PROVIDER,
            self._request(filters),
            *self._due(filters),
        )

    def _request(self, filters: InboxFilter) -> ColumnElement[bool]:
        """There is a request to the clock, within scope, that fits the filters."""
        one = t.referral.c
        conditions = (
            (one.status, filters.status),
            (one.service_code, filters.service),
            (one.centre_code, filters.centre),
            (one.priority, filters.priority),
        )
        return exists().where(
            one.id == t.deadline.c.subject_id,
            seen(t.referral, self._scope, self._now),
            *(column == value for column, value in conditions if value is not None),
        )

    def _due(self, filters: InboxFilter) -> Iterator[ColumnElement[bool]]:
        due_at = t.deadline.c.due_at
        if filters.due_from is not None:
            yield due_at >= filters.due_from
        if filters.due_before is not None:
            yield due_at < filters.due_before
        if filters.overdue:
            yield is_overdue(self._now)

    def standing(self, referral_ids: Iterable[UUID]) -> Mapping[UUID, ReferralView]:
        query = viewed(day_in_seoul(self._now)).where(
            t.referral.c.id.in_(list(referral_ids)), seen(t.referral, self._scope, self._now)
        )
        vault = vault_of(self._connection)
        there = who_is_there(self._connection, day_in_seoul(self._now))
        found = {
            row.id: view_of(row, vault, there=there, deadlines=[], history=[])
            for row in self._connection.execute(query)
        }
        self._about.update(view.referral.resident_id for view in found.values())
        return found

    def in_order(self, referral_ids: Sequence[UUID]) -> list[UUID]:
        one = t.referral.c
        query = select(one.id).where(
            one.id.in_(referral_ids), seen(t.referral, self._scope, self._now)
        )
        found = list(self._connection.scalars(query.order_by(one.case_id, one.id)))
        return [*found, *(id for id in referral_ids if id not in found)]

    def asked(self, period: Period) -> list[RequestGroup]:
        one, clock = t.referral.c, t.deadline.c
        facts = {
            "district_code": one.district_code,
            "service_code": one.service_code,
            "status": one.status,
            "was_accepted": one.accepted_at.is_not(None),
            "reason": one.reason,
            "outcome": outcome_of_clock(),
            "asked_on": seoul_day(one.requested_at),
            "answered_on": seoul_day(one.answered_at),
            "pauses": clock.pauses,
        }
        inner = (
            select(*(value.label(name) for name, value in facts.items()))
            .select_from(t.referral)
            .outerjoin(
                t.deadline,
                and_(clock.subject_id == one.id, clock.kind == ClockKind.RESPONSE.value),
            )
            .where(
                counted(t.referral, self._scope),
                one.requested_at >= period.begins,
                one.requested_at < period.ends,
                one.status != ReferralStatus.ENTERED_IN_ERROR.value,
            )
            .subquery()
        )
        grouped = select(*inner.c, func.count().label("count")).group_by(*inner.c)
        return [_asked(row) for row in self._connection.execute(grouped)]


def _asked(row: Any) -> RequestGroup:
    facts = dict(row._mapping)
    facts["status"] = status = ReferralStatus(facts["status"])
    is_declined = status is ReferralStatus.DECLINED and facts["reason"] is not None
    facts["reason"] = DeclineReason(facts["reason"]) if is_declined else None
    facts["outcome"] = None if facts["outcome"] is None else Figure(facts["outcome"])
    facts["pauses"] = pauses_of(facts["pauses"]) if facts["pauses"] is not None else ()
    return RequestGroup(**facts | {"was_accepted": bool(facts["was_accepted"])})
