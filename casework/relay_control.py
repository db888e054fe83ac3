"""Pausing and resuming the relay, and what waits meanwhile; each act is in the audit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, func, select, text, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.audit.entry import write_audit
from casework.adapters.persistence.notices.relay_state import (
    database_identity,
    read_relay_state,
    save_relay_state,
)
from casework.domain.access.policy import SYSTEM
from casework.domain.notices.outbox import MessageState
from casework.domain.notices.pausing import PauseReason, RelayState
from casework.workflows.ports.unit_of_work import RequestFacts

SET_ASIDE = "set_aside"
_WAITS = text("message.state = 'waiting'")


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayStatus:
    """Whether the relay is paused, since when and why; how many messages wait, the oldest since."""

    is_paused: bool
    paused_at: datetime | None
    because: PauseReason | None
    waiting: int
    oldest_at: datetime | None


def current_state(connection: Connection, now: datetime) -> RelayState:
    """The state as the next round of the relay would find it; nothing is written."""
    state = read_relay_state(connection)
    state.stands_in(database_identity(connection), now)
    return state


def status(engine: Engine, now: datetime) -> RelayStatus:
    """How it stands now."""
    message = t.message.c
    with engine.connect() as connection:
        state = current_state(connection, now)
        query = select(func.count(), func.min(message.created_at)).where(_WAITS)
        waiting, oldest = connection.execute(query).one()
    return RelayStatus(
        is_paused=state.is_paused,
        paused_at=state.paused_at,
        because=state.because,
        waiting=waiting,
        oldest_at=oldest,
    )


def pause(connection: Connection, because: PauseReason, now: datetime) -> None:
    """Let nothing be sent, in the transaction of what is the reason."""
    state = read_relay_state(connection, lock=True)
    state.pause(because, now)
    save_relay_state(connection, state)


def pause_by_operator(engine: Engine, now: datetime) -> None:
    """Let nothing be sent until `sending resume`."""
    with engine.begin() as connection:
        pause(connection, PauseReason.OPERATOR, now)
        _note(connection, "sending.pause", now, None)


def resume(engine: Engine, now: datetime, *, set_aside: bool) -> int:
    """Send again, from this database; how many messages were set aside.

    ``set_aside`` makes dead letters of what was written before the pause, since it may have been
    sent already: each can be looked at, and replayed.
    """
    with engine.begin() as connection:
        state = read_relay_state(connection, lock=True)
        state.stands_in(database_identity(connection), now)
        gone = _set_aside(connection, state.paused_at) if set_aside and state.paused_at else 0
        state.resume(database_identity(connection))
        save_relay_state(connection, state)
        _note(connection, "sending.resume", now, f"{gone} set aside")
    return gone


def _set_aside(connection: Connection, before: datetime) -> int:
    old = update(t.message).where(_WAITS, t.message.c.created_at < before)
    return connection.execute(
        old.values(state=MessageState.DEAD, error=SET_ASIDE, leased_until=None)
    ).rowcount


def _note(connection: Connection, action: str, now: datetime, asked_for: str | None) -> None:
    facts = RequestFacts(task=f"casework {action.replace('.', ' ')}", asked_for=asked_for)
    write_audit(connection, SYSTEM, action, now, facts, ())
