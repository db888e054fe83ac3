"""A case on one page, for whoever is asked about it on the telephone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import Response

from casework.adapters.api.cases import responses as r
from casework.adapters.api.cases.summary_views import LAST_NOTES, Known, summary
from casework.adapters.api.shared.routing import Caller, operation
from casework.adapters.http.call import Call
from casework.adapters.http.routers import SubjectRouter
from casework.domain.access.policy import may
from casework.workflows.ports.unit_of_work import Reading

router = SubjectRouter(tags=["cases"])
READ = "case.read"


@router.get("/cases/{id}/summary", **operation(READ, r.CaseSummary, refuses=(404,)))
def summarise_case(id: UUID, call: Caller) -> Response:
    """A case on one page.

    The person and whom to call, where the case stands, what is given by whom, what is due, what
    to come back to, and what was said last.
    """
    return call.look(READ, lambda reading: _shown(call, reading, id))


def _shown(call: Call, reading: Reading, id: UUID) -> dict[str, Any]:
    view = reading.cases.get(id)
    resident, contacts = reading.residents.with_contacts(view.file.case.resident_id)
    reads_notes = may(call.ctx.actor, "note.read")
    known = Known(
        view=view,
        resident=resident,
        contacts=contacts,
        notes=reading.residents.last_notes(resident.id, LAST_NOTES) if reads_notes else [],
        call_backs=reading.residents.call_backs(resident.id) if reads_notes else [],
    )
    return summary(known, call.ctx.actor, call.ctx.now)
