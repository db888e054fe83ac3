"""What goes out about duplicates, merges and households."""

from __future__ import annotations

from typing import Any

from casework.adapters.api.render import instant
from casework.adapters.http.call import WithETag
from casework.domain.duplicates.likeness import Alike
from casework.domain.duplicates.merging import Merge
from casework.domain.residents.households import Household
from casework.workflows.ports.paging import Row


def alike(one: Alike) -> dict[str, Any]:
    """Somebody who may be the same person or live with them, and why one thinks so."""
    it = one.resident
    return {
        "id": it.id,
        "name": it.name,
        "birth_date": it.birth_date,
        "centre_code": it.centre_code,
        "reasons": list(one.reasons),
    }


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
        "allowed_actions": ["undo"] if it.undone_at is None else [],
    }
    return WithETag(body, it.version)


def merged_from(rows: list[Row]) -> list[dict[str, Any]]:
    """The records that lead to a resident."""
    return [
        {"id": row["id"], "merge_id": row["merge_id"], "merged_at": instant(row["merged_at"])}
        for row in rows
    ]


def household(row: Row) -> WithETag:
    """A household: whom the asker sees, and how many others live there."""
    it: Household = row["household"]
    return WithETag(_household(row), it.version)


def household_of(row: Row | None) -> dict[str, Any] | None:
    """The household of a resident, within that resident."""
    return None if row is None else _household(row)


def _household(row: Row) -> dict[str, Any]:
    it: Household = row["household"]
    return {"id": it.id, "kind": it.kind, "members": row["members"], "others": row["others"]}
