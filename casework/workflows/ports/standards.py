"""The port of standards and the calendar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from casework.domain.clocks.standards import ClockKind, Standard
from casework.domain.supervision.recounting import Recount, RecountReason, RunningClock
from casework.domain.supervision.setting_standards import Holiday
from casework.workflows.ports.paging import Page, Paging, Row


class Standards(Protocol):
    """Standards, declared holidays and recounts within the actor's scope."""

    def get(self, id: UUID, *, lock: bool = False) -> Standard:
        """A standard of the actor's district or of everywhere, else NotFound."""
        ...

    def of_kind(self, kind: ClockKind) -> list[Standard]:
        """Every standard of a kind that is in force, readable by all."""
        ...

    def listed(self, filters: Row, paging: Paging) -> Page:
        """Standards by kind; None does not filter."""
        ...

    def add(self, standard: Standard) -> None:
        """Add a standard. Raises Conflict ``standard_exists`` where one has the same scope."""
        ...

    def save(self, standard: Standard) -> None:
        """Save a standard. Raises Conflict ``standard_exists`` as well."""
        ...

    def check_district(self, code: str | None, field: str) -> None:
        """Refuse an unknown district; None is everywhere."""
        ...

    def declare(self, holiday: Holiday) -> tuple[Holiday, bool]:
        """Declare a day, replacing an earlier declaration; returns whether it is new."""
        ...

    def begin(self, recount: Recount) -> None:
        """Add the record of a recount that begins."""
        ...

    def save_recount(self, recount: Recount) -> None:
        """Save how far a recount is, and what it moved."""
        ...

    def recount(self, id: UUID) -> Recount:
        """The record of a recount that the actor began, else NotFound."""
        ...

    def holiday(self, id: UUID) -> Holiday:
        """A declared day, else NotFound."""
        ...

    def holidays(self, year: int, district_code: str | None) -> list[Holiday]:
        """The days of a year that were declared: those of everywhere, then the district's own."""
        ...

    def running(self, reason: RecountReason) -> list[RunningClock]:
        """The running clocks within scope that a reason may concern, with their steps."""
        ...

    def recounts_of(self, deadline_id: UUID) -> list[Mapping[str, Any]]:
        """The recounts of a clock, oldest first, with the day's name for a holiday."""
        ...
