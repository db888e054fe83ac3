"""Whether it lives, whether it is ready, and its metrics: at the root, for machines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from casework.adapters.api.routing import operation
from casework.adapters.http.call import Guarded, respond

router = APIRouter(route_class=Guarded, tags=["operation"])


@dataclass(frozen=True)
class Probe:
    """How readiness is told: each part with whether it is well."""

    parts: Callable[[], dict[str, Any]]


@router.get(
    "/health/live",
    operation_id="live",
    summary="The process answers",
    **operation("public", {"status": "ok"}),
)
def live() -> Response:
    """Asks no database."""
    return respond({"status": "ok"}, 200)


@router.get(
    "/health/ready",
    operation_id="ready",
    summary="It can do its work",
    **operation(
        "public",
        {"status": "ok", "database": True, "schema": True, "keys": True, "last_tick": None},
        refuses=(503,),
    ),
)
def ready(request: Request) -> Response:
    """Database, schema revision, keys and the last tick of the scheduler."""
    parts = request.app.state.probe.parts()
    well = all(parts[name] for name in ("database", "schema", "keys"))
    return respond({"status": "ok" if well else "unready"} | parts, 200 if well else 503)


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Metrics for Prometheus",
    **operation("public", "# HELP …"),
)
def metrics() -> Response:
    """In the text format of Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
