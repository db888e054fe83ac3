"""The benchmark of figures as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table

from casework.bench.http import Result


def lines_of(result: Result) -> Iterator[str]:
    """What stands above the tables, and what is no table."""
    machine, counting, noting = result["machine"], result["counting"], result["noting"]
    yield (
        f"commit {result['commit'] or 'unknown'}, {machine['cores']} cores ({machine['model']}), "
        f"load before {machine['load_before']}"
    )
    yield f"Python {result['python']}, PostgreSQL {result['postgresql']}"
    yield f"{result['residents']:,} residents: {_counts(result['rows'])}"
    yield f"kept: {_counts(result['kept'])}"
    yield (
        f"counted: {counting['cases']:,} cases of {counting['changes']:,} changes, "
        f"{counting['ms_a_case']} ms a case ({_cpu(counting, '_a_case')})"
    )
    yield (
        f"a referral with its clocks is written in {noting['written_ms']} ms, and noted in "
        f"{noting['noting_ms']} ms more"
    )


def tables_of(result: Result) -> Iterator[Table]:
    """What each question costs, and what it costs while cases wait."""
    asked = Table(
        "", "ms", "longest", "app CPU", "db CPU", "statements", "from rows, ms",
        f"≤ {result['at_most_ms']} ms",
    )  # fmt: skip
    for one in result["questions"]:
        numbers = ("ms", "longest_ms", "app_cpu_ms", "db_cpu_ms", "statements")
        rows = one["from_rows_ms"]
        asked.add_row(
            one["question"],
            *(_shown(one[name]) for name in numbers),
            "no answer" if rows is None else _shown(rows),
            "holds" if one["ms"] <= result["at_most_ms"] else "misses",
        )
    yield asked
    waiting = Table("cases that wait", "the city, ms", "a district, ms", "counted in, ms")
    for one in result["waiting"]:
        names = ("cases", "city_ms", "district_ms", "counted_in_ms")
        waiting.add_row(*(_shown(one[name]) for name in names))
    yield waiting


def _counts(rows: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in rows.items())


def _cpu(figure: Result, of: str) -> str:
    database = figure[f"db_cpu_ms{of}"]
    own = f"processor time: application {figure[f'app_cpu_ms{of}']}"
    return own if database is None else f"{own}, database {database}"


def _shown(value: Any) -> str:
    return "" if value is None else f"{value:,}"
