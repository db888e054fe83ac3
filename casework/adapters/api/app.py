"""The application: its routers, its limits, its documents."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

from casework.adapters.api.routers import (
    caseload,
    cases,
    directory,
    health,
    jobs,
    plans,
    referrals,
    residents,
    signing,
    supervision,
    worklist,
)
from casework.adapters.http.call import Services, routes_without_entry
from casework.adapters.http.limits import BodyLimit
from casework.adapters.http.problems import Problem, problem
from casework.domain.errors import NotFound

BASE = "/api/v1"
ROUTERS: tuple[APIRouter, ...] = (
    signing.router,
    directory.router,
    residents.router,
    cases.router,
    plans.router,
    caseload.router,
    referrals.router,
    worklist.router,
    supervision.router,
    jobs.router,
)


def create_app(services: Services, probe: health.Probe) -> FastAPI:
    """The HTTP application. Refuses to exist while a route has no entry in the policy."""
    app = FastAPI(title="casework", version="1", openapi_url=f"{BASE}/openapi.json",
                  docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.services, app.state.probe = services, probe
    ungoverned = routes_without_entry(
        [route for router in (*ROUTERS, health.router) for route in router.routes])
    if ungoverned:
        raise RuntimeError(f"routes without an entry in the policy: {', '.join(ungoverned)}")
    for router in ROUTERS:
        app.include_router(router, prefix=BASE)
    app.include_router(health.router)
    app.add_middleware(BodyLimit)
    app.add_exception_handler(404, _absent)
    app.add_exception_handler(405, _wrong_method)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    return app


def _absent(request: Request, _error: Exception) -> Response:
    return problem(NotFound("no such path"), request.headers.get("accept-language"))


def _wrong_method(request: Request, _error: Exception) -> Response:
    refusal = Problem("this path has no such method", code="method_not_allowed")
    return problem(refusal, request.headers.get("accept-language"))


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document with its security scheme and the shape of problems."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes,
                               summary="Integrated community care: cases, referrals, clocks")
        parts = document.setdefault("components", {})
        parts["securitySchemes"] = {"bearer": {"type": "oauth2", "flows": {
            "password": {"tokenUrl": f"{BASE}/auth/token", "scopes": {}}}}}
        parts.setdefault("schemas", {})["Problem"] = {
            "type": "object", "required": ["type", "title", "status", "code"],
            "properties": {"type": {"type": "string"}, "title": {"type": "string"},
                           "status": {"type": "integer"}, "detail": {"type": "string"},
                           "code": {"type": "string"}, "state": {"type": "string"},
                           "allowed_actions": {"type": "array", "items": {"type": "string"}},
                           "errors": {"type": "array", "items": {"type": "object"}}}}
        document["security"] = [{"bearer": []}]
        app.openapi_schema = document
    return app.openapi_schema
