"""Which tests run on which store: the quick and the deep run together leave none out."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import DEEP, STORES, TESTS, belongs_to_run, chosen_store


def an_item(path: Path, store: str | None, *marks: pytest.MarkDecorator) -> Any:
    """A collected test, as far as it is looked at."""
    found = {mark.name: mark.mark for mark in marks}
    return SimpleNamespace(
        path=path, nodeid=f"{path}::test_it[{store}]",
        callspec=SimpleNamespace(params={"store": store} if store else {}),
        get_closest_marker=found.get,
        iter_markers=lambda name: [found[name]] if name in found else [],
    )  # fmt: skip


def runs(path: Path, *marks: pytest.MarkDecorator) -> dict[bool, list[str]]:
    """The stores on which it runs in the deep run and in the quick one."""
    return {
        is_deep: [one for one in STORES if belongs_to_run(an_item(path, one, *marks), is_deep)]
        for is_deep in (True, False)
    }


@pytest.mark.parametrize("folder", ["api", "web"])
def test_a_test_of_the_api_runs_on_one_store_and_deep_on_the_other(folder: str) -> None:
    found = runs(TESTS / folder / "test_one.py")
    assert [len(stores) for stores in found.values()] == [1, 1]
    assert sorted(found[True] + found[False]) == sorted(STORES)


def test_what_must_hold_on_both_runs_on_both_each_time() -> None:
    both = {True: [], False: list(STORES)}
    assert runs(TESTS / "api" / "test_one.py", pytest.mark.both_stores) == both
    named = pytest.mark.parametrize("store", ["postgres"], indirect=True)
    assert runs(TESTS / "api" / "test_one.py", named) == both
    assert runs(TESTS / "adapters" / "test_one.py") == both


def test_a_test_without_a_store_runs_with_the_quick_ones_and_a_campaign_where_it_is_asked_for() -> (
    None
):
    plain = an_item(TESTS / "api" / "test_one.py", None)
    assert (belongs_to_run(plain, False), belongs_to_run(plain, True)) == (True, False)
    assert runs(DEEP / "test_one.py")[True] == list(STORES)


def test_the_store_is_the_same_whatever_else_the_id_holds_and_each_gets_its_share() -> None:
    for parameters in ("{}", "{}-day-1", "day-{}", "a-{}-b"):
        ids = [f"tests/api/test_one.py::test_it[{parameters.format(one)}]" for one in STORES]
        assert len({chosen_store(id) for id in ids}) == 1, parameters
    chosen = [chosen_store(f"tests/api/test_one.py::test_{n}[sqlite]") for n in range(1000)]
    assert 840 < chosen.count("sqlite") < 910
    assert chosen_store("tests/api/test_one.py::test_it[sqlite]") == "sqlite", "as ever"
