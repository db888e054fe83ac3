"""What an agency and an offering must be to stand in the directory."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from casework.domain.directory import Offering, Provider, Service
from casework.domain.errors import Conflict, require

# The country, generously: a point beyond it was typed the wrong way round.
SOUTH, NORTH, WEST, EAST = 33.0, 39.0, 124.0, 132.0
MOST_PLACES: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOffering:
    """What an agency says it offers."""

    provider: str
    service_code: str
    capacity: int
    available: int
    unit: str
    waiting: int = 0
    is_open: bool = True
    centres: tuple[str, ...] = ()


def check_provider(provider: Provider, standing: Provider | None) -> None:
    """Refuse one that is there, or that lies nowhere."""
    if standing is not None:
        raise Conflict("there is an agency of this code", code="provider_exists")
    require(
        SOUTH <= provider.lat <= NORTH, "a latitude of the country", code="off_the_map", field="lat"
    )
    require(
        WEST <= provider.lon <= EAST, "a longitude of the country", code="off_the_map", field="lon"
    )


def check_offering(
    offering: Offering, provider: Provider, service: Service, centres: Collection[str]
) -> None:
    """Refuse numbers that cannot be, a unit that is another's, and centres of elsewhere."""
    require(provider.is_active, "this agency has ended", code="provider_inactive", field="provider")
    for name in ("capacity", "available", "waiting"):
        value = getattr(offering, name)
        require(0 <= value <= MOST_PLACES, "0 or more", code="capacity_negative", field=name)
    require(
        offering.available <= offering.capacity,
        "more free places than there are",
        code="more_than_capacity",
        field="available",
    )
    require(
        offering.unit == service.unit,
        f"the service is counted by {service.unit}",
        code="unit_of_service",
        field="unit",
    )
    for code in offering.centres:
        require(code in centres, "no such centre", code="unknown_centre", field="centres")
