"""A span for each statement of whatever is traced: its text without a single value."""

from __future__ import annotations

import re
from typing import Any, Final
from weakref import WeakSet

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from casework.adapters.telemetry.spans import in_use

LONGEST: Final = 2000
OPERATIONS: Final = frozenset({
    "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "BEGIN", "SET", "PRAGMA", "SAVEPOINT",
    "RELEASE", "ROLLBACK", "LOCK",
})  # fmt: skip
_SPAN: Final = "casework_span"
_TRACED: Final[WeakSet[Engine]] = WeakSet()
# Comments, texts with escapes, dollar quotes, texts, and numbers that are no part of a name. A text
# that does not end goes on to the end of the statement.
_VALUE: Final = re.compile(
    r"""--[^\n]* | /\*.*?(?:\*/|\Z)
    | \b[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z)
    | \$(\w*)\$.*?(?:\$\1\$|\Z)
    | '(?:[^']|'')*(?:'|\Z)
    | (?<![\w$.])\d[\w.]*""",
    re.VERBOSE | re.DOTALL,
)
_NAME: Final = re.compile(r'"((?:[^"]|"")*)(?:"|\Z)')
_NOT_ASCII: Final = re.compile(r"[^\x20-\x7e]+")
_SPACES: Final = re.compile(r"\s+")


def without_values(statement: str) -> str:
    """A statement with ``?`` for each value that stands in it; its parameters never do."""
    text = _NAME.sub(_plain_name, _VALUE.sub("?", statement))
    return _NOT_ASCII.sub("?", _SPACES.sub(" ", text)).strip()[:LONGEST]


def _plain_name(name: re.Match[str]) -> str:
    """A name in quotation marks as it is, if it can be one of ours."""
    return name[0] if re.fullmatch(r"\w+", name[1], re.ASCII) else '"?"'


def operation_of(statement: str) -> str:
    """Its first word, if it is one of those we use."""
    word = statement.lstrip("( \n").partition(" ")[0].upper()
    return word if word in OPERATIONS else "other"


def trace_statements(engine: Engine) -> None:
    """Trace every statement of an engine that is sent within another span; once for each."""
    if engine in _TRACED:
        return
    _TRACED.add(engine)
    system = {"postgresql": "postgresql", "sqlite": "sqlite"}.get(engine.dialect.name, "other_sql")

    @event.listens_for(engine, "before_cursor_execute")
    def begin(
        _connection: Any, _cursor: Any, statement: str, _given: Any, context: Any, _many: bool
    ) -> None:
        tracer = in_use()
        if tracer is None or context is None:
            return
        name = operation_of(statement)
        attributes = {
            "db.system.name": system,
            "db.operation.name": name,
            "db.query.text": without_values(statement),
        }
        setattr(context, _SPAN, tracer.begin(name, attributes))

    @event.listens_for(engine, "after_cursor_execute")
    def end(
        _connection: Any, _cursor: Any, _statement: str, _given: Any, context: Any, _many: bool
    ) -> None:
        _end(context, None)

    @event.listens_for(engine, "handle_error")
    def fail(of: ExceptionContext) -> None:
        _end(of.execution_context, type(of.original_exception).__name__)


def _end(context: Any, error: str | None) -> None:
    end = getattr(context, _SPAN, None)
    if end is not None:
        setattr(context, _SPAN, None)
        end(error)
