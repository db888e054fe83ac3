"""One request of a page: rate limited, looked up, handled, and always answered in HTML.

A page is public to the access check; the actor is found by the link in its address. No record
of a request ever holds that address.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any, Final

from fastapi import Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from structlog import get_logger
from structlog.contextvars import bound_contextvars

from casework.adapters.http.bodies import Aborted, read_body
from casework.adapters.http.deadlines import time_of, time_to_record
from casework.adapters.http.limits import MAX_BODY, check_text
from casework.adapters.http.middleware import tell
from casework.adapters.http.problems import (
    Problem,
    language_of,
    of_fault,
    retry_after,
    status_of,
)
from casework.adapters.http.route import FORM, SECONDS, GuardedRoute, check_type
from casework.adapters.http.services import Services
from casework.adapters.http.texts import say
from casework.domain.agencies.links import LinkRefused
from casework.domain.errors import Refusal
from casework.locale import LANGUAGES, text
from casework.workflows.ports.unit_of_work import Replay, RequestFacts

COOKIE: Final = "casework_link"
CSP: Final = (
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
log = get_logger("casework.http")


@cache
def environment() -> Environment:
    """The templates: all that is filled in is escaped, and nothing is filled in as nothing."""
    return Environment(
        loader=PackageLoader("casework.adapters.web"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


@cache
def style() -> bytes:
    """The one style sheet."""
    return files("casework.adapters.web").joinpath("static/style.css").read_bytes()


def language(request: Request) -> str:
    """As the address says, else as the browser does; Korean where neither does."""
    chosen = request.query_params.get("lang")
    if chosen in LANGUAGES:
        return str(chosen)
    asked = request.headers.get("accept-language")
    return language_of(asked) if asked else "ko"


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """A page in the reader's language."""
    spoken = language(request)
    other = "en" if spoken == "ko" else "ko"
    html = environment().get_template(template).render(
        lang=spoken, other=other, t=lambda key: text(key, spoken), **values,
    )  # fmt: skip
    headers = {
        "Cache-Control": "no-store", "Content-Security-Policy": CSP,
        "Content-Language": spoken, "X-Robots-Tag": "noindex",
    }  # fmt: skip
    return Response(html, status, headers, "text/html; charset=utf-8")


def refused(request: Request) -> Response:
    """The one response to every invalid link: nothing in it depends on the link."""
    return page(request, "refused.html", 404)


class PageRoute(GuardedRoute):
    """A route of a page: its problems are pages too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler between counting and problems."""
        usual = super(GuardedRoute, self).get_route_handler()

        async def handle(request: Request) -> Response:
            tell(request.scope, self.path_format)
            services: Services = request.app.state.services
            facts = replace(self._facts(request), asked_for=None, idempotency_key=None)
            request.state.facts = facts
            with bound_contextvars(request_id=facts.request_id):
                try:
                    services.rates.source(facts.source, signs_in=False)
                    self._check_text(request)
                    if request.method == "POST":
                        with time_of(request, services, SECONDS):
                            await self.admit(request)
                        check_type(request, FORM)
                        await read_body(request, MAX_BODY, facts.source)
                    with time_of(request, services, SECONDS):
                        response = await usual(request)
                except Aborted:
                    raise
                except Exception as error:
                    response = await run_in_threadpool(_problem, services, request, facts, error)
            response.headers["X-Request-Id"] = facts.request_id or ""
            return response

        return handle

    async def admit(self, request: Request) -> None:
        """Refuse whoever may not post here, before anything of it is read."""

    def _check_text(self, request: Request) -> None:
        for value in (*request.query_params.values(), *request.path_params.values()):
            check_text(str(value))


def _problem(
    services: Services, request: Request, facts: RequestFacts, error: Exception
) -> Response:
    """What went wrong, as a page; a refusal is written down."""
    if isinstance(error, LinkRefused):  # it was written down where it was counted
        return refused(request)
    known = error if isinstance(error, Refusal) else None
    if isinstance(error, Replay):
        known = Problem("", code="in_flight")
    if known is None and isinstance(error, HTTPException):
        known = Problem("", code="malformed")
    fault = services.fault(error) if known is None else None
    if known is None and fault is None:
        log.error("request failed", task=facts.task, error=type(error).__name__, exc_info=error)
    refusal = known or (of_fault(fault) if fault else Problem("", code="internal_error"))
    visit = getattr(request.state, "visit", None)
    if visit is not None:
        written = replace(facts, asked_for=f"link {visit.link.id}")
        outcome = "refused" if known else "failed"
        store = services.store.for_request(written)
        try:
            with services.time_allowed(time_to_record(request)):
                store.note_refusal(
                    visit.actor, "link.answer", services.now(), refusal.code, outcome
                )
        except Exception as unwritten:
            log.error("audit entry not written", task=facts.task, error=type(unwritten).__name__)
            refusal = of_fault(services.fault(unwritten))
    status = status_of(refusal)
    title, detail = say(refusal.code, refusal.detail, language(request))
    back = f"/a/{request.path_params['secret']}" if visit is not None else None
    response = page(request, "problem.html", status, heading=title, text=detail, back=back)
    if status in (429, 503):
        response.headers["Retry-After"] = retry_after(refusal)
    return response
