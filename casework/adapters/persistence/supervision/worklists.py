"""The worklist and the overdue list: one SELECT each, keyset-paged, on the one predicate."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    TextClause,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    text,
)

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.case_numbers import number_of
from casework.adapters.persistence.casefile.cases import is_nobodys
from casework.adapters.persistence.casefile.deadlines import last, reviews
from casework.adapters.persistence.casefile.overdue import (
    IS_OF_CARE,
    IS_OF_PROGRAMME,
    IS_RUNNING,
    is_overdue,
)
from casework.adapters.persistence.engine.encrypted_columns import decrypt_rows, vault_of
from casework.adapters.persistence.engine.paging import cut_once, page_of, place
from casework.adapters.persistence.engine.types import Instant
from casework.adapters.persistence.scope.standing_in import people_of
from casework.adapters.persistence.scope.who_sees_what import (
    ScopeForm,
    form_of,
    holder,
    listed,
    once_for_each_form,
    seen,
    sees_programme,
)
from casework.adapters.persistence.supervision.come_back import COME_BACK, notes_to_come_back
from casework.adapters.persistence.supervision.overdue_filters import asked_for, filtered
from casework.domain.access.policy import Scope
from casework.domain.clocks.calendar import ONE_DAY, day_in_seoul, midnight
from casework.domain.clocks.deadlines import BREACH
from casework.domain.clocks.standards import (
    AREA,
    ASSESSOR,
    BODY,
    GIVER,
    OWNER,
    SUPERVISOR,
    WORKER,
    ClockKind,
)
from casework.workflows.ports.paging import Row
from casework.workflows.ports.supervision import Concern, OverdueFilter, WorklistFilter
from casework.workflows.ports.unit_of_work import Page, Paging

_KEYS = [t.deadline.c.due_at, t.deadline.c.id]
_PRESSING = [t.deadline.c.can_wait, *_KEYS]
# A supervisor's own clocks and nobody's have an index of their own among those of a district; what
# is of people is found by them.
_PARTS: Final[dict[str, tuple[str, ...]]] = {SUPERVISOR: ("left", "people")}
_IS_ASSESSORS: Final = text("deadline.held_by = 'assessor'")
_IS_LEFT: Final = text(
    "(deadline.held_by = 'supervisor' OR deadline.worker_id IS NULL OR deadline.case_id IS NULL)"
)
_CONCERNS: Final = {"care": IS_OF_CARE, "programme": IS_OF_PROGRAMME}


class SqlWorklists:
    """Lists of clocks, for one transaction of one actor."""

    def __init__(
        self, connection: Connection, scope: Scope, now: datetime, about: set[UUID]
    ) -> None:
        self._connection, self._scope, self._now, self._about = connection, scope, now, about

    def mine(self, filters: WorklistFilter, paging: Paging) -> Page:
        """What must happen before a discharge comes first.

        Listed are the clocks that the actor holds; for a worker also the overdue clocks that
        others hold on their cases; and notes to come back to.
        """
        people = people_of(self._connection, day_in_seoul(self._now), self._scope)
        parts = _PARTS.get(holder(self._scope), ("own",))
        pages = [self._clocks_to_do(people, filters, paging, part) for part in parts]
        pages.append(
            notes_to_come_back(self._connection, self._scope, people, self._now, filters, paging)
        )
        rows = sorted((row for one in pages for row in one.rows), key=_pressing)
        more = any(one.last_key for one in pages) or len(rows) > paging.limit
        shown = rows[: paging.limit]
        self._about.update(_residents(shown))
        return Page(shown, _pressing(shown[-1]) if more else None)

    def _clocks_to_do(
        self, people: list[UUID], filters: WorklistFilter, paging: Paging, part: str
    ) -> Page:
        if filters.kind == COME_BACK:
            return Page([], None)
        form, facts = form_of(self._scope, self._now)
        today = day_in_seoul(self._now)
        until = today + (ONE_DAY if filters.due == "today" else 7 * ONE_DAY)
        query = _clocks_to_do(
            form,
            part,
            filters.due,
            frozenset(name for name in ("kind", "field") if getattr(filters, name) is not None),
            filters.subject,
            paging.after is None,
        )
        facts |= {
            "people": people, "now": self._now, "kind": filters.kind, "field": filters.field,
            "since": midnight(today), "until": midnight(until), **place(_PRESSING, paging),
        }  # fmt: skip
        return self._page(query, _PRESSING, paging, facts)

    def _page(
        self, query: Select[Any], keys: list[Any], paging: Paging, facts: dict[str, Any]
    ) -> Page:
        found = page_of(self._connection.execute(query, facts).all(), keys, paging)
        decrypt_rows(
            t.resident, found.rows, "resident_id", vault_of(self._connection),
            resident_phone="phone", resident_address="address",
        )  # fmt: skip
        return found

    # The supervisor's list

    def overdue(self, filters: OverdueFilter, paging: Paging) -> Page:
        form, facts = form_of(self._scope, self._now)
        names, values = asked_for(filters)
        concern = values.pop("only_subject", None)
        facts |= {"now": self._now, **values, **place(_KEYS, paging)}
        query = _overdue(form, names, concern, paging.after is None)
        found = self._page(query, _KEYS, paging, facts)
        self._about.update(_residents(found.rows))
        ids = [row["id"] for row in found.rows]
        told = _grouped(self._connection.execute(_raised(ids)))
        made = _grouped(self._connection.execute(reviews().where(t.review.c.deadline_id.in_(ids))))
        for row in found.rows:
            row["told"] = told.get(row["id"], [])
            row["tier"] = max(
                (step["tier"] for step in row["told"] if step["due_at"] == row["due_at"]),
                default=None,
            )
            row["last_review"] = last(self._connection, made.get(row["id"], []))
        return found

    def overdue_by(self, key: str, subject: Concern | None = None) -> list[Row]:
        clock = t.deadline
        latest = (
            select(t.review.c.cause)
            .where(t.review.c.deadline_id == clock.c.id)
            .order_by(t.review.c.reviewed_at.desc())
            .limit(1)
            .scalar_subquery()
        )
        values: dict[str, Any] = {
            "centre": clock.c.centre_code,
            "field": clock.c.field,
            "provider": clock.c.provider_id,
            "worker": clock.c.worker_id,
            "kind": clock.c.kind,
            "held_by": clock.c.held_by,
            "cause": latest,
            "body": clock.c.body_id,
            "area": clock.c.district_code,
        }
        one = (
            select(values[key].label("key"), *clock.c["due_at", "district_code", "excused"])
            .where(
                is_overdue(self._now),
                seen(clock, self._scope, self._now),
                *_concerning(subject),
            )
            .subquery()
        )
        # A district has a hundred thousand late clocks and some hundred instants they were due at:
        # what they are called is looked up for these.
        groups = select(*one.c, func.count().label("count")).group_by(*one.c).subquery()
        names: dict[str, tuple[Any, Any]] = {
            "centre": (t.centre.c.code, t.centre.c.name),
            "provider": (t.provider.c.id, t.provider.c.name),
            "worker": (t.account.c.id, t.account.c.name),
            "body": (t.body.c.id, t.body.c.name_ko),
        }
        query = select(groups, groups.c.key.label("name"))
        if key in names:
            of, name = names[key]
            which = of == groups.c.key
            if key == "body":
                which = and_(which, listed(t.body, "shown", self._scope))
            query = select(groups, name.label("name")).outerjoin(of.table, which)
        return [dict(row._mapping) for row in self._connection.execute(query)]

    def cases_without_worker(self) -> int:
        query = (
            select(func.count())
            .select_from(t.care_case)
            .where(seen(t.care_case, self._scope, self._now), is_nobodys(t.care_case))
        )
        return self._connection.scalar(query) or 0

    def falling_due(self, until: datetime) -> list[Row]:
        clock = t.deadline
        query = (
            select(clock.c.worker_id, t.account.c.name, func.count().label("count"))
            .outerjoin(t.account, t.account.c.id == clock.c.worker_id)
            .where(
                IS_RUNNING,
                IS_OF_CARE,
                clock.c.due_at >= self._now,
                clock.c.due_at <= until,
                seen(clock, self._scope, self._now),
            )
            .group_by(clock.c.worker_id, t.account.c.name)
            .order_by(func.count().desc())
        )
        return [dict(row._mapping) for row in self._connection.execute(query)]


def _place_offered_at() -> Any:
    """When a place was offered to the referral of a clock, which waits for one."""
    of = t.referral.c.id == t.deadline.c.subject_id
    return select(t.referral.c.place_offered_at).where(of).correlate(t.deadline).scalar_subquery()


def _body_name(form: ScopeForm) -> Any:
    """What the body is called that holds a clock, looked up for the rows of a page."""
    of = t.body.c.id == t.deadline.c.body_id
    called = select(t.body.c.name_ko).where(of, listed(t.body, "shown", form))
    called = called.correlate(t.deadline)
    return called.scalar_subquery().label("body_name")


def _residents(rows: Iterable[Row]) -> Iterable[UUID]:
    return (row["resident_id"] for row in rows if row["resident_id"] is not None)


def _concerning(concern: str | None) -> list[TextClause]:
    return [] if concern is None else [_CONCERNS[concern]]


def _pressing(row: Row) -> tuple[bool, datetime, UUID]:
    return row["can_wait"], row["due_at"], row["id"]


def _raised(ids: list[UUID]) -> Select[Any]:
    """The steps that were raised for some clocks, breaches apart, in order."""
    step = t.escalation
    return (
        select(step)
        .where(
            step.c.deadline_id.in_(ids),
            step.c.raised_at.is_not(None),
            ~step.c.passed_over,
            step.c.tier > BREACH,
        )
        .order_by(step.c.raised_at, step.c.tier)
    )


def _grouped(rows: Iterable[Any]) -> dict[UUID, list[dict[str, Any]]]:
    found: dict[UUID, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row.deadline_id, []).append(dict(row._mapping))
    return found


def _items(now: Any, form: ScopeForm) -> Select[Any]:
    """Clocks with what is shown beside them; those of the programme are about no resident."""
    clock = t.deadline
    whose = t.resident.c.id == clock.c.resident_id
    query = _columns(now).outerjoin(t.provider, t.provider.c.id == clock.c.provider_id)
    if not sees_programme(form):  # clocks of care alone, by whose indexes they are found
        return query.join(t.resident, whose).where(IS_OF_CARE)
    return (
        query.add_columns(_body_name(form))
        .outerjoin(t.resident, whose)
        .where(or_(IS_OF_PROGRAMME, t.resident.c.id.is_not(None)))
    )


def _columns(now: Any) -> Select[Any]:
    clock = t.deadline
    return select(
        *clock.c[
            "id",
            "kind",
            "held_by",
            "subject_type",
            "subject_id",
            "centre_code",
            "worker_id",
            "field",
            "due_at",
            "resident_id",
            "provider_id",
            "district_code",
            "case_id",
            "excused",
            "can_wait",
            "body_id",
        ],
        is_overdue(now).label("is_overdue"),
        case((clock.c.kind == ClockKind.WAITLIST, _place_offered_at())).label("place_offered_at"),
        number_of(clock.c.case_id),
        t.resident.c.name.label("resident_name"),
        t.resident.c.phone.label("resident_phone"),
        t.resident.c.died_on.label("resident_died_on"),
        t.resident.c.address.label("resident_address"),
        t.provider.c.name.label("provider_name"),
        t.provider.c.phone.label("provider_phone"),
    ).select_from(clock)


@once_for_each_form
def _clocks_to_do(
    form: ScopeForm,
    part: str,
    due: str,
    narrowed: frozenset[str],
    concern: str | None,
    is_first: bool,
) -> Select[Any]:
    """A page of what the actor has to do as of the parameter ``now``, built once for each form."""
    clock, now = t.deadline, bindparam("now", type_=Instant)
    query = _items(now, form).where(IS_RUNNING, _mine(form, part, now), *_concerning(concern))
    if due == "overdue":
        query = query.where(is_overdue(now))
    elif due != "all":
        query = query.where(
            clock.c.due_at >= bindparam("since"), clock.c.due_at < bindparam("until")
        )
    if "kind" in narrowed:
        query = query.where(clock.c.kind == bindparam("kind"))
    if "field" in narrowed:
        query = query.where(clock.c.field == bindparam("field"))
    return cut_once(query, _PRESSING, is_first=is_first)


@once_for_each_form
def _overdue(
    form: ScopeForm, filters: frozenset[str], concern: str | None, is_first: bool
) -> Select[Any]:
    """A page of what is overdue as of the parameter ``now``, by filters of these names."""
    now = bindparam("now", type_=Instant)
    query = _items(now, form).where(is_overdue(now), seen(t.deadline, form), *_concerning(concern))
    return cut_once(filtered(query, filters), _KEYS, is_first=is_first)


def _mine(form: ScopeForm, part: str, now: Any) -> ColumnElement[bool]:
    """What the actor has to do; a case that nobody has is the supervisor's."""
    clock, people = t.deadline, bindparam("people", expanding=True, type_=Uuid)
    sees, held_by = seen(clock, form), holder(form)
    if held_by == WORKER:
        others = is_overdue(now)
        return and_(clock.c.worker_id.in_(people), sees, or_(clock.c.held_by == WORKER, others))
    if held_by == SUPERVISOR:
        if part == "people":
            return and_(sees, IS_OF_CARE, clock.c.held_by == WORKER, clock.c.worker_id.in_(people))
        held = clock.c.held_by.in_([SUPERVISOR, WORKER, OWNER, GIVER, BODY, AREA])
        return and_(sees, _IS_LEFT, held)
    if held_by == AREA:
        return and_(sees, IS_OF_PROGRAMME)
    # Spelt out, so that both databases' planners match it to the partial index.
    is_theirs = _IS_ASSESSORS if held_by == ASSESSOR else clock.c.held_by == held_by
    return and_(sees, is_theirs)
