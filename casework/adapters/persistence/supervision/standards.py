"""Standards, declared holidays, and what a recount finds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    extract,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.faults import is_taken
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.rows.mapper import from_row, to_row
from casework.adapters.persistence.rows.saving import update_row
from casework.adapters.persistence.scope.who_sees_what import seen
from casework.domain.access.policy import Scope
from casework.domain.casefile.recounts import DeadlineRecounted
from casework.domain.clocks.calendar import ONE_DAY, midnight
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.no_answer import USUAL_LAPSE, recorded_last
from casework.domain.clocks.standards import Standard
from casework.domain.errors import Conflict, Invalid, NotFound
from casework.domain.supervision.recounting import Recount, RecountReason, RunningClock
from casework.domain.supervision.setting_standards import Holiday
from casework.workflows.ports.unit_of_work import Page, Paging

_clock, _step, _standard, _day = t.deadline, t.escalation, t.standard, t.holiday_override
RUNNING: Final = and_(_clock.c.met_at.is_(None), _clock.c.cancelled_at.is_(None))
_RECORDED: Final = ("created_at", "requested_at", "answered_at")
TWIN: Final = "a standard for just this is in force"


class SqlStandards:
    """The repository of standards for one transaction of one actor."""

    def __init__(self, connection: Connection, scope: Scope, now: datetime) -> None:
        self._connection, self._scope, self._now = connection, scope, now

    # Standards

    def get(self, id: UUID, *, lock: bool = False) -> Standard:
        query = select(_standard).where(_standard.c.id == id, self._theirs())
        row = self._connection.execute(query.with_for_update() if lock else query).first()
        if row is None:
            raise NotFound("no such standard")
        found: Standard = from_row(Standard, row)
        return found

    def of_kind(self, kind: str) -> list[Standard]:
        query = select(_standard).where(_standard.c.kind == kind, _standard.c.ended_at.is_(None))
        return [from_row(Standard, row) for row in self._connection.execute(query)]

    def listed(self, filters: Mapping[str, Any], paging: Paging) -> Page:
        query = select(_standard).where(self._theirs())
        for name, wanted in filters.items():
            if name == "in_force" and wanted is not None:
                query = query.where(_standard.c.ended_at.is_(None) == wanted)
            elif wanted is not None:
                query = query.where(_standard.c[name] == wanted)
        return page(
            self._connection,
            query,
            [_standard.c.kind, _standard.c.id],
            paging,
            make=lambda row: from_row(Standard, row),
        )

    def add(self, standard: Standard) -> None:
        self._refuse_twin(standard)
        with _one_of_a_scope():
            self._connection.execute(insert(_standard), [to_row(standard)])

    def save(self, standard: Standard) -> None:
        self._refuse_twin(standard)
        with _one_of_a_scope():
            update_row(self._connection, _standard, to_row(standard))

    def _refuse_twin(self, standard: Standard) -> None:
        if not standard.in_force:
            return
        for other in self.of_kind(standard.kind):
            if other.scope == standard.scope and other.id != standard.id:
                raise Conflict(TWIN, code="standard_exists", standard_id=other.id)

    def _theirs(self) -> ColumnElement[bool]:
        """What applies everywhere, and what the actor's own district set."""
        return seen(_standard, self._scope)

    def check_district(self, code: str | None, field: str) -> None:
        if code is None:
            return
        known = select(t.district.c.code).where(t.district.c.code == code)
        if self._connection.execute(known).first() is None:
            raise Invalid("no such district", code="unknown_district", field=field)

    # Holidays

    def declare(self, holiday: Holiday) -> tuple[Holiday, bool]:
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        row = to_row(holiday)
        everywhere = holiday.district_code is None
        statement = dialect.insert(_day).values(row)
        statement = statement.on_conflict_do_update(
            index_elements=["day"] if everywhere else ["day", "district_code"],
            index_where=text("district_code IS NULL") if everywhere else None,
            set_={k: v for k, v in row.items() if k not in ("id", "day", "district_code")},
        )
        id = self._connection.execute(statement.returning(_day.c.id)).scalar_one()
        return self.holiday(id), id == holiday.id

    def holiday(self, id: UUID) -> Holiday:
        row = self._connection.execute(select(_day).where(_day.c.id == id)).first()
        if row is None:
            raise NotFound("no such holiday")
        found: Holiday = from_row(Holiday, row)
        return found

    def holidays(self, year: int, district_code: str | None) -> list[Holiday]:
        query = select(_day).where(
            extract("year", _day.c.day) == year,
            or_(_day.c.district_code.is_(None), _day.c.district_code == district_code),
        )
        found = [from_row(Holiday, row) for row in self._connection.execute(query)]
        return sorted(found, key=lambda one: (one.district_code is not None, one.day))

    # Recounts

    def begin(self, recount: Recount) -> None:
        self._connection.execute(insert(t.recount), [to_row(recount)])

    def save_recount(self, recount: Recount) -> None:
        row = to_row(recount)
        self._connection.execute(
            update(t.recount).where(t.recount.c.id == row.pop("id")).values(row)
        )

    def recount(self, id: UUID) -> Recount:
        row = self._connection.execute(
            select(t.recount).where(
                t.recount.c.id == id, t.recount.c.started_by == self._scope.actor.id
            )
        ).first()
        if row is None:
            raise NotFound("no such recount")
        found: Recount = from_row(Recount, row)
        return found

    def recounts_of(self, deadline_id: UUID) -> list[Mapping[str, Any]]:
        event = t.event
        rows = self._connection.execute(
            select(event)
            .where(event.c.subject_id == deadline_id, event.c.name == DeadlineRecounted.__name__)
            .order_by(event.c.at, event.c.id)
        ).all()
        days = {UUID(row.data["reason_id"]) for row in rows if row.data.get("on")}
        names = self._connection.execute(select(*_day.c["id", "name"]).where(_day.c.id.in_(days)))
        name_of = {row.id: row.name for row in names}
        return [
            row.data | {"at": row.at, "name": name_of.get(UUID(row.data["reason_id"]))}
            for row in rows
        ]

    def running(self, reason: RecountReason) -> list[RunningClock]:
        which = and_(RUNNING, seen(_clock, self._scope, self._now), *_about(reason))
        its = [t.referral.c[name].label(f"its_{name}") for name in ("lapse_at", *_RECORDED)]
        rows = self._connection.execute(
            select(_clock, *its)
            .outerjoin(t.referral, t.referral.c.id == _clock.c.subject_id)
            .where(which)
            .order_by(_clock.c.case_id, _clock.c.id)
        ).all()
        planned: dict[UUID, set[tuple[int, datetime, datetime]]] = defaultdict(set)
        raised: dict[UUID, set[tuple[int, datetime]]] = defaultdict(set)
        query = select(_step).join(_clock, _clock.c.id == _step.c.deadline_id).where(which)
        for step in self._connection.execute(query):
            if step.raised_at is None:
                planned[step.deadline_id].add((step.tier, step.due_at, step.at))
            else:
                raised[step.deadline_id].add((step.tier, step.due_at))
        return [
            RunningClock(
                from_row(Deadline, row),
                planned[row.id],
                raised[row.id],
                row.its_lapse_at,
                _waits_since(row),
            )
            for row in rows
        ]


