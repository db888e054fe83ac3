"""Whom a look is about, and who of them was seen only because they had been opened."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from casework.domain.access.policy import Reach, is_outside


class Subjects(set[UUID]):
    """Whom an audit entry is about, and who of them was seen because they had been opened."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: set[UUID] = set()


def note_opened(about: set[UUID], reach: Reach, placed: Any, resident_id: UUID) -> None:
    """Remember that something was seen outside the actor's own place."""
    if reach.opens and isinstance(about, Subjects) and is_outside(reach, placed):
        about.opened.add(resident_id)
