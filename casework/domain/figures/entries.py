"""Entries: what one case or one resident adds to the figures, so that sums of them can be kept.

An entry has the cell that it counts in, the day by which it counts, and for what changes later the
day from which it counts so. Entries of all cases, added up by month, answer every question, also
one about the state of a past day: a change is an entry that takes away what was, and one that adds
what is since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.figures.figures import Sent, state_on
from casework.domain.figures.tallying import Cell, people_by


class Way(StrEnum):
    """How an entry counts in a period."""

    # By its day in the period.
    ON = "on"
    # Likewise, where the period is not over: it says what is now.
    NOW = "now"
    # Likewise, if it is known from a day within the period: it says what was at the end of it.
    KNOWN = "known"
    # A clock that runs; its day is the one on which it is overdue.
    RUNS = "runs"
    # The day on which somebody was first served.
    FIRST = "first"
    # The last day of a time of being served, and the first day of the next.
    PAUSE = "pause"


class Entry(NamedTuple):
    """What is counted, and when.

    ``since`` is the day from which it is known. Without it, it always was; somebody who is not
    served again has none either.
    """

    way: Way
    cell: Cell
    on: date
    since: date | None = None


# How often each entry counts: 1, or -1 for what takes away.
Entries = Counter[Entry]
_EVER: Final = date.max


# Referrals


def of_referral(sent: Sent, sent_on: date, cell: Cell) -> Iterator[tuple[Entry, int]]:
    """A referral that was sent: its state now, and on every day since its sending."""
    yield Entry(Way.NOW, cell._replace(status=sent.status), sent_on), 1
    state = None
    for day in _days_of_change(sent, sent_on):
        new = ReferralStatus(state_on(sent, day, _EVER))
        if new == state:
            continue
        if state is not None:
            yield Entry(Way.KNOWN, cell._replace(status=state), sent_on, day), -1
        yield Entry(Way.KNOWN, cell._replace(status=new), sent_on, day), 1
        state = new


def _days_of_change(sent: Sent, sent_on: date) -> list[date]:
    """The sending, and the later days on which its state may have changed."""
    instants = (sent.answered_at, sent.ended_at)
    days = {sent.started_on, sent.answered_on, sent.ended_on}
    days |= {day_in_seoul(one) for one in instants if one is not None}
    return [sent_on, *sorted(day for day in days if day is not None and day > sent_on)]


# Causes


def of_reviews(said: Iterable[tuple[date, Cell]]) -> Iterator[tuple[Entry, int]]:
    """The causes that were named of one clock, in order: each until the next one."""
    told = list(said)
    for on, cell in told:
        yield Entry(Way.KNOWN, cell, on, on), 1
    for (on, cell), (later, _) in pairwise(told):
        yield Entry(Way.KNOWN, cell, on, later), -1


# People served


@dataclass(frozen=True, slots=True)
class Served:
    """From which day until which one a service ran; None while it runs."""

    cell: Cell
    began_on: date
    ended_on: date | None


def of_services(services: Iterable[Served]) -> Iterator[tuple[Entry, int]]:
    """The services of one resident: once for each place, and for each field and agency there."""
    found: dict[Cell, list[tuple[date, date]]] = {}
    for one in services:
        for field in (False, True):
            for provider in (False, True):
                cell = Cell(
                    people_by(field, provider),
                    district=one.cell.district,
                    centre=one.cell.centre,
                    field=one.cell.field if field else None,
                    provider=one.cell.provider if provider else None,
                )
                found.setdefault(cell, []).append((one.began_on, one.ended_on or _EVER))
    for cell, times in found.items():
        yield from _of_times(cell, _joined(times))


def _joined(times: list[tuple[date, date]]) -> list[tuple[date, date]]:
    """The same days, as times of which none touches another."""
    found: list[tuple[date, date]] = []
    for began, ended in sorted(times):
        if found and began <= found[-1][1]:
            found[-1] = found[-1][0], max(ended, found[-1][1])
        else:
            found.append((began, ended))
    return found


def _of_times(cell: Cell, times: list[tuple[date, date]]) -> Iterator[tuple[Entry, int]]:
    """Who was served by the end of a period, less who had left before it and came back after."""
    yield Entry(Way.FIRST, cell, times[0][0]), 1
    for (_, ended), (back, _) in pairwise(times):
        yield Entry(Way.PAUSE, cell, ended, back), -1
    if times[-1][1] != _EVER:
        yield Entry(Way.PAUSE, cell, times[-1][1]), -1
