"""Response views of access requests."""

from __future__ import annotations

from datetime import date

from casework.adapters.api.shared.views import instant
from casework.adapters.http.responses import WithETag
from casework.domain.privacy.access_requests import AccessRequest


def access_request(it: AccessRequest, today: date) -> WithETag:
    """One request, with what can be done next."""
    identity = it.identity_how and {
        "how": it.identity_how,
        "at": instant(it.identity_checked_at),
        "by": it.identity_checked_by,
    }
    return WithETag(
        {
            "id": it.id,
            "resident_id": it.resident_id,
            "received_on": it.received_on,
            "due_on": it.due_on,
            "overdue": it.is_overdue(today),
            "requested_by": it.requested_by,
            "requester": it.requester,
            "identity_checked": identity,
            "answer": it.answer,
            "answered_on": it.answered_on,
            "handed_over": it.handed_over,
            "reason": it.reason,
            "recorded_at": instant(it.recorded_at),
            "recorded_by": it.recorded_by,
            "answered_by": it.answered_by,
            "allowed_actions": it.allowed_actions,
        },
        it.version,
    )
