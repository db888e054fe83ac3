"""Liveness, readiness and metrics, at the root path, for machines."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from fastapi import Request, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Gauge,
    generate_latest,
    multiprocess,
)
from pydantic import AwareDatetime, Field

from casework.adapters.api.shared.responses import ResponseBody
from casework.adapters.api.shared.routing import File, operation
from casework.adapters.http.backlog import collected
from casework.adapters.http.metrics import forget_ended
from casework.adapters.http.responses import respond
from casework.adapters.http.routers import SubjectRouter
from casework.workflows.ports.supervision import Watched
from casework.workflows.supervision.overdue import JOB

router = SubjectRouter(tags=["operation"])
NEEDED: Final = ("database", "schema", "keys", "storage")
WANTED: Final = ("scheduler", "sending")
REPLICA: Final = {
    "replica": ("used", "Whether the replica is asked."),
    "replica_lag_seconds": (
        "lag_seconds",
        "How far the replica was behind when it was measured last.",
    ),
}
MOMENTS: Final = {
    "last_tick": "When the last tick of a scheduler was done.",
    "last_success": "When the last run was done that was not dry.",
    "next_tick": "When the next tick is due.",
}


class Alive(ResponseBody):
    """The process answers."""

    status: Literal["ok"] = Field(description="Always `ok`.")


class Readiness(ResponseBody):
    """Whether each part is well.

    `degraded` says that no scheduler ticks, that nothing is sent since the relay is paused, or that
    the replica is not asked.
    """

    status: Literal["ok", "degraded", "unready"] = Field(description="All of it in one word.")
    database: bool
    schema_: bool = Field(alias="schema")
    keys: bool
    storage: bool
    scheduler: bool
    sending: bool
    replica: bool | None = Field(
        description="Whether the replica is asked; null where there is none, or it never was."
    )
    replica_lag_seconds: float | None = Field(
        description="How far the replica was behind when it was measured last."
    )
    last_tick: AwareDatetime | None
    last_success: AwareDatetime | None
    next_tick: AwareDatetime | None


@dataclass(frozen=True)
class ReadinessProbe:
    """How readiness is reported: each part with whether it is well; and what is to be watched."""

    parts: Callable[[], dict[str, Any]]
    watched: Callable[[], Watched]


@router.get("/health/live", **operation("public", Alive))
def live() -> Response:
    """The process answers.

    Asks no database.
    """
    return respond({"status": "ok"}, 200)


@router.get("/health/ready", **operation("public", Readiness, also=503))
def ready(request: Request) -> Response:
    """It can do its work.

    Database, schema, keys and room to write, or 503. ``degraded`` while no scheduler ticks, or the
    relay is paused or the replica is not asked.

    A process without a scheduler answers as well as any other, so it stays where it is asked.
    """
    parts = request.app.state.probe.parts()
    well = all(parts[name] for name in NEEDED)
    is_whole = all(parts[name] for name in WANTED) and parts["replica"] is not False
    status = "ok" if is_whole else "degraded"
    return respond({"status": status if well else "unready"} | parts, 200 if well else 503)


@router.get(
    "/metrics",
    **operation("public", File(("text/plain",), "# HELP …")),
)
def metrics(request: Request) -> Response:
    """Metrics for Prometheus.

    In the text format of Prometheus: the process, its requests by route, the jobs and what waits.
    """
    probe: ReadinessProbe = request.app.state.probe
    parts = probe.parts()
    told = _requests() + generate_latest(_figures(parts))
    if parts["schema"]:
        told += generate_latest(collected(probe.watched()))
    return Response(told, media_type=CONTENT_TYPE_LATEST)


def _requests() -> bytes:
    """What the processes of this port counted together; a single one tells its own use as well."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest()
    forget_ended(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
    together = CollectorRegistry()
    multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return generate_latest(together)


def _figures(parts: dict[str, Any]) -> CollectorRegistry:
    """Readiness as metrics; an unknown instant has none."""
    registry = CollectorRegistry()
    ready = Gauge("casework_ready", "Whether a part is well.", ["part"], registry=registry)
    for name in (*NEEDED, *WANTED):
        ready.labels(name).set(bool(parts[name]))
    for part, (name, says) in REPLICA.items():
        if parts[part] is not None:
            Gauge(f"casework_replica_{name}", says, registry=registry).set(parts[part])
    for name, says in MOMENTS.items():
        if parts[name] is not None:
            gauge = Gauge(
                f"casework_job_{name}_timestamp_seconds", says, ["name"], registry=registry
            )
            gauge.labels(JOB).set(datetime.fromisoformat(parts[name]).timestamp())
    return registry
