"""Reading at a replica: the repositories on a connection that shows what was some seconds ago."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from structlog import get_logger

from casework.adapters.persistence.engine.replica import Mark, Replica
from casework.adapters.persistence.scope import session_context
from casework.adapters.persistence.scope.subjects import Subjects
from casework.adapters.persistence.unit_of_work.reading import SqlReading
from casework.domain.access.policy import Scope
from casework.workflows.ports.unit_of_work import Reading

log = get_logger("casework")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """What was read, and whom it was about."""

    value: T
    about: Subjects


def read_at(
    replica: Replica,
    mark: Mark,
    scope: Scope,
    action: str,
    now: datetime,
    read: Callable[[Reading], T],
) -> Found[T] | None:
    """What ``read`` finds at a replica, behind the same policies; None where it failed there.

    A refusal is such a failure as well: what it says is not there may have come since.
    """
    about = Subjects()
    try:
        with replica.connect(mark) as (connection, behind):
            session_context.set_session_context(connection, scope, action, now)
            value = read(SqlReading(connection, scope, now, about, as_of=now - behind))
    except Exception as error:
        log.info("read at the primary instead", error=type(error).__name__)
        return None
    return Found(value, about)
