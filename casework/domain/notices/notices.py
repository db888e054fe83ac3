"""Notices: recipients, timing, and the brake on floods.

A notice is written in the transaction of what it tells of, and says nothing personal: a case
reference, a kind, a step. Emergencies and stop notices leave at once; all else waits for the one
digest that a person gets on a working day at 09:00.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from casework.domain.casefile.events import SignalRaised
from casework.domain.casefile.referral_events import (
    PlaceOffered,
    PlaceOfferEnded,
    ReferralAccepted,
    ReferralCancelled,
    ReferralCompleted,
    ReferralDeclined,
    ReferralEnteredInError,
    ReferralEvent,
    ReferralFailed,
    ReferralLapsed,
    ReferralRequested,
    ReferralWaitlisted,
    ReferralWithdrawn,
)
from casework.domain.casefile.states import ReferralOutcome
from casework.domain.clocks.calendar import WorkingCalendar, day_in_seoul, morning_of
from casework.domain.clocks.standards import (
    ASSESSOR,
    HEAD,
    PROVIDER,
    SUPERVISOR,
    WORKER,
    Part,
    Priority,
)
from casework.domain.events import Event

if TYPE_CHECKING:
    from casework.domain.act import Act
    from casework.domain.casefile.casefile import CaseFile
    from casework.domain.casefile.referral import Referral


class NoticeKind(StrEnum):
    """What a notice tells of; a webhook names the same kinds."""

    ESCALATION = "escalation"
    REFERRAL_REQUESTED = "referral_requested"
    REFERRAL_STOPPED = "referral_stopped"
    REFERRAL_ANSWERED = "referral_answered"
    SIGNAL = "signal"
    BREAK_GLASS = "break_glass"
    PLACE_OFFERED = "place_offered"
    FIGURES_WANTED = "figures_wanted"
    RESIDENT_CHANGED = "resident_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that somebody is to be told, since an instant. ``tell`` names parts, not people."""

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


@dataclass(frozen=True, slots=True)
class Telling:
    """Whom an event of a referral gives what to know. ``about`` None says the referral's state.

    ``at_once`` for a stop, which leaves whatever the priority; everything else leaves at once for
    an emergency only.
    """

    kind: NoticeKind
    tell: tuple[Part, ...]
    about: str | None = None
    at_once: bool = False


_ASKED: Final = Telling(NoticeKind.REFERRAL_REQUESTED, (PROVIDER,))
_ANSWERED: Final = Telling(NoticeKind.REFERRAL_ANSWERED, (WORKER,))
_STOPPED: Final = Telling(NoticeKind.REFERRAL_STOPPED, (PROVIDER,), at_once=True)
_ENDED_BY_AGENCY: Final = Telling(NoticeKind.REFERRAL_ANSWERED, (WORKER,), "ended_early")
_LAPSED: Final = Telling(NoticeKind.REFERRAL_STOPPED, (PROVIDER, WORKER), at_once=True)

TELLS: Final[dict[type[ReferralEvent], Telling]] = {
    ReferralRequested: _ASKED,
    ReferralAccepted: _ANSWERED,
    ReferralWaitlisted: _ANSWERED,
    ReferralDeclined: _ANSWERED,
    ReferralFailed: _ANSWERED,
    ReferralCancelled: _STOPPED,
    ReferralWithdrawn: _STOPPED,
    ReferralEnteredInError: _STOPPED,
    ReferralLapsed: _LAPSED,
    PlaceOffered: Telling(NoticeKind.PLACE_OFFERED, (PROVIDER, WORKER), "offered"),
    PlaceOfferEnded: Telling(NoticeKind.PLACE_OFFERED, (PROVIDER, WORKER), "gone"),
}


