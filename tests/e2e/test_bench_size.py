"""Filling a database that stays: what it refuses, and what one reads of many newly due clocks."""

from __future__ import annotations

from collections import Counter

import psycopg
import pytest

from casework.bench.city import Amounts, share
from casework.bench.names import name_of
from tests import postgres
from tests.e2e.test_bench_http import last_line
from tests.e2e.test_cli import Run, is_one_line, run  # noqa: F401 - a fixture


@pytest.mark.parametrize(
    ("words", "database"),
    [
        ("needs PostgreSQL", "sqlite:///bench.sqlite"),
        ("'nonsense' is no address", "nonsense"),
        ("casework_bench_… in small letters", "postgresql://a@127.0.0.1:1/casework"),
        ("casework_bench_… in small letters", "postgresql://a@127.0.0.1:1/casework_bench_"),
        ("cannot be used as its administrator", "postgresql://a@127.0.0.1:1/casework_bench_b"),
    ],
)
@pytest.mark.parametrize("name", ["fill", "size"])
def test_a_database_that_is_no_benchmarks_is_refused_in_one_line(
    run: Run, name: str, words: str, database: str  # noqa: F811
) -> None:  # fmt: skip
    is_one_line(last_line(run("bench", name, "--database", database)), words)


def test_what_it_did_not_fill_is_neither_dropped_nor_measured(
    run: Run, postgres_server: postgres.Server  # noqa: F811
) -> None:  # fmt: skip
    name = "casework_bench_notours"
    with postgres_server.database(name) as url:
        plain = url.replace("+psycopg", "")
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute("CREATE TABLE precious (id int)")
        filled = run("bench", "fill", "--database", plain)
        is_one_line(last_line(filled), "is not empty; --again fills it anew")
        again = run("bench", "fill", "--database", plain, "--again")
        is_one_line(last_line(again), "was not filled by casework bench")
        measured = run("bench", "size", "--database", plain)
        is_one_line(last_line(measured), "was not filled to the end")
        with psycopg.connect(plain) as connection:
            assert connection.execute("SELECT count(*) FROM precious").fetchone() == (0,)


@pytest.mark.parametrize(("total", "of"), [(0, 7), (3, 7), (7, 7), (35, 7), (36, 7)])
def test_what_is_spread_over_residents_is_spread_evenly_and_wholly(total: int, of: int) -> None:
    each = [share(total, number, of) for number in range(1, of + 1)]
    assert sum(each) == total
    assert max(each) - min(each) <= 1


def test_names_are_many_and_some_are_frequent() -> None:
    names = Counter(map(name_of, range(1, 20_001)))
    assert len(names) > 8_000
    families = Counter(name[0] for name in map(name_of, range(1, 20_001)))
    assert 0.15 < families["김"] / 20_000 < 0.3
    assert Amounts(1, 1, 1).residents == 1


@pytest.mark.parametrize("dues", ["10", "10,10", "10,41"])
def test_two_dues_are_needed_and_no_more_than_there_are_clocks(run: Run, dues: str) -> None:  # noqa: F811
    said = run(*f"bench sweep --sizes 40 --dues {dues}".split())
    is_one_line(last_line(said), "name two numbers of newly due")
