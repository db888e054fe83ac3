"""Turns at heavy work: few at once, one an account, and the others wait without a thread."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from casework.adapters.http.problems import Problem
from casework.adapters.http.rates import TooMany
from casework.adapters.http.turns import Turns


class Work:
    """What is done in turns, and the most of it that was done at once."""

    def __init__(self, turns: Turns) -> None:
        self.turns, self.done, self.at_once = turns, "", 0
        self.most: Counter[str] = Counter()
        self._now: Counter[str] = Counter()

    async def once(self, owner: str, seconds: float = 0.1) -> None:
        """Wait for a turn, and work."""
        async with self.turns.turn(owner):
            self._now[owner] += 1
            self.most[owner] = max(self.most[owner], self._now[owner])
            self.at_once = max(self.at_once, self._now.total())
            await asyncio.sleep(seconds)
            self._now[owner] -= 1
            self.done += owner


async def all_of(work: Work, owners: str) -> list[BaseException | None]:
    """Each of them once, begun at the same moment."""
    return await asyncio.gather(*map(work.once, owners), return_exceptions=True)


def test_few_are_at_work_at_once_and_of_an_account_one() -> None:
    work = Work(Turns(at_once=2, waiting=8))
    assert asyncio.run(all_of(work, "aaaabc")) == [None] * 6
    assert (work.at_once, set(work.most.values())) == (2, {1})
    assert sorted(work.done[:3]) == ["a", "a", "b"] or sorted(work.done[:3]) == ["a", "b", "c"]
    assert work.done.index("c") < work.done.rindex("a"), "nobody waits for all of another one's"


def test_without_the_bound_of_an_account_one_takes_all_turns() -> None:
    """The control: as owners who are all different, the same requests go before everybody's."""
    work = Work(Turns(at_once=2, waiting=8))
    assert asyncio.run(all_of(work, "1234bc")) == [None] * 6
    assert set(work.done[:4]) == set("1234")


def test_who_waits_too_often_is_told_to_come_back() -> None:
    work = Work(Turns(at_once=2, waiting=2))

    async def many() -> list[BaseException | None]:
        first = asyncio.create_task(work.once("a"))
        await asyncio.sleep(0.05)
        found = await all_of(work, "aaab")
        await first
        return found

    taken, also, refused, other = asyncio.run(many())
    assert (taken, also, other) == (None, None, None)
    assert isinstance(refused, TooMany)
    assert (refused.code, refused.retry_after) == ("too_many_requests", 5)


def test_who_waits_too_long_is_told_that_all_are_busy_and_the_line_goes_on() -> None:
    work = Work(Turns(at_once=1, patience_s=0.1))

    async def long() -> None:
        first = asyncio.create_task(work.once("a", 0.4))
        await asyncio.sleep(0.05)
        with pytest.raises(Problem) as refused:
            await work.once("b")
        assert refused.value.code == "busy"
        await first
        await work.once("c")

    asyncio.run(long())
    assert work.done == "ac"


def test_one_that_fails_gives_its_turn_back() -> None:
    turns = Turns(at_once=1)

    async def failing() -> None:
        with pytest.raises(ValueError, match="x"):
            async with turns.turn("a"):
                raise ValueError("x")
        async with turns.turn("a"):
            pass

    asyncio.run(failing())
