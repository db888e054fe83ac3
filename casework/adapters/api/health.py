"""Whether it lives, whether it is ready, and its metrics: at the root, for machines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from casework.adapters.api.shared.routing import operation
from casework.adapters.http.responses import respond
from casework.adapters.http.route import GuardedRoute
from casework.workflows.supervision.overdue import JOB

router = APIRouter(route_class=GuardedRoute, tags=["operation"])
NEEDED: Final = ("database", "schema", "keys")
MOMENTS: Final = {
    "last_tick": "When the last tick of a scheduler was done.",
    "last_success": "When the last run was done that was not dry.",
    "next_tick": "When the next tick is due.",
}


@dataclass(frozen=True)
class ReadinessProbe:
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
        {
            "status": "ok",
            "database": True,
            "schema": True,
            "keys": True,
            "scheduler": True,
            "last_tick": "2026-03-27T09:00:01+09:00",
            "last_success": "2026-03-27T09:00:01+09:00",
            "next_tick": "2026-03-27T09:05:00+09:00",
        },
        refuses=(503,),
    ),
)
def ready(request: Request) -> Response:
    """Database, schema revision and keys, or 503; ``degraded`` while no scheduler ticks.

    A process without a scheduler answers as well as any other, so it stays where it is asked.
    """
    parts = request.app.state.probe.parts()
    well = all(parts[name] for name in NEEDED)
    status = "ok" if parts["scheduler"] else "degraded"
    return respond({"status": status if well else "unready"} | parts, 200 if well else 503)


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Metrics for Prometheus",
    response_class=PlainTextResponse,
    **operation("public", "# HELP …", media_type="text/plain"),
)
def metrics(request: Request) -> Response:
    """In the text format of Prometheus: the process, its requests by route, and the jobs."""
    jobs = _figures(request.app.state.probe.parts())
    return Response(generate_latest() + generate_latest(jobs), media_type=CONTENT_TYPE_LATEST)


def _figures(parts: dict[str, Any]) -> CollectorRegistry:
    """What readiness knows as figures; a moment that is not known has none."""
    registry = CollectorRegistry()
    ready = Gauge("casework_ready", "Whether a part is well.", ["part"], registry=registry)
    for name in (*NEEDED, "scheduler"):
        ready.labels(name).set(bool(parts[name]))
    for name, says in MOMENTS.items():
        if parts[name] is not None:
            gauge = Gauge(
                f"casework_job_{name}_timestamp_seconds", says, ["job"], registry=registry
            )
            gauge.labels(JOB).set(datetime.fromisoformat(parts[name]).timestamp())
    return registry
