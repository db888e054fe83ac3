"""One request of one asker: guarded before its body is believed, answered after its commit."""

from __future__ import annotations

import hashlib
import hmac
import random
import re
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

import orjson
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from structlog import get_logger
from structlog.contextvars import bound_contextvars

from casework.adapters.http.cursors import read_cursor, write_cursor
from casework.adapters.http.limits import check_text, read_json, storable
from casework.adapters.http.middleware import tell
from casework.adapters.http.problems import Problem, problem, status_of
from casework.adapters.http.rates import Rates
from casework.domain.access.policy import POLICY, Actor, reach
from casework.domain.clocks.deadlines import Clockwork
from casework.domain.directory.directory import Service
from casework.domain.duplicates.likeness import Similarity, equal
from casework.domain.errors import Invalid, NotFound, Refusal
from casework.workflows.access.signing_in import authenticate
from casework.workflows.context import Context
from casework.workflows.ports.access import Authentication, SignInRefused
from casework.workflows.ports.exchange import ImportTools
from casework.workflows.ports.links import Linking
from casework.workflows.ports.unit_of_work import (
    IN_FLIGHT,
    Page,
    Paging,
    Reading,
    Replay,
    RequestFacts,
    Store,
    Work,
)
from casework.workflows.supervision.overdue import SweepResult

PUBLIC: Final = "public"
UNCOUNTED: Final = frozenset({"/health/live", "/health/ready", "/metrics"})
TRIES: Final = 3
# A request, what takes many transactions, and the record of a request that was refused.
SECONDS: Final = 5.0
LONG_SECONDS: Final = 30.0
RECORD_SECONDS: Final = 1.0
FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
# One that a client makes up; a shorter one might be a word of the file.
MIN_BOUNDARY_LENGTH: Final = 16
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]{1,8192}=*")
log = get_logger("casework.http")


