"""The ports of the city's programme: bodies and their seats."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from uuid import UUID

from casework.domain.programme.bodies import Around, Body
from casework.domain.programme.seats import Seat
from casework.workflows.ports.paging import Page, Paging


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyView:
    """A body with seats of it."""

    body: Body
    seats: Sequence[Seat]


class Bodies(Protocol):
    """Bodies: the actor maintains those of an area, and is shown the city's too; else NotFound."""

    def shown(self, id: UUID) -> BodyView:
        """A body that is shown to the actor, with the seats that are held or are to come."""
        ...

    def listed(self, kind: str | None, area: str | None, on: date, paging: Paging) -> Page:
        """Views of the bodies in force on a day with the seats held on it, by area and id.

        Refuses an area that is unknown.
        """
        ...

    def get(self, id: UUID) -> Body:
        """A body that the actor maintains, locked until the commit."""
        ...

    def named(self, id: UUID) -> Body | None:
        """A body that is shown to the actor, or None."""
        ...

    def of_seat(self, seat_id: UUID) -> tuple[Body, Seat]:
        """A seat of a body that the actor maintains, and the body, locked until the commit."""
        ...

    def seats(self, body_id: UUID) -> list[Seat]:
        """Every seat a body ever had, the first ones first."""
        ...

    def around(
        self, body_id: UUID | None, area: str, parent_id: UUID | None, since: date
    ) -> Around:
        """What a body of an area is judged beside; of a new one there is no id.

        ``since`` says from which day on it counts what others answer for.
        """
        ...

    def add(self, body: Body) -> None:
        """Add a body. Raises Conflict ``body_exists`` or ``answered_elsewhere``."""
        ...

    def save(self, body: Body) -> None:
        """Save a body, whose version is one higher from then on. Raises the same."""
        ...

    def add_seats(self, body: Body, seats: Iterable[Seat]) -> None:
        """Add seats to a body, whose version is one higher from then on.

        Raises Conflict ``seat_taken``.
        """
        ...

    def save_seats(self, seats: Iterable[Seat]) -> None:
        """Save seats."""
        ...

    def remove_seats(self, seats: Iterable[Seat]) -> None:
        """Take out seats that nobody ever held."""
        ...

    def check_area(self, area: str) -> None:
        """Refuse what is neither the city nor a district, ``unknown_district``."""
        ...

    def unknown_services(self, codes: Collection[str]) -> list[str]:
        """Those of the codes that no service has."""
        ...

    def known_accounts(self, ids: Collection[UUID], area: str) -> set[UUID]:
        """Those of the ids that are active accounts of people within scope.

        For a district's body, none that belongs to another district.
        """
        ...
