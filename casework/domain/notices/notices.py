"""Notices: recipients, timing, and the flood limit.

A notice is written in the transaction of what it tells of, and says nothing personal: a case
reference, a kind, a step. Emergencies and stop notices leave at once; all else waits for the one
digest that a person gets on a working day at 09:00.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid5

from casework.domain.access.standing_in import StandIns
from casework.domain.clocks.calendar import (
    ONE_DAY,
    WorkingCalendar,
    day_in_seoul,
    end_of,
    midnight,
    morning_of,
)
from casework.domain.clocks.standards import (
    AREA,
    ASSESSOR,
    BODY,
    CITY_AREA,
    GIVER,
    HEAD,
    OWNER,
    PLANNED_SERVICE,
    PROVIDER,
    REFERRAL,
    SUPERVISOR,
    WORKER,
    Part,
)

if TYPE_CHECKING:
    from casework.domain.act import Act
    from casework.domain.clocks.deadlines import Deadline


class NoticeKind(StrEnum):
    """What a notice tells of; a webhook names the same kinds."""

    ESCALATION = "escalation"
    REFERRAL_REQUESTED = "referral_requested"
    REFERRAL_STOPPED = "referral_stopped"
    REFERRAL_ANSWERED = "referral_answered"
    REFERRAL_HELD = "referral_held"
    SIGNAL = "signal"
    BREAK_GLASS = "break_glass"
    PLACE_OFFERED = "place_offered"
    FIGURES_WANTED = "figures_wanted"
    AGENCY_ENDS = "agency_ends"
    SERVICE_ENDS = "service_ends"
    STILL_OVERDUE = "still_overdue"
    CASE_ASSIGNED = "case_assigned"
    CASE_ARRIVED = "case_arrived"
    RESIDENT_CHANGED = "resident_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to notify somebody of, since an instant. ``tell`` names parts, not people."""

    id: UUID
    kind: NoticeKind
    subject_type: str
    subject_id: UUID
    # None where it is about no case: a resident opened out of scope, an offering's old figures.
    case_id: UUID | None
    centre_code: str
    district_code: str
    worker_id: UUID | None
    provider_id: UUID | None
    tell: list[Part]
    at_once: bool
    since: datetime
    about: str
    tier: int | None = None
    due_at: datetime | None = None
    run_id: UUID | None = None
    addressed_at: datetime | None = None

    @property
    def is_of_programme(self) -> bool:
        """Whether it tells of a clock that is about no case."""
        return self.subject_type == "deadline" and self.case_id is None