class RequestStore(Store, Protocol):
    """The store of one request."""

    outcome: tuple[int, dict[str, Any]] | None

    def for_request(self, facts: RequestFacts) -> RequestStore:
        """The same store, whose records name this request."""
        ...

    def showing(self, reach: Any, now: datetime) -> AbstractContextManager[Reading]:
        """The outcome of a change, under the audit entry that the change wrote."""
        ...

    def store_key(
        self, actor: Actor, claimed_at: datetime, status: int, resource: dict[str, Any]
    ) -> None:
        """Say under the request's key what became of it."""
        ...

    def release_key(self, actor: Actor, claimed_at: datetime) -> None:
        """Give the request's key back."""
        ...

    def note_refusal(
        self, actor: Actor | None, action: str, now: datetime, code: str, outcome: str
    ) -> None:
        """Write down that something was refused or failed."""
        ...


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the ways in are given by the composition root."""

    store: RequestStore
    clockwork: Callable[[], Clockwork]
    catalogue: Callable[[], Mapping[str, Service]]
    authentication: Callable[[RequestFacts], Authentication]
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
    cursor_key: bytes
    # "retry", "locked" or "busy" for a passing fault of the database, else None.
    fault: Callable[[Exception], str | None]
    # Standards or holidays were changed: forget what was kept of them.
    forget: Callable[[], None]
    # Runs the overdue sweep: for whom, as of which instant (now if None), and whether dry.
    sweep: Callable[[Context, datetime | None, bool], SweepResult | None]
    new_secret: Callable[[], str]
    is_production: bool
    # Whether registration numbers are kept here.
    stores_rrn: bool
    # How often a scheduler wakes the sweep.
    sweep_minutes: int
    # What works through files.
    import_tools: ImportTools
    # What agencies that answer without an account need.
    linking: Linking
    # How like two names are.
    similarity: Similarity = equal
    # How often somebody may ask, and within which context the database has how many seconds.
    rates: Rates = field(default_factory=Rates)
    time_allowed: Callable[[float], AbstractContextManager[None]] = lambda _seconds: nullcontext()


class Call:
    """A signed-in request: makes changes, shows things, pages through lists."""

    def __init__(
        self,
        services: Services,
        request: Request,
        actor: Actor,
        facts: RequestFacts,
        now: datetime,
    ) -> None:
        self._services, self._request, self._facts = services, request, facts
        self._store = services.store.for_request(facts)
        self.ctx = Context(
            actor=actor,
            now=now,
            new_id=services.new_id,
            clockwork=services.clockwork(),
            catalogue=services.catalogue(),
            store=self._store,
            similarity=services.similarity,
            expected_version=_expected(request.headers.get("if-match")),
        )

    @property
    def services(self) -> Services:
        """What the composition root gave."""
        return self._services

    @property
    def authentication(self) -> Authentication:
        """What whoever asks needs to prove themselves once more."""
        return self._services.authentication(self._facts)

    def change(
        self,
        use_case: Callable[[Context], Any],
        read_action: str,
        show: Callable[[Reading, dict[str, Any]], Any],
    ) -> Response:
        """Carry out a use case once, then show its outcome as the asker may see it now.

        ``show`` gets a reading and what the use case committed (``{"id": …}``); a repeated
        request under the same idempotency key is only shown.
        """
        to_see = reach(self.ctx.actor, read_action)
        try:
            self._with_retries(use_case, self.ctx)
            status, resource = self._store.outcome or (200, {})
            showing = self._store.showing(to_see, self.ctx.now)
        except Replay as before:  # nothing changes, so it is a look, with an entry of its own
            status, resource = before.status, before.resource
            showing = self._store.reading(to_see, read_action, self.ctx.now)
        resource = {
            k: UUID(v) if isinstance(v, str) and k.endswith("id") else v
            for k, v in resource.items()
        }
        with showing as reading:
            try:
                body = show(reading, resource)
            except NotFound:  # the change itself took it out of the asker's sight
                body = resource
        return respond(body, status)

    def once(
        self,
        action: str,
        resource: dict[str, Any],
        check: Callable[[Work], None] = lambda _work: None,
    ) -> dict[str, Any] | None:
        """Take the request's idempotency key before work that is many transactions.

        Writes the audit entry, and notes ``resource`` under the key, unless ``check`` refuses the
        request as a whole. Returns what was noted there when the key was first taken, or None
        where this is the first time.
        """
        try:
            with self.ctx.work(action) as work:
                check(work)
                work.commit(200, resource)
        except Replay as before:
            return before.resource
        return None

    def long(self, action: str, work: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any], bool]:
        """Carry out what takes many transactions, once for each idempotency key.

        Returns what ``work`` made, and whether it was made by an earlier request. While it is
        going on the same request is refused as in flight; when nothing was heard of it for ten
        minutes it was killed, and the next one takes it over.
        """
        actor, now = self.ctx.actor, self.ctx.now
        try:
            with self.ctx.work(action) as begun:
                begun.commit(IN_FLIGHT, {})
        except Replay as before:
            return before.resource, True
        try:
            made = work()
        except Exception:
            with suppress(Exception):  # where the database has gone, its lease gives it back
                self._store.release_key(actor, now)
            raise
        self._store.store_key(actor, now, 200, made)
        return made, False

    def first(self, use_case: Callable[[Context], Any]) -> tuple[int, dict[str, Any], bool]:
        """Carry out the first of several transactions, under the request's idempotency key.

        Returns status and resource, and whether it was carried out before.
        """
        try:
            self._with_retries(use_case, self.ctx)
        except Replay as before:
            return before.status, before.resource, True
        return *(self._store.outcome or (200, {})), False

    def without_key(self) -> Context:
        """The asker for the further transactions: no key, and standards and holidays as they are.

        A request that changed them, here or in another process, is seen at once.
        """
        self._services.forget()
        facts = replace(self._facts, idempotency_key=None)
        return replace(
            self.ctx,
            store=self._services.store.for_request(facts),
            clockwork=self._services.clockwork(),
            expected_version=None,
        )

    def recorded_as(self, asked_for: str) -> Context:
        """The asker, whose next look is recorded with what it was for."""
        facts = replace(self._facts, asked_for=asked_for, idempotency_key=None)
        return replace(self.ctx, store=self._services.store.for_request(facts))

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
        store = self._services.store.for_request(facts)
        try:
            self._with_retries(use_case, replace(self.ctx, store=store, expected_version=None))
        except Replay as before:
            return before.status, None
        except Exception as error:
            refusal, outcome = _told_apart(self._services, facts, error)
            store.note_refusal(self.ctx.actor, action, self.ctx.now, refusal.code, outcome)
            return status_of(refusal), refusal.code
        return (store.outcome or (200, {}))[0], None

    def _with_retries(self, use_case: Callable[[Context], Any], ctx: Context) -> None:
        """A deadlock or serialisation failure is tried again as a whole, three times at most."""
        for attempt in range(1, TRIES + 1):
            try:
                use_case(ctx)
                return
            except Exception as error:
                if self._services.fault(error) != "retry" or attempt == TRIES:
                    raise
                time.sleep(random.uniform(0.01, 0.05) * attempt)  # noqa: S311 - jitter

    def look(self, action: str, show: Callable[[Reading], Any]) -> Response:
        """Show something; the audit entry is committed before the answer leaves."""
        with self.ctx.reading(action) as reading:
            body = show(reading)
        return respond(body, 200)

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
        with self.ctx.reading(action) as reading:
            page = read(reading, Paging(limit=limit, after=after))
        return respond(
            {
                "items": [render(row) for row in page.rows],
                "next_cursor": write_cursor(key, question, page.last_key),
            },
            200,
        )

    def _question(self) -> str:
        """Which list this is: path, filters and asker, but neither limit nor cursor."""
        filters = sorted(
            (k, v)
            for k, v in self._request.query_params.multi_items()
            if k not in ("limit", "cursor")
        )
        body = self._request.state.digest if self._request.method == "POST" else ""
        return f"{self._request.url.path} {filters} {body} {self.ctx.actor.id}"


def _key_of_part(key: str | None, subject: UUID) -> str | None:
    return None if key is None else hashlib.sha256(f"{key}\n{subject}".encode()).hexdigest()


class WithETag(dict[str, Any]):
    """A body that is a single resource; ``etag`` is its version."""

    def __init__(self, body: Mapping[str, Any], etag: int) -> None:
        super().__init__(body)
        self.etag = etag


def respond(body: Any, status: int) -> Response:
    """JSON as it leaves; not stored by anyone on the way."""
    headers = {"Cache-Control": "no-store"}
    if isinstance(body, WithETag):
        headers["ETag"] = f'"{body.etag}"'
        body = dict(body)
    return Response(
        orjson.dumps(body, default=str),
        status_code=status,
        media_type="application/json",
        headers=headers,
    )


def _expected(if_match: str | None) -> int | None:
    """The version in ``If-Match``; one that cannot be ours is never the present one."""
    if if_match is None or if_match.strip() == "*":
        return None
    bare = if_match.strip().removeprefix("W/").strip('"')
    return int(bare) if bare.isdecimal() and len(bare) < 10 else -1


def current_call(request: Request) -> Call:
    """The guarded call of this request, as a dependency."""
    call: Call = request.state.call
    return call


class GuardedRoute(APIRoute):
    """A route that asks who is there before it reads on, and turns refusals into problems.

    Its action stands in ``openapi_extra["x-action"]``: one of the policy's, or ``public``.
    """

    @property
    def action(self) -> str | None:
        """The entry of the policy this route needs, or None where none was given."""
        return (self.openapi_extra or {}).get("x-action")

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The usual handler between guard and problems."""
        usual = super().get_route_handler()
        known = {field.alias for field in self.dependant.query_params} | {
            field.alias for sub in self.dependant.dependencies for field in sub.query_params
        }

        seconds = LONG_SECONDS if (self.openapi_extra or {}).get("x-long") else SECONDS

        async def handle(request: Request) -> Response:
            tell(request.scope, self.path_format)
            services: Services = request.app.state.services
            now = services.now()
            facts = await self._facts(request)
            actor: Actor | None = None
            with bound_contextvars(request_id=facts.request_id), services.time_allowed(seconds):
                try:
                    self._hold_back(services, facts)
                    if self.action != PUBLIC:
                        actor = await run_in_threadpool(
                            _guard, services, request, facts, now, self.action
                        )
                    self._check(request, known, facts)
                    request.state.facts = facts
                    response = await usual(request)
                except Exception as error:
                    return await run_in_threadpool(
                        _refuse, services, request, actor, facts, now, self.action or "", error
                    )
            response.headers["X-Request-Id"] = facts.request_id or ""
            return response

        return handle

    def _hold_back(self, services: Services, facts: RequestFacts) -> None:
        """Refuse whoever asks too often, before anything is looked up; machines may look."""
        if self.path_format not in UNCOUNTED:
            signs_in = self.action == PUBLIC
            services.rates.source(facts.source, signs_in=signs_in)

    async def _facts(self, request: Request) -> RequestFacts:
        body = await request.body()
        # Keyed: a body holds what a list of all its possible values would be tried against.
        key = hmac.digest(request.app.state.services.cursor_key, b"request digest", "sha256")
        request.state.digest = hmac.digest(
            key,
            f"{request.method} {request.url.path}\n".encode() + self._told(request, body),
            "sha256",
        ).hex()
        asked_for = next(iter(request.path_params.values()), None)
        return RequestFacts(
            task=f"{request.method} {self.path_format}",
            asked_for=_asked_for(asked_for) if asked_for else None,
            source=request.client.host if request.client else None,
            request_id=_request_id(request),
            idempotency_key=self._key(request),
            digest=request.state.digest,
        )

    def _told(self, request: Request, body: bytes) -> bytes:
        """What a body says: a form's parts, whatever stands between them this time."""
        if not (self.openapi_extra or {}).get("x-takes-file"):
            return body
        _, options = parse_options_header(request.headers.get("content-type", ""))
        boundary = options.get(b"boundary", b"")
        return body.replace(boundary, b"") if len(boundary) >= MIN_BOUNDARY_LENGTH else body

    def _key(self, request: Request) -> str | None:
        """The idempotency key, where the operation heeds one: a POST that makes a change."""
        heeds = request.method == "POST" and not (self.openapi_extra or {}).get("x-no-key")
        return request.headers.get("idempotency-key") if heeds else None

    def _check(self, request: Request, known: set[str], facts: RequestFacts) -> None:
        key = facts.idempotency_key
        if key is not None:
            check_text(key)
            if not 1 <= len(key) <= 255:
                raise Invalid("1 to 255 characters", field="Idempotency-Key")
        seen: set[str] = set()
        for name, value in request.query_params.multi_items():
            check_text(value)
            if name not in known:
                raise Invalid("no such parameter", field=_shown_name(name))
            if name in seen:
                raise Invalid("given more than once", field=name)
            seen.add(name)
        for value in request.path_params.values():
            check_text(str(value))
        body: bytes = request._body  # read in full by the guard
        # Whatever it says it is: what reads it on is more lenient about its type than about this.
        kind = request.headers.get("content-type", "").lower()
        takes_file = (self.openapi_extra or {}).get("x-takes-file")
        if body and not kind.startswith(FORM) and not (takes_file and kind.startswith(MULTIPART)):
            read_json(body)


