"""The whole benchmark of figures, small: what is kept answers as the rows do, and in what time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.scope import session_context
from casework.bench.figures import FiguresMeasurement, Installation, bench_figures
from casework.bench.figures_asked import MONTHS, questions_on
from casework.bench.processes import BenchmarkFailed
from casework.bench.sides import Progress
from casework.cli import bench_figures as command
from casework.domain.figures.figures import Month
from tests import postgres
from tests.e2e.test_bench_http import left  # noqa: F401 - a fixture
from tests.e2e.test_cli import Run, documents, run  # noqa: F401 - a fixture

SMALL = FiguresMeasurement(residents=128, rounds=2)


def test_every_question_is_answered_as_from_the_rows(
    run: Run, postgres_server: postgres.Server, left: Callable[[], list[str]]  # noqa: F811
) -> None:  # fmt: skip
    said = run(
        "bench", "figures", "--residents", "250", "--histories", "125", "--rounds", "2", "--json",
        database_url=postgres_server.home_url,
    )  # fmt: skip
    assert said.code == 0, said.err
    (result,) = documents(said.out)
    assert result["benchmark"] == "figures"
    assert {"commit", "machine", "python", "postgresql"} <= set(result)
    assert len(result["questions"]) == len(questions_on(Month(2026, 3).first, "26110"))
    same = {one["same_as_rows"] for one in result["questions"]}
    assert True in same
    assert same <= {True, None}, "from the rows there may be no answer on a busy machine"
    assert all(0 < one["ms"] <= one["longest_ms"] for one in result["questions"])
    assert all(0 < one["statements"] <= 12 for one in result["questions"])
    assert result["rows"]["care_case"] == 250, "each of them was copied once"
    assert all(count > 0 for count in result["kept"].values())
    assert result["counting"]["ms_a_case"] > 0
    assert [one["cases"] for one in result["waiting"]] == [1, 10, 100]
    assert result["noting"]["written_ms"] > 0
    assert left() == []


def miscounting(product: Any) -> Iterator[int]:
    """Count, and then let one kind of number be kept as another."""
    yield from command.PRODUCT.count(product)
    with product.engine.begin() as connection:
        session_context.set_system_context(connection)
        change = update(t.figure_total).where(t.figure_total.c.figure == "on_time")
        connection.execute(change.values(times=t.figure_total.c.times + 1))


def test_a_number_that_is_kept_otherwise_makes_it_fail(
    postgres_server: postgres.Server, left: Callable[[], list[str]]  # noqa: F811
) -> None:  # fmt: skip
    of = replace(SMALL, database=postgres_server.home_url)
    product = Installation(
        open=command.PRODUCT.open, seed=command.PRODUCT.seed, count=miscounting
    )  # fmt: skip
    with pytest.raises(BenchmarkFailed, match="what is kept says otherwise than the rows"):
        bench_figures(of, product, Progress())
    assert left() == []


def test_questions_are_of_ten_months_up_to_the_present() -> None:
    asked = questions_on(Month(2026, 3).first, "26110")
    assert asked[0].params == {"from": "2025-06-01", "to": "2026-03-31", "by": "district"}
    assert asked[-1].params["from"] == "2025-06-10"
    assert json.dumps([one.params for one in asked]).count("2026-02") == 3
    assert MONTHS == 10
