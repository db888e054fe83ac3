"""Jobs: the scheduled jobs, their runs, and running one now."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from fastapi import Response

from casework.adapters.api.shared.bodies import Code
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.api.supervision import bodies as s
from casework.adapters.api.supervision import job_views
from casework.adapters.api.supervision import responses as r
from casework.adapters.http.responses import respond
from casework.adapters.http.routers import SubjectRouter
from casework.domain.errors import Conflict, Invalid, NotFound
from casework.workflows.ports.supervision import JobView
from casework.workflows.ports.unit_of_work import Page, Paging, Reading
from casework.workflows.supervision.overdue import JOB, SweepResult

router = SubjectRouter(prefix="/jobs", tags=["jobs"])
READ, RUN = "job.read", "job.run"
JOBS: Final = {JOB: "Raises every planned step that is due, lapses and resumes referrals"}


@router.get("", **operation(READ, page_of(r.Job)))
def list_jobs(call: Caller, paged: Paged) -> Response:
    """The jobs: when each is due, how it stands, and what it did last.

    ``late`` says that no scheduler has done a tick for more than three; dry runs count not.
    """
    ctx, minutes = call.ctx, call.services.sweep_minutes

    def read(reading: Reading, paging: Paging) -> Page:
        names = [name for name in JOBS if paging.after is None or (name,) > paging.after]
        return Page([(name, reading.jobs.get(name)) for name in names], None)

    def show(job: tuple[str, JobView]) -> dict[str, Any]:
        return {"name": job[0], "does": JOBS[job[0]]} | job_views.job(job[1], ctx.now, minutes)

    return call.pages(READ, paged, read, show)


@router.get("/{name}/runs", **operation(READ, page_of(r.RunRecord), refuses=(404,)))
def list_runs(name: Code, call: Caller, paged: Paged) -> Response:
    """Its runs, newest first.

    Scheduled ones, and those that someone started, dry or not.
    """
    if name not in JOBS:
        raise NotFound("no such job")
    return call.pages(
        READ, paged, lambda reading, paging: reading.jobs.runs(name, paging), job_views.run
    )


@router.post(f"/{JOB}/run", **operation(RUN, r.RunResult, refuses=(409,), is_long=True))
def run_overdue(call: Caller, body: s.RunSweep | None = None) -> Response:
    """Run the overdue sweep now.

    Or as of another instant, in production not a future one; ``dry_run`` changes nothing.
    """
    ctx, options = call.ctx, body or s.RunSweep()
    if call.services.is_production and options.as_of is not None and options.as_of > ctx.now:
        raise Invalid("not in the future", code="as_of_in_future", field="as_of")
    done: list[SweepResult] = []

    def run() -> UUID:
        result = call.services.sweep(ctx, options.as_of, options.dry_run)
        if result is None:
            raise Conflict("another run has this slot", code="slot_taken")
        done.append(result)
        return result.run_id

    made, carried_out_before = call.long(RUN, run)
    if not carried_out_before:
        return respond(job_views.result(done[0]), 200)
    with ctx.reading(READ) as reading:
        row = reading.jobs.run(made)
    if row is None:
        raise NotFound("no such run")
    return respond(job_views.result_of_run(row), 200)
