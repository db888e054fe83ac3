"""Response schemas of bodies of the programme and their seats."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field

from casework.adapters.api.shared.responses import ResponseBody
from casework.domain.clocks.standards import CareField
from casework.domain.programme.kinds import BodyKind, SeatedBy, SeatPart, Source
from casework.domain.programme.rules import Decides, Quorum, Standing


class StandingRule(ResponseBody):
    """What a rule rests on."""

    standing: Standing = Field(
        description="`entered`, `ssb_rule_5` until the ordinance is entered, or `none_entered`."
    )
    basis: str = Field(description="What it rests on, in words, by `Accept-Language`.")


class SeatNumbers(StandingRule):
    """How many seats there are at least and at most; null where that is not limited."""

    min: int | None = Field(description="The least.")
    max: int | None = Field(description="The most.")


class QuorumOf(StandingRule):
    """How many seats must be there."""

    value: Quorum | int = Field(description="`none`, `majority`, or a number.")


class DecidedBy(StandingRule):
    """Who decides."""

    value: Decides = Field(description="Who decides.")


class YesOrNo(StandingRule):
    """Whether it is so."""

    value: bool = Field(description="Whether it is so.")


class NumberOf(StandingRule):
    """A number; null where there is none."""

    value: int | None = Field(description="The number; null where there is none.")


class BodyRules(ResponseBody):
    """By which rules a body meets and decides."""

    seats: SeatNumbers = Field(description="How many seats there are.")
    quorum: QuorumOf
    decides: DecidedBy
    deputies: YesOrNo
    notice_days: NumberOf
    term_years: NumberOf
    merged: YesOrNo


class Seat(ResponseBody):
    """A seat of a body; of one that ended long ago the name is null."""

    id: UUID
    name: str | None
    is_masked: bool
    agency: str = Field(description="Where they are from.")
    part: SeatPart = Field(description="The part that it has in the body.")
    by: SeatedBy = Field(description="By an office, or by appointment.")
    from_: date = Field(alias="from")
    to: date | None = Field(description="The last day; null where none is set.")
    in_force: bool
    ends_soon: bool
    account_id: UUID | None = Field(
        description="The account, if there is one; null where the reader may not know it, or the"
        " name is shown no longer."
    )
    source: Source = Field(description="Where it is known from; what is `invented` is nobody's.")


class ProgrammeBody(ResponseBody):
    """A body of the programme with its seats. Of another area its rules are null."""

    id: UUID
    kind: BodyKind
    name: str
    name_en: str | None
    area: str
    parent_id: UUID | None
    provider_id: UUID | None
    fields: list[CareField] = Field(description="The fields of care that it answers for.")
    services: list[str] = Field(description="The services that it answers for.")
    rules: BodyRules | None
    teams_stated: int | None
    source: Source = Field(description="Where it is known from; what is `invented` is nobody's.")
    valid_from: date = Field(description="The first day on which it is there.")
    valid_to: date | None = Field(description="The last day on which it is there.")
    end_reason: str | None
    handed_to_id: UUID | None
    in_force: bool
    version: int
    seats: list[Seat] = Field(description="The seats.")
    allowed_actions: list[Literal["add_seats", "change", "end"]]