def _asked_for(given: object) -> str:
    """What was asked for as it is written down: an id in one form, however it was sent."""
    with suppress(ValueError):
        return str(UUID(str(given)))
    return storable(str(given)[:200])


def _request_id(request: Request) -> str:
    """The asker's number for the request where it is plain text, else one of ours."""
    given = request.headers.get("x-request-id", "")[:80]
    is_plain = given.isascii() and given.isprintable() and given != ""
    return given if is_plain else str(request.app.state.services.new_id())


def _guard(
    services: Services, request: Request, facts: RequestFacts, now: datetime, action: str | None
) -> Actor:
    """Who asks, with present rights; refuses a role that never does this."""
    actor = authenticate(services.authentication(facts), _bearer(request), now)
    request.state.actor = actor
    services.rates.account(actor.id)
    reach(actor, action or "")
    request.state.call = Call(services, request, actor, facts, now)
    return actor


def _bearer(request: Request) -> str | None:
    """The token of the one ``Authorization`` header, if it is one at all."""
    given = request.headers.getlist("authorization")
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    return token if scheme.lower() == "bearer" and _TOKEN.fullmatch(token) else None


def _refuse(
    services: Services,
    request: Request,
    actor: Actor | None,
    facts: RequestFacts,
    now: datetime,
    action: str,
    error: Exception,
) -> Response:
    """The problem for an error, written down before it is answered."""
    refusal, outcome = _told_apart(services, facts, error)
    actor = actor or getattr(request.state, "actor", None)
    try:
        # Of too many requests the first refusal is written down: the others would be a flood.
        if not isinstance(error, SignInRefused) and getattr(error, "is_first", True):
            store = services.store.for_request(facts)
            with services.time_allowed(RECORD_SECONDS):
                store.note_refusal(actor, action, now, refusal.code, outcome)
    except Exception as unwritten:
        log.error("audit entry not written", task=facts.task, error=type(unwritten).__name__)
        refusal = Problem("", code="busy")
    response = problem(refusal, request.headers.get("accept-language"))
    response.headers["X-Request-Id"] = facts.request_id or ""
    return response


