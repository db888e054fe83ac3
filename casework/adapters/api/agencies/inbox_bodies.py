"""Request bodies of an agency's inbox: answers to many requests, and its own staff."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StrictBool

from casework.adapters.api.access.bodies import OWN_ADDRESS, Email, Username
from casework.adapters.api.shared import bodies as s
from casework.domain.agencies.inbox import MAX_ANSWERS
from casework.domain.referring.referring import Details
from casework.workflows.agencies.inbox import ReferralAnswer

State = Literal["requested", "waitlisted", "accepted", "in_progress", "on_hold"]
Priority = Literal["routine", "urgent", "emergency"]


class _OfOne(s.Body):
    """Which request is answered; the rest is the body of the single move."""

    referral_id: UUID


class AcceptAnswer(_OfOne, s.AcceptReferral):
    """As ``/referrals/{id}/accept``."""

    action: Literal["accept"]


class WaitlistAnswer(_OfOne, s.WaitlistReferral):
    """As ``/referrals/{id}/waitlist``."""

    action: Literal["waitlist"]


class DeclineAnswer(_OfOne, s.DeclineReferral):
    """As ``/referrals/{id}/decline``."""

    action: Literal["decline"]


class StartAnswer(_OfOne, s.StartReferral):
    """As ``/referrals/{id}/start``."""

    action: Literal["start"]


class ReportAnswer(_OfOne, s.ReportProgress):
    """As ``/referrals/{id}/report``."""

    action: Literal["report"]


class HoldAnswer(_OfOne, s.HoldReferral):
    """As ``/referrals/{id}/hold``."""

    action: Literal["hold"]


class ResumeAnswer(_OfOne, s.ResumeReferral):
    """As ``/referrals/{id}/resume``."""

    action: Literal["resume"]


class CompleteAnswer(_OfOne, s.CompleteReferral):
    """As ``/referrals/{id}/complete``."""

    action: Literal["complete"]


class FailAnswer(_OfOne, s.FailReferral):
    """As ``/referrals/{id}/fail``."""

    action: Literal["fail"]


class SignalAnswer(_OfOne, s.RaiseSignal):
    """As ``/referrals/{id}/signal``."""

    action: Literal["signal"]


AnyAnswer = Annotated[
    AcceptAnswer
    | WaitlistAnswer
    | DeclineAnswer
    | StartAnswer
    | ReportAnswer
    | HoldAnswer
    | ResumeAnswer
    | CompleteAnswer
    | FailAnswer
    | SignalAnswer,
    Field(discriminator="action"),
]


class GiveAnswers(s.Body):
    """Answers to some requests: one by one, or all of them or none."""

    answers: Annotated[list[AnyAnswer], Field(min_length=1, max_length=MAX_ANSWERS)]
    all_or_nothing: StrictBool = False


def answer_of(one: Any) -> ReferralAnswer:
    """What one of them says, as the use case takes it."""
    given = one.model_dump(exclude_none=True, exclude={"referral_id", "action"})
    return ReferralAnswer(
        referral_id=one.referral_id,
        action=one.action,
        replace_with=given.pop("replace_with", None),
        signal_kind=given.pop("kind", ""),
        details=Details(**given),
    )


class AddStaff(s.Body):
    """Somebody of the own agency, with a first password."""

    username: Username
    name: s.Short
    email: Email | None = None
    is_lead: StrictBool = False
    password: s.Secret


class ChangeStaff(s.Body):
    """What is to change."""

    name: s.Short = ""
    email: Email | None = None
    is_active: StrictBool = True
    is_lead: StrictBool = False
    password: s.Secret | None = OWN_ADDRESS
