"""SQL functions for days and months in Seoul, for both databases, to group rows by."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Date, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class seoul_day(FunctionElement[date]):  # noqa: N801 - reads like the function it is
    """The calendar day of an instant. Seoul has been nine hours ahead since 1988."""

    type = Date()
    inherit_cache = True


class month_of_day(FunctionElement[str]):  # noqa: N801 - reads like the function it is
    """The month of a day, as ``2026-03``."""

    type = String()
    inherit_cache = True


@compiles(seoul_day, "sqlite")
def _day_on_sqlite(element: seoul_day, compiler: SQLCompiler, **how: Any) -> str:
    # To the second: SQLite would round the last microseconds of a day up into the next.
    return f"date(substr({compiler.process(element.clauses, **how)}, 1, 19), '+9 hours')"


@compiles(seoul_day, "postgresql")
def _day_on_postgres(element: seoul_day, compiler: SQLCompiler, **how: Any) -> str:
    return f"CAST(({compiler.process(element.clauses, **how)}) AT TIME ZONE 'Asia/Seoul' AS DATE)"


@compiles(month_of_day, "sqlite")
def _month_on_sqlite(element: month_of_day, compiler: SQLCompiler, **how: Any) -> str:
    return f"substr({compiler.process(element.clauses, **how)}, 1, 7)"


@compiles(month_of_day, "postgresql")
def _month_on_postgres(element: month_of_day, compiler: SQLCompiler, **how: Any) -> str:
    return f"to_char({compiler.process(element.clauses, **how)}, 'YYYY-MM')"
