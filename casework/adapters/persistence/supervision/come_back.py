"""Promises to come back, as items of the worklist of whoever carries the case."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Select,
    Uuid,
    and_,
    bindparam,
    case,
    exists,
    not_,
    or_,
    select,
)

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import decrypted, vault_of
from casework.adapters.persistence.engine.paging import cut_once, page_of, place
from casework.adapters.persistence.rows.aliases import alias_of
from casework.adapters.persistence.scope.who_sees_what import (
    ScopeForm,
    form_of,
    holder,
    once_for_each_form,
    seen,
    shows,
)
from casework.domain.access.policy import Role, Scope
from casework.domain.casefile.case import CaseStatus
from casework.domain.clocks.calendar import ONE_DAY, day_in_seoul, end_of
from casework.domain.clocks.standards import SUPERVISOR, WORKER
from casework.workflows.ports.supervision import WorklistFilter
from casework.workflows.ports.unit_of_work import Page, Paging
from casework.workflows.ports.vault import Vault

COME_BACK: Final = "come_back"
_writer = alias_of(t.account, "writer")
_KEYS: Final = [t.note.c.come_back_on, t.note.c.id]
_LAST: Final = UUID(int=2**128 - 1)
_LINE_AT_MOST: Final = 200


def notes_to_come_back(
    connection: Connection,
    scope: Scope,
    people: list[UUID],
    now: datetime,
    filters: WorklistFilter,
    paging: Paging,
) -> Page:
    """The unanswered promises of these people's cases by the end of their day.

    The page's keys are those of the worklist: whether it can wait (it can), due instant, id. Each
    is of a resident's care: where the programme alone is asked for, there are none.
    """
    is_asked = filters.kind in (None, COME_BACK) and filters.subject != "programme"
    if not shows(t.note, scope) or not is_asked or filters.field:
        return Page([], None)
    form, facts = form_of(scope, now)
    at = Paging(limit=paging.limit, after=_as_day(paging.after))
    today, vault = day_in_seoul(now), vault_of(connection)
    until = today + (ONE_DAY if filters.due == "today" else 7 * ONE_DAY)
    facts |= {"people": people, "today": today, "until": until, **place(_KEYS, at)}
    query = _of_page(form, filters.due, at.after is None)
    rows = connection.execute(query, facts).all()
    found = page_of(rows, _KEYS, at, lambda row: _as_item(row, now, vault))
    last = found.last_key
    return Page(found.rows, None if last is None else (True, end_of(last[0]), last[1]))


@once_for_each_form
def _of_page(form: ScopeForm, due: str, is_first: bool) -> Select[Any]:
    """A page of those of some days; the days, the people and the page are parameters."""
    query, on, today = _unanswered(form), t.note.c.come_back_on, bindparam("today", type_=Date)
    if due == "overdue":
        query = query.where(on < today)
    elif due != "all":
        query = query.where(on >= today, on < bindparam("until", type_=Date))
    return cut_once(query, _KEYS, is_first=is_first)


def _unanswered(form: ScopeForm) -> Select[Any]:
    """Promises that nobody has answered, with the open case of whom they were made to."""
    note, of = t.note, t.care_case
    return (
        select(
            *note.c["id", "come_back_on", "resident_id", "text"],
            *t.resident.c["centre_code", "district_code", "name", "phone", "address"],
            of.c.id.label("case_id"),
            of.c.number.label("case_number"),
            case((of.c.id.is_not(None), of.c.worker_id), (_is_there(), note.c.written_by)).label(
                "worker_id"
            ),
        )
        .join(t.resident, t.resident.c.id == note.c.resident_id)
        .outerjoin(of, and_(of.c.resident_id == t.resident.c.id, of.c.status != CaseStatus.CLOSED))
        .where(
            note.c.come_back_on.is_not(None),
            note.c.answered_at.is_(None),
            note.c.corrected_by_note_id.is_(None),
            t.resident.c.died_on.is_(None),
            seen(t.resident, form),
            _whose(bindparam("people", expanding=True, type_=Uuid), holder(form)),
        )
    )


def _whose(people: Any, held_by: str) -> ColumnElement[bool]:
    """The carrier's; without a case the writer's; the supervisor's where neither is there.

    The supervisor's people are those whose deputies end in nobody.
    """
    of, writer = t.care_case, t.note.c.written_by
    has_none = of.c.id.is_(None)
    if held_by != SUPERVISOR:
        return or_(of.c.worker_id.in_(people), and_(has_none, writer.in_(people)))
    return or_(
        and_(of.c.id.is_not(None), of.c.worker_id.is_(None)),
        of.c.worker_id.in_(people),
        and_(has_none, or_(writer.in_(people), not_(_is_there()))),
    )


def _is_there() -> ColumnElement[bool]:
    """Whether who wrote a note can still sign in, and sees its resident."""
    writer, whom = _writer, t.resident
    sees = or_(
        and_(writer.c.role == Role.WORKER, writer.c.centre_code == whom.c.centre_code),
        and_(writer.c.role == Role.SUPERVISOR, writer.c.district_code == whom.c.district_code),
    )
    return exists(writer.c.id).where(writer.c.id == t.note.c.written_by, writer.c.is_active, sees)


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
        "held_by": SUPERVISOR if row.worker_id is None else WORKER,
        "subject_type": "note",
        "subject_id": row.id,
        "centre_code": row.centre_code,
        "district_code": row.district_code,
        "worker_id": row.worker_id,
        "field": None,
        "due_at": due_at,
        "can_wait": True,
        "is_overdue": now > due_at,
        "resident_id": row.resident_id,
        "resident_name": row.name,
        "resident_died_on": None,
        "resident_phone": decrypted(t.resident, "phone", row.phone, row.resident_id, vault),
        "resident_address": decrypted(t.resident, "address", row.address, row.resident_id, vault),
        "provider_id": None,
        "provider_name": None,
        "provider_phone": None,
        "case_id": row.case_id,
        "text": _first_line(decrypted(t.note, "text", row.text, row.id, vault)),
        "case_number": row.case_number,
    }


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0].strip()[:_LINE_AT_MOST]
