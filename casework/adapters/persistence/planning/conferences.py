"""Meetings and their agendas, as a supervisor of the district sees them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, and_, func, insert, select, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import decrypt_row, vault_of
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.rows.mapper import from_row, stored, to_row
from casework.adapters.persistence.scope.who_sees_what import seen
from casework.domain.access.policy import Scope
from casework.domain.casefile.case_moves import PLANNABLE
from casework.domain.casefile.plan import Conference, PlanVersion, VersionStatus
from casework.domain.casefile.referral_moves import OPEN
from casework.domain.casefile.states import ReferralStatus
from casework.domain.errors import NotFound
from casework.domain.planning.conferences import AgendaItem, Submission
from casework.domain.planning.warnings import AskedElsewhere
from casework.domain.residents.resident import Resident
from casework.workflows.ports.casefile import ConferenceView, PlanToDecide
from casework.workflows.ports.unit_of_work import Page, Paging

_ITEM = t.agenda_item.c
_VERSION = t.plan_version.c
_CASE = t.care_case.c
_AWAITS = and_(_VERSION.status == VersionStatus.SUBMITTED, _CASE.status.in_(sorted(PLANNABLE)))


class SqlConferences:
    """The repository of meetings for one transaction of one actor."""

    def __init__(
        self, connection: Connection, scope: Scope, now: datetime, about: set[UUID]
    ) -> None:
        self._connection, self._scope, self._now, self._about = connection, scope, now, about

    def get(self, id: UUID, *, lock: bool = False) -> Conference:
        query = select(t.conference).where(
            t.conference.c.id == id, seen(t.conference, self._scope, self._now)
        )
        if lock:  # decisions refer to it meanwhile, and need not wait
            query = query.with_for_update(key_share=True)
        return self._one(query)

    def to_correct(self, id: UUID) -> Conference:
        query = select(t.conference).where(
            t.conference.c.id == id, seen(t.conference, self._scope, self._now)
        )
        return self._one(query.with_for_update())

    def _one(self, query: Any) -> Conference:
        row = self._connection.execute(query).first()
        if row is None:
            raise NotFound("no such conference")
        found: Conference = from_row(Conference, row, vault_of(self._connection))
        return found

    def add(self, conference: Conference) -> None:
        row = stored(conference, vault_of(self._connection))
        self._connection.execute(insert(t.conference), [row])

    def save(self, conference: Conference) -> None:
        row = stored(conference, vault_of(self._connection))
        this = t.conference.c.id == conference.id
        self._connection.execute(update(t.conference).where(this).values(row))

    def decided(self, id: UUID) -> Mapping[UUID, list[UUID]]:
        query = (
            select(_VERSION.case_id, _VERSION.id)
            .join(t.care_case, _CASE.id == _VERSION.case_id)
            .where(_VERSION.conference_id == id, seen(t.care_case, self._scope, self._now))
            .order_by(_VERSION.case_id, _VERSION.number)
        )
        found: dict[UUID, list[UUID]] = defaultdict(list)
        for row in self._connection.execute(query):
            found[row.case_id].append(row.id)
        return found

    def agenda(self, id: UUID) -> frozenset[UUID]:
        query = select(_ITEM.plan_version_id).where(_ITEM.conference_id == id)
        return frozenset(self._connection.scalars(query))

    def submissions(self, case_ids: Iterable[UUID]) -> Mapping[UUID, Submission | None]:
        query = (
            select(
                _CASE.id.label("case_id"),
                _CASE.resident_id,
                _VERSION.id.label("plan_version_id"),
                _VERSION.number,
                func.coalesce(_CASE.determined_on, _CASE.applied_on).label("follows"),
            )
            .outerjoin(t.plan_version, and_(_VERSION.case_id == _CASE.id, _AWAITS))
            .where(_CASE.id.in_(list(case_ids)), seen(t.care_case, self._scope, self._now))
        )
        return {
            row.case_id: Submission(**row._mapping) if row.plan_version_id else None
            for row in self._connection.execute(query)
        }

    def add_items(self, items: Sequence[AgendaItem]) -> None:
        if items:
            self._connection.execute(insert(t.agenda_item), [to_row(one) for one in items])

    def stamp(self, id: UUID) -> int:
        """1, and one more for each plan on the agenda, for each decided, for each correction."""
        query = (
            select(func.count(), func.count(_VERSION.decision))
            .select_from(t.agenda_item)
            .join(t.plan_version, _VERSION.id == _ITEM.plan_version_id)
            .where(_ITEM.conference_id == id)
        )
        items, decided = self._connection.execute(query).one()
        return 1 + int(items) + int(decided) + len(self.get(id).corrections)

    def shown(self, id: UUID) -> ConferenceView:
        """Takes three statements."""
        found = self.get(id)
        named = select(t.district).where(t.district.c.code == found.district_code)
        district = dict(self._connection.execute(named).one()._mapping)
        rows = [dict(row._mapping) for row in self._connection.execute(_agenda_of(id))]
        for row in rows:
            version, vault = row["plan_version_id"], vault_of(self._connection)
            decrypt_row(t.plan_version, row, version, vault, decision_reason="decision_reason")
        self._about.update(row["resident_id"] for row in rows)
        return ConferenceView(conference=found, district=district, items=rows)

    def plans(self, version_ids: Sequence[UUID]) -> list[PlanToDecide]:
        """Takes two statements."""
        if not version_ids:
            return []
        named = (column.label(f"of_{column.name}") for column in t.resident.c)
        query = (
            select(t.plan_version, *named)
            .join(t.care_case, _CASE.id == _VERSION.case_id)
            .join(t.resident, t.resident.c.id == _CASE.resident_id)
            .where(_VERSION.id.in_(version_ids), seen(t.care_case, self._scope, self._now))
        )
        vault = vault_of(self._connection)
        rows = self._connection.execute(query).all()
        asked = self._asked([row.case_id for row in rows])
        return [
            PlanToDecide(
                case_id=row.case_id,
                services=from_row(PlanVersion, row, vault).services,
                resident=from_row(Resident, row, vault, "of_"),
                asked=asked.get(row.case_id, []),
            )
            for row in rows
        ]

    def _asked(self, case_ids: Sequence[UUID]) -> dict[UUID, list[AskedElsewhere]]:
        """The open referrals that agencies have, by case."""
        names = ("id", "case_id", "service_code", "planned_service_id")
        query = (
            select(*t.referral.c[names])
            .where(
                t.referral.c.case_id.in_(case_ids),
                t.referral.c.status.in_(sorted(OPEN - {ReferralStatus.DRAFT})),
            )
            .order_by(t.referral.c.id)
        )
        found: dict[UUID, list[AskedElsewhere]] = {}
        for row in self._connection.execute(query):
            one = AskedElsewhere(
                id=row.id, service_code=row.service_code, planned_service_id=row.planned_service_id
            )
            found.setdefault(row.case_id, []).append(one)
        return found

    def listed(self, since: date | None, until: date | None, paging: Paging) -> Page:
        meeting = t.conference
        query = select(meeting, _counted().label("agenda"), _counted(True).label("decided")).where(
            seen(meeting, self._scope, self._now)
        )
        if since is not None:
            query = query.where(meeting.c.held_on >= since)
        if until is not None:
            query = query.where(meeting.c.held_on <= until)
        return page(
            self._connection, query, [meeting.c.held_on, meeting.c.id], paging, newest_first=True
        )


def _agenda_of(id: UUID) -> Select[Any]:
    """The items in the order in which they were put there."""
    return (
        select(
            _ITEM.case_id,
            _CASE.number.label("case_number"),
            _CASE.resident_id,
            _VERSION.id.label("plan_version_id"),
            *t.plan_version.c[
                "number",
                "hash",
                "drafted_by",
                "submitted_by",
                "conference_id",
                "decision",
                "decision_reason",
                "decided_at",
                "decided_by",
            ],
            _AWAITS.label("awaits"),
        )
        .join(t.plan_version, _VERSION.id == _ITEM.plan_version_id)
        .join(t.care_case, _CASE.id == _ITEM.case_id)
        .where(_ITEM.conference_id == id)
        .order_by(_ITEM.added_at, _ITEM.id)
    )


def _counted(decided: bool = False) -> Any:
    """How many plans a meeting has on its agenda, or has decided itself."""
    query = select(func.count()).where(_ITEM.conference_id == t.conference.c.id)
    if decided:
        query = query.where(
            _VERSION.id == _ITEM.plan_version_id, _VERSION.conference_id == t.conference.c.id
        )
    return query.correlate(t.conference).scalar_subquery()
