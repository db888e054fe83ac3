"""Offerings as queries read them: their own columns, and some of their agency and service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from casework.domain.directory.directory import EntryState, Offering

_STATES: Final = ("state", "service_state")


def offering_of(row: Mapping[Any, Any], **more: Any) -> Offering:
    """The offering of a row, with what a query of its own found."""
    states = {name: EntryState(row[name]) for name in _STATES if name in row}
    return Offering(**{**row, **states, **more})
