"""Bodies about services, agencies, designations and offerings."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StrictBool, StrictInt, StringConstraints

from casework.adapters.api.directory.matching_bodies import Language
from casework.adapters.api.shared.bodies import Body, Code, Day, Phone, Short, Words
from casework.domain.clocks.standards import CareField
from casework.domain.directory import directory as d
from casework.domain.directory.designations import DesignationCode
from casework.domain.directory.directory import ProviderKind
from casework.domain.directory.eligibility import Comparison, rule_of
from casework.domain.directory.entries import MAX_AT_ONCE

Slug = Annotated[
    str, StringConstraints(min_length=1, max_length=80, pattern=r"^[a-z0-9][a-z0-9._-]*$")
]
IncomeTier = Literal["basic", "near_poor", "median_70", "median_100", "above_100"]
Degrees = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
GivenAt = Literal["home", "site"]
Languages = Annotated[list[Language], Field(max_length=30)] | None
Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Email = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+$")
]
Count = Annotated[StrictInt, Field(ge=0, le=100_000)]
CentreCodes = Annotated[list[Code], Field(min_length=1, max_length=300)]
# Left out is not the same as null: what is left out stays as it was.
ABSENT: Any = None


class OpeningHours(Body):
    """From when until when, on one day of the week or on holidays."""

    day: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"]
    opens: Clock
    closes: Clock


class AgencyContact(Body):
    """Whom to reach there, and how."""

    name: Short
    role: Short | None = None
    phone: Phone | None = None
    email: Email | None = None


class SetPhone(Body):
    """Where one is called; null where there is no telephone."""

    phone: Phone | None


class AddProvider(Body):
    """An agency."""

    slug: Slug
    name: Short
    kind: ProviderKind
    phone: Phone
    district_code: Code
    lat: Degrees
    lon: Degrees
    opening_hours: list[OpeningHours] = Field(default=[], max_length=24)
    contacts: list[AgencyContact] = Field(default=[], max_length=20)
    languages: Languages = None

    def facts(self) -> dict[str, Any]:
        """As the domain takes them."""
        return self.model_dump() | {"kind": self.kind.value}


class ChangeProvider(Body):
    """What is to change; an agency itself changes its telephone, hours and contacts."""

    name: Short = ABSENT
    kind: ProviderKind = ABSENT
    phone: Phone = ABSENT
    lat: Degrees = ABSENT
    lon: Degrees = ABSENT
    opening_hours: Annotated[list[OpeningHours], Field(max_length=24)] = ABSENT
    contacts: Annotated[list[AgencyContact], Field(max_length=20)] = ABSENT
    languages: Languages = ABSENT

    def facts(self) -> dict[str, Any]:
        """What was named, as the domain takes it."""
        found = self.model_dump(exclude_unset=True)
        return found | ({"kind": self.kind.value} if "kind" in found else {})


class EndProvider(Body):
    """The last day; null takes an end back."""

    last_day: Day | None
    reason: Words | None = None


class EndDesignation(Body):
    """Its last day; null takes an end back."""

    last_day: Day | None


class DesignateProvider(Body):
    """What an agency is designated as, by whom, from when until when."""

    code: DesignationCode
    valid_from: Day
    valid_to: Day | None = None
    designated_by: Short


class CapacityInput(Body):
    """How many places there are, how many are free, and how many people wait."""

    maximum: Count
    available: Count
    waiting: Count = 0


def _figures(given: dict[str, Any]) -> dict[str, Any]:
    """The figures under the names of the domain."""
    names = {"maximum": "capacity", "available": "available", "waiting": "waiting"}
    return {names[name]: value for name, value in given.items()}


class ProposeOffering(Body):
    """That an agency gives a service in some centres."""

    provider_id: UUID
    service_code: Code
    centres: CentreCodes
    unit: Code
    open: StrictBool = True
    given_at: GivenAt | None = None
    capacity: CapacityInput

    def facts(self) -> dict[str, Any]:
        """As the domain takes them."""
        return {
            "service_code": self.service_code,
            "centres": sorted(set(self.centres)),
            "unit": self.unit,
            "is_open": self.open,
            "given_at": self.given_at,
            **_figures(self.capacity.model_dump()),
        }


class ChangeOffering(Body):
    """What is to change; its places are stated apart."""

    centres: CentreCodes = ABSENT
    unit: Code = ABSENT
    open: StrictBool = ABSENT
    given_at: GivenAt | None = ABSENT

    def facts(self) -> dict[str, Any]:
        """What was named, as the domain takes it."""
        found = self.model_dump(exclude_unset=True)
        if "open" in found:
            found["is_open"] = found.pop("open")
        if "centres" in found:
            found["centres"] = sorted(set(found["centres"]))
        return found


class StepEntries(Body):
    """One step for some entries of the list."""

    step: Literal["confirm", "publish", "withdraw"] = Field(
        description="The step that each of them takes."
    )
    offering_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_AT_ONCE)]


class LimitInput(Body):
    """At most so much in a week, a month or a year, or once in all."""

    quantity: Annotated[StrictInt, Field(ge=1, le=100_000)]
    unit: Code
    per: Literal["week", "month", "year", "once"]


class CoPaymentInput(Body):
    """What an income tier pays: a share, or won for each unit; without a district everywhere."""

    income_tier: IncomeTier
    district_code: Code | None = None
    share_percent: Annotated[StrictInt, Field(ge=0, le=100)] | None = None
    won_per_unit: Annotated[StrictInt, Field(ge=0, le=10_000_000)] | None = None


Limits = Annotated[list[LimitInput], Field(max_length=10)]
CoPayments = Annotated[list[CoPaymentInput], Field(max_length=200)]


class EligibilityRule(Body):
    """One condition on one known fact, and where it comes from; it refuses nobody."""

    fact: Code
    comparison: Comparison
    values: Annotated[list[Code], Field(max_length=40)] = Field(default=[])
    basis: Words
    certainty: Code = "C"


Eligibility = Annotated[list[EligibilityRule], Field(max_length=20)]
FreshDays = Annotated[StrictInt, Field(ge=1, le=365)]


class _Service(Body):
    def facts(self) -> dict[str, Any]:
        """What was named, as the domain takes it."""
        found = self.model_dump(exclude_unset=True)
        if "eligibility" in found:
            found["eligibility"] = tuple(rule_of(one) for one in found["eligibility"])
        for name, made in (("limits", d.Limit), ("co_payments", d.CoPayment)):
            if name in found:
                found[name] = tuple(made(**one) for one in found[name])
        return found


class ProposeService(_Service):
    """A service of the catalogue."""

    code: Annotated[str, StringConstraints(max_length=40, pattern=r"^[A-Z]{3,4}(-[A-Z0-9]+)+$")]
    field: CareField
    name_ko: Short
    name_en: Short
    run_by: Literal["national", "city", "district"]
    unit: Code
    basis: Words
    certainty: Code
    limit_note: Words | None = None
    limits: Limits = Field(default=[])
    co_payments: CoPayments = Field(default=[])
    eligibility: Eligibility = Field(default=[])
    given_at: GivenAt | None = None
    fresh_for_days: FreshDays = 7
    valid_from: Day | None = None
    valid_to: Day | None = None

    def facts(self) -> dict[str, Any]:
        """As the domain takes them."""
        return {"limit_note": None} | super().facts()


class ChangeService(_Service):
    """What is to change; its code and field do not."""

    name_ko: Short = ABSENT
    name_en: Short = ABSENT
    run_by: Literal["national", "city", "district"] = ABSENT
    unit: Code = ABSENT
    basis: Words = ABSENT
    certainty: Code = ABSENT
    limit_note: Words | None = None
    limits: Limits = ABSENT
    co_payments: CoPayments = ABSENT
    eligibility: Eligibility = ABSENT
    given_at: GivenAt | None = None
    fresh_for_days: FreshDays = ABSENT
    valid_from: Day | None = None
    valid_to: Day | None = None
