"""How large the next batch of a sweep is, by how long the last one took."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.workflows.supervision.batches import GROWS_BY, Batches

BATCHES = Batches(first=400, least=50, most=2000, seconds=0.05)


@pytest.mark.parametrize(
    ("took", "size"),
    [
        (0.049, 408),
        (0.05, 400),
        (0.051, 392),
        (0.1, 200),
        (0.4, 50),
        (0.41, 50),
        (3600.0, 50),
        (0.04, 500),
        (0.039, 500),
        (0.0, 500),
    ],
)
def test_a_full_batch_is_followed_by_what_fits_its_time_and_never_more_than_a_quarter_more(
    took: float, size: int
) -> None:
    assert BATCHES.after(400, took, was_full=True) == size


def test_a_quick_batch_that_found_few_is_not_followed_by_a_larger_one() -> None:
    assert BATCHES.after(400, 0.001, was_full=False) == 400
    assert BATCHES.after(400, 0.1, was_full=False) == 200


def test_no_batch_is_larger_than_the_most() -> None:
    assert BATCHES.after(2000, 0.001, was_full=True) == 2000
    assert BATCHES.after(1601, 0.001, was_full=True) == 2000
    assert BATCHES.after(1600, 0.001, was_full=True) == 2000
    assert BATCHES.after(1596, 0.001, was_full=True) == 1995


def test_from_the_smallest_a_machine_that_is_quick_again_comes_back_to_the_largest() -> None:
    size, needed = BATCHES.least, 0
    while size < BATCHES.most:
        size, needed = BATCHES.after(size, 0.001, was_full=True), needed + 1
    assert needed == 17
    assert BATCHES.after(1, 0.001, was_full=True) == 50
    assert Batches(first=1, least=1).after(1, 0.001, was_full=True) == 2


@given(
    st.integers(1, 5000),
    st.floats(0, 1e9, allow_nan=False),
    st.booleans(),
    st.tuples(*[st.integers(1, 3000)] * 3).map(sorted),
)
def test_a_batch_is_never_outside_its_bounds_and_never_empty(
    size: int, took: float, was_full: bool, bounds: list[int]
) -> None:
    batches = Batches(least=bounds[0], first=bounds[1], most=bounds[2])
    following = batches.after(size, took, was_full=was_full)
    assert 1 <= bounds[0] <= following <= bounds[2]
    assert following <= max(size + max(1, size // GROWS_BY), bounds[0])


@pytest.mark.parametrize(
    "sizes",
    [
        {"least": 0},
        {"least": 501},
        {"first": 2001},
        {"most": 399},
        {"seconds": 0.0},
        {"seconds": -1.0},
    ],
)
def test_sizes_with_which_a_sweep_would_not_end_are_refused(sizes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="sizes from 1 on"):
        Batches(**sizes)  # type: ignore[arg-type]
