"""One hidden difference, and a visible one as the control; tests/deep has all the others."""

from __future__ import annotations

from dataclasses import replace

from tests.proofs._open import filter_open
from tests.proofs.matrix import matrix_on
from tests.proofs.twins import DIFFERENCES, Twins

HIDDEN = "the telephone of a resident elsewhere"
READ_BY = ("GET /residents/{id}", "POST /residents/search", "GET /cases", "GET /worklist")


def test_a_difference_that_is_hidden_changes_no_byte_unless_the_filter_is_open() -> None:
    (difference,) = (it for it in DIFFERENCES if it.name == HIDDEN)
    difference = replace(difference, hidden_from=("supervisor",))
    with matrix_on("sqlite") as matrix:
        matrix.thorough = False
        twins, open_wide = Twins(matrix), Twins(matrix)
        twins.run((difference,), READ_BY)
        with filter_open():
            open_wide.run((difference,), READ_BY)
    assert not twins.faults, "\n".join(twins.faults)
    assert twins.asked > 10
    assert open_wide.faults, "with the filter open it must show"
