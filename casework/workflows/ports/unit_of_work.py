"""The unit of work: what one transaction holds.

One actor and its scope, the repositories below, the events that happened, one audit entry and,
under an idempotency key, the result: committed together, or rolled back together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from casework.domain.access.policy import Scope
from casework.domain.duplicates.likeness import Likeness
from casework.domain.events import Event
from casework.workflows.ports.absences import Absences
from casework.workflows.ports.access import AccountAdministration
from casework.workflows.ports.accounts import Accounts
from casework.workflows.ports.agencies import Inbox, Staff
from casework.workflows.ports.audit import AuditTrail
from casework.workflows.ports.break_glass import Openings
from casework.workflows.ports.casefile import CaseFiles, Cases, Conferences, Deadlines, Referrals
from casework.workflows.ports.directory import Directory, DirectoryEditing
from casework.workflows.ports.duplicates import Duplicates, Households, Merges
from casework.workflows.ports.exchange import Imports
from casework.workflows.ports.figures import Figures
from casework.workflows.ports.links import Links, Rosters
from casework.workflows.ports.matching import Matching
from casework.workflows.ports.notices import NoticeStore, Subscriptions
from casework.workflows.ports.paging import Page as Page
from casework.workflows.ports.paging import Paging as Paging
from casework.workflows.ports.places import Places
from casework.workflows.ports.programme import Bodies
from casework.workflows.ports.residents import (
    AccessRequests,
    Disclosures,
    ResidentRecord,
    Residents,
)
from casework.workflows.ports.results import Made
from casework.workflows.ports.standards import Standards
from casework.workflows.ports.supervision import Jobs, Worklists

T = TypeVar("T")


class Repositories(Protocol):
    """The repositories by subject, each limited to ``scope``."""

    scope: Scope

    @property
    def residents(self) -> Residents:
        """Residents, consents and notes."""
        ...

    @property
    def households(self) -> Households:
        """Who lives together."""
        ...

    @property
    def files(self) -> CaseFiles:
        """Case files, as they are changed; locked until the commit where something is changed."""
        ...

    @property
    def cases(self) -> Cases:
        """Cases and plans, as they are shown."""
        ...

    @property
    def referrals(self) -> Referrals:
        """Referrals, as they are shown."""
        ...

    @property
    def deadlines(self) -> Deadlines:
        """Clocks one by one."""
        ...

    @property
    def conferences(self) -> Conferences:
        """Meetings and their agendas."""
        ...

    @property
    def directory(self) -> Directory:
        """Who offers what."""
        ...

    @property
    def directory_editing(self) -> DirectoryEditing:
        """The directory itself, with drafts and past, for those who edit it."""
        ...

    @property
    def places(self) -> Places:
        """The places of offerings."""
        ...

    @property
    def matching(self) -> Matching:
        """Who offers what where."""
        ...

    @property
    def accounts(self) -> Accounts:
        """Accounts that work can be assigned to."""
        ...

    @property
    def absences(self) -> Absences:
        """Who is away, and who deputises."""
        ...

    @property
    def account_administration(self) -> AccountAdministration:
        """The accounts themselves, for those who administer them."""
        ...

    @property
    def staff(self) -> Staff:
        """The accounts of one's own agency, for its lead."""
        ...

    @property
    def inbox(self) -> Inbox:
        """The inbox of the actor's agency."""
        ...

    @property
    def rosters(self) -> Rosters:
        """What agencies delivered, and home access notes."""
        ...

    @property
    def links(self) -> Links:
        """Links of agencies that answer without an account."""
        ...

    @property
    def notices(self) -> NoticeStore:
        """Notices and messages."""
        ...

    @property
    def subscriptions(self) -> Subscriptions:
        """Active webhook endpoints."""
        ...

    @property
    def worklists(self) -> Worklists:
        """Clocks as lists: what is to be done, what is overdue."""
        ...

    @property
    def standards(self) -> Standards:
        """Standards, declared holidays and recounts."""
        ...

    @property
    def jobs(self) -> Jobs:
        """Background jobs and their runs."""
        ...

    @property
    def figures(self) -> Figures:
        """Counting and closed months."""
        ...

    @property
    def duplicates(self) -> Duplicates:
        """Pairs that may be one person."""
        ...

    @property
    def merges(self) -> Merges:
        """Merges and what they moved."""
        ...

    @property
    def openings(self) -> Openings:
        """Openings of residents out of scope."""
        ...

    @property
    def disclosures(self) -> Disclosures:
        """Disclosures of residents' data."""
        ...

    @property
    def access_requests(self) -> AccessRequests:
        """Data access requests."""
        ...

    @property
    def audit(self) -> AuditTrail:
        """The audit trail and its reviews."""
        ...

    @property
    def bodies(self) -> Bodies:
        """Bodies of the city's programme and their seats."""
        ...

    @property
    def imports(self) -> Imports:
        """Imported files and their rows."""
        ...

    def about(self, *resident_ids: UUID) -> None:
        """Name the residents that the transaction's audit entry is about."""
        ...


