"""Figures that are kept are what the rows say, after the acts that the quick run leaves out."""

from __future__ import annotations

import pytest

from tests.api.conftest import Api, _figures_are_what_the_rows_say  # noqa: F401 - by its name
from tests.api.figures.test_kept_figures import (  # noqa: F401 - a fixture is used by its name
    FURTHER_ACTS,
    Act,
    _compared_here,
    compare_around,
)


@pytest.mark.both_stores
@pytest.mark.parametrize("act", FURTHER_ACTS, ids=lambda act: act.__name__)
def test_what_is_kept_is_what_the_rows_say_after(api: Api, act: Act) -> None:
    compare_around(api, act)
