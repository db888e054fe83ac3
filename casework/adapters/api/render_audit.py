"""The audit, its reviews and access requests as JSON shapes."""

from __future__ import annotations

from datetime import date
from typing import Any

from casework.adapters.api.render import instant
from casework.adapters.http.call import WithETag
from casework.domain.audit.reviews import AuditReview
from casework.domain.privacy.access_requests import AccessRequest
from casework.workflows.ports.paging import Row


def plain(row: Row) -> dict[str, Any]:
    """A row as it is; the names of its columns are more than text."""
    return {str(name): value for name, value in row.items()}


def entry(row: Row) -> dict[str, Any]:
    """One entry; whom it is about by id."""
    return plain(row) | {"at": instant(row["at"])}


def affected(row: Row) -> dict[str, Any]:
    """One resident and how often an account's entries are about them."""
    return plain(row) | {
        "first_at": instant(row["first_at"]),
        "last_at": instant(row["last_at"]),
    }


def review(it: AuditReview) -> dict[str, Any]:
    """One review."""
    return {
        "id": it.id,
        "month": it.month,
        "chain": it.chain,
        "account": it.account,
        "left_out": it.left_out,
        "entries": it.entries,
        "findings": it.findings,
        "measures": it.measures,
        "reviewed_at": instant(it.reviewed_at),
        "reviewer": it.reviewer,
    }


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