def notice_of_stale(
    offering_id: UUID, provider_id: UUID, district_code: str, act: Act, *, tells: bool
) -> Notice:
    """That an agency's figures are old and wanted; its district hears where nobody is there.

    ``tells`` says whether somebody of the agency signs in.
    """
    return Notice(
        id=act.new_id(),
        kind=NoticeKind.FIGURES_WANTED,
        subject_type="offering",
        subject_id=offering_id,
        case_id=None,
        centre_code="",
        district_code=district_code,
        worker_id=None,
        provider_id=provider_id,
        tell=[PROVIDER if tells else SUPERVISOR],
        at_once=False,
        since=act.at,
        about="stale",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkThatEnds:
    """What is open with an agency, or planned of a service, and who carries its case."""

    id: UUID
    case_id: UUID
    centre_code: str
    district_code: str
    worker_id: UUID | None
    provider_id: UUID | None = None


def notice_of_end(of: WorkThatEnds, last_day: date | None, act: Act) -> Notice:
    """That the agency of an open referral, or its designation, has a last day or none any more."""
    return _notice_of_end(NoticeKind.AGENCY_ENDS, REFERRAL, of, last_day, act)


def notice_of_service_end(of: WorkThatEnds, last_day: date | None, act: Act) -> Notice:
    """That the service which is planned has a last day in the catalogue, or none any more."""
    return _notice_of_end(NoticeKind.SERVICE_ENDS, PLANNED_SERVICE, of, last_day, act)


def _notice_of_end(
    kind: NoticeKind, subject_type: str, of: WorkThatEnds, last_day: date | None, act: Act
) -> Notice:
    return Notice(
        id=act.new_id(),
        kind=kind,
        subject_type=subject_type,
        subject_id=of.id,
        case_id=of.case_id,
        centre_code=of.centre_code,
        district_code=of.district_code,
        worker_id=of.worker_id,
        provider_id=of.provider_id,
        tell=[WORKER],
        at_once=False,
        since=act.at,
        about="ends" if last_day else "goes_on",
        due_at=end_of(last_day) if last_day else None,
    )


# What is told again

TOLD_AGAIN_AFTER: Final = 5  # working days


def told_again_since(morning: datetime, calendar: WorkingCalendar) -> datetime:
    """What was last told before this instant, and is overdue still, is told again this morning."""
    return midnight(calendar.step(day_in_seoul(morning), -TOLD_AGAIN_AFTER) + ONE_DAY)


def notice_of_still_overdue(clock: Deadline, morning: datetime) -> Notice:
    """That a clock is overdue still, and nobody has answered for it.

    Its id follows from the clock and the morning, so that it is told once however many tell it.
    """
    return Notice(
        id=uuid5(clock.id, morning.isoformat()),
        kind=NoticeKind.STILL_OVERDUE,
        subject_type="deadline",
        subject_id=clock.id,
        case_id=clock.case_id,
        centre_code=clock.centre_code or "",
        district_code=clock.district_code,
        worker_id=clock.worker_id,
        provider_id=clock.provider_id,
        tell=[GIVER if clock.is_of_programme else SUPERVISOR],
        at_once=False,
        since=morning,
        about=clock.kind,
        due_at=clock.due_at,
    )


# Recipients

HELD_IN_PROGRAMME: Final = frozenset({OWNER, BODY, AREA})


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who can be notified: active accounts by what they stand for; ``city`` are its officers.

    ``stand_ins`` says who has the work of those who are away today.
    """

    workers: frozenset[UUID]
    stand_ins: StandIns
    supervisors: Mapping[str, Sequence[UUID]]
    heads: Mapping[str, Sequence[UUID]]
    assessors: Mapping[str, Sequence[UUID]]
    agencies: Mapping[UUID, Sequence[UUID]]
    city: Sequence[UUID] = ()


def addressees(notice: Notice, people: Recipients) -> list[UUID]:
    """The accounts a notice is for, each once.

    What somebody would get goes to the deputy while they are away. What nobody can get goes to the
    district's supervisors, and what the head would get, where the district has no head. In the
    programme a district stands for its bodies, and the city for a district where nobody is.
    """
    supervisors = _there(people.supervisors.get(notice.district_code, ()), people)
    if notice.is_of_programme:
        supervisors = _of_area(notice.district_code, supervisors, people)
    found: list[UUID] = []
    for part in notice.tell:
        if part in HELD_IN_PROGRAMME:
            found += supervisors
        elif part == PROVIDER and notice.provider_id is not None:
            found += people.agencies.get(notice.provider_id, ())
        elif part in (HEAD, GIVER):
            found += _there(people.heads.get(notice.district_code, ()), people) or supervisors
        elif part == SUPERVISOR:
            found += supervisors
        elif part == ASSESSOR:
            found += _there(people.assessors.get(notice.district_code, ()), people)
        elif part == WORKER:
            found += _responsible(notice.worker_id, people) or supervisors
    return list(dict.fromkeys(found))


def _of_area(area: str, supervisors: Sequence[UUID], people: Recipients) -> Sequence[UUID]:
    """A district's supervisors; the city's officers for the city, and where there are none."""
    return people.city if area == CITY_AREA else supervisors or people.city


def _there(ids: Sequence[UUID], people: Recipients) -> Sequence[UUID]:
    """Those who are there, and who acts for the others; all of them where that is nobody."""
    acting = (people.stand_ins.acting_for(id) for id in ids)
    return list(dict.fromkeys(one for one in acting if one is not None)) or ids


def _responsible(worker_id: UUID | None, people: Recipients) -> list[UUID]:
    acting = None if worker_id is None else people.stand_ins.acting_for(worker_id)
    return [acting] if acting in people.workers else []


# When a digest leaves

SWEEP_MAY_TAKE: Final = timedelta(minutes=30)


def digest_of(
    now: datetime, calendar: WorkingCalendar, swept_as_of: datetime | None
) -> datetime | None:
    """The morning whose digest may leave now, or None; it contains what was due by then.

    At 09:00 of a working day, once a sweep has raised what was due by then; where no sweep comes,
    half an hour later all the same.
    """
    today = day_in_seoul(now)
    morning = morning_of(today)
    if not calendar.is_working(today) or now < morning:
        return None
    is_swept = swept_as_of is not None and swept_as_of >= morning
    return morning if is_swept or now >= morning + SWEEP_MAY_TAKE else None


# The flood limit

ALWAYS_ALLOWED: Final = 50
TIMES_THE_USUAL: Final = 5
RUNS_REMEMBERED: Final = 20


def is_flood(count: int, before: Sequence[int]) -> bool:
    """Whether a run has far more notices for a district than usual: they then need a release.

    ``before`` are the counts of the district's last runs that raised anything, newest first.
    """
    usual = median(before[:RUNS_REMEMBERED]) if before else 0
    return count > max(ALWAYS_ALLOWED, TIMES_THE_USUAL * usual)


def summary_of(notices: Iterable[Notice], case_numbers: Mapping[UUID, str]) -> list[dict[str, Any]]:
    """What a message says of each notice: references, codes and instants, nothing personal."""
    return [
        {
            "id": notice.id,
            "kind": notice.kind,
            "case_id": notice.case_id,
            "case_number": case_numbers.get(notice.case_id) if notice.case_id else None,
            "subject": {"type": notice.subject_type, "id": notice.subject_id},
            "about": notice.about,
            "tier": notice.tier,
            "due_at": notice.due_at,
        }
        for notice in notices
    ]
