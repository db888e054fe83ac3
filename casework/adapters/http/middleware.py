"""The outermost middleware: one log line per request, response headers, the last error handler.

Every response has the headers below and discloses nothing of an unhandled
error; the log line of a request has its method, the template of its route, how it was
answered and how long it took, and never the URL.
"""

from __future__ import annotations

import time
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog import get_logger

from casework.adapters.http.metrics import ABORTED, METHODS, tell_route
from casework.adapters.http.problems import Problem, problem

log = get_logger("casework.http")
requests = get_logger("casework.requests")  # whose lines may go to a file of their own
_NOTHING: Final = ("accelerometer", "camera", "geolocation", "microphone", "payment", "usb")
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in _NOTHING),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
A_YEAR: Final = "max-age=31536000; includeSubDomains"
OUTCOME: Final = "casework.told"


class OuterMiddleware:
    """Around everything else. ``log_requests`` writes one line for each."""

    def __init__(self, app: ASGIApp, log_requests: bool = False) -> None:
        self._app, self._log_requests = app, log_requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application; answer 500 where nothing else did."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Where nothing is answered the client went away.
        outcome: dict[str, Any] = {"status": ABORTED, "request_id": None}
        scope[OUTCOME], in_production = outcome, _in_production(scope)

        async def dress(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if in_production:
                    headers["Strict-Transport-Security"] = A_YEAR
                outcome["status"] = message["status"]
                outcome["request_id"] = headers.get("x-request-id")
                outcome["started"] = True
            await send(message)

        began = time.perf_counter()
        try:
            await self._app(scope, receive, dress)
        except Exception as error:
            log.error("request failed", error=type(error).__name__, exc_info=error)
            if "started" in outcome:
                raise ConnectionError("an answer broke off") from None  # without what was in it
            await problem(Problem("", code="internal_error"), None)(scope, receive, dress)
        finally:
            if self._log_requests:
                _write(scope, outcome, time.perf_counter() - began)


def _in_production(scope: Scope) -> bool:
    services = getattr(scope["app"].state, "services", None) if "app" in scope else None
    return bool(getattr(services, "is_production", False))


def _write(scope: Scope, outcome: dict[str, Any], seconds: float) -> None:
    requests.info(
        "request",
        method=scope["method"] if scope["method"] in METHODS else "other",
        route=outcome.get("route", "unmatched"),
        status=outcome["status"],
        ms=round(seconds * 1000, 1),
        request_id=outcome["request_id"],
    )


def tell(scope: Scope, template: str) -> None:
    """The template of the route that answers this request, for its line and its figures."""
    tell_route(scope, template)
    if OUTCOME in scope:
        scope[OUTCOME]["route"] = template
