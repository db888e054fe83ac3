"""What the sources of figures share: the columns of every row, its place, and lists of ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Select,
    Uuid,
    and_,
    func,
    literal,
    select,
)

from casework.adapters.persistence import tables as t
from casework.domain.figures.figures import Period


def rows_of(table: Any, *more: Any, home: Any = None) -> Select[Any]:
    """The rows of a table with their place, which may be that of another one."""
    home = table if home is None else home
    of_case = table.c.id if table is t.care_case else table.c.case_id
    return select(
        table.c.id.label("id"),
        of_case.label("case_id"),
        home.c.resident_id.label("resident_id"),
        home.c.centre_code.label("centre_code"),
        home.c.district_code.label("district_code"),
        *more,
    )


def listed(connection: Connection, ids: Iterable[UUID]) -> Any:
    """Ids to compare with: one parameter where the database has arrays, so that it is prepared."""
    if connection.dialect.name == "postgresql":
        return select(func.unnest(literal(sorted(ids), ARRAY(Uuid))))
    return sorted(ids)


def place_of(table: Any) -> dict[str, Any]:
    """The columns of the filters by place."""
    return {"district": table.c.district_code, "centre": table.c.centre_code}


def during(column: Any, period: Period) -> ColumnElement[bool]:
    """Whether an instant is one of a period."""
    return and_(column >= period.begins, column < period.ends)
