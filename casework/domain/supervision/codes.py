"""What is decided about an overdue clock, and why it was late."""

from __future__ import annotations

from enum import StrEnum


class ReviewAction(StrEnum):
    """What a supervisor decides about an overdue clock."""

    CHASE = "chase"
    EXTEND = "extend"
    REASSIGN = "reassign"
    REDIRECT = "redirect"
    EXCUSE = "excuse"


class ReviewCause(StrEnum):
    """Why it was late."""

    NO_CAPACITY = "no_capacity"
    PROVIDER_SLOW = "provider_slow"
    WAITING_FOR_ASSESSMENT = "waiting_for_assessment"
    WAITING_FOR_DECISION = "waiting_for_decision"
    RESIDENT_UNREACHABLE = "resident_unreachable"
    RESIDENT_CHOICE = "resident_choice"
    STAFF_ABSENT = "staff_absent"
    WAITING_FOR_COUNCIL = "waiting_for_council"
    WAITING_FOR_OTHER_BODY = "waiting_for_other_body"
    WAITING_FOR_MONEY = "waiting_for_money"
    WAITING_FOR_ORDINANCE = "waiting_for_ordinance"
    OTHER = "other"
