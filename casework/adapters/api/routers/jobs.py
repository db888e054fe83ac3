"""Jobs: what runs by itself, what it did, and running it now."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Response

from casework.adapters.api import render_lists
from casework.adapters.api import schemas_supervision as s
from casework.adapters.api.routing import Caller, Paged, operation
from casework.adapters.api.schemas import Code
from casework.adapters.http.call import Call, Guarded, respond
from casework.domain.errors import Conflict, Invalid, NotFound
from casework.workflows.ports import Page, Paging, Reading
from casework.workflows.sweeps.overdue import JOB

router = APIRouter(route_class=Guarded, prefix="/jobs", tags=["jobs"])
READ, RUN = "job.read", "job.run"
JOBS: Final = {JOB: "Raises every planned step that is due, lapses and resumes referrals"}
RESULT = {
    "run_id": "0190…",
    "as_of": "2026-03-27T09:00:00+09:00",
    "dry_run": False,
    "found": 31,
    "changed": 31,
    "failed": 0,
    "held": 0,
}
RECORD = RESULT | {
    "job": JOB,
    "slot": None,
    "started_by": "0190…",
    "error": None,
    "started_at": "2026-03-27T09:00:00+09:00",
    "ended_at": "2026-03-27T09:00:01+09:00",
}


@router.get(
    "",
    operation_id="list_jobs",
    summary="The jobs, each with its last run",
    **operation(
        READ, {"items": [{"name": JOB, "does": JOBS[JOB], "last_run": RECORD}], "next_cursor": None}
    ),
)
def list_jobs(call: Caller, paged: Paged) -> Response:
    """The last run that has ended and was not dry."""

    def read(reading: Reading, paging: Paging) -> Page:
        names = [name for name in JOBS if paging.after is None or (name,) > paging.after]
        return Page([(name, reading.last_run(name)) for name in names], None)

    return call.pages(
        READ,
        paged,
        read,
        lambda job: {
            "name": job[0],
            "does": JOBS[job[0]],
            "last_run": render_lists.run(job[1]) if job[1] else None,
        },
    )


@router.get(
    "/{name}/runs",
    operation_id="list_runs",
    summary="Its runs, newest first",
    **operation(READ, {"items": [RECORD], "next_cursor": None}, refuses=(404,)),
)
def list_runs(name: Code, call: Caller, paged: Paged) -> Response:
    """Scheduled ones, and those that someone started, dry or not."""
    if name not in JOBS:
        raise NotFound("no such job")
    return call.pages(
        READ, paged, lambda reading, paging: reading.runs(name, paging), render_lists.run
    )


@router.post(
    f"/{JOB}/run",
    operation_id="run_overdue",
    summary="Run the overdue sweep now",
    **operation(RUN, RESULT, refuses=(409,)),
)
def run_overdue(call: Caller, body: s.Run | None = None) -> Response:
    """Or as of another instant, in production not a future one; ``dry_run`` changes nothing."""
    ctx, asked = call.ctx, body or s.Run()
    if call.services.is_production and asked.as_of is not None and asked.as_of > ctx.now:
        raise Invalid("not in the future", code="as_of_in_future", field="as_of")
    before = call.once(RUN, {"begun_at": ctx.now.isoformat()})
    done = _carried_out_before(call, before) if before is not None else None
    if done is None:
        result = call.services.sweep(ctx, asked.as_of, asked.dry_run)
        if result is None:
            raise Conflict("another run has this slot", code="slot_taken")
        done = render_lists.result(result)
    return respond(done, 200)


def _carried_out_before(call: Call, noted: dict[str, Any]) -> dict[str, Any] | None:
    """What the run did that was begun under the same key; None where it was not even begun."""
    begun_at = datetime.fromisoformat(noted["begun_at"])
    with call.ctx.reading(READ) as reading:
        row = reading.run_begun(JOB, call.ctx.actor.id, begun_at)
    if row is not None and row["ended_at"] is None:
        raise Conflict("the same request is being carried out", code="in_flight")
    return None if row is None else render_lists.result_of_run(row)
