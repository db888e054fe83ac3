"""The ports of the directory: the published part for everyone; drafts and history for editors."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from uuid import UUID

from casework.domain.directory.answering import Answering
from casework.domain.directory.designations import Designation
from casework.domain.directory.directory import Centre, EntryState, Offering, Provider, Service
from casework.domain.directory.entries import DirectoryChange
from casework.domain.notices.notices import WorkThatEnds
from casework.workflows.ports.paging import Page, Paging, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWork:
    """An agency's open work: requests not yet started, running services, and their ids.

    A role without access to cases gets only the numbers.
    """

    requests: int
    running: int
    referrals: Sequence[Mapping[str, Any]] | None


class Directory(Protocol):
    """Who offers what; readable by everyone."""

    def offering(self, id: UUID) -> Offering | None:
        """An offering of an active agency with the centres it covers, or None."""
        ...

    def offering_of(self, provider_slug: str, service_code: str) -> Offering | None:
        """The same by its agency and its service."""
        ...

    def known_providers(self, ids: Iterable[UUID]) -> set[UUID]:
        """Those of the ids that are active agencies."""
        ...

    def has_district(self, code: str) -> bool:
        """Whether the district exists."""
        ...

    def centre(self, code: str) -> Centre | None:
        """A centre, or None where there is no such one."""
        ...

    def covers(self, offering_id: UUID, centre_code: str) -> bool:
        """Whether an offering covers a centre."""
        ...

    def centre_district(self, centre_code: str) -> str | None:
        """The district of a centre, or None where there is no such centre."""
        ...

    def district(self, code: str) -> Row:
        """The district of that code, else NotFound."""
        ...

    def districts(self, paging: Paging) -> Page:
        """The districts, by code."""
        ...

    def centres(self, district: str | None, paging: Paging) -> Page:
        """The centres, of one district or all, by code. Refuses a district that is unknown."""
        ...

    def services(self, paging: Paging) -> Page:
        """The published catalogue, by code."""
        ...

    def providers(self, paging: Paging) -> Page:
        """The agencies that accept requests, by slug, with today's designations."""
        ...

    def offerings(
        self,
        service: str | None,
        centre: str | None,
        is_open: bool | None,
        paging: Paging,
        is_free: bool | None = None,
    ) -> Page:
        """Offerings with what they cover; of a centre nearest first, with the distance in km.

        Refuses a service or a centre that is unknown.
        """
        ...


class DirectoryEditing(Protocol):
    """The directory as the actor edits it; outside the actor's scope, NotFound."""

    def save_centre_phone(self, code: str, phone: str | None) -> None:
        """Say where a community centre within scope is called, else NotFound."""
        ...

    def save_retention(self, district_code: str, years: int | None, basis: str | None) -> None:
        """Say for how long a district within scope retains closed cases, else NotFound."""
        ...

    def provider(self, id: UUID, *, lock: bool = False) -> Provider:
        """An agency within scope, else NotFound."""
        ...

    def provider_by_slug(self, slug: str) -> Provider | None:
        """The agency of that slug within scope."""
        ...

    def add_provider(self, provider: Provider) -> None:
        """Add an agency. Raises Conflict ``slug_taken``."""
        ...

    def save_provider(self, provider: Provider) -> None:
        """Save an agency."""
        ...

    def offering(self, id: UUID, *, lock: bool = False) -> Offering:
        """An offering of an agency within scope, in any state, else NotFound."""
        ...

    def add_offering(self, offering: Offering) -> None:
        """Add an offering. Raises Conflict ``offering_exists``."""
        ...

    def save_offering(self, offering: Offering) -> None:
        """Save an offering, with the centres it covers."""
        ...

    def service(self, code: str, *, lock: bool = False) -> Service:
        """A service in any state, else NotFound."""
        ...

    def add_service(self, service: Service) -> None:
        """Add a service. Raises Conflict ``service_exists``."""
        ...

    def save_service(self, service: Service) -> None:
        """Save a service."""
        ...

    def designation(self, id: UUID, *, lock: bool = False) -> Designation:
        """A designation of an agency within scope, else NotFound."""
        ...

    def designations(self, provider_id: UUID) -> list[Designation]:
        """An agency's designations, oldest first."""
        ...

    def add_designation(self, designation: Designation) -> None:
        """Add a designation."""
        ...

    def save_designation(self, designation: Designation) -> None:
        """Save a designation whose last day changed."""
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
        """Add changes to the history."""
        ...

    def answering(self) -> Answering:
        """Which bodies of the city answer for which entries today."""
        ...

    def seated(self, body_id: UUID) -> frozenset[UUID]:
        """The active accounts of the city with a seat in a body today."""
        ...

    def open_work(self, provider_id: UUID, services: Collection[str] | None) -> OpenWork:
        """An agency's open work, as far as the actor sees it; of some services or all."""
        ...

    def open_referrals(
        self, provider_id: UUID, services: Collection[str] | None
    ) -> list[WorkThatEnds]:
        """What is open with an agency, whoever asks: only to tell those who carry the cases."""
        ...

    def planned_with(self, service_code: str, after: date) -> list[WorkThatEnds]:
        """What is planned of a service in open cases for days after one, and not settled.

        Whoever asks: only to tell those who carry the cases.
        """
        ...

    def history(self, kinds: Collection[str], subject_id: object, paging: Paging) -> Page:
        """The changes of a thing, of some kinds, newest first, with who made them."""
        ...

    def entries(self, filters: Row, paging: Paging) -> Page:
        """Offerings within scope in every state; None does not filter."""
        ...

    def states_of(self, ids: Collection[UUID]) -> dict[UUID, EntryState]:
        """The states of those offerings that are within scope."""
        ...

    def overview(self, district: str | None, service: str | None, paging: Paging) -> Page:
        """For each district and service of the list, what is offered there."""
        ...
