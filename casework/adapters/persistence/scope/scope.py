"""The asker's reach as a condition in SQL: outside it, a row does not exist."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_, select, true

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.tables.privacy import break_glass
from casework.domain.access.policy import Reach, Relation, is_guest
from casework.domain.clocks.standards import PROVIDER, REFERRAL

AFTER_DETERMINATION = timedelta(days=30)


def seen(table: Any, reach: Reach, now: datetime) -> ColumnElement[bool]:
    """Which rows of a table the asker may see: one with centre and district columns."""
    actor = reach.actor
    match reach.relation:
        case Relation.ALL:
            return true()
        case Relation.CENTRE:
            return table.c.centre_code == actor.centre_code  # type: ignore[no-any-return]
        case Relation.DISTRICT:
            return table.c.district_code == actor.district_code  # type: ignore[no-any-return]
        case Relation.CASES_SENT:
            return _sent(table, reach, now)
        case Relation.OWN_AGENCY:
            return _own_agency(table, reach, now)
    return false()


def seen_or_opened(table: Any, reach: Reach, now: datetime) -> ColumnElement[bool]:
    """What is looked at by its id: also where its resident was opened, with a reason, till now."""
    usual = seen(table, reach, now)
    if not reach.opens:
        return usual
    of = table.c.id if table.name == "resident" else table.c.resident_id
    opened = select(break_glass.c.resident_id).where(*is_live(reach, now))
    return or_(usual, of.in_(opened))


def is_live(reach: Reach, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Which openings let the asker look; at the very instant it ends, one does no longer."""
    return (
        break_glass.c.account_id == reach.actor.id,
        break_glass.c.ended_at.is_(None),
        break_glass.c.ends_at > now,
    )


class Subjects(set[UUID]):
    """Whom an audit entry is about, and who of them was seen because they had been opened."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: set[UUID] = set()


def note_opened(about: set[UUID], reach: Reach, placed: Any, resident_id: UUID) -> None:
    """Remember that something was seen that is outside the asker's own place."""
    if reach.opens and isinstance(about, Subjects) and is_outside(reach, placed):
        about.opened.add(resident_id)


def is_outside(reach: Reach, placed: Any) -> bool:
    """Whether something with a centre and a district is outside the asker's own."""
    return reach.relation is not Relation.ALL and is_guest(reach.actor, placed)


def _sent(table: Any, reach: Reach, now: datetime) -> ColumnElement[bool]:
    """Cases sent for assessment in the asker's district, until 30 days after the result."""
    case = t.care_case
    is_sent = and_(
        case.c.district_code == reach.actor.district_code,
        case.c.sent_for_assessment_at.is_not(None),
        or_(case.c.determined_at.is_(None), case.c.determined_at > now - AFTER_DETERMINATION),
    )
    if table.name == "care_case":
        return is_sent
    if table.name == "resident":
        return table.c.id.in_(select(case.c.resident_id).where(is_sent))  # type: ignore[no-any-return]
    sees = and_(
        table.c.district_code == reach.actor.district_code,
        table.c.case_id.in_(select(case.c.id).where(is_sent)),
    )
    # Whom a referral asks, and how that goes, is no part of what was sent.
    return and_(sees, table.c.subject_type != REFERRAL) if table.name == "deadline" else sees


def _own_agency(table: Any, reach: Reach, now: datetime) -> ColumnElement[bool]:
    """Referrals addressed to the asker's agency, from the request until some days after the end."""
    own = t.referral
    visible = and_(
        own.c.provider_id == reach.actor.provider_id,
        own.c.requested_at.is_not(None),
        or_(own.c.ended_at.is_(None), own.c.ended_at > now - reach.after_end),
    )
    if table.name == "referral":
        return visible
    if table.name == "deadline":
        return and_(
            table.c.provider_id == reach.actor.provider_id,
            table.c.held_by == PROVIDER,
            table.c.subject_id.in_(select(own.c.id).where(visible)),
        )
    return false()
