"""The audit, its reviews and access requests as JSON shapes."""

from __future__ import annotations

from typing import Any

from casework.adapters.api.shared.views import instant
from casework.domain.audit.reviews import AuditReview
from casework.workflows.ports.paging import Row


def plain(row: Row) -> dict[str, Any]:
    """A row as it is; the names of its columns are more than text."""
    return {str(name): value for name, value in row.items()}


def summary(row: Row) -> dict[str, Any]:
    """What an account did, and from when on that was counted."""
    return plain(row) | {"counted_from": instant(row["counted_from"])}


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
