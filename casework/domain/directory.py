"""The organisation of the city and who offers which service where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from math import asin, cos, radians, sin, sqrt
from typing import Final
from uuid import UUID

from casework.domain.eligibility import Rule

EARTH_RADIUS_KM: Final = 6371.0
FIELDS: Final = ("medical", "health", "nursing", "care", "housing", "family")


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """One of the city's districts (구·군)."""

    code: str
    name_ko: str
    name_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """A community centre (읍면동) with the point that stands for its area."""

    code: str
    district_code: str
    name: str
    lat: float
    lon: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service of the catalogue, with its unit, limit and legal basis."""

    code: str
    field: str
    name_ko: str
    name_en: str
    run_by: str
    unit: str
    limit_note: str | None
    basis: str
    certainty: str
    # How many days an agency's figures count as fresh.
    fresh_for_days: int = 7
    # Whom it is for, as far as that is known, and where it is given (``home`` or ``site``).
    eligibility: tuple[Rule, ...] = ()
    given_at: str | None = None


@dataclass(slots=True, kw_only=True)
class Provider:
    """An agency that gives services."""

    id: UUID
    slug: str
    name: str
    kind: str
    phone: str
    district_code: str
    lat: float
    lon: float
    designations: list[str]
    is_active: bool = True
    # The codes of the languages spoken there, None where nobody has said.
    languages: list[str] | None = None


@dataclass(slots=True, kw_only=True)
class Offering:
    """This provider gives this service in these centres; capacity as of a moment.

    ``held`` and ``waitlisted`` count referrals: of ``capacity`` and ``waiting``, which also cover
    whom the agency serves besides. ``for_waiting`` are free places that are for those who wait.
    """

    id: UUID
    provider_id: UUID
    service_code: str
    is_open: bool
    capacity: int
    available: int
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
    # What its agency is called in a consent besides its id: slug, name and kind.
    known_as: frozenset[str] = frozenset()

    @property
    def recipients(self) -> frozenset[str]:
        """Every word by which a consent may name whom this would be shared with."""
        return self.known_as | {str(self.provider_id)}


def distance_km(from_: tuple[float, float], to: tuple[float, float]) -> float:
    """Great-circle distance between two (latitude, longitude) points in degrees."""
    lat1, lon1, lat2, lon2 = map(radians, (*from_, *to))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(half))
