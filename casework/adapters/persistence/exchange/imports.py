"""Imports: their rows, their results, and the queue of what matched nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    and_,
    func,
    insert,
    or_,
    select,
    update,
)

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import require_vault, vault_of
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.rows.accounts import KNOWN_ACCOUNT, known_account
from casework.adapters.persistence.rows.many import (
    insert_many,
    is_one_of,
    planned_each_time,
    update_many,
)
from casework.adapters.persistence.rows.mapper import from_row, stored
from casework.adapters.persistence.scope import session_context
from casework.adapters.persistence.scope.who_sees_what import listed, seen
from casework.adapters.persistence.tables.exchange import import_file, import_row
from casework.domain.access.accounts import canonical_username
from casework.domain.access.policy import Actor, Scope
from casework.domain.errors import NotFound
from casework.domain.exchange.importing import (
    ASSIGNED,
    FileKind,
    ImportFile,
    ImportRow,
    ImportState,
    Mode,
    Outcome,
)
from casework.domain.residents.names import name_and_birth
from casework.workflows.ports.unit_of_work import Page, Paging

CHUNK: Final = 500
RESULT: Final = (
    "outcome", "errors", "key", "external_id", "external_index", "subject_id", "resident_id",
    "centre_code", "waits", "cells",
)  # fmt: skip
_file, _row = import_file.c, import_row.c


class SqlImports:
    """The repository of imports for one transaction of one actor."""

    def __init__(
        self,
        connection: Connection,
        scope: Scope,
        now: datetime,
        about: set[UUID],
    ) -> None:
        self._connection, self._scope, self._now, self._about = connection, scope, now, about
        self._vault = vault_of(connection)

    # Files

    def _own(self, table: Any) -> ColumnElement[bool]:
        """What the actor sent in; the system sees everybody's."""
        return seen(table, self._scope)

    def add(self, file: ImportFile) -> None:
        self._connection.execute(insert(import_file), [stored(file, self._vault)])

    def stage(self, rows: Iterable[ImportRow]) -> int:
        source, count = iter(rows), 0
        while chunk := [stored(row, self._vault) for row in islice(source, CHUNK)]:
            insert_many(self._connection, import_row, chunk)
            count += len(chunk)
        return count

    def unfinished(self, kind: FileKind) -> list[ImportFile]:
        query = select(import_file).where(
            _file.kind == kind, _file.ended_at.is_(None), self._own(import_file)
        )
        rows = self._connection.execute(query.order_by(_file.id))
        return [from_row(ImportFile, row, self._vault) for row in rows]

    def get(self, id: UUID, *, lock: bool = False) -> ImportFile:
        query = select(import_file).where(_file.id == id, self._own(import_file))
        row = self._connection.execute(query.with_for_update() if lock else query).first()
        if row is None:
            raise NotFound("no such import")
        found: ImportFile = from_row(ImportFile, row, self._vault)
        return found

    def save(self, file: ImportFile) -> None:
        row = stored(file, self._vault)
        self._connection.execute(update(import_file).where(_file.id == row.pop("id")).values(row))

    def page(self, paging: Paging) -> Page:
        query = select(import_file).where(self._own(import_file))
        return page(
            self._connection, query, [_file.id], paging, newest_first=True,
            make=lambda row: from_row(ImportFile, row, self._vault),
        )  # fmt: skip

    # Rows

    def rows_after(self, file: ImportFile, limit: int) -> list[ImportRow]:
        query = select(import_row).where(_row.import_id == file.id, _row.number > file.position)
        rows = self._connection.execute(query.order_by(_row.number).limit(limit))
        return [from_row(ImportRow, row, self._vault) for row in rows]

    def keys_before(self, file: ImportFile, keys: Iterable[str]) -> set[str]:
        wanted = set(keys)
        if not wanted:
            return set()
        query = select(_row.key).where(
            _row.import_id == file.id,
            is_one_of(self._connection, _row.key, wanted),
            _row.number <= file.position,
            _row.outcome.in_((Outcome.ACCEPTED, Outcome.UNMATCHED)),
        )
        return set(self._connection.scalars(planned_each_time(query)))

    def note(self, rows: Sequence[ImportRow], *, keep_cells: bool) -> None:
        if not rows:
            return
        names = RESULT[:-1] if keep_cells else RESULT
        for row in rows:
            if not (keep_cells or row.waits):
                row.cells = None
        written = [stored(row, self._vault) for row in rows]
        update_many(
            self._connection,
            import_row,
            [{name: row[name] for name in ("id", *names)} for row in written],
        )

    def forget_cells(self, import_id: UUID) -> None:
        self._connection.execute(
            update(import_row)
            .where(_row.import_id == import_id, ~_row.waits, _row.cells.is_not(None))
            .values(cells=None)
        )

    def forget_results(self, import_id: UUID) -> None:
        self._connection.execute(
            update(import_row)
            .where(_row.import_id == import_id)
            .values(outcome=None, errors=[], key=None, subject_id=None, resident_id=None,
                    external_id=None, external_index=None, waits=False)
        )  # fmt: skip

    def results(self, import_id: UUID, outcome: str | None, paging: Paging) -> Page:
        file = self.get(import_id)
        query = select(import_row).where(
            _row.import_id == file.id, _row.number <= file.position, self._own(import_row)
        )
        if outcome is not None:
            query = query.where(_row.outcome == outcome)
        shown = page(
            self._connection, query, [_row.number], paging,
            make=lambda row: from_row(ImportRow, row, self._vault),
        )  # fmt: skip
        # A row of residents made its own subject; of the others, some are about one.
        named = [one.resident_id for one in shown.rows]
        if file.kind is FileKind.RESIDENTS:
            named += [one.subject_id for one in shown.rows]
        self._about.update(id for id in named if id is not None)
        return shown

    # Who it is about

    def places(self, district: str | None) -> tuple[Mapping[str, str], Mapping[str, str]]:
        districts = self._connection.execute(select(t.district.c.code, t.district.c.name_ko)).all()
        wanted = select(t.centre.c.code, t.centre.c.name)
        if district is not None:
            wanted = wanted.where(t.centre.c.district_code == district)
        centres = self._connection.execute(wanted).all()
        return _by_either(districts), _by_either(centres)

    def by_name(self, name: str, birth_date: date) -> list[UUID]:
        known = require_vault(self._vault).blinds(
            "name and birth date", name_and_birth(name, birth_date)
        )
        one = t.resident
        query = select(func.coalesce(one.c.merged_into_id, one.c.id)).where(
            one.c.name_birth_index.in_(known), seen(one, self._scope, self._now)
        )
        return sorted(set(self._connection.scalars(query)))

    def by_external_id(
        self, external_id: str, import_id: UUID, *, by_hand: bool = False
    ) -> list[UUID]:
        known = require_vault(self._vault).blinds("external id", external_id)
        taken = and_(
            _row.outcome == Outcome.ACCEPTED,
            or_(_row.import_id == import_id, and_(~_file.dry_run, _was_written())),
        )
        query = (
            select(_row.resident_id)
            .join(import_file, _file.id == _row.import_id)
            .where(
                _row.external_index.in_(known),
                _row.resident_id.is_not(None),
                self._of_district(),
                _row.resolution == ASSIGNED if by_hand else or_(taken, _row.resolution == ASSIGNED),
            )
        )
        return self.within_scope(set(self._connection.scalars(query)))

    def _of_district(self) -> ColumnElement[bool]:
        """Rows that came into the actor's district, or by the actor."""
        return listed(import_row, "known", self._scope)

    def within_scope(self, ids: Iterable[UUID]) -> list[UUID]:
        wanted = list(ids)
        if not wanted:
            return []
        one = t.resident
        query = select(func.coalesce(one.c.merged_into_id, one.c.id)).where(
            one.c.id.in_(wanted), seen(one, self._scope, self._now)
        )
        return sorted(set(self._connection.scalars(query)))

    def has_assessment(self, case_id: UUID, assessed_on: date, determination: str) -> bool:
        query = select(t.assessment.c.id).where(
            t.assessment.c.case_id == case_id,
            t.assessment.c.assessed_on == assessed_on,
            t.assessment.c.determination == determination,
        )
        return self._connection.execute(query).first() is not None

    # The queue

    def waiting(self, id: UUID) -> ImportRow:
        return self._one(id, lock=True)

    def row(self, id: UUID) -> ImportRow:
        return self._one(id)

    def _one(self, id: UUID, *, lock: bool = False) -> ImportRow:
        query = select(import_row).where(
            _row.id == id, self._worked_off(), _row.outcome == Outcome.UNMATCHED
        )
        row = self._connection.execute(query.with_for_update() if lock else query).first()
        if row is None:
            raise NotFound("no such result")
        found: ImportRow = from_row(ImportRow, row, self._vault)
        if found.resident_id is not None:
            self._about.add(found.resident_id)
        return found

    def settle(self, row: ImportRow) -> None:
        names = ("waits", "cells", "subject_id", "resident_id", "resolved_at", "resolved_by",
                 "resolution")  # fmt: skip
        values = stored(row, self._vault)
        self._connection.execute(
            update(import_row)
            .where(_row.id == row.id)
            .values({name: values[name] for name in names})
        )

    def queue(self, paging: Paging) -> Page:
        query = select(import_row).where(_row.waits, self._worked_off())
        return page(
            self._connection, query, [_row.id], paging,
            make=lambda row: from_row(ImportRow, row, self._vault),
        )  # fmt: skip

    def _worked_off(self) -> ColumnElement[bool]:
        """A supervisor the district's; a worker what names their centre."""
        return listed(import_row, "queue", self._scope)


