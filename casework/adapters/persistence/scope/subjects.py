"""The residents a read is about, and which of them were seen only by break-glass access."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from casework.domain.access.policy import Scope, is_outside


class Subjects(set[UUID]):
    """The subjects of an audit entry, and which of them were seen by break-glass access."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: set[UUID] = set()


def note_opened(about: set[UUID], scope: Scope, placed: Any, resident_id: UUID) -> None:
    """Remember that something was seen outside the actor's own place."""
    if scope.opens and isinstance(about, Subjects) and is_outside(scope, placed):
        about.opened.add(resident_id)
