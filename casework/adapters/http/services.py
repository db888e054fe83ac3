"""The services that the composition root gives to the HTTP adapters."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol
from uuid import UUID

from casework.adapters.http.bodies import InFlight
from casework.adapters.http.rates import Rates
from casework.adapters.http.turns import Turns
from casework.domain.access.policy import Actor
from casework.domain.clocks.deadlines import Clockwork
from casework.domain.directory.directory import Service
from casework.domain.duplicates.likeness import Similarity, equal
from casework.workflows.access.asking import Asker, KnownActors
from casework.workflows.context import Context
from casework.workflows.ports.access import Authentication
from casework.workflows.ports.exchange import ImportTools
from casework.workflows.ports.links import Linking
from casework.workflows.ports.results import Made
from casework.workflows.ports.unit_of_work import Reading, RequestFacts, Shown, Store
from casework.workflows.supervision.overdue import SweepResult


class RequestStore(Store, Protocol):
    """The store of one request."""

    def for_request(self, facts: RequestFacts, asker: Asker | None = None) -> RequestStore:
        """The same store, whose records name this request.

        Its first transaction confirms who asks, where they are only assumed.
        """
        ...

    def show_next(self, shown: Shown | None) -> None:
        """Show what the next transaction of this request makes, before it is committed."""
        ...

    def showing(
        self, scope: Any, now: datetime, action: str | None = None
    ) -> AbstractContextManager[Reading]:
        """What a change of this request made.

        Under ``action``, who is shown beside those that the change was about gets an entry.
        """
        ...

    def store_key(self, actor: Actor, claimed_at: datetime, made: Made) -> None:
        """Store the result under the request's idempotency key."""
        ...

    def release_key(self, actor: Actor, claimed_at: datetime) -> None:
        """Release the request's idempotency key."""
        ...

    def note_refusal(
        self,
        actor: Actor | None,
        action: str,
        now: datetime,
        code: str,
        outcome: str,
        about: Iterable[UUID] = (),
    ) -> None:
        """Record that something was refused or failed, and of whom the refusal tells."""
        ...


@dataclass(frozen=True, kw_only=True)
class Services:
    """The services from the composition root."""

    store: RequestStore
    clockwork: Callable[[], Clockwork]
    catalogue: Callable[[], Mapping[str, Service]]
    authentication: Callable[[RequestFacts], Authentication]
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
    cursor_key: bytes
    # "retry", "locked", "full" or "busy" for a passing fault of the database, else None.
    fault: Callable[[Exception], str | None]
    # Standards or holidays were changed: drop what was cached of them.
    forget: Callable[[], None]
    # Runs the overdue sweep: for whom, as of which instant (now if None), and whether dry.
    sweep: Callable[[Context, datetime | None, bool], SweepResult | None]
    new_secret: Callable[[], str]
    is_production: bool
    # Whether registration numbers are stored here.
    stores_rrn: bool
    # How often a scheduler wakes the sweep.
    sweep_minutes: int
    # For how many years after its end the name of a seat is shown.
    seat_names_years: int
    # Imports of files.
    import_tools: ImportTools
    # What agencies that answer without an account need.
    linking: Linking
    # How like two names are.
    similarity: Similarity = equal
    # The one password of the demo's accounts; None where they are not shown.
    demo_password: str | None = None
    # The rate limit, and the context that limits the database to so many seconds.
    rates: Rates = field(default_factory=Rates)
    # The budget of bodies that are on their way.
    in_flight: InFlight = field(default_factory=InFlight)
    # Who asked last.
    known: KnownActors = field(default_factory=KnownActors)
    # Whose file is read next.
    turns: Turns = field(default_factory=Turns)
    time_allowed: Callable[[float], AbstractContextManager[None]] = lambda _seconds: nullcontext()

    @cached_property
    def digest_key(self) -> bytes:
        """The key of the digests of requests, derived once."""
        return hmac.digest(self.cursor_key, b"request digest", "sha256")
