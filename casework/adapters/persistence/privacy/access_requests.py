"""Access requests of residents within the actor's scope."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, insert, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.rows.mapper import from_row, stored
from casework.adapters.persistence.rows.saving import update_row
from casework.adapters.persistence.scope.who_sees_what import seen
from casework.adapters.persistence.tables.audit import access_request
from casework.domain.access.policy import Scope
from casework.domain.errors import NotFound
from casework.domain.privacy.access_requests import AccessRequest
from casework.workflows.ports.unit_of_work import Page, Paging


class SqlAccessRequests:
    """The repository of requests for one transaction of one actor."""

    def __init__(
        self, connection: Connection, scope: Scope, now: datetime, about: set[UUID]
    ) -> None:
        self._connection, self._scope, self._now, self._about = connection, scope, now, about

    def add(self, request: AccessRequest) -> None:
        self._connection.execute(
            insert(access_request), [stored(request, vault_of(self._connection))]
        )

    def get(self, id: UUID, *, lock: bool = False) -> AccessRequest:
        query = self._seen().where(access_request.c.id == id)
        if lock:
            query = query.with_for_update(of=access_request)
        row = self._connection.execute(query).first()
        if row is None:
            raise NotFound("no such access request")
        self._about.add(row.resident_id)
        found: AccessRequest = from_row(AccessRequest, row, vault_of(self._connection))
        return found

    def save(self, request: AccessRequest) -> None:
        update_row(self._connection, access_request, stored(request, vault_of(self._connection)))

    def of_resident(self, resident_id: UUID, paging: Paging) -> Page:
        self._about.add(resident_id)
        query = self._seen().where(access_request.c.resident_id == resident_id)
        return self._page(query, [access_request.c.id], paging, newest_first=True)

    def all_of(self, resident_ids: Sequence[UUID]) -> list[AccessRequest]:
        """Every one of residents within scope, as they came."""
        query = self._seen().where(access_request.c.resident_id.in_(resident_ids))
        vault = vault_of(self._connection)
        rows = self._connection.execute(query.order_by(access_request.c.id))
        return [from_row(AccessRequest, row, vault) for row in rows]

    def unanswered(self, paging: Paging) -> Page:
        query = self._seen().where(access_request.c.answered_at.is_(None))
        return self._page(query, [access_request.c.due_on, access_request.c.id], paging)

    def _seen(self) -> Select[Any]:
        return (
            select(access_request)
            .join(t.resident, t.resident.c.id == access_request.c.resident_id)
            .where(seen(t.resident, self._scope, self._now))
        )

    def _page(
        self, query: Select[Any], keys: list[Any], paging: Paging, *, newest_first: bool = False
    ) -> Page:
        found = page(
            self._connection,
            query,
            keys,
            paging,
            newest_first=newest_first,
            make=lambda row: from_row(AccessRequest, row, vault_of(self._connection)),
        )
        self._about.update(one.resident_id for one in found.rows)
        return found
