"""Response views of duplicates, merges and households."""

from __future__ import annotations

from typing import Any

from casework.adapters.api.shared.views import instant
from casework.adapters.http.responses import WithETag
from casework.domain.duplicates.merging import Merge
from casework.workflows.ports.paging import Row


def suspicion(row: Row) -> WithETag:
    """A pair; of a resident of another district neither name nor birth date."""
    body = {
        "id": row["id"],
        "reasons": row["reasons"],
        "state": row["state"],
        "found_at": instant(row["found_at"]),
        "decided_at": instant(row["decided_at"]),
        "decided_by": row["decided_by"],
        "note": row["note"],
        "residents": [
            _side(row, "resident_id", "", "one"),
            _side(row, "other_id", "other_", "another"),
        ],
        "allowed_actions": ["decide"],
    }
    return WithETag(body, row["version"])


def _side(row: Row, id: str, place: str, name: str) -> dict[str, Any]:
    return {
        "id": row[id],
        "name": row[f"{name}_name"],
        "birth_date": row[f"{name}_birth_date"],
        "died_on": row[f"{name}_died_on"],
        "centre_code": row[f"{place}centre_code"],
        "district_code": row[f"{place}district_code"],
    }


def merge(it: Merge) -> WithETag:
    """A merge, and whether it can be undone."""
    body = {
        "id": it.id,
        "status": it.status,
        "survivor_id": it.survivor_id,
        "duplicate_id": it.duplicate_id,
        "reason": it.reason,
        "merged_at": instant(it.merged_at),
        "merged_by": it.merged_by,
        "undone_at": instant(it.undone_at),
        "undone_by": it.undone_by,
        "undo_reason": it.undo_reason,
        "taken": sorted(it.before),
        "allowed_actions": ["undo"] if it.undone_at is None else [],
    }
    return WithETag(body, it.version)
