"""Hidden differences never show: neither in a list, nor in a count, nor in a search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.proofs._open import filter_open
from tests.proofs.matrix import matrix_on
from tests.proofs.twins import CONTROLS, DIFFERENCES, Difference, Twins

OF_EACH_SORT = {
    "the telephone of a resident elsewhere": ("supervisor",),
    "a signal elsewhere": ("assessor",),
    "one more of the neighbours' cases": ("worker",),
    "another agency's answer": ("provider",),
    "the telephone of a resident whose service has ended": ("provider",),
}


SHOWING = {"a signal of one's own": ("worker",)}


def chosen(all_of_them: tuple[Difference, ...], few: Mapping[str, tuple[str, ...]]) -> Any:
    found = [replace(it, hidden_from=few[it.name]) for it in all_of_them if it.name in few]
    assert len(found) == len(few)
    return tuple(found)


def test_what_is_hidden_changes_no_byte() -> None:
    with matrix_on("sqlite") as matrix:
        matrix.thorough = False
        twins = Twins(matrix)
        twins.run(chosen(DIFFERENCES, OF_EACH_SORT))
    assert not twins.faults, "\n".join(twins.faults)
    assert twins.asked > 500


def test_what_is_not_hidden_does_change_bytes() -> None:
    """Both ways: what may be seen, and what is seen where the filter lets everything through."""
    with matrix_on("sqlite") as matrix:
        matrix.thorough = False
        twins = Twins(matrix)
        seen = chosen(CONTROLS, SHOWING)
        twins.run(tuple(replace(it, name="a control that is not one") for it in seen))
        shown = " ".join(twins.faults)
        assert "GET /overdue" in shown or "GET /worklist" in shown
        assert "GET /cases/{id} own" in shown
        open_wide = Twins(matrix)
        with filter_open():
            open_wide.run(chosen(DIFFERENCES, {"one more of the neighbours' cases": ("worker",)}))
    assert any(said.startswith("GET /cases") for said in open_wide.faults)
