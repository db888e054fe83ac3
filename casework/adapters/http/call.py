"""One request of one actor: authorized before its body is parsed, answered after its commit."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final, TypeVar, cast
from uuid import UUID

from fastapi import Request, Response

from casework.adapters.http.cursors import read_cursor, write_cursor
from casework.adapters.http.problems import language_of, status_of
from casework.adapters.http.refusals import classify_error
from casework.adapters.http.responses import dated, expected_version, respond
from casework.adapters.http.services import Services
from casework.domain.access.policy import Actor, scope_of
from casework.domain.errors import NotFound
from casework.workflows.access.asking import Asker, RightsChanged
from casework.workflows.context import Context
from casework.workflows.ports.access import Authentication
from casework.workflows.ports.results import Made, Result
from casework.workflows.ports.unit_of_work import (
    Page,
    Paging,
    Reading,
    Replay,
    RequestFacts,
    Shown,
    Work,
)

TRIES: Final = 3
# Of an operation whose answer may come from a replica: it only tells, and nothing rests on it.
MAY_BE_STALE: Final = "x-may-be-stale"
T = TypeVar("T")
M = TypeVar("M", bound=Made)


class Call:
    """A signed-in request: makes changes, shows things, pages through lists."""

    def __init__(
        self,
        services: Services,
        request: Request,
        actor: Actor,
        facts: RequestFacts,
        now: datetime,
        asker: Asker | None = None,
    ) -> None:
        self._services, self._request, self._facts = services, request, facts
        self._asker, self._actor, self._now = asker, actor, now
        self._store = services.store.for_request(facts, asker)
        self._expected_version = expected_version(request.headers.get("if-match"))

    @cached_property
    def ctx(self) -> Context:
        """The session context, made when it is first used: in the request's own thread and time.

        Standards and catalogue may have to be read from the database, for which the thread that
        serves all connections must not wait. The context is without the idempotency key, which
        belongs to one transaction of the request alone.
        """
        services, facts = self._services, replace(self._facts, idempotency_key=None)
        return Context(
            actor=self._actor,
            now=self._now,
            new_id=services.new_id,
            clockwork=services.clockwork(),
            catalogue=services.catalogue(),
            store=services.store.for_request(facts, self._asker),
            similarity=services.similarity,
            expected_version=self._expected_version,
        )

    @cached_property
    def _keyed(self) -> Context:
        return replace(self.ctx, store=self._store)

    @property
    def services(self) -> Services:
        """What the composition root gave, to somebody who is confirmed."""
        confirm(self._services, self._facts, self._asker)
        return self._services

    @property
    def language(self) -> str:
        """``ko`` or ``en``, as the caller asked for."""
        return language_of(self._request.headers.get("accept-language"))

    @property
    def authentication(self) -> Authentication:
        """What it takes to authenticate the actor once more."""
        return self.services.authentication(self._facts)

    def change(
        self,
        use_case: Callable[[Context], M],
        read_action: str,
        show: Callable[[Reading, M], Any],
        *,
        afterwards: bool = False,
    ) -> Response:
        """Carry out a use case once, then show what it made as the actor may see it now.

        ``show`` gets a reading and what the use case returned. A repeated request under the same
        idempotency key is only shown. The status is the route's. It is shown just before the
        commit, or ``afterwards`` where that needs what nobody keeps, such as a secret.
        """
        to_see = scope_of(self.ctx.actor, read_action)
        status, shown = self._request.scope["route"].status_code, _ShownOnce(show)
        self._store.show_next(None if afterwards else Shown(to_see, read_action, shown))
        try:
            made = self._with_retries(use_case, self._keyed)
            if shown.made == made:
                return respond(shown.body, status)
            showing = self._store.showing(to_see, self.ctx.now, read_action)
        except Replay as before:  # nothing changes, so it is a read, with its own audit entry
            made = cast("M", before.made)
            showing = self._store.reading(to_see, read_action, self.ctx.now)
        finally:
            self._store.show_next(None)
        with showing as reading:
            shown(reading, made)
        return respond(shown.body, status)

    def once(self, action: str, check: Callable[[Work], None] = lambda _work: None) -> None:
        """Take the request's idempotency key before work that is many transactions.

        Writes the audit entry, unless ``check`` refuses the request as a whole. A repeated request
        goes on as well: each part of the work has a key of its own.
        """
        with suppress(Replay), self._keyed.work(action) as work:
            check(work)
            work.commit()

    def long(self, action: str, work: Callable[[], M]) -> tuple[M, bool]:
        """Carry out what takes many transactions, once for each idempotency key.

        Returns what ``work`` made, and whether it was made by an earlier request. While it is
        going on the same request is refused as in flight; after ten minutes without a word it was
        killed, and the next one takes it over.
        """
        actor, now = self.ctx.actor, self.ctx.now
        try:
            with self._keyed.work(action) as begun:
                begun.commit_begun()
        except Replay as before:
            return cast("M", before.made), True
        try:
            made = work()
        except Exception:
            # If the database is unreachable, the key's lease expires.
            with suppress(Exception):
                self._store.release_key(actor, now)
            raise
        self._store.store_key(actor, now, made)
        return made, False

    def first(self, use_case: Callable[[Context], M]) -> tuple[M, bool]:
        """Carry out the first of several transactions, under the request's idempotency key.

        Returns what it made, and whether it was carried out before.
        """
        try:
            return self._with_retries(use_case, self._keyed), False
        except Replay as before:
            return cast("M", before.made), True

    def continued(self, begin: Callable[[Context], M], go_on: Callable[[Context, M], None]) -> M:
        """Carry out the first of several transactions, then the others, once for each key.

        ``begin`` ends with ``commit_begun``. A repeated request only goes on, and so must find what
        is left, be it nothing; while the first one is at work it is refused as in flight.
        """
        made, again = self.first(begin)
        try:
            go_on(self.refreshed(), made)
        finally:  # also where it failed: what is begun stays, and the next one goes on
            if not again:
                with suppress(Exception):
                    self._store.store_key(self.ctx.actor, self.ctx.now, made)
        return made

    def refreshed(self) -> Context:
        """The context of further transactions: current standards and holidays.

        A change of them, here or in another process, is seen at once.
        """
        self._services.forget()
        return replace(self.ctx, clockwork=self._services.clockwork(), expected_version=None)

    def recorded_as(self, asked_for: str) -> Context:
        """The context, whose next read is recorded as a request for this."""
        facts = replace(self._facts, asked_for=asked_for, idempotency_key=None)
        return replace(self.ctx, store=self._services.store.for_request(facts, self._asker))

    def part(
        self, action: str, subject: UUID, use_case: Callable[[Context], Any]
    ) -> tuple[int, str | None]:
        """Carry out one part of a request in its own transaction: status, and the code if refused.

        Its idempotency key is derived from the request's, so that a repeated request carries out
        only what is still missing.
        """
        facts = replace(
            self._facts,
            asked_for=str(subject),
            idempotency_key=_key_of_part(self._facts.idempotency_key, subject),
        )
        store = self._services.store.for_request(facts, self._asker)
        try:
            self._with_retries(use_case, replace(self.ctx, store=store, expected_version=None))
        except Replay:
            return 200, None
        except RightsChanged:
            raise
        except Exception as error:
            refusal, outcome = classify_error(self._services, facts, error)
            store.note_refusal(self.ctx.actor, action, self.ctx.now, refusal.code, outcome)
            return status_of(refusal), refusal.code
        return 200, None

    def _with_retries(self, use_case: Callable[[Context], T], ctx: Context) -> T:
        """Retry the transaction after a deadlock or serialisation failure, three tries at most."""
        attempt = 1
        while True:
            try:
                return use_case(ctx)
            except Exception as error:
                if self._services.fault(error) != "retry" or attempt == TRIES:
                    raise
                time.sleep(random.uniform(0.01, 0.05) * attempt)  # noqa: S311 - jitter
                attempt += 1

    def look(self, action: str, show: Callable[[Reading], Any]) -> Response:
        """Show something; the audit entry is committed before the answer leaves."""
        body, as_of = self.read(self.ctx, action, show)
        return dated(respond(body, 200), as_of)

    def read(
        self, ctx: Context, action: str, read: Callable[[Reading], T]
    ) -> tuple[T, datetime | None]:
        """What ``read`` finds, and where the operation may be stale, until when it is known."""
        if may_be_stale(self._request):
            return ctx.read_stale(action, lambda reading: (read(reading), reading.as_of))
        with ctx.reading(action) as reading:
            return read(reading), None

    def pages(
        self,
        action: str,
        paging: tuple[int, str | None],
        read: Callable[[Reading, Paging], Page],
        render: Callable[[Any], Any],
    ) -> Response:
        """One page of a list: ``{"items": …, "next_cursor": …}``."""
        limit, cursor = paging
        key, question = self._services.cursor_key, self._question()
        after = read_cursor(key, question, cursor)
        paging_by = Paging(limit=limit, after=after)
        page, as_of = self.read(self.ctx, action, lambda reading: read(reading, paging_by))
        body = {
            "items": [render(row) for row in page.rows],
            "next_cursor": write_cursor(key, question, page.last_key),
        }
        return dated(respond(body, 200), as_of)

    def _question(self) -> str:
        """Identify the list: path, filters and actor, but neither limit nor cursor."""
        filters = sorted(
            (k, v)
            for k, v in self._request.query_params.multi_items()
            if k not in ("limit", "cursor")
        )
        body = self._request.state.digest if self._request.method == "POST" else ""
        return f"{self._request.url.path} {filters} {body} {self.ctx.actor.id}"


_NOTHING_SHOWN: Final = object()


class _ShownOnce:
    """Shows what was made, and keeps the body of the answer."""

    def __init__(self, show: Callable[[Reading, Any], Any]) -> None:
        self._show = show
        self.made: Any = _NOTHING_SHOWN
        self.body: Any = None

    def __call__(self, reading: Reading, made: Made) -> None:
        self.made = made
        try:
            self.body = self._show(reading, made)
        except NotFound:  # the change itself took it out of the actor's scope
            self.body = _bare(made)


def _bare(made: Made) -> dict[str, Any]:
    """What was made, of which nothing can be shown."""
    match made:
        case UUID():
            return {"id": made}
        case Result():
            return asdict(cast("Any", made))
        case str():
            return {"code": made}
    return {}


def confirm(services: Services, facts: RequestFacts, asker: Asker | None) -> None:
    """Read the account of somebody who is only assumed. Raises RightsChanged."""
    if asker is not None and not asker.is_confirmed:
        with services.authentication(facts).store() as store:
            asker.confirm(store.by_id(asker.account_id))


def may_be_stale(request: Request) -> bool:
    """Whether the operation says of itself that its answer may be some seconds old."""
    return bool((request.scope["route"].openapi_extra or {}).get(MAY_BE_STALE))


def _key_of_part(key: str | None, subject: UUID) -> str | None:
    return None if key is None else hashlib.sha256(f"{key}\n{subject}".encode()).hexdigest()


async def current_call(request: Request) -> Call:
    """The guarded call of this request, as a dependency, which needs no thread."""
    call: Call = request.state.call
    return call
