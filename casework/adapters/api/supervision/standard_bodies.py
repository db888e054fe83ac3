"""Request bodies of standards and the calendar."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, StringConstraints

from casework.adapters.api.shared.bodies import ONE_LINE, Body, Code, Day, Line
from casework.domain.clocks.calendar import Target, Unit
from casework.domain.clocks.standards import CareField, ClockKind, EscalationTier, Part, Priority

PeriodUnit = Literal["hours", "working_days", "days", "months"]
NotifiedRole = Literal["worker", "provider", "supervisor", "head", "owner", "giver", "body", "area"]
Name = Annotated[str, StringConstraints(min_length=1, max_length=60), ONE_LINE]


class PeriodInput(Body):
    """An amount of one unit."""

    amount: StrictInt
    unit: PeriodUnit

    def target(self) -> Target:
        """As the domain has it."""
        return Target(self.amount, Unit(self.unit))


class TierInput(Body):
    """So long after the due date, this role is notified."""

    tier: StrictInt
    after: PeriodInput = Field(description="How long after the due date.")
    to: NotifiedRole = Field(description="The role that is notified.")

    def escalation_tier(self) -> EscalationTier:
        """As the domain has it."""
        return EscalationTier(self.tier, self.after.target(), Part(self.to))


class _Terms(Body):
    """What a standard says."""

    lapse_after: PeriodInput | None = None
    escalation: Annotated[list[TierInput], Field(max_length=12)] | None = None

    def terms(self) -> dict[str, object]:
        """What was given, as the domain has it."""
        found: dict[str, object] = {
            name: getattr(self, name)
            for name in self.model_fields_set
            if name not in ("target", "lapse_after", "escalation")
        }
        for name in {"target", "lapse_after"} & self.model_fields_set:
            given = getattr(self, name)
            found[name] = given and given.target()
        if "escalation" in self.model_fields_set:
            tiers = self.escalation
            found["escalation"] = (
                None if tiers is None else tuple(one.escalation_tier() for one in tiers)
            )
        return found


class AddStandard(_Terms):
    """A standard for one kind of clock, as wide as what is left out."""

    kind: ClockKind
    target: PeriodInput
    field: CareField | None = None
    service_code: Code | None = None
    priority: Priority | None = None
    district_code: Code | None = None
    basis: Line | None = None


class ChangeStandard(_Terms):
    """What it says from now on; what it is for does not change."""

    target: PeriodInput | None = None
    basis: Line | None = None
    in_force: StrictBool | None = None


class Recalculate(Body):
    """Also for clocks that run; ``dry_run`` only tells."""

    dry_run: StrictBool = False


class DeclareHoliday(Body):
    """A day that is closed, or open after all."""

    on: Day
    closed: StrictBool
    name: Name
    district_code: Code | None = None
