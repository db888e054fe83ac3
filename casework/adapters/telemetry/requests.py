"""A span for each request: its method, the template of its route and its status, never the URL."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casework.adapters.telemetry.spans import in_use

# Version, trace, parent and flags, as W3C Trace Context has them.
_TRACEPARENT: Final = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
ABORTED: Final = 499


class TracedRequests:
    """Around the application: ``route_of`` tells the route once the request was answered.

    Paths of ``quiet`` are asked for by machines every few seconds, and are not traced. Where the
    proxy sets the header itself it ``continues`` its traces: else whoever asks could choose an id,
    and what is traced. ``tracestate`` and ``baggage``, which are any text, are never read.
    """

    def __init__(
        self,
        app: ASGIApp,
        route_of: Callable[[Scope], tuple[str, str]],
        quiet: frozenset[str],
        *,
        continues: bool,
    ) -> None:
        self._app, self._route_of, self._quiet = app, route_of, quiet
        self._continues = continues

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application within a span."""
        tracer = in_use()
        if scope["type"] != "http" or tracer is None or scope["path"] in self._quiet:
            await self._app(scope, receive, send)
            return
        answered: dict[str, Any] = {"status": ABORTED}

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered["status"] = message["status"]
            await send(message)

        with tracer.span("request", {}, self._parent_of(scope)) as span:
            try:
                await self._app(scope, receive, note)
            finally:
                method, route = self._route_of(scope)
                status = answered["status"]
                span.rename(f"{method} {route}")
                span.tell({"http.request.method": method, "http.route": route})
                span.tell({"http.response.status_code": status})
                if status >= 500:
                    span.fail(str(status))

    def _parent_of(self, scope: Scope) -> str | None:
        """The one ``traceparent`` header, if it is believed and is one at all."""
        given = [value for name, value in scope["headers"] if name == b"traceparent"]
        if not self._continues or len(given) != 1 or not _TRACEPARENT.fullmatch(given[0]):
            return None
        return bytes(given[0]).decode("ascii")
