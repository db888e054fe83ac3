"""Cases taken over from a file: their clocks equal a second count, and nobody hears of the past.

    python3 dev.py proof takeover --rows 50000 --store sqlite

A file of invented running cases, one row a service, in every state and with wrong rows among them,
is written in random order and taken over, broken off midway and gone on with. Compared are: the
result of each row with what was planted; every running clock with a count from the file's days
alone; the breaches with those due before the taking over. No notice may stand there, and neither a
sweep at once nor the next morning's sweep and digest may tell of a step that lay before. A part of
the file sent again changes nothing. As controls, a count from the day of the taking over must be
found wrong, and a sweep for which the steps of the past were not passed over must find them. Exits
1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from unittest import mock

from sqlalchemy import Connection, func, select, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.rows import bulk
from casework.adapters.persistence.scope import session_context
from casework.domain.exchange.importing import FileKind, ImportFile, Outcome
from casework.domain.residents.resident import Resident, Sex
from casework.workflows.exchange import importing
from casework.workflows.exchange.importing import NewImport
from tests.api.conftest import DISTRICT, HERE, SUPERVISOR, WORKER, Api, seoul
from tests.proofs._taken_files import (
    Row,
    Story,
    Writer,
    as_csv,
    end_of,
    working_days_later,
)
from tests.proofs._world import STORES, database, small_world

AT: Final = "2026-09-01T10:00"
NEXT_MORNING: Final = "2026-09-02T09:10"
AGAIN_AT_MOST: Final = 2_000
SETTINGS: Final = {
    "CASEWORK_AUDIT_KEY": "a" * 32,
    "CASEWORK_TOKEN_KEY": "t" * 32,
    "CASEWORK_CURSOR_KEY": "c" * 32,
}


@dataclass
class Measured:
    """What the taking over cost."""

    seconds: float = 0.0
    # Memory in MiB after a tenth of the rows, and at the end.
    early: float = 0.0
    late: float = 0.0
    broken_off_behind: list[int] = field(default_factory=list)


def prove(url: str, rows: int, faults: float, seed: int) -> dict[str, Any]:
    """Take a planted file over, and compare."""
    with (
        tempfile.TemporaryDirectory(prefix="casework-") as folder,
        mock.patch.dict(os.environ, {**SETTINGS, "CASEWORK_DATA_DIR": folder}),
        small_world(url) as world,
    ):
        world.clock.set(AT)
        today = world.clock.now.date()
        stories = Writer(today, seed, WORKER).stories(rows, faults)
        from_now = Writer(today, seed, WORKER, count_from=today).stories(rows, faults)
        register(world, stories)
        planted = [row for story in stories for row in story.rows]
        random.Random(seed).shuffle(planted)
        cost = Measured()
        file = take(world, planted, cost)
        return {
            "rows": rows, "cases": sum(story.is_taken for story in stories),
            "planted_faults": sum(row.says is not None for row in planted),
            "state": file.state, "accepted": file.accepted, "refused": file.refused,
            **_results(world, file, planted),
            **_clocks(world, stories, from_now),
            **_told(world),
            **_again(world, planted),
            **_next_morning(world),
            **_control_of_steps(world),
            "broken_off_behind": cost.broken_off_behind, "seconds": round(cost.seconds, 1),
            "ms_a_row": round(cost.seconds * 1000 / rows, 1),
            "mib_after_a_tenth": round(cost.early), "mib_at_the_end": round(cost.late),
        }  # fmt: skip


def register(world: Api, stories: list[Story]) -> None:
    """The residents, who were registered before."""
    for some in bulk.batches(stories, 1_000):
        with world.engine.begin() as connection:
            bulk.insert_all(connection, map(_resident, some))


def _resident(story: Story) -> Resident:
    return Resident(
        id=new_id(), name=story.name, birth_date=story.born, sex=Sex.FEMALE, centre_code=HERE,
        district_code=DISTRICT, registered_at=seoul("2026-08-31T10:00"), registered_by=None,
    )  # fmt: skip


def take(world: Api, planted: list[Row], cost: Measured) -> ImportFile:
    """Take the file over, broken off once after a third, and gone on with by the same file."""
    ctx, tools = world.context(SUPERVISOR), world.application.import_tools()
    content = "".join(as_csv(planted)).encode("utf-8-sig")
    wanted = NewImport(kind=FileKind.RUNNING_CASES)
    began = time.monotonic()
    id = importing.receive(ctx, tools, wanted, BytesIO(content))
    for file in importing.process_import(ctx, tools, id):
        if file.position >= len(planted) // 10 and not cost.early:
            cost.early = _memory()
        if file.position >= len(planted) // 3 and not file.has_ended:
            cost.broken_off_behind.append(file.position)
            break
    found = importing.find_unfinished(ctx, tools, wanted, BytesIO(content))
    *_, file = importing.process_import(ctx, tools, found or id)
    cost.seconds, cost.late = time.monotonic() - began, _memory()
    return file


def _memory() -> float:
    """What this process holds now, in MiB, where the system reports it."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0.0
    (line,) = (one for one in status.splitlines() if one.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def _results(world: Api, file: ImportFile, planted: list[Row]) -> dict[str, int]:
    """How many rows were told otherwise than was planted."""
    otherwise = 0
    results = importing.all_results(world.context(SUPERVISOR), file.id, None)
    for found, row in zip(results, planted, strict=True):
        said = (found.errors[0]["field"], found.errors[0]["code"]) if found.errors else None
        expected = Outcome.ACCEPTED if row.says is None else Outcome.REFUSED
        otherwise += (said, found.outcome) != (row.says, expected)
    return {"told_otherwise": otherwise}


def _clocks(world: Api, stories: list[Story], from_now: list[Story]) -> dict[str, int]:
    """Every running clock of each case, and the breaches, against the two counts."""
    stored: dict[str, list[tuple[str, Any]]] = defaultdict(list)
    clock, case, breaches = t.deadline, t.care_case, 0
    query = select(t.resident.c.name, clock.c.kind, clock.c.due_at, clock.c.breached_at).join(
        t.resident, t.resident.c.id == clock.c.resident_id
    )
    with _looking(world) as connection:
        for row in connection.execute(query):
            stored[row.name].append((row.kind, row.due_at))
            breaches += row.breached_at is not None
    marked = _count(world, select(func.count()).where(case.c.taken_over_at.is_not(None)))
    wrong = sum(sorted(stored[one.name]) != one.expected() for one in stories)
    expected = [clock for one in stories for clock in one.expected()]
    statutory = [clock for clock in expected if "check" in clock[0]]
    late = sum(one.late(world.clock.now) for one in stories)
    return {
        "clocks": len(expected), "statutory": len(statutory), "overdue": late,
        "cases_counted_otherwise": wrong, "breaches_too_many": breaches - late,
        "cases_not_marked": sum(one.is_taken for one in stories) - marked,
        "control_counted_otherwise": sum(
            sorted(stored[one.name]) != one.expected() for one in from_now if one.is_taken
        ),
    }  # fmt: skip


@contextmanager
def _looking(world: Api) -> Iterator[Connection]:
    """A connection that sees everything."""
    with world.engine.connect() as connection:
        session_context.set_system_context(connection)
        yield connection


def _count(world: Api, query: Any) -> int:
    with _looking(world) as connection:
        return connection.scalar(query) or 0


NOTICES: Final = select(func.count()).select_from(t.notice)


def _told(world: Api) -> dict[str, int]:
    """Whom the taking over told, and what a sweep at once finds."""
    notices = _count(world, NOTICES)
    run = world.application.sweep(world.application.context())
    assert run is not None
    return {
        "notices": notices, "swept_at_once": run.found + run.changed,
        "notices_after_sweep": _count(world, NOTICES),
    }  # fmt: skip


def _again(world: Api, planted: list[Row]) -> dict[str, int]:
    """The right rows of a part of the file once more: nothing is written."""
    right = [row for row in planted if row.says is None][:AGAIN_AT_MOST]
    tables = (t.care_case, t.referral, t.deadline, t.event, t.planned_service, t.care_check)
    before = [_count(world, select(func.count()).select_from(one)) for one in tables]
    ctx, tools = world.context(SUPERVISOR), world.application.import_tools()
    content = "".join(as_csv(right)).encode()
    id = importing.receive(ctx, tools, NewImport(kind=FileKind.RUNNING_CASES), BytesIO(content))
    *_, file = importing.process_import(ctx, tools, id)
    after = [_count(world, select(func.count()).select_from(one)) for one in tables]
    return {
        "sent_again": len(right), "not_known_again": len(right) - file.duplicate,
        "written_again": sum(after) - sum(before),
    }  # fmt: skip


def _next_morning(world: Api) -> dict[str, int]:
    """The sweep and the digest of the next working day tell what is due then, nothing older."""
    world.clock.set(NEXT_MORNING)
    application, step, taken_at = world.application, t.escalation, seoul(AT)
    run = application.sweep(application.context())
    assert run is not None
    application.relay(application.context())
    raised = (step.c.raised_at.is_not(None), ~step.c.passed_over)
    older = select(func.count()).select_from(step).where(*raised, step.c.at <= taken_at)
    again = NOTICES.where(t.notice.c.kind == "still_overdue")
    return {
        "raised_next_morning": run.changed, "raised_of_the_past": _count(world, older),
        "told_again_of_the_past": _count(world, again),
        "lapsed_of_the_past": _lapsed_of_the_past(world),
    }  # fmt: skip


def _lapsed_of_the_past(world: Api) -> int:
    """How many were given up that should have been before the taking over already."""
    one, found = t.referral.c, 0
    query = select(one.requested_on, one.answered_on).where(one.status == "lapsed")
    with _looking(world) as connection:
        for row in connection.execute(query):
            waited = (row.answered_on, 30) if row.answered_on else (row.requested_on, 10)
            found += end_of(working_days_later(*waited)) < seoul(AT)
    return found


def _control_of_steps(world: Api) -> dict[str, int]:
    """Had the steps of the past not been passed over, the sweep would find them."""
    step = t.escalation
    with world.engine.begin() as connection:
        session_context.set_system_context(connection)
        connection.execute(
            update(step).where(step.c.passed_over, step.c.run_id.is_(None))
            .values(raised_at=None, passed_over=False, quiet=False)
        )  # fmt: skip
    run = world.application.sweep(world.application.context(), dry_run=True)
    assert run is not None
    return {"control_steps_found": run.found}


NOTHING: Final = (
    "told_otherwise", "cases_counted_otherwise", "breaches_too_many", "cases_not_marked", "notices",
    "swept_at_once", "notices_after_sweep", "not_known_again", "written_again",
    "raised_of_the_past", "told_again_of_the_past", "lapsed_of_the_past",
)  # fmt: skip


def is_proven(result: dict[str, Any]) -> bool:
    """Whether nothing differed, and both controls were found."""
    return (
        not any(result[name] for name in NOTHING)
        and result["state"] == "done"
        and result["refused"] == result["planted_faults"]
        and result["accepted"] == result["rows"] - result["planted_faults"]
        and result["control_counted_otherwise"] > result["cases"] // 2
        and result["control_steps_found"] >= result["overdue"] > 0
        and len(result["broken_off_behind"]) == 1
    )


def main() -> int:
    """Run the proof; print its figures as one JSON document."""
    parser = argparse.ArgumentParser(
        prog="proof takeover", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--faults", type=float, default=0.02, help="share of wrong rows")
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    # What the digest of the next morning logs is not of the figures.
    with redirect_stdout(sys.stderr), database(options.store) as url:
        result = prove(url, options.rows, options.faults, options.seed)
    told = {
        "proof": "takeover", "store": options.store, "seed": options.seed, **result,
        "machine": platform.platform(), "python": platform.python_version(),
    }  # fmt: skip
    print(json.dumps(told, indent=2))
    return 0 if is_proven(result) else 1


if __name__ == "__main__":
    sys.exit(main())
