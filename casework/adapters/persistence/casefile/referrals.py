"""Referrals as they are shown, one by one and as lists."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Date, Select, bindparam, exists, select

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
from casework.adapters.persistence.rows.aliases import alias_of
from casework.adapters.persistence.rows.mapper import from_row
from casework.adapters.persistence.rows.nested import Nested
from casework.adapters.persistence.scope import session_context
from casework.adapters.persistence.scope.subjects import note_opened
from casework.adapters.persistence.scope.who_sees_what import (
    Asking,
    ScopeForm,
    form_of,
    once_for_each_form,
    seen,
    seen_or_opened,
    sees_a_part,
)
from casework.domain.access.policy import Scope
from casework.domain.casefile.plan import PlannedItem, PlanVersion, items_asked
from casework.domain.casefile.referral_moves import OPEN
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.clocks.deadlines import Deadline
from casework.domain.errors import NotFound
from casework.domain.events import Event
from casework.domain.privacy.masks import CLOCKS
from casework.workflows.ports.casefile import ReferralView
from casework.workflows.ports.paging import Page, Paging, Row

# Made once: an alias makes all columns of its table anew.
_beside, _with = alias_of(t.referral, "beside"), alias_of(t.provider, "with_provider")


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
        """Takes one statement, and one more for an agency."""
        form, facts = form_of(self._scope, self._now)
        query = _ReferralQuery.built(self._connection.dialect.name, form)
        today = day_in_seoul(self._now)
        row = self._connection.execute(query.select, facts | {"id": id, "today": today}).first()
        if row is None:
            raise NotFound("no such referral")
        clocks = [from_row(Deadline, one) for one in query.clocks.of(row)]
        history = [from_row(Event, one) for one in query.history.of(row)]
        asked, lines = self._asked(row, query.versions)
        view = view_of(
            row,
            vault_of(self._connection),
            asked=asked,
            there=who_is_there(self._connection, today) if row.is_ever_away else {},
            deadlines=sorted(clocks, key=lambda one: (one.started_at, one.id)),
            history=sorted(history, key=lambda one: (one.at, one.id)),
        )
        if query.open_ones is not None:
            view = replace(view, open_ones=query.open_ones.of(row), lines=lines)
        referral = view.referral
        self._about.add(referral.resident_id)
        note_opened(self._about, self._scope, referral, referral.resident_id)
        return view

    def _asked(
        self, row: Any, nested: Nested | None
    ) -> tuple[PlannedItem | None, list[PlannedItem]]:
        """What the plan asks for, and the plan's lines; an agency sees its own part of a plan."""
        service = row.planned_service_id
        if nested is None:
            session_context.allow_residents(self._connection, [row.resident_id])
            return items_of(self._connection, [service]).get(service), []
        vault = vault_of(self._connection)
        versions = [from_row(PlanVersion, one, vault) for one in nested.of(row)]
        asked = items_asked(versions).get(service)
        having = [one for one in versions if asked in one.services]
        newest = max(having, key=lambda one: one.number, default=None)
        return asked, newest.services if newest else []

    def open_of(self, resident_ids: list[UUID]) -> list[Row]:
        query = _open_ones(t.referral, self._scope, self._now)
        query = query.where(t.referral.c.resident_id.in_(resident_ids)).order_by(t.referral.c.id)
        return [dict(row._mapping) for row in self._connection.execute(query)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _ReferralQuery:
    """A referral with all that is shown beside it, by ``id`` on the day ``today``."""

    select: Select[Any]
    clocks: Nested
    history: Nested
    versions: Nested | None = None
    open_ones: Nested | None = None

    @staticmethod
    @once_for_each_form
    def built(dialect: str, form: ScopeForm) -> _ReferralQuery:
        """The query for everybody whose scope has this form."""
        of_it = {
            "clocks": select(t.deadline).where(t.deadline.c.subject_id == t.referral.c.id),
            "history": select(t.event).where(t.event.c.subject_id == t.referral.c.id),
        }
        if not sees_a_part(form):
            plan = t.plan_version
            of_it["versions"] = select(plan).where(plan.c.case_id == t.referral.c.case_id)
            of_it["open_ones"] = _open_ones(_beside, form).where(
                _beside.c.resident_id == t.referral.c.resident_id
            )
        nested = {name: Nested(name, query, dialect) for name, query in of_it.items()}
        query = viewed(bindparam("today", type_=Date), *(one.column for one in nested.values()))
        query = query.where(t.referral.c.id == bindparam("id"), seen_or_opened(t.referral, form))
        return _ReferralQuery(select=query, **nested)


def _open_ones(referral: Any, scope: Asking, now: datetime | None = None) -> Select[Any]:
    """Open referrals within scope, with their agencies."""
    return (
        select(
            *referral.c["id", "resident_id", "service_code", "status"],
            _with.c.name.label("provider_name"),
            _with.c.phone.label("provider_phone"),
            _with.c.id.label("provider_id"),
        )
        .join(_with, _with.c.id == referral.c.provider_id)
        .where(referral.c.status.in_(sorted(OPEN)), seen(referral, scope, now))
    )
