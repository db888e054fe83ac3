"""What the rest of the application says to be traced, which costs nothing while nobody traces.

As with logging there is one tracer for the process. A span has the attributes listed here and no
others: no id, no name and nothing that a client sent can get into one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any, Final, ParamSpec, Protocol, TypeVar

Value = str | int | float | bool
Attributes = Mapping[str, Value]
P = ParamSpec("P")
T = TypeVar("T")
ALLOWED: Final = frozenset({
    "http.request.method", "http.route", "http.response.status_code", "error.type",
    "db.system.name", "db.operation.name", "db.query.text",
    "casework.job", "casework.message.kind", "casework.message.to", "casework.message.tries",
    "casework.found", "casework.changed", "casework.failed",
    "casework.addressed", "casework.digests", "casework.sent", "casework.dead",
})  # fmt: skip


class Span(Protocol):
    """A span that goes on."""

    @property
    def trace_id(self) -> str | None:
        """The id of its trace, as 32 hexadecimal digits; None where nobody traces."""
        ...

    def rename(self, name: str) -> None:
        """Give it the name that is known only now."""
        ...

    def tell(self, attributes: Attributes) -> None:
        """Add attributes; those that are not allowed are left out."""
        ...

    def fail(self, error: str) -> None:
        """It failed, with a type of error or a code, never a message."""
        ...


class Tracer(Protocol):
    """Makes spans and sends them, whatever comes of that."""

    def span(
        self, name: str, attributes: Attributes, traceparent: str | None = None
    ) -> AbstractContextManager[Span]:
        """A span around what is done inside, child of the one around it or of a ``traceparent``.

        One that is nobody's child puts the id of its trace into each line of the log.
        """
        ...

    def begin(self, name: str, attributes: Attributes) -> Callable[[str | None], None] | None:
        """A child of the span around it, ended by a call with its error; None without parent."""
        ...

    def was(self, name: str, attributes: Attributes, seconds: float, error: str | None) -> None:
        """A child that is over now, and took so long."""
        ...

    def end(self) -> None:
        """Send what is left, for some seconds at most."""
        ...


class Nothing:
    """The span of what nobody traces."""

    trace_id = None

    def rename(self, name: str) -> None:
        """Nothing is renamed."""

    def tell(self, attributes: Attributes) -> None:
        """Nothing is told."""

    def fail(self, error: str) -> None:
        """Nothing is told."""


_NOTHING: Final = Nothing()
_in_use: Final[list[Tracer]] = []


def use(tracer: Tracer | None) -> None:
    """Let this process trace by a tracer, or by none any more."""
    _in_use[:] = [] if tracer is None else [tracer]


def in_use() -> Tracer | None:
    """The tracer of this process."""
    return _in_use[0] if _in_use else None


@contextmanager
def span(name: str, attributes: Attributes | None = None) -> Iterator[Span]:
    """A span around what is done inside, where anybody traces."""
    tracer = in_use()
    if tracer is None:
        yield _NOTHING
        return
    with tracer.span(name, attributes or {}) as current:
        yield current


def traced(name: str, *counts: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A span around each call, which tells these counts of its result."""

    def wrap(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            with span(name) as current:
                result: Any = function(*args, **kwargs)
                if result is not None:
                    current.tell({f"casework.{one}": getattr(result, one) for one in counts})
            return result  # type: ignore[no-any-return]

        return call

    return wrap
