"""What rarely changes is read again after some seconds, or where it was forgotten."""

from __future__ import annotations

import time

from casework.adapters.persistence.supervision.configuration import Cached


def counting(seconds: float) -> tuple[Cached[int], list[int]]:
    """A value that is how often it was read."""
    read: list[int] = []

    def next_one() -> int:
        read.append(len(read) + 1)
        return len(read)

    return Cached(next_one, seconds), read


def test_it_is_read_once_within_its_time() -> None:
    value, read = counting(3600)
    assert [value(), value()] == [1, 1]
    assert read == [1]


def test_it_is_read_again_once_its_time_is_over() -> None:
    value, _ = counting(0.02)
    assert value() == 1
    time.sleep(0.03)
    assert value() == 2


def test_it_is_read_again_where_it_was_forgotten() -> None:
    value, _ = counting(3600)
    assert value() == 1
    value.forget()
    assert value() == 2
