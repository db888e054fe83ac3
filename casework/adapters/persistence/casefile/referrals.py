"""Referrals as they are shown, one by one and as lists."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, exists, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.case_numbers import number_of
from casework.adapters.persistence.casefile.overdue import is_overdue
from casework.adapters.persistence.casefile.referral_views import (
    items_of,
    view_of,
    viewed,
    who_is_there,
)
from casework.adapters.persistence.engine.encrypted_columns import decrypt_row, vault_of
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.rows.mapper import from_row
from casework.adapters.persistence.scope import session_context
from casework.adapters.persistence.scope.subjects import note_opened
from casework.adapters.persistence.scope.who_sees_what import seen, seen_or_opened, sees_a_part
from casework.domain.access.policy import Scope
from casework.domain.casefile.referral_moves import OPEN
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.clocks.deadlines import Deadline
from casework.domain.errors import NotFound
from casework.domain.events import Event
from casework.domain.privacy.masks import CLOCKS
from casework.workflows.ports.casefile import ReferralView
from casework.workflows.ports.paging import Page, Paging, Row


class SqlReferrals:
    """Referrals as they are shown, for one transaction of one actor."""

    def __init__(
        self, connection: Connection, scope: Scope, now: datetime, about: set[UUID]
    ) -> None:
        self._connection, self._scope, self._now, self._about = connection, scope, now, about

    def listed(self, filters: Row, paging: Paging) -> Page:
        query = (
            select(
                t.referral,
                number_of(t.referral.c.case_id),
                t.provider.c.name.label("provider_name"),
                t.provider.c.phone.label("provider_phone"),
            )
            .join(t.provider, t.provider.c.id == t.referral.c.provider_id)
            .where(seen(t.referral, self._scope, self._now))
        )
        columns = {
            "status": "status",
            "field": "field",
            "provider": "provider_id",
            "centre": "centre_code",
        }
        for name, column in columns.items():
            if filters.get(name) is not None:
                query = query.where(t.referral.c[column] == filters[name])
        if filters.get("overdue") is not None:
            late = exists().where(
                t.deadline.c.subject_id == t.referral.c.id,
                is_overdue(self._now),
                *self._clocks_shown(),
            )
            query = query.where(late if filters["overdue"] else ~late)
        found = page(self._connection, query, [t.referral.c.id], paging, newest_first=True)
        for row in found.rows:
            decrypt_row(t.referral, row, row["id"], vault_of(self._connection))
        self._about.update(row["resident_id"] for row in found.rows)
        return found

    def _clocks_shown(self) -> list[ColumnElement[bool]]:
        """The clocks by which the actor may filter: those they may see."""
        known = CLOCKS.get(self._scope.actor.role)
        if known is None:
            return []
        name, is_it, value = known
        return [t.deadline.c[name] == value if is_it else t.deadline.c[name] != value]

    def get(self, id: UUID) -> ReferralView:
        """Takes four statements."""
        query = viewed(day_in_seoul(self._now)).where(
            t.referral.c.id == id, seen_or_opened(t.referral, self._scope, self._now)
        )
        row = self._connection.execute(query).first()
        if row is None:
            raise NotFound("no such referral")
        if sees_a_part(self._scope):
            # What is asked stands in the plan, of which an agency sees its own part.
            session_context.allow_residents(self._connection, [row.resident_id])
        asked = items_of(self._connection, [row.planned_service_id])
        clocks = select(t.deadline).where(t.deadline.c.subject_id == id)
        history = select(t.event).where(t.event.c.subject_id == id)
        view = view_of(
            row,
            vault_of(self._connection),
            asked=asked.get(row.planned_service_id),
            there=who_is_there(self._connection, day_in_seoul(self._now))
            if row.is_ever_away
            else {},
            deadlines=[
                from_row(Deadline, one)
                for one in self._connection.execute(
                    clocks.order_by(t.deadline.c.started_at, t.deadline.c.id)
                )
            ],
            history=[
                from_row(Event, one)
                for one in self._connection.execute(history.order_by(t.event.c.at, t.event.c.id))
            ],
        )
        referral = view.referral
        self._about.add(referral.resident_id)
        note_opened(self._about, self._scope, referral, referral.resident_id)
        return view

    def open_of(self, resident_ids: list[UUID]) -> list[Row]:
        query = (
            select(
                *t.referral.c["id", "resident_id", "service_code", "status"],
                t.provider.c.name.label("provider_name"),
                t.provider.c.phone.label("provider_phone"),
                t.provider.c.id.label("provider_id"),
            )
            .join(t.provider, t.provider.c.id == t.referral.c.provider_id)
            .where(
                t.referral.c.resident_id.in_(resident_ids),
                t.referral.c.status.in_(sorted(OPEN)),
                seen(t.referral, self._scope, self._now),
            )
            .order_by(t.referral.c.id)
        )
        return [dict(row._mapping) for row in self._connection.execute(query)]
