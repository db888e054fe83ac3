"""The ports of answering without an account: secrets, links, sessions, rosters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from casework.domain.access.accounts import Account
from casework.domain.access.policy import PROVIDER_ACCESS, Actor
from casework.domain.agencies.links import AgencyLink, LinkSession
from casework.domain.agencies.rosters import MonthlyDelivery
from casework.domain.casefile.plan import PlannedItem
from casework.domain.casefile.referral import Referral
from casework.domain.directory.directory import Offering, Provider
from casework.domain.notices.outbox import Letter, Message
from casework.domain.residents.homes import VisitingService, WayIn


class LinkKeys(Protocol):
    """Secrets and codes: derived from a key outside the database, never stored."""

    def secret_of(self, link_id: UUID) -> str:
        """The secret of a link, as in its URL."""
        ...

    def digest_of(self, secret: str) -> str:
        """The digest under which a link's secret or a session secret is stored."""
        ...

    def code_of(self, code_id: UUID) -> str:
        """The six digits of a code."""
        ...

    def code_digest(self, link_id: UUID, code: str) -> str:
        """The digest under which a code of a link is stored."""
        ...

    def form_token(self, carried: str, link: str) -> str:
        """The CSRF token of a form, beside the session cookie."""
        ...

    def new_secret(self) -> str:
        """A random secret for a session cookie."""
        ...


class Links(Protocol):
    """Links in one transaction."""

    def answering_account(self, provider_id: UUID) -> Account | None:
        """The account as which an agency answers by link, enabled or not."""
        ...

    def add_answering(self, provider_id: UUID, account_id: UUID) -> None:
        """Set the account as which the agency answers by link."""
        ...

    def add(self, link: AgencyLink, referral_ids: Sequence[UUID]) -> None:
        """Add a link with its referrals."""
        ...

    def by_digest(self, digest: str) -> AgencyLink | None:
        """A link, locked."""
        ...

    def get(self, id: UUID) -> AgencyLink:
        """A link, locked. Raises NotFound."""
        ...

    def save(self, link: AgencyLink) -> None:
        """Store the codes and tries of a link, which are no part of what its version is about."""
        ...

    def revoke(self, link: AgencyLink) -> None:
        """Store a link that was revoked."""
        ...

    def referrals_of(self, link_id: UUID) -> list[UUID]:
        """The referrals that a link names."""
        ...

    def of_referral(self, referral_id: UUID) -> list[AgencyLink]:
        """The links that name a referral, newest first."""
        ...

    def acts_as(self, link: AgencyLink) -> Account | None:
        """The account of a link, while it and its agency are active."""
        ...

    def reaches(self, link_id: UUID, ended_since: datetime) -> bool:
        """Whether the agency still sees any referral that the link names, if it names any."""
        ...

    def agency(self, provider_id: UUID) -> Provider | None:
        """An active agency."""
        ...

    def end_sessions(self, link_id: UUID) -> None:
        """End the sessions of a link."""
        ...

    def forget_address(self, provider_id: UUID) -> None:
        """End an agency's sessions and codes, as its address has changed."""
        ...

    def add_session(self, session: LinkSession, now: datetime) -> None:
        """Add a session; expired ones are deleted."""
        ...

    def session(self, digest: str) -> LinkSession | None:
        """A session by the digest of its cookie's secret."""
        ...

    def without_link(self) -> list[tuple[Message, UUID]]:
        """Messages without a link to agencies that answer by link, with the agency."""
        ...

    def set_link_of(self, message: Message, link_id: UUID) -> None:
        """Store the link of a message."""
        ...

    def requested_of(self, provider_id: UUID, ids: Sequence[UUID]) -> list[UUID]:
        """Those of some ids that are requests to an agency."""
        ...

    def rosters_due(
        self, month: str, days: tuple[date, date], ended_since: datetime
    ) -> dict[tuple[UUID, UUID], list[UUID]]:
        """The referrals of a month whose roster was not requested yet, by agency and account."""
        ...

    def claim(self, message_id: UUID, now: datetime, until: datetime) -> list[Letter]:
        """Lease one message that is due, if nobody else holds it."""
        ...


class LinkStore(Protocol):
    """Links before an actor is authenticated, in one transaction."""

    @property
    def links(self) -> Links:
        """The links of this transaction."""
        ...

    def note_source_failure(self, source: str, now: datetime) -> None:
        """Count a request from a source that opened nothing."""
        ...

    def is_rate_limited(self, source: str, now: datetime) -> bool:
        """Whether a source's rate limit is exceeded; counts nothing."""
        ...

    def add_message(self, message: Message) -> bool:
        """Add a message to the outbox."""
        ...

    def note_link(self, actor: Actor | None, action: str, now: datetime, code: str | None) -> None:
        """Write the audit entry; ``code`` None means success."""
        ...

    def commit(self) -> None:
        """Commit the transaction."""
        ...


class Rosters(Protocol):
    """Deliveries and home access notes, in one transaction of one actor."""

    def referrals(self, ids: Sequence[UUID], *, lock: bool = False) -> list[Referral]:
        """Those of some referrals that the actor sees; the calls below read their files."""
        ...

    def referral(self, id: UUID) -> Referral:
        """One of them. Raises NotFound."""
        ...

    def of_referrals(self, ids: Sequence[UUID], month: str | None = None) -> list[MonthlyDelivery]:
        """What was delivered for referrals that were loaded before, by month."""
        ...

    def save(self, line: MonthlyDelivery) -> None:
        """Save a new or changed line."""
        ...

    def items(self, services: Sequence[UUID]) -> dict[UUID, PlannedItem]:
        """What the plans ask for planned services of referrals that were loaded before."""
        ...

    def way_in(self, resident_id: UUID) -> WayIn | None:
        """How to get into the home of a resident who was loaded before."""
        ...

    def save_way_in(self, way: WayIn) -> None:
        """Save a new or changed note."""
        ...

    def coming(self, referral: Referral) -> list[VisitingService]:
        """The other services that come to the same home now."""
        ...

    def offerings(self) -> list[Offering]:
        """What the actor's agency offers."""
        ...


@dataclass(frozen=True, kw_only=True)
class Linking:
    """The dependencies of links; without the installation's ``address`` none are sent."""

    keys: LinkKeys
    store: Callable[[Any], AbstractContextManager[LinkStore]]
    address: str | None
    lasts: timedelta
    # How long after its end an agency sees a referral.
    after_end: timedelta = PROVIDER_ACCESS
    # Sends one message if it is due, after the response.
    send: Callable[[UUID], None] = field(default=lambda _id: None)

    def url_of(self, link_id: UUID) -> str:
        """The URL of a link."""
        return f"{self.address}/a/{self.keys.secret_of(link_id)}"
