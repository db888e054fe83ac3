"""A route class that authenticates before it parses the body, and maps refusals to problems."""

from __future__ import annotations

import asyncio
import hmac
import inspect
import re
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from fastapi import Request, Response, params
from fastapi.routing import APIRoute
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from structlog.contextvars import bound_contextvars

from casework.adapters.http.bodies import Aborted, body_of, read_body
from casework.adapters.http.call import Call, confirm
from casework.adapters.http.deadlines import time_of, time_to_record, time_to_step
from casework.adapters.http.limits import (
    MAX_BODY,
    MAX_UNKNOWN,
    MAX_UPLOAD,
    check_form,
    check_text,
    read_json,
    storable,
)
from casework.adapters.http.middleware import tell
from casework.adapters.http.problems import Problem
from casework.adapters.http.refusals import refuse, shown_name
from casework.adapters.http.services import Services
from casework.domain.access.policy import POLICY, Actor, scope_of
from casework.domain.errors import Invalid
from casework.workflows.access.asking import Asker, RightsChanged
from casework.workflows.access.signing_in import assume, authenticate
from casework.workflows.ports.access import SignInRefused
from casework.workflows.ports.unit_of_work import RequestFacts

PUBLIC: Final = "public"


UNCOUNTED: Final = frozenset({"/health/live", "/health/ready", "/metrics"})


# A request, what takes many transactions, and the record of a request that was refused.
SECONDS: Final = 5.0


LONG_SECONDS: Final = 30.0


FORM: Final = "application/x-www-form-urlencoded"


MULTIPART: Final = "multipart/form-data"


JSON: Final = "application/json"


# One that a client makes up; a shorter one might be a word of the file.
MIN_BOUNDARY_LENGTH: Final = 16


_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]{1,8192}=*")


class GuardedRoute(APIRoute):
    """A route that authenticates before it parses the body, and turns refusals into problems.

    Its action is in ``openapi_extra["x-action"]``: one of the policy's, or ``public``. In the
    document it is named after its function and described by the function's docstring, of which
    the first line is the summary.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        summary, _, description = inspect.cleandoc(endpoint.__doc__ or "").partition("\n")
        options["operation_id"] = options.get("operation_id") or endpoint.__name__
        options["summary"] = options.get("summary") or summary.removesuffix(".")
        super().__init__(path, endpoint, **options)
        self.description = description.strip()

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
            facts = request.state.facts = self._facts(request)
            with bound_contextvars(request_id=facts.request_id):
                try:
                    self._hold_back(services, facts)
                except Exception as error:
                    return await _refused(request, None, self.action, error)
                attempt = partial(self._attempt, request, usual, known, seconds)
                try:
                    response = await attempt(assumes=self.takes != MULTIPART)
                except RightsChanged as changed:
                    services.known.forget(changed.account_id)
                    response = await attempt(assumes=False)
            response.headers["X-Request-Id"] = facts.request_id or ""
            return response

        return handle

    async def _attempt(
        self,
        request: Request,
        usual: Callable[[Request], Coroutine[Any, Any, Response]],
        known: set[str],
        seconds: float,
        *,
        assumes: bool,
    ) -> Response:
        """Answer, or refuse. Raises RightsChanged where who asks was not as assumed.

        A second attempt has the body that the first one read.
        """
        services: Services = request.app.state.services
        now, facts, began = services.now(), request.state.facts, time.monotonic()
        asker: Asker | None = None
        actor: Actor | None = None
        try:
            with time_of(request, services, seconds):
                if self.action != PUBLIC:
                    asker = _assumed(services, request, now) if assumes else None
                    actor = await self._admitted(services, request, now, asker)
            self._check(request, known, facts)
            left = seconds - (time.monotonic() - began)
            # However long the body is on its way: that is the client's time.
            if not hasattr(request.state, "digest"):
                facts = await self.take_body(request, facts)
                request.state.asked_at = time.monotonic()
            if actor is not None:
                request.state.call = Call(services, request, actor, facts, now, asker)
            await self.prepare(request)
            with time_of(request, services, left):
                response = await usual(request)
                await _confirmed(services, facts, asker)
        except (Aborted, RightsChanged):
            raise
        except Exception as error:
            return await _refused(request, actor, self.action, error, asker)
        return response

    async def _admitted(
        self, services: Services, request: Request, now: datetime, asker: Asker | None
    ) -> Actor:
        """The actor; refuses a role that never does this. An assumed one needs no thread."""
        if asker is None:
            tools = services.authentication(request.state.facts)
            actor = await run_in_threadpool(
                authenticate, tools, _bearer(request), now, services.known
            )
        else:
            actor = asker.actor
        request.state.actor = actor
        services.rates.account(actor.id)
        scope_of(actor, self.action or "")
        return actor

    @property
    def takes(self) -> str | None:
        """The one media type of a body that this operation takes."""
        if (self.openapi_extra or {}).get("x-takes-file"):
            return MULTIPART
        if self.body_field is None:
            return None
        return FORM if isinstance(self.body_field.field_info, params.Form) else JSON

    async def prepare(self, request: Request) -> None:
        """What a route does with its body before its own time begins."""

    async def take_body(self, request: Request, facts: RequestFacts) -> RequestFacts:
        """Read the body of somebody who may send it, and check it, whatever its type."""
        takes = self.takes
        if takes is not None and body_of(request).is_there:
            check_type(request, takes)
        most = MAX_UNKNOWN if self.action == PUBLIC else MAX_BODY
        actor: Actor | None = getattr(request.state, "actor", None)
        owner = actor.id if actor is not None else facts.source
        body = await read_body(request, MAX_UPLOAD if takes == MULTIPART else most, owner)
        if body and takes == FORM:
            check_form(body)
        elif body and takes != MULTIPART:
            read_json(body)
        # Nobody asks what another request said: only a POST has a key, or a list's question.
        request.state.digest = self._digest(request, body) if request.method == "POST" else ""
        facts = request.state.facts = replace(facts, digest=request.state.digest)
        return facts

    def _hold_back(self, services: Services, facts: RequestFacts) -> None:
        """Apply the rate limit before anything is looked up; health checks are exempt."""
        if self.path_format not in UNCOUNTED:
            signs_in = self.action == PUBLIC
            services.rates.source(facts.source, signs_in=signs_in)

    def _facts(self, request: Request) -> RequestFacts:
        asked_for = next(iter(request.path_params.values()), None)
        return RequestFacts(
            task=f"{request.method} {self.path_format}",
            asked_for=_asked_for(asked_for) if asked_for else None,
            source=request.client.host if request.client else None,
            request_id=_request_id(request),
            idempotency_key=self._key(request),
        )

    def _digest(self, request: Request, body: bytes) -> str:
        # Keyed: a body holds what a list of all its possible values would be tried against.
        key = request.app.state.services.digest_key
        asked = f"{request.method} {request.url.path}\n".encode()
        return hmac.digest(key, asked + self._told(request, body), "sha256").hex()

    def _told(self, request: Request, body: bytes) -> bytes:
        """What a body says: a form's parts, whatever stands between them this time."""
        if not (self.openapi_extra or {}).get("x-takes-file"):
            return body
        _, options = parse_options_header(request.headers.get("content-type", ""))
        boundary = options.get(b"boundary", b"")
        return body.replace(boundary, b"") if len(boundary) >= MIN_BOUNDARY_LENGTH else body

    def _key(self, request: Request) -> str | None:
        """The idempotency key, where the operation supports one: a POST that makes a change."""
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
                raise Invalid("no such parameter", field=shown_name(name))
            if name in seen:
                raise Invalid("given more than once", field=name)
            seen.add(name)
        for value in request.path_params.values():
            check_text(str(value))


