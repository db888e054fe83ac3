"""Traces, where they are asked for: spans of requests, statements, jobs and messages.

Nothing of the SDK of OpenTelemetry is imported with this package, which is not installed where
nobody asks for traces: only ``tracer`` needs it.
"""

from casework.adapters.telemetry.spans import span, traced

__all__ = ["span", "traced"]
