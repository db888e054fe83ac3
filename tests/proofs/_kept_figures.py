"""Figures that are kept, compared with what the rows say: every cell, and what the city is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from casework.adapters.persistence.figures.figures import SqlFigures
from casework.adapters.persistence.figures.keeping import figure_keeping
from casework.adapters.persistence.figures.published import answered
from casework.domain.access.policy import EVERYTHING
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.figures.disclosure import name_of
from casework.domain.figures.figures import Month, Period, spent_in
from casework.domain.figures.questions import Question
from casework.domain.figures.tallying import ALL_PEOPLE, Cells
from casework.workflows.figures.keeping import Keeping, keep
from tests.api.conftest import Api


def count_again(world: Api) -> None:
    """What the job does: count what waits, as the owner of the tables may."""
    keeping = Keeping(
        store=lambda: figure_keeping(world.engine),
        clockwork=world.application.clockwork,
        now=world.application.now,
    )
    for _ in keep(keeping):
        pass


def questions(today: date) -> Iterator[Question]:
    """Parts of months, whole months and days, over and not over."""
    first = Month.of(today - timedelta(days=70)).first
    for by in (None, "month"):
        yield Question(period=Period(first, Month.of(today).last), by=by)
        yield Question(period=Period(first + timedelta(days=9), today - timedelta(days=1)), by=by)
    yield Question(period=Period(today, today))


def miskept(world: Api) -> list[str]:
    """Every cell that is answered otherwise than the rows say."""
    now, spent = world.application.now(), spent_in(world.application.clockwork())
    found = []
    with world.engine.connect() as connection:
        figures = SqlFigures(connection, EVERYTHING, now, set())
        for question in questions(day_in_seoul(now)):
            kept = figures.every_cell(question, ALL_PEOPLE, spent)
            rows = figures.counted_from_rows(question, ALL_PEOPLE, spent)
            found += _differing(question, kept, rows)
        month = Month.of(day_in_seoul(now))
        for by in ("provider", "district"):
            told = Question(period=Period(month.first, month.last), by=by)
            shown = figures.published(told, spent, with_people=True)
            rows = figures.published_from_rows(told, spent, with_people=True)
            found += _differing(told, answered(shown, by), answered(rows, by))
    return found


def _differing(question: Any, kept: Cells, rows: Cells) -> list[str]:
    return [
        f"{name_of(cell)} is kept as {kept[cell]} and is {rows[cell]}: {question.period}"
        for cell in sorted(kept.keys() | rows.keys(), key=str)
        if kept[cell] != rows[cell]
    ]
