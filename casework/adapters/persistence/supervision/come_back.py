"""Notes with a follow-up date, as items of the worklist."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Select, exists, select, tuple_

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import decrypted, vault_of
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.scope.registry import seen, shows
from casework.domain.access.policy import Reach
from casework.domain.clocks.calendar import ONE_DAY, day_in_seoul, end_of
from casework.domain.clocks.standards import WORKER
from casework.workflows.ports.supervision import WorklistFilter
from casework.workflows.ports.unit_of_work import Page, Paging
from casework.workflows.ports.vault import Vault

COME_BACK: Final = "come_back"
_LAST: Final = UUID(int=2**128 - 1)


def notes_to_come_back(
    connection: Connection,
    reach: Reach,
    writers: list[UUID],
    now: datetime,
    wanted: WorklistFilter,
    paging: Paging,
) -> Page:
    """These people's notes by the end of their day, each until a later one on that resident.

    The page's keys are those of the worklist: whether it can wait (it can), due instant, id.
    """
    if not shows(t.note, reach) or wanted.kind not in (None, COME_BACK) or wanted.field:
        return Page([], None)
    query = _of_days(_unanswered(reach, writers, now), wanted.due, day_in_seoul(now))
    vault = vault_of(connection)
    found = page(
        connection,
        query,
        [t.note.c.come_back_on, t.note.c.id],
        Paging(limit=paging.limit, after=_as_day(paging.after)),
        make=lambda row: _as_item(row, now, vault),
    )
    last = found.last_key
    return Page(found.rows, None if last is None else (True, end_of(last[0]), last[1]))


def _unanswered(reach: Reach, writers: list[UUID], now: datetime) -> Select[Any]:
    """Notes with a day to come back on, and nothing written about that resident since."""
    note, later = t.note, t.note.alias("later")
    since = tuple_(later.c.written_at, later.c.id) > tuple_(note.c.written_at, note.c.id)
    return (
        select(
            *note.c["id", "come_back_on", "written_by", "resident_id"],
            *t.resident.c["centre_code", "district_code", "name", "phone", "address"],
        )
        .join(t.resident, t.resident.c.id == note.c.resident_id)
        .where(
            note.c.written_by.in_(writers),
            note.c.come_back_on.is_not(None),
            seen(t.resident, reach, now),
            ~exists().where(later.c.resident_id == note.c.resident_id, since),
        )
    )


def _of_days(query: Select[Any], due: str, today: date) -> Select[Any]:
    on = t.note.c.come_back_on
    if due == "overdue":
        return query.where(on < today)
    if due != "all":
        query = query.where(on >= today, on < today + (ONE_DAY if due == "today" else 7 * ONE_DAY))
    return query


def _as_day(after: tuple[Any, ...] | None) -> tuple[date, UUID] | None:
    """The last key that is not after a worklist's key, among the ends of days."""
    if after is None or not after[0]:
        return None
    _, at, id = after
    on = day_in_seoul(at)
    if end_of(on) == at:
        return on, id
    return (on, _LAST) if end_of(on) < at else (on - ONE_DAY, _LAST)


def _as_item(row: Any, now: datetime, vault: Vault | None) -> dict[str, Any]:
    due_at = end_of(row.come_back_on)
    return {
        "id": row.id,
        "kind": COME_BACK,
        "held_by": WORKER,
        "subject_type": "note",
        "subject_id": row.id,
        "centre_code": row.centre_code,
        "district_code": row.district_code,
        "worker_id": row.written_by,
        "field": None,
        "due_at": due_at,
        "can_wait": True,
        "is_overdue": now > due_at,
        "resident_id": row.resident_id,
        "resident_name": row.name,
        "resident_phone": decrypted(t.resident, "phone", row.phone, row.resident_id, vault),
        "resident_address": decrypted(t.resident, "address", row.address, row.resident_id, vault),
        "provider_id": None,
        "provider_name": None,
        "provider_phone": None,
        "case_id": None,
        "case_number": None,
    }
