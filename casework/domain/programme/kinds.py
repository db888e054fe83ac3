"""The kinds of bodies, and what they and their seats are called."""

from __future__ import annotations

from enum import StrEnum


class BodyKind(StrEnum):
    """What a body is."""

    PROMOTION_TEAM = "promotion_team"
    SECTION = "section"
    TEAM = "team"
    WORKING_BODY = "working_body"
    COUNCIL = "council"
    FORUM = "forum"
    UNIT = "unit"
    PARTNER = "partner"


class SeatPart(StrEnum):
    """The part of a seat."""

    CHAIR = "chair"
    VICE_CHAIR = "vice_chair"
    MEMBER = "member"
    SECRETARY = "secretary"


class SeatedBy(StrEnum):
    """By what somebody has a seat: by an office, or by appointment."""

    EX_OFFICIO = "ex_officio"
    APPOINTED = "appointed"


class Source(StrEnum):
    """Where it is known from."""

    ENTERED = "entered"
    OFFICIAL = "official"
    PRESS = "press"
    INVENTED = "invented"
