"""The response rates of an agency, and when none is shown."""

from __future__ import annotations

from datetime import datetime

import pytest

from casework.domain.clocks.calendar import SEOUL
from casework.domain.directory.matching import ResponseRate
from casework.domain.figures.response_rates import ENOUGH_ANSWERS, Answers, measured

NOW = datetime(2026, 3, 27, 9, 0, tzinfo=SEOUL)


@pytest.mark.parametrize("count", [0, 1, ENOUGH_ANSWERS - 1])
def test_of_fewer_than_five_answers_nothing_is_said(count: int) -> None:
    assert measured([Answers(1, True, count)], NOW) is None
    assert measured([], NOW) is None


@pytest.mark.parametrize("count", [ENOUGH_ANSWERS, ENOUGH_ANSWERS + 1])
def test_of_five_and_more_it_is(count: int) -> None:
    assert measured([Answers(1, True, count)], NOW) == ResponseRate(
        answers=count, median_days=1, accepted_share=1, as_of=NOW
    )


def test_the_median_counts_every_answer_and_the_share_those_that_were_accepted() -> None:
    some = [Answers(0, True, 2), Answers(1, False, 1), Answers(4, True, 2), Answers(9, False, 1)]
    assert measured(some, NOW) == ResponseRate(
        answers=6, median_days=2.5, accepted_share=4 / 6, as_of=NOW
    )