def _told_apart(services: Services, facts: RequestFacts, error: Exception) -> tuple[Refusal, str]:
    """A refusal, or a failure of ours, which is logged; with the outcome that is written down."""
    refusal = _as_refusal(services, facts, error)
    if refusal is not None:
        return refusal, "refused"
    log.error("request failed", task=facts.task, error=type(error).__name__, exc_info=error)
    return Problem("", code="internal_error"), "failed"


def _as_refusal(services: Services, facts: RequestFacts, error: Exception) -> Refusal | None:
    match error:
        case Refusal():
            return error
        case RequestValidationError():
            return Invalid(
                "fields cannot be right",
                errors=[
                    {
                        "field": ".".join(map(_shown_name, one["loc"][1:])) or str(one["loc"][0]),
                        "message": _message(one),
                    }
                    for one in error.errors()
                ],
            )
        case HTTPException(status_code=status):
            return Problem("", code="malformed" if status == 400 else "invalid")
    fault = services.fault(error)
    if fault == "locked" and facts.idempotency_key is not None:
        return Problem("", code="in_flight")
    return Problem("", code="busy") if fault else None


def _shown_name(part: object) -> str:
    """A part of a field's name, or ``?`` for one that the asker made up and may not be one."""
    name = str(part)
    return name if isinstance(part, int) or _NAME.fullmatch(name) else "?"


def _message(error: Mapping[str, Any]) -> str:
    """What is wrong with a field, without what was sent in it."""
    match error["type"]:
        case "union_tag_invalid":
            return f"one of {error['ctx']['expected_tags']}"
        case "uuid_parsing":
            return "a UUID"
    return str(error["msg"])


def routes_without_entry(routes: list[Any]) -> list[str]:
    """Routes that no entry of the policy governs: with one of them nothing may start."""
    return [
        f"{sorted(getattr(route, 'methods', None) or ())} {getattr(route, 'path', route)}"
        for route in routes
        if not (
            isinstance(route, GuardedRoute) and (route.action == PUBLIC or route.action in POLICY)
        )
    ]
