"""Serialise the result stored under an idempotency key, and read it back."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from casework.workflows.ports.results import Made, Result


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(Result.kinds[kind])


def to_memory(made: Made) -> dict[str, Any]:
    """A result as JSON."""
    match made:
        case None:
            return {}
        case UUID():
            return {"id": str(made)}
        case Result():
            kind = type(made).__name__
            return {"kind": kind, "facts": _adapter(kind).dump_python(made, mode="json")}
    return {"value": made}


def from_memory(stored: dict[str, Any]) -> Made:
    """The result that was stored so."""
    if "id" in stored:
        return UUID(stored["id"])
    if "kind" in stored:
        found: Result = _adapter(stored["kind"]).validate_python(stored["facts"])
        return found
    value: str | int | None = stored.get("value")
    return value