def check_type(request: Request, takes: str) -> None:
    """Refuse a body of another type than the one that is taken."""
    given = request.headers.getlist("content-type")
    kind, options = parse_options_header(given[0] if len(given) == 1 else "")
    charset = options.get(b"charset", b"utf-8").lower()
    if kind.decode("latin-1") != takes or charset != b"utf-8":
        raise Problem(f"send {takes}", code="type_not_taken")


def _asked_for(given: object) -> str:
    """The requested id as recorded: a UUID in one form, however it was sent."""
    with suppress(ValueError):
        return str(UUID(str(given)))
    return storable(str(given)[:200])


def _request_id(request: Request) -> str:
    """The client's id for the request where it is plain text, else a generated one."""
    given = request.headers.get("x-request-id", "")[:80]
    is_plain = given.isascii() and given.isprintable() and given != ""
    return given if is_plain else str(request.app.state.services.new_id())


def _assumed(services: Services, request: Request, now: datetime) -> Asker | None:
    """The actor as they were when they last asked, where that is known."""
    authentication = services.authentication(request.state.facts)
    return assume(authentication, services.known, _bearer(request), now)


async def _confirmed(services: Services, facts: RequestFacts, asker: Asker | None) -> None:
    """Nothing is answered to somebody who is only assumed."""
    if asker is not None and not asker.is_confirmed:
        await run_in_threadpool(confirm, services, facts, asker)


async def _refused(
    request: Request,
    actor: Actor | None,
    action: str | None,
    error: Exception,
    asker: Asker | None = None,
) -> Response:
    services: Services = request.app.state.services
    try:
        with services.time_allowed(time_to_record(request)):
            await _confirmed(services, request.state.facts, asker)
    except RightsChanged:
        raise
    except Exception as unknown:
        error = unknown
    response = await run_in_threadpool(
        refuse, services, request, actor, services.now(), action or "", error
    )
    if isinstance(error, SignInRefused):
        step_s = services.authentication(request.state.facts).passwords.refusal_step_s
        await asyncio.sleep(time_to_step(time.monotonic() - request.state.asked_at, step_s))
    return response


def _bearer(request: Request) -> str | None:
    """The token of the one ``Authorization`` header, if it is one at all."""
    given = request.headers.getlist("authorization")
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    return token if scheme.lower() == "bearer" and _TOKEN.fullmatch(token) else None


def routes_without_entry(routes: list[Any]) -> list[str]:
    """Routes without an entry in the access policy: any of them prevents the start."""
    return [
        f"{sorted(getattr(route, 'methods', None) or ())} {getattr(route, 'path', route)}"
        for route in routes
        if not (
            isinstance(route, GuardedRoute) and (route.action == PUBLIC or route.action in POLICY)
        )
    ]