def notice_of(event: Event, file: CaseFile) -> Notice | None:
    """What an event of a case file gives somebody to know, or None where nobody needs telling.

    The notice takes the event's id: one event tells once.
    """
    if isinstance(event, SignalRaised):
        return _notice(event, file, NoticeKind.SIGNAL, [WORKER], about="raised")
    if not isinstance(event, ReferralEvent):
        return None
    referral = file.referrals[event.subject_id]
    telling = TELLS.get(type(event))
    if isinstance(event, ReferralCompleted):
        telling = _telling_of_end(referral)
    if telling is None or _was_never_told(telling, referral):
        return None
    return _notice(
        event,
        file,
        telling.kind,
        list(telling.tell),
        about=telling.about or event.status,
        at_once=telling.at_once or referral.priority == Priority.EMERGENCY,
        provider_id=referral.provider_id,
    )


def _telling_of_end(referral: Referral) -> Telling | None:
    """The agency learns that a case was closed under it; the worker, that an agency ended early."""
    if referral.ended_by_closing:
        return _STOPPED
    return None if referral.outcome is ReferralOutcome.ENDED_AS_PLANNED else _ENDED_BY_AGENCY


def _was_never_told(telling: Telling, referral: Referral) -> bool:
    """Whether an agency is to be stopped that was never asked."""
    return telling.kind is NoticeKind.REFERRAL_STOPPED and referral.requested_at is None


def _notice(
    event: Event,
    file: CaseFile,
    kind: NoticeKind,
    tell: list[Part],
    *,
    about: str,
    at_once: bool = False,
    provider_id: UUID | None = None,
) -> Notice:
    case = file.case
    return Notice(
        id=event.id,
        kind=kind,
        subject_type=event.subject_type,
        subject_id=event.subject_id,
        case_id=case.id,
        centre_code=case.centre_code,
        district_code=case.district_code,
        worker_id=case.worker_id,
        provider_id=provider_id,
        tell=tell,
        at_once=at_once,
        since=event.at,
        about=about,
    )


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


# Whom a notice reaches


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who can be told: active accounts by what they stand for.

    ``deputies`` names the deputy of each worker who is away today.
    """

    workers: frozenset[UUID]
    deputies: Mapping[UUID, UUID]
    supervisors: Mapping[str, Sequence[UUID]]
    heads: Mapping[str, Sequence[UUID]]
    assessors: Mapping[str, Sequence[UUID]]
    agencies: Mapping[UUID, Sequence[UUID]]


def addressees(notice: Notice, people: Recipients) -> list[UUID]:
    """The accounts a notice is for, each once.

    What a worker would get goes to the deputy while the worker is away, and to the district's
    supervisors where nobody carries the case; what the head would get, to the supervisors where
    the district has no head.
    """
    supervisors = people.supervisors.get(notice.district_code, ())
    found: list[UUID] = []
    for part in notice.tell:
        if part == PROVIDER and notice.provider_id is not None:
            found += people.agencies.get(notice.provider_id, ())
        elif part == HEAD:
            found += people.heads.get(notice.district_code, ()) or supervisors
        elif part == SUPERVISOR:
            found += supervisors
        elif part == ASSESSOR:
            found += people.assessors.get(notice.district_code, ())
        elif part == WORKER:
            found += _responsible(notice.worker_id, people) or supervisors
    return list(dict.fromkeys(found))


def _responsible(worker_id: UUID | None, people: Recipients) -> list[UUID]:
    stands_in = people.deputies.get(worker_id, worker_id) if worker_id else None
    return [stands_in] if stands_in in people.workers else []


# When a digest leaves

SWEEP_MAY_TAKE: Final = timedelta(minutes=30)


def digest_of(
    now: datetime, calendar: WorkingCalendar, swept_as_of: datetime | None
) -> datetime | None:
    """The morning whose digest may leave now, or None; it says what was to be told by then.

    At 09:00 of a working day, once a sweep has raised what was due by then; where no sweep comes,
    half an hour later all the same.
    """
    today = day_in_seoul(now)
    morning = morning_of(today)
    if not calendar.is_working(today) or now < morning:
        return None
    is_swept = swept_as_of is not None and swept_as_of >= morning
    return morning if is_swept or now >= morning + SWEEP_MAY_TAKE else None


# The brake

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
