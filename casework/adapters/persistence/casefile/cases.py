"""Cases and plans as they are shown, with the names beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.casefiles import SqlCaseFiles
from casework.adapters.persistence.casefile.past_retention import is_held, will_be_deleted
from casework.adapters.persistence.engine.encrypted_columns import decrypt_row, vault_of
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.rows.mapper import from_row, table_of
from casework.adapters.persistence.scope.who_sees_what import seen, seen_or_opened
from casework.domain.access.policy import Scope
from casework.domain.casefile.case import CaseStatus, Signal
from casework.domain.casefile.casefile import CaseFile, by_id
from casework.domain.casefile.correction import Correction
from casework.domain.casefile.plan import Conference
from casework.domain.errors import NotFound
from casework.workflows.ports.casefile import CaseView, PlanView
from casework.workflows.ports.paging import Row
from casework.workflows.ports.unit_of_work import Page, Paging

# What a list is filtered by, and the column.
_FILTERS: Final = {
    "status": "status", "centre": "centre_code", "worker": "worker_id", "number": "number",
}  # fmt: skip


class SqlCases:
    """Cases and plans as they are shown, for one transaction of one actor."""

    def __init__(
        self, connection: Connection, scope: Scope, now: datetime, about: set[UUID]
    ) -> None:
        self._connection, self._scope, self._now, self._about = connection, scope, now, about

    def listed(self, filters: Row, paging: Paging) -> Page:
        query = (
            select(
                t.care_case,
                t.resident.c.name.label("resident_name"),
                t.resident.c.died_on.label("resident_died_on"),
            )
            .join(t.resident, t.resident.c.id == t.care_case.c.resident_id)
            .where(seen(t.care_case, self._scope, self._now))
        )
        for name, column in _FILTERS.items():
            value = filters.get(name)
            if name == "worker" and value == "none":
                query = query.where(is_nobodys(t.care_case))
            elif value is not None:
                query = query.where(t.care_case.c[column] == value)
        if (held := filters.get("legal_hold")) is not None:
            query = query.where(is_held() if held else ~is_held())
        if (past := filters.get("past_retention")) is not None:
            gone = will_be_deleted(self._connection, self._now)
            query = query.where(gone if past else ~gone)
        found = page(self._connection, query, [t.care_case.c.id], paging, newest_first=True)
        for row in found.rows:
            decrypt_row(t.care_case, row, row["id"], vault_of(self._connection))
        self._about.update(row["resident_id"] for row in found.rows)
        return found

    def of_resident(self, resident_id: UUID) -> list[Row]:
        case = t.care_case
        query = (
            select(*case.c["id", "number", "status", "applied_on"])
            .where(case.c.resident_id == resident_id, seen_or_opened(case, self._scope, self._now))
            .order_by(case.c.id.desc())
        )
        return [dict(row._mapping) for row in self._connection.execute(query)]

    def open_of(self, resident_ids: list[UUID]) -> Mapping[UUID, Row]:
        case = t.care_case
        query = select(*case.c["id", "number", "status", "applied_on", "resident_id"]).where(
            case.c.resident_id.in_(resident_ids),
            case.c.status != CaseStatus.CLOSED,
            seen(case, self._scope, self._now),
        )
        return {row.resident_id: dict(row._mapping) for row in self._connection.execute(query)}

    def get(self, id: UUID) -> CaseView:
        file = self._file(id, with_findings=True)
        names = self._connection.execute(
            select(
                t.resident.c.name.label("resident"),
                t.account.c.name.label("worker"),
                t.district.c.retention_years,
            )
            .select_from(t.care_case)
            .join(t.district, t.district.c.code == t.care_case.c.district_code)
            .join(t.resident, t.resident.c.id == t.care_case.c.resident_id)
            .outerjoin(t.account, t.account.c.id == t.care_case.c.worker_id)
            .where(t.care_case.c.id == id)
        ).one()
        return CaseView(
            file=file,
            resident_name=names.resident,
            worker_name=names.worker,
            retention_years=names.retention_years,
            providers=self._agencies(one.provider_id for one in file.referrals.values()),
            assessments=list(file.assessments.values()),
            checks=list(file.checks.values()),
            corrections=self._of_case(Correction, id),
        )

    def plan(self, case_id: UUID) -> PlanView:
        file = self._file(case_id)
        meetings = {version.conference_id for version in file.versions} - {None}
        found = (
            self._connection.execute(select(t.conference).where(t.conference.c.id.in_(meetings)))
            if meetings
            else ()
        )
        named = {item.provider_id for version in file.versions for item in version.services}
        agencies = {referral.provider_id for referral in file.referrals.values()}
        vault = vault_of(self._connection)
        return PlanView(
            file=file,
            providers=self._agencies(id for id in named | agencies if id is not None),
            conferences=by_id(from_row(Conference, row, vault) for row in found),
        )

    def signal(self, id: UUID) -> Signal:
        row = self._connection.execute(
            select(t.signal)
            .join(t.care_case, t.care_case.c.id == t.signal.c.case_id)
            .where(t.signal.c.id == id, seen(t.care_case, self._scope, self._now))
        ).first()
        if row is None:
            raise NotFound("no such signal")
        found: Signal = from_row(Signal, row, vault_of(self._connection))
        return found

    def _file(self, case_id: UUID, *, with_findings: bool = False) -> CaseFile:
        files = SqlCaseFiles(self._connection, self._scope, self._now, self._about, lock=False)
        return files.whole(case_id, with_plan=True, with_findings=with_findings)

    def _of_case(self, cls: type, case_id: UUID) -> list[Any]:
        table = table_of(cls)
        query = select(table).where(table.c.case_id == case_id).order_by(table.c.id)
        vault = vault_of(self._connection)
        return [from_row(cls, row, vault) for row in self._connection.execute(query)]

    def _agencies(self, ids: Iterable[UUID]) -> dict[UUID, Row]:
        """Name and telephone of agencies."""
        wanted = set(ids)
        if not wanted:
            return {}
        agency = t.provider.c
        query = select(agency.id, agency.name, agency.phone).where(agency.id.in_(wanted))
        return {row.id: dict(row._mapping) for row in self._connection.execute(query)}


def is_nobodys(case: Any) -> ColumnElement[bool]:
    """Open cases that nobody carries."""
    return and_(case.c.worker_id.is_(None), case.c.status != "closed")
