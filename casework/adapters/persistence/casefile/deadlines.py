"""Clocks one by one: who was notified of each, and what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CompoundSelect,
    Connection,
    Select,
    false,
    literal,
    null,
    select,
    true,
    union_all,
    update,
)

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile import escalations
from casework.adapters.persistence.engine.encrypted_columns import decrypt_row, vault_of
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.rows.many import (
    insert_many,
    is_one_of,
    planned_each_time,
    update_many,
)
from casework.adapters.persistence.rows.mapper import from_row, stored, to_row
from casework.adapters.persistence.scope.subjects import note_opened
from casework.adapters.persistence.scope.who_sees_what import listed, seen, seen_or_opened
from casework.domain.access.policy import Scope
from casework.domain.clocks.deadlines import Deadline
from casework.domain.errors import NotFound
from casework.domain.notices.notices import NoticeKind
from casework.domain.supervision.programme_clocks import ProgrammeClocks
from casework.workflows.ports.paging import Page, Paging, Row

AFTER_EVERY_TIER: Final = 100


class SqlDeadlines:
    """The repository of clocks for one transaction of one actor."""

    def __init__(
        self, connection: Connection, scope: Scope, now: datetime, about: set[UUID]
    ) -> None:
        self._connection, self._scope, self._now, self._about = connection, scope, now, about

    def get(self, id: UUID) -> Deadline:
        row = self._connection.execute(
            select(t.deadline).where(
                t.deadline.c.id == id, seen_or_opened(t.deadline, self._scope, self._now)
            )
        ).first()
        if row is None:
            raise NotFound("no such deadline")
        found: Deadline = from_row(Deadline, row)
        if found.resident_id is not None:
            self._about.add(found.resident_id)
            note_opened(self._about, self._scope, found, found.resident_id)
        return found

    def of_programme(self, ids: Sequence[UUID]) -> ProgrammeClocks:
        clock = t.deadline
        query = select(clock).where(
            is_one_of(self._connection, clock.c.id, ids),
            clock.c.case_id.is_(None),
            seen(clock, self._scope, self._now),
        )
        query = planned_each_time(query.order_by(clock.c.id)).with_for_update()
        rows = self._connection.execute(query)
        return ProgrammeClocks.of(from_row(Deadline, row) for row in rows)

    def save_programme(self, unit: ProgrammeClocks, at: datetime) -> None:
        clocks = list(unit.deadlines.values())
        # Until when somebody heard of one that is planned anew is looked for anew.
        rows = ({"id": clock.id, "heard_until": None} | to_row(clock) for clock in clocks)
        written = [{k: v for k, v in row.items() if k != "breached_at"} for row in rows]
        update_many(self._connection, t.deadline, written)
        escalations.plan(self._connection, [(clock, False) for clock in clocks], at)
        vault = vault_of(self._connection)
        insert_many(self._connection, t.event, [stored(one, vault) for one in unit.events])
        insert_many(self._connection, t.review, [stored(one, vault) for one in unit.added])
        unit.events.clear()
        unit.added.clear()

    def case_number(self, deadline: Deadline) -> str | None:
        if deadline.case_id is None:
            return None
        query = select(t.care_case.c.number).where(t.care_case.c.id == deadline.case_id)
        number: str = self._connection.execute(query).scalar_one()
        return number

    def body_name(self, deadline: Deadline) -> str | None:
        if deadline.body_id is None:
            return None
        query = select(t.body.c.name_ko).where(
            t.body.c.id == deadline.body_id, listed(t.body, "shown", self._scope)
        )
        return self._connection.scalar(query)

    def ledger(self, deadline_id: UUID, paging: Paging) -> Page:
        self.get(deadline_id)
        told = _told(deadline_id).subquery()
        query = select(
            told, *t.review.c["action", "cause", "reason", "until", "reviewed_at", "reviewed_by"]
        ).outerjoin(t.review, t.review.c.id == told.c.review_id)
        found = page(self._connection, query, [told.c.raised_at, told.c.tier, told.c.id], paging)
        for row in found.rows:
            decrypt_row(
                t.review, row, row["review_id"], vault_of(self._connection), reason="reason"
            )
        return found

    def last_review(self, deadline_id: UUID) -> Row | None:
        rows = self._connection.execute(reviews().where(t.review.c.deadline_id == deadline_id))
        return last(self._connection, [dict(row._mapping) for row in rows])

    def acknowledge(self, deadline: Deadline, review_id: UUID) -> None:
        """The breach of the review is written as ``breached_at``.

        The review may be the first to see it, and an extension hides the due date that was
        passed.
        """
        self._connection.execute(
            update(t.escalation)
            .where(
                t.escalation.c.deadline_id == deadline.id,
                t.escalation.c.raised_at.is_not(None),
                t.escalation.c.review_id.is_(None),
            )
            .values(review_id=review_id)
        )
        passed = select(t.review.c.due_at).where(t.review.c.id == review_id).scalar_subquery()
        self._connection.execute(
            update(t.deadline)
            .where(t.deadline.c.id == deadline.id, t.deadline.c.breached_at.is_(None))
            .values(breached_at=passed)
        )


def reviews() -> Select[Any]:
    """Reviews in the order in which they were made."""
    return select(t.review).order_by(t.review.c.reviewed_at, t.review.c.id)


def last(connection: Connection, reviews: Sequence[dict[str, Any]]) -> Row | None:
    """The last one, with its reason readable."""
    if not reviews:
        return None
    return decrypt_row(t.review, reviews[-1], reviews[-1]["id"], vault_of(connection))


def _told(deadline_id: UUID) -> CompoundSelect[Any]:
    """Every raised step of a clock, and each time that it was told again after the last one."""
    step, again = t.escalation.c, t.notice.c
    raised = select(
        *t.escalation.c["id", "tier", "passed_over", "quiet", "due_at", "at", "raised_at", "tell"],
        step.review_id,
        false().label("is_repeated"),
    ).where(step.deadline_id == deadline_id, step.raised_at.is_not(None))
    repeated = select(
        again.id,
        literal(AFTER_EVERY_TIER, step.tier.type).label("tier"),
        false().label("passed_over"),
        false().label("quiet"),
        again.due_at,
        again.since.label("at"),
        again.since.label("raised_at"),
        again.tell,
        null().label("review_id"),
        true().label("is_repeated"),
    ).where(again.subject_id == deadline_id, again.kind == NoticeKind.STILL_OVERDUE)
    return union_all(raised, repeated)
