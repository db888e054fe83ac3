"""The tracer by the SDK of OpenTelemetry, which the extra ``telemetry`` installs.

It is no global one, so that no library adds spans of its own, which would hold what was asked for.
Spans are kept in a queue of limited length and sent by a thread of its own: where nobody takes them
they are dropped, and nothing waits for it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags
from structlog.contextvars import bound_contextvars

from casework.adapters.telemetry.spans import ALLOWED, Attributes, Span

SERVICE: Final = "casework"
# What is left when the process ends may take so long, and is then dropped.
ENDS_WITHIN_S: Final = 3.0


def exporting_tracer() -> SdkTracer:
    """A tracer that sends to the collector which the variables ``OTEL_…`` name."""
    return SdkTracer(BatchSpanProcessor(OTLPSpanExporter()))


class SdkTracer:
    """Makes spans, and hands them to a processor."""

    def __init__(self, processor: SpanProcessor) -> None:
        named = "OTEL_SERVICE_NAME" in os.environ or "service.name=" in os.environ.get(
            "OTEL_RESOURCE_ATTRIBUTES", ""
        )
        resource = Resource.create({} if named else {"service.name": SERVICE})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer(SERVICE)
        # It waits from now on, since a process that ends starts no thread any more.
        self._ends, self._has_ended = threading.Event(), threading.Event()
        threading.Thread(target=self._shut_down, name="telemetry", daemon=True).start()

    @contextmanager
    def span(
        self, name: str, attributes: Attributes, traceparent: str | None = None
    ) -> Iterator[Span]:
        """Around what is done inside; without a parent the log gets the id of its trace."""
        parent = _parent_of(traceparent)
        kind = SpanKind.SERVER if name == "request" else SpanKind.INTERNAL
        is_first = not trace.get_current_span().get_span_context().is_valid
        started = self._tracer.start_span(name, parent, kind, _allowed(attributes))
        current = _SdkSpan(started)
        bound = bound_contextvars(trace_id=current.trace_id) if is_first else nullcontext()
        try:
            with trace.use_span(started, False, False, False), bound:
                yield current
        except BaseException as error:
            current.fail(type(error).__name__)
            raise
        finally:
            started.end()

    def begin(self, name: str, attributes: Attributes) -> Callable[[str | None], None] | None:
        """A child of the current span, where that is recorded."""
        if not trace.get_current_span().is_recording():
            return None
        started = self._tracer.start_span(
            name, kind=SpanKind.CLIENT, attributes=_allowed(attributes)
        )

        def end(error: str | None) -> None:
            if error is not None:
                _SdkSpan(started).fail(error)
            started.end()

        return end

    def was(self, name: str, attributes: Attributes, seconds: float, error: str | None) -> None:
        """A child that is over now."""
        if not trace.get_current_span().is_recording():
            return
        now = time.time_ns()
        started = self._tracer.start_span(
            name,
            kind=SpanKind.PRODUCER,
            attributes=_allowed(attributes),
            start_time=now - int(seconds * 1e9),
        )
        if error is not None:
            _SdkSpan(started).fail(error)
        started.end(now)

    def end(self) -> None:
        """Send what is left, and wait for it for some seconds at most."""
        self._ends.set()
        self._has_ended.wait(ENDS_WITHIN_S)

    def _shut_down(self) -> None:
        self._ends.wait()
        self._provider.shutdown()
        self._has_ended.set()


class _SdkSpan:
    """A span of the SDK, to which only what is allowed is told."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def trace_id(self) -> str | None:
        return trace.format_trace_id(self._span.get_span_context().trace_id)

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def tell(self, attributes: Attributes) -> None:
        self._span.set_attributes(_allowed(attributes))

    def fail(self, error: str) -> None:
        """It failed; what was raised is never recorded, since its message may quote anything."""
        self._span.set_attribute("error.type", error)
        self._span.set_status(Status(StatusCode.ERROR))


def _allowed(attributes: Attributes) -> Attributes:
    return {name: value for name, value in attributes.items() if name in ALLOWED}


def _parent_of(traceparent: str | None) -> Context | None:
    if traceparent is None:
        return None
    _, trace_id, span_id, flags = traceparent.split("-")
    context = SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16))
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(context))
