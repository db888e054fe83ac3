"""The worklist: what I have to do, most pressing first."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from casework.adapters.api.shared import bodies as shared
from casework.adapters.api.shared import views as shared_views
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.api.supervision import responses as r
from casework.adapters.api.supervision import views
from casework.adapters.http.routers import SubjectRouter
from casework.domain.clocks.standards import CareField
from casework.workflows.ports.supervision import Concern, WorkKind, WorklistFilter

router = SubjectRouter(tags=["worklist"])
READ = "deadline.read"


@router.get("/worklist", **operation(READ, page_of(r.WorkItem)))
def worklist(
    call: Caller,
    paged: Paged,
    due: Annotated[shared.Due, Query(description="`week` is today and the six days after")] = "all",
    kind: Annotated[WorkKind | None, Query()] = None,
    field: Annotated[CareField | None, Query()] = None,
    subject: Annotated[Concern | None, Query(description="only what is of care, or not")] = None,
) -> Response:
    """What I have to do, most pressing first.

    The clocks I hold and notes to come back to; for a worker also overdue clocks of others.
    """
    filters = WorklistFilter(due=due, kind=kind, field=field, subject=subject)
    lateness = shared_views.Lateness(call.ctx.clockwork, call.ctx.now)
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.worklists.mine(filters, paging),
        views.work_item(lateness, call.ctx.actor),
    )
