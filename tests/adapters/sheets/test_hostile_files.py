"""Files that mean harm: each is read in a process of its own, or refused, within its bounds."""

from __future__ import annotations

import io
import os
import resource
import time

import pytest

from casework.adapters.sheets.apart import WORKER, SheetsApart
from casework.domain.errors import Invalid, Refusal
from tests.adapters.sheets import hostile

BOMB = "tiny strings, all the same"
# The worker with its bounds of what it unpacks switched off.
OPEN = f"""
from {WORKER.rpartition(".")[0]} import worker, workbooks
workbooks.MAX_RATIO = workbooks.MAX_MARKS = workbooks.MAX_STRINGS = 10 ** 9
"""
LIMITED = "worker.limit = lambda limit=worker.limit: limit({cpu_s}, {memory})"


def outcome(content: bytes, sheets: SheetsApart | None = None) -> str | None:
    """The code with which a file is refused, None for one that is taken."""
    try:
        for _ in (sheets or SheetsApart()).read(io.BytesIO(content)):
            pass
    except Refusal as refused:
        return refused.code
    return None


def worker(*lines: str) -> SheetsApart:
    """A worker that runs these lines first."""
    return SheetsApart(command=("-c", "\n".join((OPEN, *lines, "worker.main()"))))


def seconds_of_workers() -> float:
    """The processor's time of all workers so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("name", sorted(set(hostile.CORPUS) - hostile.SLOW))
def test_a_hostile_file_is_taken_or_refused_within_its_bounds(name: str) -> None:
    content, before = hostile.content_of(name), seconds_of_workers()
    told = hostile.CORPUS[name][1] - {"column_missing", "too_many_columns"} or {None}
    assert outcome(content) in told
    assert seconds_of_workers() - before < 6


def test_the_control_reads_the_strings_and_takes_what_the_bounds_spare() -> None:
    """With the bounds of a workbook off, the same file costs many times as much."""
    content, before = hostile.content_of(BOMB), seconds_of_workers()
    assert outcome(content) == "file_too_large"
    bounded = seconds_of_workers() - before
    assert outcome(content, worker()) is None
    assert seconds_of_workers() - before - bounded > 2 * bounded


def test_what_no_bound_of_ours_foresees_ends_at_those_of_its_process() -> None:
    content = hostile.content_of(BOMB)
    for bounds in ((1, 640 << 20), (20, 40 << 20)):
        limited = LIMITED.format(cpu_s=bounds[0], memory=bounds[1])
        spin = "worker.read_rows = lambda *_: [0 for _ in iter(int, 1)]" if bounds[0] == 1 else ""
        before = time.monotonic()
        assert outcome(content, worker(limited, spin)) == "file_too_large", bounds
        assert time.monotonic() - before < 30


def test_a_worker_that_only_waits_is_ended_by_the_clock_and_may_be_tried_again() -> None:
    idle = SheetsApart(0.2, command=("-c", "import time; time.sleep(60)"))
    before = time.monotonic()
    assert outcome(b"a,b\n", idle) == "busy"
    assert time.monotonic() - before < 10


def test_whoever_needs_no_more_rows_leaves_no_process_behind() -> None:
    rows = SheetsApart().read(io.BytesIO(b"a,b\n" * 1_000_000))
    assert next(rows) == (1, ["a", "b"])
    rows.close()  # type: ignore[attr-defined]
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_the_worker_is_given_none_of_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEWORK_TOKEN_KEY", "secret")
    shows = "import json, os; print(json.dumps([1, sorted(os.environ)])); print('{\"end\": 1}')"
    ((_, names),) = SheetsApart(command=("-c", shows)).read(io.BytesIO(b""))
    assert not [one for one in names if one.startswith("CASEWORK")]


def test_a_row_keeps_its_number_and_empty_ones_are_left_out() -> None:
    rows = list(SheetsApart().read(io.BytesIO("성명,주소\n\n,\n가상주민,우1동\n".encode())))
    assert rows == [(1, ["성명", "주소"]), (4, ["가상주민", "우1동"])]


def test_a_file_larger_than_any_may_be_is_refused_by_the_worker_too() -> None:
    with pytest.raises(Invalid) as refused:
        list(SheetsApart().read(io.BytesIO(b"a\n" * (9 << 20))))
    assert refused.value.code == "file_too_large"
