"""Response views of jobs and their runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from casework.adapters.api.shared import views as shared_views
from casework.adapters.api.shared.views import picked
from casework.domain.clocks.schedule import is_late, next_slot
from casework.workflows.ports.paging import Row
from casework.workflows.ports.supervision import JobView
from casework.workflows.supervision.overdue import SweepResult

COUNTS = ("found", "changed", "failed", "held")


def run(row: Row) -> dict[str, Any]:
    """A run as it was recorded; without ``ended_at`` it has not ended."""
    return picked(row, "job", "dry_run", "started_by", "error", *COUNTS) | {
        "run_id": row["id"],
        "as_of": shared_views.instant(row["as_of"]),
        "slot": shared_views.instant(row["slot"]),
        "started_at": shared_views.instant(row["started_at"]),
        "ended_at": shared_views.instant(row["ended_at"]),
    }


def job(view: JobView, now: datetime, minutes: int) -> dict[str, Any]:
    """A job as it stands; ``next_tick_at`` is when a scheduler will wake it, if one runs."""
    tick, success = view.last_tick, view.last_success
    ticked_at = tick["ended_at"] if tick else None
    return {
        "every_minutes": minutes,
        "next_tick_at": shared_views.instant(next_slot(now, minutes)),
        "last_tick_at": shared_views.instant(ticked_at),
        "late": ticked_at is None or is_late(ticked_at, now, now, minutes),
        "last_run": run(view.last_run) if view.last_run else None,
        "last_success": run(success) if success else None,
        "in_flight": [run(one) for one in view.in_flight],
    }


def result(of: SweepResult) -> dict[str, Any]:
    """What a run found and did."""
    return {
        "run_id": of.run_id,
        "as_of": shared_views.instant(of.as_of),
        "dry_run": of.dry_run,
        "found": of.found,
        "changed": of.changed,
        "failed": of.failed,
        "held": of.held,
    }


def result_of_run(row: Row) -> dict[str, Any]:
    """The same, of a run that was carried out before."""
    return picked(row, "dry_run", *COUNTS) | {
        "run_id": row["id"],
        "as_of": shared_views.instant(row["as_of"]),
    }
