"""Kept figures, months whose figures are closed, and how agencies answered."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from casework.adapters.persistence.engine.types import Instant, Json
from casework.adapters.persistence.tables.base import code, id_column, metadata, where

closed_month = Table(
    "closed_month",
    metadata,
    id_column(),
    Column("district_code", String(10), ForeignKey("district.code"), nullable=False),
    Column("month", String(7), nullable=False),
    Column("closed_at", Instant, nullable=False),
    Column("closed_by", Uuid),
    Column("figures", Json, nullable=False),
    UniqueConstraint("district_code", "month"),
)

# How each agency answered lately: of everybody's requests, which no single worker sees. An agency
# of which too little is known has no row.
provider_answers = Table(
    "provider_answers",
    metadata,
    Column("provider_id", Uuid, ForeignKey("provider.id"), primary_key=True),
    Column("answers", Integer, nullable=False),
    Column("median_days", Float, nullable=False),
    Column("accepted_share", Float, nullable=False),
    Column("as_of", Instant, nullable=False),
    CheckConstraint("accepted_share >= 0 AND accepted_share <= 1", name="share"),
)


def _of_cell() -> list[Column[Any]]:
    """What a kept count is of."""
    return [
        code("figure"),
        Column("district_code", String(10), nullable=False),
        Column("centre_code", String(10), nullable=False),
        code("field", nullable=True),
        Column("provider_id", Uuid),
        code("kind", nullable=True),
        code("held_by", nullable=True),
        code("status", nullable=True),
        code("service_code", nullable=True),
        Column("reason", Text),
        code("cause", nullable=True),
        Column("days", Integer),
    ]


# What was changed and is not counted yet. Triggers put it there: of a case, of a resident, or of
# a day that was declared open or closed, by which working days are counted anew.
figure_change = Table(
    "figure_change",
    metadata,
    id_column(),
    Column("case_id", Uuid),
    Column("resident_id", Uuid),
    Column("day", Date),
    CheckConstraint("(case_id IS NULL) = (day IS NOT NULL)", name="of_a_case_or_a_day"),
    Index(None, "case_id"),
)

# What each case counts for; of people, what each resident does. The id follows from the rest.
figure_entry = Table(
    "figure_entry",
    metadata,
    Column("of_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    code("way"),
    Column("on_day", Date, nullable=False),
    Column("since_day", Date),
    *_of_cell(),
    Column("times", Integer, nullable=False),
    Index(None, "district_code", "on_day"),
    Index(None, "centre_code", "on_day"),
    Index("ix_figure_entry_provider_day", "provider_id", "on_day"),
    Index("ix_figure_entry_since", "since_day", "district_code", **where("way <> 'on'")),
    Index("ix_figure_entry_runs", "on_day", "of_id", **where("way = 'runs'")),
)

# The same by month, of everybody. The id follows from what a row is of, and lets it be added to.
figure_total = Table(
    "figure_total",
    metadata,
    id_column(),
    code("way"),
    Column("on_month", Date, nullable=False),
    Column("since_month", Date),
    *_of_cell(),
    Column("times", Integer, nullable=False),
    Index(None, "district_code", "way", "figure", "on_month"),
    Index(None, "centre_code", "way", "figure", "on_month"),
    Index("ix_figure_total_provider", "provider_id", "way", "figure", "on_month"),
    Index(None, "way", "figure", "on_month"),
)


def _of_city() -> list[Column[Any]]:
    """What a number of the city is of. A month is missing where it is of the moment."""
    return [
        id_column(),
        Column("month", String(7)),
        code("figure"),
        Column("district_code", String(10), nullable=False),
        code("field", nullable=True),
        code("kind", nullable=True),
        code("held_by", nullable=True),
        code("service_code", nullable=True),
        Column("reason", Text),
        Column("times", Integer, nullable=False),
    ]


def _cells_of_city(name: str) -> Table:
    return Table(
        name,
        metadata,
        *_of_city(),
        Column("provider_id", Uuid),
        Column("drawn", SmallInteger, nullable=False),
        CheckConstraint("drawn >= 0 AND drawn <= 4", name="of_five"),
        Index(None, "month", "district_code"),
    )


def _sums_of_city(name: str) -> Table:
    return Table(name, metadata, *_of_city(), Index(None, "month", "district_code"))


# Each cell that the city is told, as it is, with the draw by which it is published.
city_total = _cells_of_city("city_total")
# The cells of all agencies together, as they are published: what most of the city's answers add up.
city_sum = _sums_of_city("city_sum")
# The same of closed months, as they were closed.
closed_total = _cells_of_city("closed_total")
closed_sum = _sums_of_city("closed_sum")

# Until which day, it not included, clocks that became overdue are among the city's cells.
figure_day = Table(
    "figure_day",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("day", Date, nullable=False),
    CheckConstraint("id = 1", name="one"),
)
