"""Which event of a case file gives whom something to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from casework.domain.casefile.events import (
    CaseAssigned,
    CaseReopened,
    CaseTransferred,
    SignalRaised,
)
from casework.domain.casefile.referral_events import (
    PlaceOffered,
    PlaceOfferEnded,
    ReferralAccepted,
    ReferralCancelled,
    ReferralCaseHeld,
    ReferralCaseResumed,
    ReferralCompleted,
    ReferralDeclined,
    ReferralEnteredInError,
    ReferralEvent,
    ReferralFailed,
    ReferralHeld,
    ReferralLapsed,
    ReferralRequested,
    ReferralResumed,
    ReferralWaitlisted,
    ReferralWithdrawn,
)
from casework.domain.casefile.states import ReferralOutcome
from casework.domain.clocks.standards import PROVIDER, SUPERVISOR, WORKER, Part, Priority
from casework.domain.events import Event

if TYPE_CHECKING:
    from casework.domain.casefile.casefile import CaseFile
    from casework.domain.casefile.referral import Referral
from casework.domain.notices.notices import Notice, NoticeKind


@dataclass(frozen=True, slots=True)
class NoticeRule:
    """Who is notified of an event of a referral. ``about`` None says the referral's state.

    ``at_once`` for a stop, which leaves whatever the priority; everything else leaves at once for
    an emergency only.
    """

    kind: NoticeKind
    tell: tuple[Part, ...]
    about: str | None = None
    at_once: bool = False


_ASKED: Final = NoticeRule(NoticeKind.REFERRAL_REQUESTED, (PROVIDER,))
_ANSWERED: Final = NoticeRule(NoticeKind.REFERRAL_ANSWERED, (WORKER,))
_STOPPED: Final = NoticeRule(NoticeKind.REFERRAL_STOPPED, (PROVIDER,), at_once=True)
_ENDED_BY_AGENCY: Final = NoticeRule(NoticeKind.REFERRAL_ANSWERED, (WORKER,), "ended_early")
_HELD_BY_AGENCY: Final = NoticeRule(NoticeKind.REFERRAL_HELD, (WORKER,))
# At once, as a stop: somebody would go there in vain.
_HELD_WITH_CASE: Final = NoticeRule(NoticeKind.REFERRAL_HELD, (PROVIDER,), "case", at_once=True)
_RESUMED_WITH_CASE: Final = NoticeRule(NoticeKind.REFERRAL_HELD, (PROVIDER,), "case_resumed")
_LAPSED: Final = NoticeRule(NoticeKind.REFERRAL_STOPPED, (PROVIDER, WORKER), at_once=True)

NOTICE_RULES: Final[dict[type[ReferralEvent], NoticeRule]] = {
    ReferralRequested: _ASKED,
    ReferralAccepted: _ANSWERED,
    ReferralWaitlisted: _ANSWERED,
    ReferralDeclined: _ANSWERED,
    ReferralFailed: _ANSWERED,
    ReferralCancelled: _STOPPED,
    ReferralWithdrawn: _STOPPED,
    ReferralEnteredInError: _STOPPED,
    ReferralLapsed: _LAPSED,
    ReferralCaseHeld: _HELD_WITH_CASE,
    ReferralCaseResumed: _RESUMED_WITH_CASE,
    PlaceOffered: NoticeRule(NoticeKind.PLACE_OFFERED, (PROVIDER, WORKER), "offered"),
    PlaceOfferEnded: NoticeRule(NoticeKind.PLACE_OFFERED, (PROVIDER, WORKER), "gone"),
}


def notice_of(event: Event, file: CaseFile) -> Notice | None:
    """The notice of an event of a case file, or None where nobody is to be notified.

    The notice takes the event's id: one event tells once.
    """
    if isinstance(event, SignalRaised):
        return _notice(event, file, NoticeKind.SIGNAL, [WORKER], about="raised")
    if isinstance(event, (CaseAssigned, CaseTransferred, CaseReopened)):
        return _notice_of_work(event, file)
    if not isinstance(event, ReferralEvent):
        return None
    referral = file.referrals[event.subject_id]
    rule = _rule_of(event, referral)
    if rule is None or _was_never_asked(rule, referral):
        return None
    return _notice(
        event,
        file,
        rule.kind,
        list(rule.tell),
        about=rule.about or event.status,
        at_once=rule.at_once or referral.priority == Priority.EMERGENCY,
        provider_id=referral.provider_id,
    )


def _notice_of_work(event: CaseAssigned | CaseTransferred | CaseReopened, file: CaseFile) -> Notice:
    """The worker who gets a case is told; the supervisors, that one waits for a worker."""
    about = _COMES_BY[type(event)]
    if isinstance(event, CaseAssigned) and event.why is not None:
        about = event.why
    if event.worker_id is None:
        return _notice(event, file, NoticeKind.CASE_ARRIVED, [SUPERVISOR], about=about)
    return _notice(event, file, NoticeKind.CASE_ASSIGNED, [WORKER], about=about)


_COMES_BY: Final[dict[type[Event], str]] = {
    CaseAssigned: "assigned",
    CaseTransferred: "transferred",
    CaseReopened: "reopened",
}


def _rule_of(event: ReferralEvent, referral: Referral) -> NoticeRule | None:
    if isinstance(event, ReferralCompleted):
        return _rule_of_end(referral)
    if isinstance(event, ReferralHeld):
        return _HELD_WITH_CASE if event.with_case else _HELD_BY_AGENCY
    if isinstance(event, ReferralResumed):
        return _RESUMED_WITH_CASE if event.with_case else None
    return NOTICE_RULES.get(type(event))


def _rule_of_end(referral: Referral) -> NoticeRule | None:
    """The agency learns that a case was closed under it; the worker, that an agency ended early."""
    if referral.ended_by_closing:
        return _STOPPED
    return None if referral.outcome is ReferralOutcome.ENDED_AS_PLANNED else _ENDED_BY_AGENCY


def _was_never_asked(rule: NoticeRule, referral: Referral) -> bool:
    """Whether an agency is to be stopped that was never asked."""
    return rule.kind is NoticeKind.REFERRAL_STOPPED and referral.requested_at is None


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
