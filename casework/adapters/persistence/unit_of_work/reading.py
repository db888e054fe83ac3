"""Reading: the repositories in a read-only transaction."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.casefiles import SqlCaseFiles
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.rows.mapper import from_row
from casework.adapters.persistence.unit_of_work.repositories import SqlRepositories
from casework.domain.access.policy import EVERYTHING, Scope
from casework.domain.casefile.case import Signal
from casework.domain.events import Event
from casework.domain.residents.resident import Contact, Note
from casework.workflows.ports.residents import ResidentRecord


class SqlReading(SqlRepositories):
    """Everything that can be read, in one transaction of one actor."""

    def __init__(
        self,
        connection: Connection,
        scope: Scope,
        now: datetime,
        about: set[UUID],
        as_of: datetime | None = None,
    ) -> None:
        super().__init__(connection, scope, now, about)
        self.as_of = as_of or now

    @cached_property
    def files(self) -> SqlCaseFiles:
        return SqlCaseFiles(self._connection, self.scope, self._now, self._about, lock=False)

    def held(self, resident_id: UUID) -> ResidentRecord:
        """Includes what was written when there were several records of the resident.

        The resident is owed all of it, not only what the worker who hands it out usually sees.
        """
        resident = self.residents.get(resident_id)
        former = self.residents.former(resident.id)
        records = [resident.id, *(one.id for one in former)]
        self.about(*records)
        whole = SqlReading(self._connection, EVERYTHING, self._now, self._about)
        return ResidentRecord(
            resident=resident,
            former=former,
            contacts=self._of(Contact, t.contact, records, t.contact.c.id),
            homes=self.households.of_residents(records),
            ways_in=self.rosters.ways_in(records),
            consents=self.residents.consents(resident.id),
            notes=self._of(Note, t.note, records, t.note.c.id),
            cases=[whole.cases.get(row["id"]) for row in whole.cases.of_resident(resident.id)],
            delivered=self.rosters.of_residents(records),
            signals=self._of(Signal, t.signal, records, t.signal.c.id),
            requests=self.access_requests.all_of(records),
            events=self._of(Event, t.event, records, t.event.c.at, t.event.c.id),
            viewers=self.audit.viewers(records),
        )

    def _of(self, cls: type[Any], table: Any, residents: list[UUID], *order: Any) -> list[Any]:
        query = select(table).where(table.c.resident_id.in_(residents)).order_by(*order)
        vault = vault_of(self._connection)
        return [from_row(cls, row, vault) for row in self._connection.execute(query)]