def _was_written() -> ColumnElement[bool]:
    """As ``ImportFile.was_written`` of what was no dry run."""
    return or_(
        _file.state == ImportState.DONE,
        and_(_file.mode == Mode.ROW_BY_ROW, _file.state != ImportState.REFUSED),
    )


def _by_either(rows: Sequence[Any]) -> dict[str, str]:
    """Codes by themselves and by their names, where a name is of one alone."""
    names: dict[str, set[str]] = {}
    for code, name in rows:
        names.setdefault(name, set()).add(code)
    return {code: code for code, _ in rows} | {
        name: codes.pop() for name, codes in names.items() if len(codes) == 1
    }


def unfinished_imports(engine: Engine) -> list[tuple[UUID, FileKind, Actor | None]]:
    """An import that has not ended: its kind, and who sent it, if that account may still act.

    The command line continues its own imports itself.
    """
    query = (
        select(_file.id.label("import_id"), _file.kind.label("import_kind"), *KNOWN_ACCOUNT)
        .join(t.account, t.account.c.id == _file.account_id)
        .where(_file.ended_at.is_(None))
        .order_by(_file.id)
    )
    with engine.connect() as connection:
        session_context.set_system_context(connection)
        rows = connection.execute(query).all()
    return [(row.import_id, FileKind(row.import_kind), _actor_of(row)) for row in rows]


def actor_named(engine: Engine, username: str) -> Actor | None:
    """Who acts under a user name, where that account is active."""
    query = select(*KNOWN_ACCOUNT).where(t.account.c.username == canonical_username(username))
    with engine.connect() as connection:
        row = connection.execute(query).first()
    return None if row is None else _actor_of(row)


def _actor_of(row: Any) -> Actor | None:
    account = known_account(row)
    return account.actor() if account.is_active else None
