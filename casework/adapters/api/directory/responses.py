"""Response schemas of districts, centres, services, agencies, offerings and matches."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from casework.adapters.api.directory.bodies import (
    AgencyContact,
    CoPaymentInput,
    EligibilityRule,
    LimitInput,
    OpeningHours,
)
from casework.adapters.api.shared.responses import (
    Agency,
    Named,
    ResponseBody,
    absent,
)
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.standards import CareField
from casework.domain.directory.coverage import CoverageGap
from casework.domain.directory.designations import DesignationCode
from casework.domain.directory.directory import EntryState, ProviderKind
from casework.domain.directory.matching import Factor, GivenAt
from casework.domain.directory.overview import Availability

Step = Literal["confirm", "publish", "withdraw"]
RunBy = Literal["national", "city", "district"]


class AnsweringBody(Named):
    """A body of the city that answers for entries."""

    name_en: str | None


class Limit(LimitInput):
    """At most so much in a week, a month or a year, or once in all."""


class CoPayment(CoPaymentInput):
    """What an income tier pays: a share, or won for each unit; without a district everywhere."""


class District(ResponseBody):
    """A district (구·군)."""

    code: str
    name: str
    name_en: str
    retention_years: int = Field(description="For how many years closed cases are retained.")
    retention_basis: str | None = Field(
        description="The schedule that says so; null where it is the law alone."
    )


class Centre(ResponseBody):
    """A community centre, and the point that stands for its area."""

    code: str
    name: str
    district_code: str
    lat: float
    lon: float
    phone: str | None


class CatalogueService(ResponseBody):
    """A published service of the catalogue."""

    code: str
    field: CareField
    name: str
    name_en: str
    run_by: RunBy
    unit: str
    limit_note: str | None
    limits: list[Limit]
    co_payments: list[CoPayment]
    eligibility: list[EligibilityRule]
    given_at: GivenAt | None
    fresh_for_days: int
    basis: str
    certainty: str
    valid_from: date | None
    valid_to: date | None


class Service(CatalogueService):
    """A service of the catalogue in any state, as those who maintain the list see it."""

    answered_by: AnsweringBody | None = Field(
        description="The body of the city that answers for it; null where none does."
    )
    in_force: bool
    state: EntryState
    version: int
    steps: list[Step]


class PlainProvider(ResponseBody):
    """An agency."""

    id: UUID
    slug: str
    name: str
    kind: ProviderKind
    phone: str
    district_code: str
    lat: float
    lon: float
    languages: list[str] | None
    opening_hours: list[OpeningHours]
    contacts: list[AgencyContact]
    ended_on: date | None


class ProviderRow(PlainProvider):
    """An agency in a list."""

    designations: list[DesignationCode]


class Designation(ResponseBody):
    """What an agency is designated as."""

    id: UUID
    provider_id: UUID
    code: DesignationCode
    valid_from: date | None
    valid_to: date | None
    designated_by: str
    in_force: bool
    version: int


class Provider(PlainProvider):
    """An agency as those who maintain the list see it, with all its designations."""

    end_reason: str | None
    version: int
    designations: list[Designation]


class Places(ResponseBody):
    """How many places there are, how many are free, and how old the figures are."""

    maximum: int | None
    available: int
    free: int
    full: bool
    full_until: date | None
    waiting: int | None
    for_waiting: int | None
    unit: str
    as_of: AwareDatetime
    age_days: int
    is_stale: bool
    version: int | None


class OfferingPlaces(Places):
    """The places of one offering."""

    offering_id: UUID
    provider_id: UUID
    service_code: str
    open: bool
    held: int | None = Field(
        description="How many places referrals take; null where that is not told."
    )
    waitlisted: int | None
    fresh_for_days: int
    stated_by: UUID | None
    asked_at: AwareDatetime | None
    allowed_actions: list[str]


class OfferingRow(ResponseBody):
    """A published offering."""

    id: UUID
    provider_id: UUID
    service_code: str
    centres: list[str]
    open: bool
    provider: Agency
    capacity: Places
    distance_km: float | None


class StatedPlaces(ResponseBody):
    """The figures as they were last stated."""

    maximum: int | None
    available: int
    waiting: int | None
    unit: str
    as_of: AwareDatetime
    by: UUID | None = Field(description="Identifier of the account that stated them.")


class Offering(ResponseBody):
    """An offering in any state, as those who maintain the list see it."""

    id: UUID
    provider_id: UUID
    service_code: str
    open: bool
    given_at: GivenAt | None
    centres: list[str]
    capacity: StatedPlaces
    state: EntryState
    version: int
    steps: list[Step]


class DirectoryEntry(Offering):
    """An offering in the list, with the body that answers for its service."""

    field: CareField
    answered_by: AnsweringBody | None = Field(
        description="The body of the city that answers for it; null where none does."
    )
    provider: Agency


class StepResult(ResponseBody):
    """What became of one entry, and where it stands now."""

    offering_id: UUID
    status: int = Field(description="HTTP status that this part would have had by itself.")
    code: str = absent()
    state: EntryState | None
    steps: list[Step]


class StepResults(ResponseBody):
    """What became of each entry."""

    results: list[StepResult]


class ChangedBy(ResponseBody):
    """Who made a change."""

    id: UUID | None
    name: str | None
    role: str


class FieldChange(ResponseBody):
    """A field before and after a change."""

    field: str = Field(description="Name of the field.")
    before: Any
    after: Any


class Change(ResponseBody):
    """A change of the directory."""

    id: UUID
    of: Literal["service", "provider", "offering", "designation"]
    did: str
    at: AwareDatetime
    by: ChangedBy = Field(description="Who made it.")
    fields: list[FieldChange]


class ReferralInHand(ResponseBody):
    """A referral that is open with an agency."""

    id: UUID
    status: ReferralStatus
    service_code: str
    resident_id: UUID
    case_id: UUID
    case_number: str
    centre_code: str


class OpenWork(ResponseBody):
    """What is open with an agency. The list is for those who see cases, else null."""

    provider_id: UUID
    designation: DesignationCode | None
    requests: int
    running: int
    referrals: list[ReferralInHand] | None


class EndedDesignation(Designation):
    """A designation with its last day, and what is open under it."""

    open: OpenWork | None = Field(description="What is open under it; null for the city.")


class OverviewCell(ResponseBody):
    """A service in a district."""

    district_code: str
    service_code: str
    field: CareField
    standing: Availability
    offerings: int
    open: int = Field(description="How many offerings take somebody on.")
    available: int
    free: int
    waiting: int | None
    oldest_as_of: AwareDatetime | None


class Estimate(ResponseBody):
    """What distances and minutes rest on."""

    from_: Literal["centre_point"] = Field(alias="from", description="Where the way begins.")
    detour_factor: float
    speed_kmh: float


class MatchReason(ResponseBody):
    """One factor of the order: its value, and the rank it gives."""

    factor: Factor
    rank: int
    value: dict[str, Any] = Field(description="What the factor went by; it depends on the factor.")
    says: str


class MatchedOffering(ResponseBody):
    """An offering that could take this on, and why it stands where it stands."""

    offering_id: UUID
    provider: Agency
    distance_km: float
    minutes: int
    within_15_minutes: bool
    last_day: date | None = Field(
        description="Last day for which it can be asked; null while none is set."
    )
    why: list[MatchReason] = Field(description="Every factor, the weightiest first.")


class Matches(ResponseBody):
    """The offerings in the order in which to approach them."""

    centre_code: str
    estimate: Estimate
    items: list[MatchedOffering]


class CentreCoverageGap(ResponseBody):
    """A centre where nobody takes anybody on, or nobody near."""

    centre_code: str
    name: str
    district_code: str
    hole: CoverageGap
    open: int = Field(description="How many offerings take somebody on.")
    accepting: int
    nearest: Named | None
    distance_km: float | None
    minutes: int | None
