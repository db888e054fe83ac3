"""Shared by requests and responses about cases: enumerations, and parts of a case."""

from __future__ import annotations

from typing import Literal

from casework.adapters.api.shared.bodies import Body, Goal, Points, Words
from casework.domain.clocks.standards import CareField

Channel = Literal[
    "self", "family", "guardian", "institution", "nhis", "discharge", "outreach", "ex_officio"
]
Ground = Literal[
    "ltc_rejected",
    "activity_support_rejected",
    "discharged",
    "welfare_crisis",
    "disaster",
    "cannot_live_alone",
]
Determination = Literal[
    "specialist_medical", "nursing_hospital", "long_term_care", "community_care"
]
ClosingReason = Literal[
    "death",
    "long_stay",
    "needs_no_longer_complex",
    "refused",
    "other_recognised",
    "guided",
    "not_eligible",
    "moved_away",
]


class Activities(Body):
    """The seven activities: 0 alone, 1 with help, 2 not at all."""

    rise_from_chair: Points
    climb_six_steps: Points
    wash: Points
    dress_upper: Points
    dress_lower: Points
    reach_toilet: Points
    use_toilet: Points


class NeedInput(Body):
    """How much is needed in one field."""

    field: CareField
    level: Literal["none", "some", "high"]
    note: Words | None = None


class GoalMet(Body):
    """How far a goal was met."""

    goal: Goal
    met: Literal["yes", "partly", "no"]
