"""Tracing the wired application, where the settings ask for it: nothing in it knows of that."""

from __future__ import annotations

import atexit
from typing import Protocol

from sqlalchemy import Engine
from starlette.types import ASGIApp, Scope

from casework.adapters.persistence.unit_of_work.store import SqlStore
from casework.adapters.telemetry import spans
from casework.adapters.telemetry.messages import TracedTransport
from casework.adapters.telemetry.spans import Tracer
from casework.adapters.telemetry.statements import trace_statements
from casework.settings import Settings, SettingsError
from casework.workflows.ports.notices import Transport


class Traceable(Protocol):
    """What is traced of an application."""

    transport: Transport

    @property
    def settings(self) -> Settings:
        """Its settings."""
        ...

    @property
    def engine(self) -> Engine:
        """Its database engine."""
        ...

    @property
    def store(self) -> SqlStore:
        """Its transactions."""
        ...


def begin(of: Traceable) -> None:
    """Trace from now on until the process ends, where that is asked for. Raises SettingsError."""
    if of.settings.otel_traces == "off" or spans.in_use() is not None:
        return
    try:
        from casework.adapters.telemetry.tracer import exporting_tracer
    except ImportError:
        raise SettingsError(
            "CASEWORK_OTEL_TRACES=on needs what the extra `telemetry` installs"
            " (requirements-telemetry.lock)"
        ) from None
    tracer = exporting_tracer()
    trace_by(of, tracer)
    atexit.register(tracer.end)


def trace_by(of: Traceable, tracer: Tracer) -> None:
    """Let a tracer see the statements and messages of an application, and what it spans itself."""
    spans.use(tracer)
    trace_statements(of.engine)
    if of.store.replica is not None:
        trace_statements(of.store.replica.engine)
    of.transport = TracedTransport(of.transport)


def around(app: ASGIApp, settings: Settings) -> ASGIApp:
    """The application within the spans of its requests; itself, where nobody traces."""
    if spans.in_use() is None:
        return app
    # Imported here, since only what serves has requests.
    from casework.adapters.http.metrics import told_of
    from casework.adapters.http.route import UNCOUNTED
    from casework.adapters.telemetry.requests import TracedRequests

    def route_of(scope: Scope) -> tuple[str, str]:
        return told_of(scope)

    continues = settings.otel_traceparent == "trusted"
    return TracedRequests(app, route_of, UNCOUNTED, continues=continues)