class Parts(Protocol):
    """Where parts of a transaction are begun."""

    def parts(self, *, keep: bool = True) -> AbstractContextManager[Store]:
        """A store whose transactions are parts of one that is open."""
        ...


class NotGathered(Exception):
    """A use case of a batch needs more than was read for all of them; by itself it can have it."""


class Batch(Parts, Protocol):
    """Use cases of which each sees what those before it made, and an exception undoes one alone."""


class Work(Repositories, Protocol):
    """One transaction of one actor, rolled back unless committed."""

    def record(self, events: Iterable[Event]) -> None:
        """Add events that belong to no case file."""
        ...

    def commit(self, made: Made = None) -> None:
        """Commit all of it at once, with its audit entry and what the idempotency key remembers."""
        ...

    def parts(self, *, keep: bool = True) -> AbstractContextManager[Store]:
        """A store whose transactions are parts of this one, in a savepoint.

        What they commit is committed with the whole. An exception rolls back to the savepoint; so
        does the end, unless ``keep``.
        """
        ...

    def batch(
        self, expected: Sequence[Likeness], *, keep: bool = True
    ) -> AbstractContextManager[Batch]:
        """Use cases in one savepoint, whose look-ups are read at once and rows written at the end.

        ``expected`` are the residents whom they may register. An exception rolls all of it back,
        and nothing remains of whom it was about; so does the end, unless ``keep``. Raises what the
        database refuses at the end, and NotGathered.
        """
        ...

    def commit_begun(self, made: Made = None) -> None:
        """Commit, and keep the idempotency key reserved for the work that follows.

        Should that be broken off, the same request is told what was made and goes on; where nothing
        was, it begins again.
        """
        ...


class Reading(Repositories, Protocol):
    """A read-only transaction: it locks nothing, and writes only the audit entry.

    What happened until ``as_of`` is in it: now, or earlier where it may be stale.
    """

    as_of: datetime

    def held(self, resident_id: UUID) -> ResidentRecord:
        """Everything that is stored about a resident within scope."""
        ...


class Store(Protocol):
    """Opens transactions."""

    def work(self, scope: Scope, action: str, now: datetime) -> AbstractContextManager[Work]:
        """A transaction for one actor and one action."""
        ...

    def reading(self, scope: Scope, action: str, now: datetime) -> AbstractContextManager[Reading]:
        """A read-only transaction for one actor; its audit entry is written at the end."""
        ...

    def read_stale(
        self, scope: Scope, action: str, now: datetime, read: Callable[[Reading], T]
    ) -> T:
        """What ``read`` finds in a read-only transaction that may show what was some seconds ago.

        For what is only told: no decision rests on it. ``read`` may be called twice.
        """
        ...


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a change, in its own transaction just before the commit.

    ``action`` is the policy's, of the entry for whoever is shown beside those whom the change was
    about; ``scope`` is the actor's for it.
    """

    scope: Scope
    action: str
    render: Callable[[Reading, Made], None]


class Replay(Exception):
    """The request is a repetition under the same idempotency key."""

    def __init__(self, made: Made) -> None:
        super().__init__("carried out before")
        self.made = made


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFacts:
    """The facts of a request that its audit entry records."""

    task: str = ""
    asked_for: str | None = None
    source: str | None = None
    request_id: str | None = None
    idempotency_key: str | None = None
    digest: str = ""
