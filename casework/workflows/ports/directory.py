"""What keeping the directory needs from outside."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from casework.domain.directory.designations import Designation
from casework.domain.directory.directory import Offering, Provider, Service
from casework.domain.directory.entries import DirectoryChange


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWork:
    """What an agency has in hand: requests not yet begun, services that run, and which they are.

    Whoever sees no case gets the numbers alone.
    """

    requests: int
    running: int
    referrals: Sequence[Mapping[str, Any]] | None


class DirectoryEditing(Protocol):
    """The directory as the asker keeps it: out of reach, a thing does not exist."""

    def provider(self, id: UUID, *, lock: bool = False) -> Provider:
        """An agency within reach, else NotFound."""
        ...

    def provider_by_slug(self, slug: str) -> Provider | None:
        """The agency of that slug within reach."""
        ...

    def add_provider(self, provider: Provider) -> None:
        """A new agency. Raises Conflict ``slug_taken``."""
        ...

    def save_provider(self, provider: Provider) -> None:
        """A changed agency."""
        ...

    def offering(self, id: UUID, *, lock: bool = False) -> Offering:
        """An offering of an agency within reach, in any state, else NotFound."""
        ...

    def add_offering(self, offering: Offering) -> None:
        """A new offering. Raises Conflict ``offering_exists``."""
        ...

    def save_offering(self, offering: Offering) -> None:
        """A changed offering, with what it covers."""
        ...

    def service(self, code: str, *, lock: bool = False) -> Service:
        """A service in any state, else NotFound."""
        ...

    def add_service(self, service: Service) -> None:
        """A new service. Raises Conflict ``service_exists``."""
        ...

    def save_service(self, service: Service) -> None:
        """A changed service."""
        ...

    def designation(self, id: UUID, *, lock: bool = False) -> Designation:
        """A designation of an agency within reach, else NotFound."""
        ...

    def designations(self, provider_id: UUID) -> list[Designation]:
        """All of an agency's, oldest first."""
        ...

    def add_designation(self, designation: Designation) -> None:
        """A new designation."""
        ...

    def save_designation(self, designation: Designation) -> None:
        """A designation with another last day."""
        ...

    def centres_of(self, district_code: str) -> list[str]:
        """The codes of a district's centres."""
        ...

    def unknown_centres(self, codes: Iterable[str]) -> list[str]:
        """Those of the codes that no centre has."""
        ...

    def unknown_districts(self, codes: Iterable[str]) -> list[str]:
        """Those of the codes that no district has."""
        ...

    def note(self, changes: Iterable[DirectoryChange]) -> None:
        """Keep what was changed."""
        ...

    def open_work(self, provider_id: UUID, services: Collection[str] | None) -> OpenWork:
        """What an agency has in hand, as far as the asker sees it; of some services or all."""
        ...
