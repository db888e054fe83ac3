"""The organisation of the city and who offers which service where."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from math import asin, cos, radians, sin, sqrt
from typing import Any, Final
from uuid import UUID

from casework.domain.clocks.standards import CareField
from casework.domain.directory.eligibility import Rule

FRESH_FOR_DAYS: Final = 7
EARTH_RADIUS_KM: Final = 6371.0
# What a co-payment may rest on, from the lowest income up; ``median_70``: up to 70 % of the median.
INCOME_TIERS: Final = ("basic", "near_poor", "median_70", "median_100", "above_100")


class EntryState(StrEnum):
    """How far an entry of the comprehensive list has come."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    PUBLISHED = "published"


class ProviderKind(StrEnum):
    """What sort of agency one is."""

    CLINIC = "clinic"
    HOME_CENTRE = "home-centre"
    HOSPITAL = "hospital"
    KOREAN_MEDICINE = "korean-medicine"
    DENTAL = "dental"
    PHARMACY = "pharmacy"
    HEALTH_CENTRE = "health-centre"
    HOME_CARE = "home-care"
    DAY_CARE = "day-care"
    WELFARE_CENTRE = "welfare-centre"
    SELF_SUPPORT = "self-support"
    DISABILITY = "disability"
    HOUSING = "housing"
    FAMILY = "family"
    NHIS_BRANCH = "nhis-branch"


def covers_day(on: date, first: date | None, last: date | None) -> bool:
    """Whether a day lies between a first and a last one, both counted; None bounds nothing."""
    return (first is None or first <= on) and (last is None or on <= last)


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """One of the city's districts (구·군)."""

    code: str
    name_ko: str
    name_en: str
    # For how many years the file of a closed case is retained, and by which schedule.
    retention_years: int | None = None
    retention_basis: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """A community centre (읍면동) with the point that stands for its area."""

    code: str
    district_code: str
    name: str
    lat: float
    lon: float
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most so much; in ``per`` a week, month or year, or once in all."""

    quantity: int
    unit: str
    per: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CoPayment:
    """What a resident of an income tier pays: a share in percent, or won for each unit.

    Without a district, everywhere that has set nothing of its own.
    """

    income_tier: str
    district_code: str | None = None
    share_percent: int | None = None
    won_per_unit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service of the catalogue, with its unit, limits, co-payments and legal basis."""

    code: str
    field: CareField
    name_ko: str
    name_en: str
    run_by: str
    unit: str
    limit_note: str | None
    basis: str
    certainty: str
    # How many days an agency's figures count as fresh.
    fresh_for_days: int = FRESH_FOR_DAYS
    # Whom it is for, as far as that is known, and where it is given (``home`` or ``site``).
    eligibility: tuple[Rule, ...] = ()
    given_at: str | None = None
    limits: tuple[Limit, ...] = ()
    co_payments: tuple[CoPayment, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    state: EntryState = EntryState.PUBLISHED
    proposed_by: UUID | None = None
    version: int = 1

    def is_in_force(self, on: date) -> bool:
        """Whether it stands in the published list and is valid on a day."""
        return self.state == EntryState.PUBLISHED and covers_day(on, self.valid_from, self.valid_to)


@dataclass(slots=True, kw_only=True)
class Provider:
    """An agency that gives services."""

    id: UUID
    slug: str
    name: str
    kind: ProviderKind
    phone: str
    district_code: str
    lat: float
    lon: float
    is_active: bool = True
    # The codes of the languages spoken there, None where nobody has said.
    languages: list[str] | None = None
    # The last day for new requests; running services go on.
    ended_on: date | None = None
    end_reason: str | None = None
    opening_hours: list[dict[str, str]] = field(default_factory=list)
    contacts: list[dict[str, Any]] = field(default_factory=list)
    version: int = 1

    def accepts_requests(self, on: date) -> bool:
        """Whether it accepts requests on a day."""
        return self.is_active and covers_day(on, None, self.ended_on)


@dataclass(slots=True, kw_only=True)
class Offering:
    """This provider gives this service in these centres; capacity as of a moment.

    ``held`` and ``waitlisted`` count referrals: of ``capacity`` and ``waiting``, which also cover
    whom the agency serves besides. ``for_waiting`` are free places that are for those who wait.
    ``stated_available`` stays as the agency stated it, whatever referrals take and free.
    """

    id: UUID
    provider_id: UUID
    service_code: str
    is_open: bool
    capacity: int
    available: int
    stated_available: int
    waiting: int
    unit: str
    as_of: datetime
    centres: list[str]
    held: int = 0
    waitlisted: int = 0
    for_waiting: int = 0
    full_until: date | None = None
    stated_by: UUID | None = None
    asked_at: datetime | None = None
    capacity_version: int = 1
    # Where this agency gives it, None where that is as usual for the service.
    given_at: str | None = None
    state: EntryState = EntryState.PUBLISHED
    proposed_by: UUID | None = None
    version: int = 1
    # Of its agency and its service, where it was read to be asked.
    provider_ended_on: date | None = None
    designated_to: date | None = None
    service_from: date | None = None
    service_to: date | None = None
    service_state: EntryState = EntryState.PUBLISHED
    # What its agency is called in a consent besides its id: slug, name and kind.
    known_as: frozenset[str] = frozenset()

    @property
    def last_day(self) -> date | None:
        """The last day for which it can be asked, where agency, service or designation end."""
        ends = (self.provider_ended_on, self.designated_to, self.service_to)
        return min((day for day in ends if day is not None), default=None)

    @property
    def recipients(self) -> frozenset[str]:
        """Every name by which a consent may refer to this recipient."""
        return self.known_as | {str(self.provider_id)}


def distance_km(from_: tuple[float, float], to: tuple[float, float]) -> float:
    """Great-circle distance between two (latitude, longitude) points in degrees."""
    lat1, lon1, lat2, lon2 = map(radians, (*from_, *to))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(half))
