"""Coverage of the city: centres without an accepting agency, or with none nearby."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from casework.domain.directory.directory import Centre, distance_km
from casework.domain.directory.matching import is_near, minutes_for


class CoverageGap(StrEnum):
    """Why a centre is badly covered."""

    NOBODY = "nobody"
    FULL = "full"
    FAR = "far"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """An agency with an open offering for a centre, and whether it accepts now."""

    id: UUID
    name: str
    point: tuple[float, float]
    is_accepting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreCoverage:
    """How one centre is covered: agencies that are open, those that accept, and the nearest."""

    centre: Centre
    open: int
    accepting: int
    nearest: Agency | None
    distance_km: float | None

    @property
    def minutes(self) -> int | None:
        """The way to the nearest one that accepts, None where there is none."""
        return None if self.distance_km is None else minutes_for(self.distance_km)

    @property
    def gap(self) -> CoverageGap | None:
        """What is missing, None where somebody accepts within fifteen minutes."""
        if self.distance_km is None:
            return CoverageGap.FULL if self.open else CoverageGap.NOBODY
        return None if is_near(self.distance_km) else CoverageGap.FAR


def cover(centre: Centre, agencies: Iterable[Agency]) -> CentreCoverage:
    """The coverage of a centre by the agencies that are open for it."""
    here, found = (centre.lat, centre.lon), list(agencies)
    ways = sorted(
        (distance_km(here, one.point), str(one.id), one) for one in found if one.is_accepting
    )
    nearest = ways[0] if ways else None
    return CentreCoverage(
        centre=centre,
        open=len(found),
        accepting=len(ways),
        nearest=nearest[2] if nearest else None,
        distance_km=nearest[0] if nearest else None,
    )
