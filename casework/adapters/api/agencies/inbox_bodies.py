"""What comes in at an agency's desk: answers to many requests, and its own staff."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StrictBool

from casework.adapters.api.access.bodies import Email, Secret, Username
from casework.adapters.api.shared import bodies as s
from casework.domain.agencies.inbox import MOST_ANSWERS
from casework.domain.referring.referring import Details
from casework.workflows.agencies.inbox import Answer

State = Literal["requested", "waitlisted", "accepted", "in_progress", "on_hold"]
Priority = Literal["routine", "urgent", "emergency"]


class _OfOne(s.Body):
    """Which request is answered; the rest is the body of the single move."""

    referral_id: UUID


class AcceptOne(_OfOne, s.Accept):
    """As ``/referrals/{id}/accept``."""

    action: Literal["accept"]


class WaitlistOne(_OfOne, s.Waitlist):
    """As ``/referrals/{id}/waitlist``."""

    action: Literal["waitlist"]


class DeclineOne(_OfOne, s.Decline):
    """As ``/referrals/{id}/decline``."""

    action: Literal["decline"]


class StartOne(_OfOne, s.Start):
    """As ``/referrals/{id}/start``."""

    action: Literal["start"]


class ReportOne(_OfOne, s.Report):
    """As ``/referrals/{id}/report``."""

    action: Literal["report"]


class HoldOne(_OfOne, s.Hold):
    """As ``/referrals/{id}/hold``."""

    action: Literal["hold"]


class ResumeOne(_OfOne, s.Resume):
    """As ``/referrals/{id}/resume``."""

    action: Literal["resume"]


class CompleteOne(_OfOne, s.Complete):
    """As ``/referrals/{id}/complete``."""

    action: Literal["complete"]


class FailOne(_OfOne, s.Fail):
    """As ``/referrals/{id}/fail``."""

    action: Literal["fail"]


class SignalOne(_OfOne, s.RaiseSignal):
    """As ``/referrals/{id}/signal``."""

    action: Literal["signal"]


One = Annotated[
    AcceptOne
    | WaitlistOne
    | DeclineOne
    | StartOne
    | ReportOne
    | HoldOne
    | ResumeOne
    | CompleteOne
    | FailOne
    | SignalOne,
    Field(discriminator="action"),
]


class GiveAnswers(s.Body):
    """Answers to some requests: one by one, or all of them or none."""

    answers: Annotated[list[One], Field(min_length=1, max_length=MOST_ANSWERS)]
    all_or_nothing: StrictBool = False


def answer_of(one: Any) -> Answer:
    """What one of them says, as the use case takes it."""
    given = one.model_dump(exclude_none=True, exclude={"referral_id", "action"})
    return Answer(
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
    password: Secret


class ChangeStaff(s.Body):
    """What is to change."""

    name: s.Short = ""
    email: Email | None = None
    is_active: StrictBool = True
    is_lead: StrictBool = False
