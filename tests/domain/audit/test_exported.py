"""Exported heads: one line for each export, which nobody without the key can write or change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from casework.domain.audit.chain import ChainHead, chain_list_of
from casework.domain.audit.exported import ExportedHeads, line_of, newest_of, read_line

KEY, OTHER = b"k" * 32, b"o" * 32
AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HEADS = (
    chain_list_of(["26350"]).signed(KEY),
    ChainHead(chain="26350", count=3, last_hash="a" * 64).signed(KEY),
)
EXPORTED = ExportedHeads(exported_at=AT, heads=HEADS, because="백업에서 복구")


def test_a_line_says_again_what_was_exported() -> None:
    line = line_of(EXPORTED, KEY)
    assert "\n" not in line
    assert read_line(line, KEY) == EXPORTED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2026-03-02", "2027-03-02"), ('"count": 3', '"count": 2'), ("백업", "사고"),
        ('"mac": "', '"mac": "0'), ("aaaa", "bbbb"),
    ],
)  # fmt: skip
def test_a_line_that_was_changed_is_none(old: str, new: str) -> None:
    line = line_of(EXPORTED, KEY)
    assert old in line
    changed = new.join(line.rsplit(old, 1))
    assert read_line(changed, KEY) is None


@pytest.mark.parametrize("line", ["", "{}", "[]", "null", "no json", '{"mac": 1}', '{"mac": "ü"}'])
def test_what_is_no_line_is_none(line: str) -> None:
    assert read_line(line, KEY) is None


def test_since_when_entries_wait_is_in_the_line_and_under_its_mark() -> None:
    waits = replace(EXPORTED, waits_since=AT - timedelta(minutes=4))
    line = line_of(waits, KEY)
    assert read_line(line, KEY) == waits
    assert read_line(line.replace("00:56", "00:59"), KEY) is None
    assert "00:56" in line


def test_a_line_that_went_further_hides_none_before() -> None:
    other = ChainHead(chain="26350", count=9, last_hash="b" * 64).signed(KEY)
    same = ChainHead(chain="26350", count=9, last_hash="c" * 64).signed(KEY)
    lines = [
        line_of(ExportedHeads(exported_at=AT + timedelta(minutes=n), heads=heads), KEY)
        for n, heads in enumerate([HEADS, (HEADS[0], other), (HEADS[0], same), HEADS])
    ]
    found = newest_of(lines, KEY)
    assert found is not None
    assert found.heads == (HEADS[0], same)
    assert found.earlier == (HEADS[1], other)
    assert set(found.all_heads) == {*HEADS, other, same}


def test_under_another_key_there_is_no_line() -> None:
    assert read_line(line_of(EXPORTED, KEY), OTHER) is None


def test_the_newest_counts_and_an_older_line_that_is_added_again_tells_nothing() -> None:
    later = replace(EXPORTED, exported_at=AT + timedelta(minutes=5), because=None)
    lines = [line_of(EXPORTED, KEY), line_of(later, KEY), line_of(EXPORTED, KEY), "half a li"]
    assert newest_of(lines, KEY) == later
    assert newest_of(["half a li"], KEY) is None
    assert newest_of([], KEY) is None


def test_a_clock_that_was_set_back_makes_nothing_forgotten() -> None:
    further = ChainHead(chain="26350", count=9, last_hash="b" * 64).signed(KEY)
    later = ExportedHeads(exported_at=AT - timedelta(days=2), heads=(HEADS[0], further))
    found = newest_of([line_of(replace(EXPORTED, because=None), KEY), line_of(later, KEY)], KEY)
    assert found is not None
    assert found.heads == (HEADS[0], further)


def test_what_was_exported_before_an_operator_said_why_does_not_count() -> None:
    further = ChainHead(chain="26350", count=9, last_hash="b" * 64).signed(KEY)
    before = ExportedHeads(exported_at=AT - timedelta(seconds=1), heads=(HEADS[0], further))
    lines = [line_of(EXPORTED, KEY), line_of(before, KEY)]
    assert newest_of(lines, KEY) == EXPORTED


def test_the_same_heads_are_the_same_in_any_order() -> None:
    assert EXPORTED.is_same(reversed(HEADS))
    assert not EXPORTED.is_same(HEADS[:1])
    assert not EXPORTED.is_same((HEADS[0], replace(HEADS[1], count=4).signed(KEY)))
