"""Bodies of requests about bodies of the programme and their seats."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StrictBool, StrictInt

from casework.adapters.api.shared.bodies import Body, Code, Day, Short, Words
from casework.domain.clocks.standards import CareField
from casework.domain.programme.kinds import BodyKind, SeatedBy, SeatPart
from casework.domain.programme.rules import Decides, Quorum
from casework.domain.programme.seats import MAX_AT_ONCE

# Left out is not the same as null: what is left out stays as it was.
ABSENT: Any = None
Area = Annotated[Code, Field(max_length=10, description="`city`, or the code of a district.")]
Number = Annotated[StrictInt, Field(ge=1, le=1000)]
Fields = Annotated[list[CareField], Field(max_length=len(CareField))]
Services = Annotated[list[Code], Field(max_length=200)]


class _Rule(Body):
    basis: Words = Field(description="The article of the ordinance, or where else it is said.")

    def entered(self) -> dict[str, Any]:
        """As the domain takes it."""
        return {"value": getattr(self, "value", None), "basis": self.basis}


class SeatsRule(_Rule):
    """How many seats there are at least and at most."""

    min: Number | None = Field(default=None, description="The least; null where there is none.")
    max: Number | None = Field(default=None, description="The most; null where there is none.")

    def entered(self) -> dict[str, Any]:
        """As the domain takes it."""
        return {"value": {"min": self.min, "max": self.max}, "basis": self.basis}


class QuorumRule(_Rule):
    """How many seats must be there: `none`, `majority`, or a number."""

    value: Literal[Quorum.NONE, Quorum.MAJORITY] | Number = Field(
        description="`none`, `majority`, or a number."
    )


class DecidesRule(_Rule):
    """Who decides."""

    value: Decides = Field(description="Who decides.")


class YesNoRule(_Rule):
    """Whether it is so."""

    value: StrictBool = Field(description="Whether it is so.")


class NoticeRule(_Rule):
    """How many days before it is told when and where it meets; 0 where that is not needed."""

    value: Annotated[StrictInt, Field(ge=0, le=60, description="The number of days.")]


class TermRule(_Rule):
    """For how many years somebody is appointed."""

    value: Annotated[StrictInt, Field(ge=1, le=10, description="The number of years.")]


class Rules(Body):
    """What its ordinance says; null takes a rule back to the default of its kind."""

    seats: SeatsRule | None = Field(default=ABSENT, description="How many seats there are.")
    quorum: QuorumRule | None = ABSENT
    decides: DecidesRule | None = ABSENT
    deputies: YesNoRule | None = ABSENT
    notice_days: NoticeRule | None = ABSENT
    term_years: TermRule | None = ABSENT
    merged: YesNoRule | None = ABSENT

    def entered(self) -> dict[str, Any]:
        """What was named, as the domain takes it."""
        named = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: said and said.entered() for name, said in named.items()}


class _Facts(Body):
    def facts(self) -> dict[str, Any]:
        """What was named, as the domain takes it."""
        found = {name: getattr(self, name) for name in self.model_fields_set}
        for name in ("fields", "services"):
            if name in found:
                found[name] = tuple(sorted(set(found[name] or ())))
        if "rules" in found:
            found["rules"] = found["rules"].entered() if found["rules"] else {}
        return found


class AddBody(_Facts):
    """A body of the programme."""

    kind: BodyKind
    name_ko: Short
    name_en: Short | None = None
    area: Area
    parent_id: UUID | None = None
    provider_id: UUID | None = None
    fields: Fields = Field(default=[], description="The fields of care that it answers for.")
    services: Services = Field(default=[], description="The services that it answers for.")
    rules: Rules | None = None
    teams_stated: Annotated[StrictInt, Field(ge=0, le=1000)] | None = None
    valid_from: Day | None = Field(default=None, description="Its first day; today if left out.")


class ChangeBody(_Facts):
    """What is to change; its kind and its area do not."""

    name_ko: Short = ABSENT
    name_en: Short | None = ABSENT
    parent_id: UUID | None = ABSENT
    provider_id: UUID | None = ABSENT
    fields: Fields = Field(default=ABSENT, description="The fields of care that it answers for.")
    services: Services = Field(default=ABSENT, description="The services that it answers for.")
    rules: Rules = ABSENT
    teams_stated: Annotated[StrictInt, Field(ge=0, le=1000)] | None = ABSENT


class EndBody(Body):
    """Its last day, why it ends, and who takes over what it owes."""

    on: Day = Field(description="The last day on which it is there.")
    reason: Words
    hand_to: UUID | None = None


class AddSeat(Body):
    """Somebody, or an office, with a seat."""

    name: Short = Field(description="Name of the person, or of the office.")
    agency: Short = Field(description="Where they are from.")
    part: SeatPart = Field(description="The part that it has in the body.")
    by: SeatedBy = Field(description="By an office, or by appointment.")
    account_id: UUID | None = None
    from_: Day = Field(alias="from", description="The first day.")
    to: Day | None = Field(
        default=None,
        description="The last day; the end of the term where one is appointed and it is left out.",
    )

    def facts(self) -> dict[str, Any]:
        """As the domain takes them."""
        return {
            "name": self.name,
            "agency": self.agency,
            "part": self.part,
            "seated_by": self.by,
            "account_id": self.account_id,
            "begins_on": self.from_,
            "ends_on": self.to,
        }


class AddSeats(Body):
    """Seats, all of which are added or none."""

    seats: Annotated[list[AddSeat], Field(min_length=1, max_length=MAX_AT_ONCE)] = Field(
        description="The seats."
    )


class EndSeat(Body):
    """Its last day."""

    on: Day = Field(description="The last day on which it is held.")
