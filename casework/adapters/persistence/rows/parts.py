"""Parts of a thing that its row holds as JSON, read back: answers, planned items, legal holds."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from casework.domain.casefile.plan import PlannedItem
from casework.domain.casefile.retained import LegalHold
from casework.domain.residents.resident import TakenBackAnswer


def taken_back(stored: list[dict[str, Any]]) -> tuple[TakenBackAnswer, ...]:
    """The answers to a promise that were taken back."""
    instants = ("answered_at", "taken_back_at")
    ids = ("answered_by", "answered_by_note_id", "taken_back_by")
    return tuple(
        TakenBackAnswer(
            **one
            | {name: datetime.fromisoformat(one[name]) for name in instants}
            | {name: one[name] and UUID(one[name]) for name in ids}
        )
        for one in stored
    )


def items(stored: list[dict[str, Any]]) -> list[PlannedItem]:
    """What a version of a plan holds."""
    return [
        PlannedItem(
            id=UUID(one["id"]),
            service_code=one["service_code"],
            content=one["content"],
            quantity=Decimal(one["quantity"]),
            unit=one["unit"],
            per=one["per"],
            starts_on=date.fromisoformat(one["starts_on"]),
            ends_on=date.fromisoformat(one["ends_on"]),
            provider_id=UUID(one["provider_id"]) if one["provider_id"] else None,
        )
        for one in stored
    ]


def legal_holds(stored: list[dict[str, Any]] | None) -> tuple[LegalHold, ...]:
    """The holds on a case by law."""
    return tuple(
        LegalHold(
            **one
            | {"at": datetime.fromisoformat(one["at"]), "by": one["by"] and UUID(one["by"])}
            | {"review_on": date.fromisoformat(one["review_on"])}
            | {"ended_at": one["ended_at"] and datetime.fromisoformat(one["ended_at"])}
            | {"ended_by": one["ended_by"] and UUID(one["ended_by"])}
        )
        for one in stored or ()
    )
