"""The port of break-glass: opening a resident outside the actor's scope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from casework.domain.access.policy import Scope
from casework.domain.events import Event
from casework.domain.notices.notices import Notice
from casework.domain.privacy.break_glass import BreakGlass
from casework.domain.residents.resident import Resident
from casework.workflows.ports.paging import Page, Paging


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentOutOfScope:
    """A resident, whether the actor sees them, and whether the actor has them open."""

    resident: Resident
    is_within_scope: bool
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningView:
    """One opening with its opener's name."""

    opening: BreakGlass
    opener_name: str


class Openings(Protocol):
    """Openings of residents out of scope, in one transaction."""

    def outsider(self, resident_id: UUID, usual: Scope) -> ResidentOutOfScope:
        """Any resident of the city; later calls may write about them."""
        ...

    def get(self, id: UUID) -> BreakGlass:
        """One that the actor made or has to review, locked; later calls may write about it."""
        ...

    def add(self, opening: BreakGlass, event: Event, notice: Notice) -> None:
        """Add an opening, with its event and notice."""
        ...

    def save(self, opening: BreakGlass, event: Event) -> None:
        """Save an opening that ended or was reviewed."""
        ...

    def shown(self, id: UUID) -> OpeningView:
        """One that the actor made or has to review, else NotFound."""
        ...

    def listed(self, is_open: bool | None, paging: Paging) -> Page:
        """Those the actor made or has to review, newest first; ``is_open``: not yet reviewed."""
        ...
