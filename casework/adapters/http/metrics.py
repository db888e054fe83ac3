"""Figures of the process for Prometheus: its requests by method, route and status, its connections.

None is by path or person.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Final

from prometheus_client import Counter, Gauge, Histogram, multiprocess
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEASURED: Final = "casework.measured"
UNMATCHED: Final = "unmatched"
# The client went away unanswered: no failure of ours.
ABORTED: Final = 499
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
REQUESTS: Final = Counter(
    "casework_requests", "Requests that were answered.", ["method", "route", "status"]
)
SECONDS: Final = Histogram(
    "casework_request_seconds", "How long they took, in seconds.", ["method", "route"]
)
# Of the processes of one port that are there, added up.
STALE_READS: Final = Counter(
    "casework_stale_reads",
    "Answers that may be some seconds old, by where they were read: replica or primary.",
    ["source"],
)
CONNECTIONS: Final = Gauge(
    "casework_connections_in_use",
    "Connections to the database that are in use.",
    multiprocess_mode="livesum",
)
CONNECTIONS_AT_MOST: Final = Gauge(
    "casework_connections_at_most",
    "How many there can be.",
    multiprocess_mode="livesum",
)


class MetricsMiddleware:
    """Counts each request under the template of its route, which the route itself tells."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, and count the response status; 500 where it failed without."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        outcome: dict[str, Any] = {"route": UNMATCHED, "status": ABORTED}
        scope[MEASURED] = outcome

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                outcome["status"] = message["status"]
            await send(message)

        began = time.perf_counter()
        try:
            await self._app(scope, receive, note)
        except Exception:
            outcome["status"] = 500
            raise
        finally:
            # The client chooses the method: unknown ones would make unbounded label values.
            method, route = told_of(scope)
            REQUESTS.labels(method, route, str(outcome["status"])).inc()
            SECONDS.labels(method, route).observe(time.perf_counter() - began)


def told_of(scope: Scope) -> tuple[str, str]:
    """Method and route of a request as they may be told, once it was answered."""
    method = scope["method"] if scope["method"] in METHODS else "other"
    return method, scope.get(MEASURED, {}).get("route", UNMATCHED)


def tell_route(scope: Scope, template: str) -> None:
    """The template of the route that answers this request, such as ``/cases/{id}``."""
    if MEASURED in scope:
        scope[MEASURED]["route"] = template


def forget_ended(folder: Path) -> None:
    """Leave out what only processes that are there may say, of those that are not."""
    for pid in {int(one.stem.rpartition("_")[2]) for one in folder.glob("gauge_live*_*.db")}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            multiprocess.mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
        except PermissionError:
            continue
