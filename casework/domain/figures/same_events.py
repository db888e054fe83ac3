"""Which figures count the same events, and which of them the city is told.

One event may be counted twice: a plan that is decided ends the clock of its decision. Each of the
two counts leaves four values open, both together may leave fewer. So the city is told one of them.

What runs now goes up with what begins and down with what ends, and can be asked at any moment.
Where it goes to and fro about a number at which what is published changes, each rise is one
referral more, whatever of the referrals themselves is published.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.standards import ClockKind
from casework.domain.figures.figures import OUTCOMES, Figure
from casework.domain.figures.tallying import (
    PEOPLE_BY_BOTH,
    PEOPLE_BY_FIELD,
    PEOPLE_BY_PROVIDER,
    Cell,
)


@dataclass(frozen=True, slots=True)
class Counted:
    """Some figures; of clocks, those of one kind."""

    figures: frozenset[str]
    kind: ClockKind | None = None

    def holds(self, cell: Cell) -> bool:
        """Whether a cell is one of these."""
        return cell.figure in self.figures and self.kind in (None, cell.kind)


@dataclass(frozen=True, slots=True)
class SameEvents:
    """Two counts of the same events of a month and a district, and what they both count."""

    hidden: Counted
    told: Counted
    what: str


def _figures(*names: str) -> Counted:
    return Counted(frozenset(names))


def _ended(kind: ClockKind) -> Counted:
    return Counted(frozenset(OUTCOMES), kind)


SAME_EVENTS: Final = (
    SameEvents(
        _figures(Figure.PLANS_SUBMITTED),
        _ended(ClockKind.PLAN),
        "a submission ends the clock of the plan",
    ),
    SameEvents(
        _ended(ClockKind.DECISION),
        _figures(Figure.PLANS_APPROVED, Figure.PLANS_RETURNED),
        "a plan that is approved or returned ends the clock of its decision",
    ),
    SameEvents(
        _ended(ClockKind.LINK),
        _figures(Figure.REFERRALS),
        "a referral that is sent ends the clock of its planned service",
    ),
    SameEvents(
        _ended(ClockKind.DISPOSITION),
        _figures(Figure.UNMET_NEEDS),
        "an unmet need that is said ends the clock of what comes next",
    ),
    SameEvents(
        _ended(ClockKind.DISCHARGE),
        _ended(ClockKind.START),
        "a service that starts ends the clock of the discharge too",
    ),
    SameEvents(
        _figures(Figure.RUNNING),
        _figures(Figure.REFERRALS, *OUTCOMES, Figure.OVERDUE),
        "a clock that runs was begun by what another figure counts, or by the end of another clock",
    ),
    SameEvents(
        _figures(Figure.CAUSES),
        _figures(*OUTCOMES, Figure.OVERDUE),
        "a clock with a cause ended late or is overdue",
    ),
    SameEvents(
        _figures(Figure.ENTERED_LATE),
        _figures(*OUTCOMES),
        "a clock that was entered late ended",
    ),
    SameEvents(
        _figures(PEOPLE_BY_FIELD, PEOPLE_BY_PROVIDER, PEOPLE_BY_BOTH),
        _figures(Figure.PEOPLE_SERVED),
        "a person of a field or an agency is a person",
    ),
)


def as_told(cell: Cell) -> Cell | None:
    """The cell in which the city is told what is counted here; None where another cell tells it.

    A referral counts as sent, in whatever state: an answer, a start and an end also end a clock.
    """
    if any(pair.hidden.holds(cell) for pair in SAME_EVENTS):
        return None
    if cell.figure == Figure.REFERRALS:
        if cell.status == ReferralStatus.ENTERED_IN_ERROR:
            return None
        cell = cell._replace(status=None)
    return cell._replace(centre=None, days=None)
