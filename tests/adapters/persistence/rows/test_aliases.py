"""A table under another name has the same columns for every thread."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Alias, FromClause

from casework.adapters import persistence
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.rows.aliases import alias_of

THREADS, TIMES = 4, 100


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def made_apart(make: Callable[[], FromClause]) -> int:
    """How often threads that ask at the same moment get columns of their own."""
    count = 0
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(TIMES):
            alias, begin = make(), Barrier(THREADS)

            def first(alias: FromClause = alias, begin: Barrier = begin) -> int:
                begin.wait()
                return id(alias.c.id)

            seen = {future.result() for future in [pool.submit(first) for _ in range(THREADS)]}
            count += len(seen) > 1
    return count


@pytest.mark.usefixtures("hasty")
def test_threads_that_ask_at_once_get_the_same_columns() -> None:
    assert made_apart(lambda: alias_of(t.referral, "other")) == 0


@pytest.mark.usefixtures("hasty")
def test_the_control_columns_that_are_made_when_asked_for_differ() -> None:
    assert made_apart(lambda: t.referral.alias("other")) > 0


def test_every_alias_of_a_module_has_its_columns() -> None:
    names = [
        one.name
        for one in pkgutil.walk_packages(persistence.__path__, "casework.adapters.persistence.")
    ]
    found = {
        f"{name}.{key}": "_columns" in vars(value)
        for name in names
        for key, value in vars(importlib.import_module(name)).items()
        if isinstance(value, Alias)
    }
    assert len(found) > 5
    assert not [name for name, is_made in found.items() if not is_made]
