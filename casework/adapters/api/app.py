"""The application: its routers, its limits, its documents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from anyio import to_thread
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.telemetry import TelemetryConfig

from casework.adapters.api import health
from casework.adapters.api.access import account_routes, own_account_routes, sign_in_routes
from casework.adapters.api.agencies import inbox_routes, link_routes, staff_routes
from casework.adapters.api.audit import routes as audit_routes
from casework.adapters.api.cases import (
    absence_routes,
    caseload_routes,
    retention_routes,
    summary_routes,
)
from casework.adapters.api.cases import routes as case_routes
from casework.adapters.api.directory import (
    capacity_routes,
    catalogue_routes,
    editing_routes,
    matching_routes,
)
from casework.adapters.api.directory import routes as directory_routes
from casework.adapters.api.duplicates import routes as duplicate_routes
from casework.adapters.api.exchange import export_routes, import_routes
from casework.adapters.api.figures import routes as figures_routes
from casework.adapters.api.notices import routes as notice_routes
from casework.adapters.api.planning import conference_routes
from casework.adapters.api.planning import routes as plan_routes
from casework.adapters.api.privacy import access_request_routes, break_glass_routes
from casework.adapters.api.programme import routes as programme_routes
from casework.adapters.api.referring import routes as referral_routes
from casework.adapters.api.residents import household_routes, note_routes
from casework.adapters.api.residents import routes as resident_routes
from casework.adapters.api.shared.document import document
from casework.adapters.api.supervision import job_routes, standard_routes, worklist_routes
from casework.adapters.api.supervision import routes as supervision_routes
from casework.adapters.http.bodies import BodyMiddleware
from casework.adapters.http.garbage import put_aside
from casework.adapters.http.metrics import MetricsMiddleware
from casework.adapters.http.middleware import OuterMiddleware
from casework.adapters.http.problems import Problem, problem
from casework.adapters.http.route import routes_without_entry
from casework.adapters.http.services import Services
from casework.domain.errors import NotFound

BASE = "/api/v1"
NO_TELEMETRY: Final[TelemetryConfig] = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
ROUTERS: tuple[APIRouter, ...] = (
    sign_in_routes.router,
    own_account_routes.router,
    account_routes.router,
    directory_routes.router,
    capacity_routes.router,
    matching_routes.router,
    editing_routes.router,
    catalogue_routes.router,
    resident_routes.router,
    note_routes.router,
    duplicate_routes.router,
    household_routes.router,
    case_routes.router,
    plan_routes.router,
    conference_routes.router,
    caseload_routes.router,
    retention_routes.router,
    absence_routes.router,
    summary_routes.router,
    referral_routes.router,
    link_routes.router,
    worklist_routes.router,
    inbox_routes.router,
    staff_routes.router,
    supervision_routes.router,
    figures_routes.router,
    job_routes.router,
    notice_routes.router,
    standard_routes.router,
    break_glass_routes.router,
    access_request_routes.router,
    audit_routes.router,
    import_routes.files,
    import_routes.router,
    export_routes.router,
    programme_routes.router,
)


def create_app(
    services: Services,
    probe: health.ReadinessProbe,
    pages: APIRouter | None = None,
    threads: int = 8,
    *,
    log_requests: bool = False,
) -> FastAPI:
    """The HTTP application. Raises where a route has no entry in the access policy.

    ``pages`` are those of agencies that answer without an account.
    ``threads`` requests are handled at once: as many as there are connections.
    """

    @asynccontextmanager
    async def living(_app: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = threads
        put_aside()
        yield

    app = FastAPI(
        title="casework",
        version="1",
        openapi_url=f"{BASE}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=living,
        # Its own spans would hold paths, queries and what failed with which message.
        telemetry=NO_TELEMETRY,
    )
    app.state.services, app.state.probe = services, probe
    ungoverned = routes_without_entry(
        [
            route
            for router in (*ROUTERS, health.router, *([pages] if pages else []))
            for route in router.routes
        ]
    )
    if ungoverned:
        raise RuntimeError(f"routes without an entry in the policy: {', '.join(ungoverned)}")
    for router in ROUTERS:
        app.include_router(router, prefix=BASE)
    app.include_router(health.router)
    if pages is not None:
        app.include_router(pages, include_in_schema=False)
    app.add_middleware(BodyMiddleware)
    app.add_middleware(MetricsMiddleware)
    app.add_middleware(OuterMiddleware, log_requests=log_requests)
    app.add_exception_handler(404, _absent)
    app.add_exception_handler(405, _wrong_method)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    return app


def _absent(request: Request, _error: Exception) -> Response:
    return problem(NotFound("no such path"), request.headers.get("accept-language"))


def _wrong_method(request: Request, error: Exception) -> Response:
    refusal = Problem("this path has no such method", code="method_not_allowed")
    response = problem(refusal, request.headers.get("accept-language"))
    response.headers.update(getattr(error, "headers", None) or {})
    return response


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, built at the first request for it."""
    if app.openapi_schema is None:
        app.openapi_schema = document(app, f"{BASE}/auth/token")
    return app.openapi_schema
