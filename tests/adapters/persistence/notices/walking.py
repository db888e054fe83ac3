"""What stays overdue, found by looking at every overdue clock: what the relay is compared with."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, and_, case, exists, not_, or_, select, true

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.casefile.overdue import is_answered, is_overdue
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.clocks.deadlines import BREACH
from casework.domain.notices.notices import NoticeKind
from casework.domain.supervision.codes import ReviewAction

_clock, _step, _review, _again = t.deadline.c, t.escalation.c, t.review.c, t.notice.c


def still_overdue(
    connection: Connection, district: str, told_before: datetime, now: datetime
) -> set[UUID]:
    """No step is still to come, nobody was told since, and no review puts it off."""
    of_clock = _step.deadline_id == _clock.id
    was_told = or_(
        and_(_step.tier > BREACH, _step.at >= told_before),
        and_(_step.quiet, _step.raised_at >= told_before),
    )
    puts_off = case(
        (_review.action == ReviewAction.CHASE, _review.until > day_in_seoul(now)),
        (_review.action == ReviewAction.REASSIGN, _review.reviewed_at >= told_before),
        else_=true(),
    )
    is_put_off = exists().where(
        _review.deadline_id == _clock.id, _review.due_at == _clock.due_at, puts_off
    )
    query = select(_clock.id).where(
        is_overdue(now),
        _clock.district_code == district,
        _clock.due_at < told_before,
        not_(_clock.excused),
        ~exists().where(of_clock, _step.raised_at.is_(None)),
        ~exists().where(of_clock, _step.due_at == _clock.due_at, was_told),
        ~exists().where(
            _again.subject_id == _clock.id,
            _again.kind == NoticeKind.STILL_OVERDUE,
            _again.since >= told_before,
        ),
        or_(~is_answered(), ~is_put_off),
    )
    return set(connection.scalars(query))
