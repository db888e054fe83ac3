"""Absences: on which days somebody is away, and who deputises."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from casework.domain.access.policy import Role
from casework.domain.access.standing_in import StandIns
from casework.domain.act import Act
from casework.domain.errors import Conflict, require

# Whose work a deputy of the same role and place can take on.
CAN_BE_AWAY: Final = frozenset({Role.WORKER, Role.SUPERVISOR, Role.ASSESSOR})
ONE_DAY: Final = timedelta(days=1)


@dataclass(slots=True, kw_only=True)
class Absence:
    """Days on which somebody is away, and the deputy who sees and gets what they would.

    ``ended_on`` is the last day where it ended before ``to_on``; one that lies before ``from_on``
    says that the absence never began. A supervisor or an assessor has no ``centre_code``.
    """

    id: UUID
    worker_id: UUID
    from_on: date
    to_on: date
    deputy_id: UUID
    centre_code: str | None
    district_code: str
    recorded_at: datetime
    recorded_by: UUID | None
    ended_on: date | None = None
    changed_at: datetime | None = None
    changed_by: UUID | None = None
    version: int = 1

    @property
    def last_on(self) -> date:
        """The last day away."""
        return self.to_on if self.ended_on is None else min(self.to_on, self.ended_on)

    def covers(self, on: date) -> bool:
        """Whether the person is away on a day."""
        return self.from_on <= on <= self.last_on

    def overlaps(self, other: Absence) -> bool:
        """Whether two absences have a day in common."""
        return max(self.from_on, other.from_on) <= min(self.last_on, other.last_on)


def check_absence(absence: Absence, others: Sequence[Absence], act: Act) -> None:
    """Refuse an absence that cannot be, or that leaves the work going round in a circle.

    ``others`` are the absences of the district that it may overlap.
    """
    _check_days(absence, act)
    require(
        absence.deputy_id != absence.worker_id,
        "nobody deputises for themselves",
        code="own_deputy",
        field="deputy_id",
    )
    beside = [one for one in others if one.id != absence.id and one.overlaps(absence)]
    for one in beside:
        if one.worker_id == absence.worker_id:
            raise Conflict(
                "this person is away on some of these days already",
                code="absence_overlaps",
                absence_id=one.id,
            )
    for day in {max(absence.from_on, one.from_on) for one in beside}:
        if _goes_round(absence, beside, day):
            raise Conflict(
                f"on {day} the deputies would stand in for each other", code="mutual_deputies"
            )


def _check_days(absence: Absence, act: Act) -> None:
    """It ends after it began and not before today; it begins, and lasts, within a year."""
    require(
        absence.to_on >= absence.from_on,
        "ends before it starts",
        code="ends_before_start",
        field="to",
    )
    act.not_before(absence.to_on, act.today, "to")
    require(
        absence.from_on < _a_year_after(act.today),
        "begins more than a year ahead",
        code="absence_too_far",
        field="from",
    )
    require(
        absence.to_on < _a_year_after(absence.from_on),
        "an absence lasts a year at most",
        code="absence_too_long",
        field="to",
    )


def _a_year_after(on: date) -> date:
    """The corresponding day of the next year; 1 March where there is none."""
    leap = (on.month, on.day) == (2, 29)
    return date(on.year + 1, 3, 1) if leap else on.replace(year=on.year + 1)


def _goes_round(absence: Absence, beside: Iterable[Absence], day: date) -> bool:
    """Whether, on a day, the deputies of deputies lead back to somebody in the chain."""
    away = {one.worker_id: one.deputy_id for one in beside if one.covers(day)}
    away[absence.worker_id] = absence.deputy_id
    return StandIns(away).acting_for(absence.worker_id) is None


def correct(
    absence: Absence, others: Sequence[Absence], changes: dict[str, object], act: Act
) -> None:
    """Put right the days or the deputy of an absence that is not over."""
    check_not_over(absence, act)
    for name, value in changes.items():
        setattr(absence, name, value)
    if "to_on" in changes:
        absence.ended_on = None
    check_absence(absence, others, act)
    _changed(absence, act)


def end(absence: Absence, on: date, act: Act) -> None:
    """End an absence early: ``on`` is the last day away, before its first where it never began."""
    check_not_over(absence, act)
    act.not_before(on, min(absence.from_on, act.today) - ONE_DAY, "on")
    require(on <= absence.to_on, "it ends before that", code="absence_ends_before", field="on")
    absence.ended_on = on
    _changed(absence, act)


def check_not_over(absence: Absence, act: Act) -> None:
    """Refuse to change an absence whose last day has passed: nothing rests on it any more."""
    if absence.last_on < act.today:
        raise Conflict("it is over", code="absence_over")


def _changed(absence: Absence, act: Act) -> None:
    absence.changed_at, absence.changed_by = act.at, act.by.id
