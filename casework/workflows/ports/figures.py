"""The port of figures: counts, and closed months."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from casework.domain.figures.figures import Figure, Spent
from casework.domain.figures.questions import Question
from casework.domain.figures.tallying import Cells
from casework.workflows.ports.paging import Page as Page
from casework.workflows.ports.paging import Paging as Paging
from casework.workflows.ports.paging import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedMonth:
    """The figures of a district's month as they were when it was closed."""

    id: UUID
    district_code: str
    month: str
    closed_at: datetime
    closed_by: UUID | None
    cells: Cells


class Figures(Protocol):
    """Counts within the actor's scope; no result contains a name."""

    def counted(self, question: Question, people: Iterable[str], spent: Spent) -> Cells:
        """Every figure that the filters apply to; of people, those named (``people_by``).

        Cells say what an answer to the question needs, and the rest is added up.
        """
        ...

    def every_cell(self, question: Question, people: Iterable[str], spent: Spent) -> Cells:
        """The same with everything that a cell is of, as a closed month has it."""
        ...

    def published(self, question: Question, spent: Spent, *, with_people: bool) -> Cells:
        """Published cells of whole months, added up as far as the answer is.

        A month that a district closed counts as it was closed. People are those of each month.
        """
        ...

    def behind(self, figure: Figure, question: Question, paging: Paging) -> Page:
        """The rows behind one figure; the audit entry names the residents."""
        ...

    def close(self, month: ClosedMonth) -> None:
        """Freeze a month. Raises Conflict ``month_closed`` where it is closed."""
        ...

    def closed(self, districts: Iterable[str] | None, months: Iterable[str]) -> list[ClosedMonth]:
        """The closed ones among some months, of some districts or of all."""
        ...

    def closed_in(
        self, districts: Iterable[str] | None, months: Iterable[str]
    ) -> list[tuple[str, str]]:
        """The same as months and districts alone, in order."""
        ...

    def closed_months(self, paging: Paging) -> Page:
        """Which months are closed, newest first, in the actor's district or anywhere."""
        ...

    def unmet_needs(self, question: Question, paging: Paging) -> Page:
        """Unmet needs, newest first."""
        ...

    def unmet_by(self, key: str, question: Question) -> list[Row]:
        """Key, count and the oldest ``since`` of unmet needs."""
        ...

    def draw(self, name: str) -> int:
        """A number from 0 to 4 for a name: always the same, and not to be told without keys."""
        ...

    def names(self, by: str, keys: Iterable[str]) -> Mapping[str, str]:
        """The names of districts, centres, services and agencies; other keys have none."""
        ...

    def district_of(self, centre: str) -> str | None:
        """The district of a centre, or None where there is no such centre."""
        ...

    def all_districts(self) -> list[str]:
        """The codes of the districts."""
        ...
