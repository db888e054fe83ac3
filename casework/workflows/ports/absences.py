"""Who is away from when to when."""

from __future__ import annotations

from datetime import date
from typing import Protocol
from uuid import UUID

from casework.domain.cases.absences import Absence
from casework.workflows.ports.paging import Page, Paging


class Absences(Protocol):
    """Absences within scope."""

    def alone(self, *account_ids: UUID) -> None:
        """Wait for others who record an absence with one of these people, until the commit."""
        ...

    def get(self, id: UUID, *, lock: bool = False) -> Absence:
        """An absence within scope, else NotFound."""
        ...

    def of_district(self, district_code: str, since: date) -> list[Absence]:
        """The absences of a district that were not over before a day."""
        ...

    def listed(self, worker: UUID | None, on: date | None, paging: Paging) -> Page:
        """Absences within scope, latest first: of one person, or those that cover a day."""
        ...

    def add(self, absence: Absence) -> None:
        """Add an absence."""
        ...

    def save(self, absence: Absence) -> None:
        """Save a changed absence."""
        ...
