"""What the use cases about standards and the calendar need from outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from casework.domain.clocks.standards import Standard
from casework.domain.supervision.recounting import Recount, RecountReason, RunningClock
from casework.domain.supervision.setting_standards import Holiday
from casework.workflows.ports.paging import Page, Paging, Row


class Standards(Protocol):
    """Standards, declared holidays and recounts, as the actor sees them."""

    def get(self, id: UUID, *, lock: bool = False) -> Standard:
        """A standard of the actor's district or of everywhere, else NotFound."""
        ...

    def of_kind(self, kind: str) -> list[Standard]:
        """Every standard of a kind that is in force, whoever asks: what applies is no secret."""
        ...

    def listed(self, filters: Row, paging: Paging) -> Page:
        """Standards by kind; a filter that is None filters nothing."""
        ...

    def add(self, standard: Standard) -> None:
        """A new standard. Raises Conflict ``standard_exists`` where one is for just the same."""
        ...

    def save(self, standard: Standard) -> None:
        """A changed standard. Raises Conflict ``standard_exists`` as well."""
        ...

    def check_district(self, code: str | None, field: str) -> None:
        """Refuse a district that is unknown; None is everywhere."""
        ...

    def declare(self, holiday: Holiday) -> tuple[Holiday, bool]:
        """Declare a day, in place of what was said of it before; whether it is new."""
        ...

    def begin(self, recount: Recount) -> None:
        """The record of a recount that begins."""
        ...

    def end(self, recount: Recount) -> None:
        """What it did."""
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
        """The running clocks within reach that a reason may concern, with their steps."""
        ...

    def recounts_of(self, deadline_id: UUID) -> list[Mapping[str, Any]]:
        """The recounts of a clock, oldest first, with the day's name for a holiday."""
        ...