def _waits_since(row: Row[Any]) -> datetime | None:
    """When what the clock's referral waits for was recorded."""
    if row.its_created_at is None:
        return None
    return recorded_last(*(getattr(row, f"its_{name}") for name in _RECORDED))


def _about(reason: RecountReason) -> list[ColumnElement[bool]]:
    """The clocks that a standard may be for, or on which a day may bear."""
    if reason.standard is not None:
        standard = reason.standard
        wanted = {
            name: getattr(standard, name)
            for name in ("kind", "service_code", "field", "district_code")
        }
        return [_clock.c[name] == value for name, value in wanted.items() if value is not None]
    if reason.on is None:
        return []
    begins = midnight(reason.on)
    step = _step.alias("step")
    waits = (
        select(step.c.id)
        .where(step.c.deadline_id == _clock.c.id, step.c.raised_at.is_(None))
        .where(step.c.at >= begins - ONE_DAY)
        .correlate(_clock)
        .exists()
    )
    found = [
        _clock.c.started_at < begins + ONE_DAY,
        or_(_clock.c.due_at >= begins, _clock.c.kind.in_(USUAL_LAPSE), waits),
    ]
    if reason.district_code is not None:
        found.append(_clock.c.district_code == reason.district_code)
    return found


@contextmanager
def _one_of_a_scope() -> Iterator[None]:
    """Raise the conflict where another was first: the unique index decides between two at once."""
    try:
        yield
    except IntegrityError as error:
        if is_taken(error):
            raise Conflict(TWIN, code="standard_exists") from None
        raise
