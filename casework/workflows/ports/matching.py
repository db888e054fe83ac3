"""The ports of matching, coverage and response rates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from casework.domain.clocks.calendar import Pause
from casework.domain.directory.coverage import CentreCoverage
from casework.domain.directory.directory import Centre
from casework.domain.directory.matching import CandidateOffering, ResponseRate
from casework.domain.directory.past import PastSetback
from casework.domain.residents.resident import Resident


class Matching(Protocol):
    """Who offers what where."""

    def resident(self, id: UUID) -> Resident:
        """A resident within scope."""
        ...

    def candidates(
        self, service_code: str, centre_code: str
    ) -> tuple[Centre, list[CandidateOffering]] | None:
        """The centre, with every open offering that covers it; None where there is no such one."""
        ...

    def setbacks(self, resident_id: UUID, since: datetime) -> list[PastSetback]:
        """What came to nothing between a resident and agencies since an instant, within scope."""
        ...

    def coverage(self, service_code: str | None, designation: str | None) -> list[CentreCoverage]:
        """How each centre within scope is covered, by code."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredRequests:
    """So many requests of one agency that were sent and answered, or lapsed, on the same days."""

    provider_id: UUID
    district_code: str
    began_on: date
    ended_on: date
    pauses: tuple[Pause, ...]
    accepted: bool
    count: int


class ResponseRateStore(Protocol):
    """How agencies answered, over everybody's requests."""

    def answered(self, since: datetime, until: datetime) -> Iterator[AnsweredRequests]:
        """Requests that were answered, or lapsed, from one instant to another, by agency."""
        ...

    def save(self, found: Iterable[tuple[UUID, ResponseRate]], as_of: datetime) -> None:
        """Replace the stored response rates by these."""
        ...
