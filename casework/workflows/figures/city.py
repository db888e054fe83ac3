"""What the city is told: published cells of whole months, and sums of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from casework.domain.figures.disclosure import lines_told
from casework.domain.figures.figures import Figure, spent_in
from casework.domain.figures.questions import (
    Question,
    left_out,
    of_a_month,
    whole_months,
)
from casework.domain.figures.summaries import summary_for_city
from casework.domain.figures.tallying import PEOPLE, Cells, FigureLine, Lines, grouped
from casework.workflows.context import Context
from casework.workflows.ports.unit_of_work import Reading


class CityTally:
    """The published cells of one question, and the parts of its answer.

    A month that a district closed answers as it was closed, whatever is asked.
    """

    def __init__(self, ctx: Context, reading: Reading, narrowed: Question) -> None:
        self._figures, self._question = reading.figures, narrowed
        self._months = [str(month) for month in whole_months(narrowed.period)]
        counts_people = narrowed.by == "month" or len(self._months) == 1
        self._published = self._figures.published(
            narrowed, spent_in(ctx.clockwork), with_people=counts_people
        )
        districts = None if narrowed.district is None else [narrowed.district]
        self._closed = self._figures.closed_in(districts, self._months)

    def whole(self) -> dict[str, Any]:
        """The answer over all groups."""
        return self._part(self._published, None)

    def _part(self, of: Cells, by: str | None) -> dict[str, Any]:
        """The answer of some cells: of all, or of a group by something."""
        return summary_for_city(self._lines(of, by), leave_out=left_out(self._question, by))

    def _lines(self, of: Cells, by: str | None) -> Lines:
        """What an answer shows; of people nothing over several months."""
        one_month = len(self._months) == 1 or by == "month"
        one_district = self._question.district is not None or by == "district"
        lines = lines_told(of, is_one_cell=one_month and one_district)
        if not one_month:
            lines.pop(FigureLine(PEOPLE), None)
        return lines

    def groups(self) -> list[dict[str, Any]]:
        """Every group of which something is shown, and every month, with its name."""
        by = self._question.by or ""
        shown = grouped(self._published, by)
        keys = {key for key in shown if key is not None}
        keys |= set(self._months) if by == "month" else set()
        names = self._figures.names(by, sorted(keys))
        found = []
        for key in sorted(keys):
            part = self._part(shown.get(key, Counter()), by)
            if by == "month":
                part["clocks"] = of_a_month(part["clocks"])
                part |= self._of_closed(key)
            found.append({"key": key, "name": names.get(key)} | part)
        return found

    def _of_closed(self, month: str) -> dict[str, Any]:
        closed_in = [district for closed, district in self._closed if closed == month]
        return {"closed_in": closed_in, "corrections": None}

    def unmet(self, by: str) -> dict[str, int]:
        """What was not found, by one thing that it is of, most frequent first."""
        found: dict[str, int] = defaultdict(int)
        for cell, count in self._published.items():
            if cell.figure == Figure.UNMET_NEEDS:
                found[str(getattr(cell, by))] += count
        return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))
