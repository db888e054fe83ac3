"""Tries to sign in: how many were wrong from where, and who has to wait.

Whoever knows a user name can try passwords. So what is wrong from one place makes that place wait
first. An account that is tried from many places is slowed for all of them, never shut, and not for
the places where its owner has signed in before. A try that was begun and never compared, because
the process or the database was lost, is forgotten after some seconds and was never wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

IN_A_ROW: Final = 5
WAIT: Final = timedelta(minutes=15)
AN_HOUR: Final = 10
HOUR: Final = timedelta(hours=1)
# Where the owner signs in, and whoever else tries from there; and an account that is slowed.
SHORT_WAIT: Final = timedelta(minutes=1)
# No comparison takes longer: what was begun earlier was cut off.
BEGUN_FOR: Final = timedelta(seconds=15)
KNOWN_FOR: Final = timedelta(days=90)
MAX_KNOWN: Final = 20
# The owner is told when so many of an hour were wrong.
TOLD_AT: Final = 5
# The place of what is proved with a password while one is signed in.
SIGNED_IN: Final = "signed in"


class TryState(StrEnum):
    """How a try stands: it is being compared, was wrong, or was wrong before a right one."""

    BEGUN = "begun"
    WRONG = "wrong"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class Try:
    """A try from a place. A right one is no try any more."""

    at: datetime
    source: str
    state: TryState = TryState.BEGUN


def still_counted(tries: Iterable[Try], now: datetime) -> list[Try]:
    """The tries of the last hour, without those that were cut off.

    Those of a later hour are forgotten too: they were counted before the clock was set back.
    """
    return [
        one
        for one in tries
        if abs(now - one.at) < (BEGUN_FOR if one.state == TryState.BEGUN else HOUR)
    ]


def may_begin(tries: list[Try], known: Mapping[str, datetime], source: str, now: datetime) -> bool:
    """Whether one more try may be compared; ``known`` are the places of earlier sign-ins."""
    here = [one for one in tries if one.source == source]
    wrong = [one for one in here if one.state != TryState.BEGUN]
    if is_known(known, source, now):
        if len(wrong) >= AN_HOUR:
            return _has_waited(here, now)
        return _may_go_on(wrong, now, SHORT_WAIT)
    if len(here) >= AN_HOUR or not _may_go_on(wrong, now, WAIT):
        return False
    if source == SIGNED_IN or len(tries) < AN_HOUR:
        return True
    return _has_waited([one for one in tries if not is_known(known, one.source, now)], now)


def is_known(known: Mapping[str, datetime], source: str, now: datetime) -> bool:
    """Whether the owner has signed in there lately."""
    return source in known and known[source] > now - KNOWN_FOR


def _may_go_on(wrong: list[Try], now: datetime, wait: timedelta) -> bool:
    """Whether the wait is over that each five in a row bring."""
    row = [one for one in wrong if one.state == TryState.WRONG]
    rounds = len(row) // IN_A_ROW
    return rounds == 0 or now >= row[rounds * IN_A_ROW - 1].at + wait


def _has_waited(tries: list[Try], now: datetime) -> bool:
    """Whether nothing is being compared, and the last one is a minute ago."""
    if any(one.state == TryState.BEGUN for one in tries):
        return False
    return all(now >= one.at + SHORT_WAIT for one in tries)


def after_wrong(tries: list[Try], at: datetime, source: str) -> list[Try]:
    """The tries, of which the one that was begun then was wrong."""
    begun = Try(at, source)
    left = list(tries)
    if begun in left:
        left.remove(begun)
    return sorted([*left, replace(begun, state=TryState.WRONG)], key=lambda one: one.at)


def after_right(tries: list[Try], at: datetime, source: str) -> list[Try]:
    """The tries without the right one; wrong ones of that place stay counted, but in no row."""
    left = list(tries)
    if Try(at, source) in left:
        left.remove(Try(at, source))
    return [
        replace(one, state=TryState.PAST)
        if one.source == source and one.state == TryState.WRONG
        else one
        for one in left
    ]


def is_told(tries: Iterable[Try], now: datetime) -> bool:
    """Whether the owner is to be told now: the fifth of the hour was wrong, wherever from."""
    wrong = [one for one in still_counted(tries, now) if one.state != TryState.BEGUN]
    return len(wrong) == TOLD_AT


def remembered(known: Mapping[str, datetime], source: str, now: datetime) -> dict[str, datetime]:
    """The places of sign-ins with this one, the last twenty."""
    if source == SIGNED_IN:
        return dict(known)
    every = {place: at for place, at in known.items() if at > now - KNOWN_FOR} | {source: now}
    newest = sorted(every.items(), key=lambda one: one[1], reverse=True)[:MAX_KNOWN]
    return dict(newest)
