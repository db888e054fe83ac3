"""Of two figures that count the same events the city is told one: jointly they would tell more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import product

import pytest

from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.standards import CareField, ClockKind
from casework.domain.figures.disclosure import STEP, publish, stepped
from casework.domain.figures.figures import OUTCOMES, Figure
from casework.domain.figures.same_events import SAME_EVENTS, SameEvents, as_told
from casework.domain.figures.tallying import ALL_PEOPLE, PEOPLE, Cell

DRAWS = range(STEP)
HERE = Cell("", month="2026-03", district="26110")
# One count, drawn up or down, that a reader may be shown beside two others.
SHOWN = (0, 5, 10, 15)


def cells_of(figures: Iterable[str], kind: ClockKind | None) -> list[Cell]:
    return [HERE._replace(figure=figure, kind=kind) for figure in sorted(figures)]


@pytest.mark.parametrize("pair", SAME_EVENTS, ids=lambda pair: pair.what)
def test_of_two_figures_that_count_the_same_one_is_published(pair: SameEvents) -> None:
    hidden = cells_of(pair.hidden.figures, pair.hidden.kind)
    told = cells_of(pair.told.figures, pair.told.kind)
    shown = publish(Counter(dict.fromkeys([*hidden, *told], 7)), lambda _: 4)
    assert set(shown) == set(told)


def test_no_figure_that_tells_another_is_itself_hidden() -> None:
    for pair in SAME_EVENTS:
        for cell in cells_of(pair.told.figures, pair.told.kind):
            assert as_told(cell) == cell, pair.what


def test_a_referral_is_told_as_sent_whatever_became_of_it() -> None:
    sent = HERE._replace(figure=Figure.REFERRALS, field=CareField.CARE)
    of = {sent._replace(status=status): 2 for status in ReferralStatus}
    shown = publish(Counter(of), lambda _: 0)
    assert set(shown) == {sent}
    assert shown[sent] == (len(of) - 1) * 2 // STEP * STEP, "what was an error was never sent"


def test_every_figure_is_told_or_named_among_those_that_are_not() -> None:
    """A figure that is added is thought about here."""
    never = {
        figure for pair in SAME_EVENTS for figure in pair.hidden.figures if pair.hidden.kind is None
    }
    assert never == {
        Figure.PLANS_SUBMITTED, Figure.RUNNING, Figure.CAUSES, Figure.ENTERED_LATE,
        *set(ALL_PEOPLE) - {PEOPLE},
    }  # fmt: skip
    assert {pair.hidden.kind for pair in SAME_EVENTS if set(OUTCOMES) <= pair.hidden.figures} == {
        ClockKind.DECISION, ClockKind.LINK, ClockKind.DISPOSITION, ClockKind.DISCHARGE,
    }  # fmt: skip


def open_values(shown: int) -> list[int]:
    """The counts that may be behind a published one."""
    return [n for n in range(40) if shown in {stepped(n, drawn) for drawn in DRAWS}]


def left(ended: tuple[int, ...], counted: tuple[int, ...]) -> Iterator[set[int]]:
    """The values of each count that are left where one sum cannot be above the other."""
    shown = [*ended, *counted]
    all_of = [
        values
        for values in product(*map(open_values, shown))
        if sum(values[: len(ended)]) <= sum(values[len(ended) :])
    ]
    if all_of:
        yield from map(set, zip(*all_of, strict=True))


def test_two_outcomes_of_a_clock_beside_two_counts_of_the_same_would_tell_more() -> None:
    """The control: six or more on time and a late one of nine plans at the most leave three."""
    fewest = min(len(values) for one in product(SHOWN, repeat=3)
                 for values in left(one[:2], one[2:]))  # fmt: skip
    assert fewest < 4


def test_counts_of_which_one_cannot_be_above_another_leave_four_values() -> None:
    """So what is overdue may be told beside what was sent."""
    for part, whole in product(SHOWN, repeat=2):
        for values in left((part,), (whole,)):
            assert len(values) >= 4, (part, whole, values)
