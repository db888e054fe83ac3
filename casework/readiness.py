"""What readiness says: each component and whether it works."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text
from structlog import get_logger

from casework import key_ring, relay_control
from casework.adapters.persistence.engine.replica import Replica
from casework.adapters.persistence.schema import migrations
from casework.adapters.persistence.schema.storage import has_room
from casework.adapters.vault import KeyVault, RingError
from casework.domain.access.policy import EVERYTHING
from casework.domain.clocks.calendar import SEOUL
from casework.domain.clocks.schedule import is_late, next_slot
from casework.operations import Installation
from casework.workflows.ports.paging import Row
from casework.workflows.supervision.overdue import JOB

log = get_logger("casework")


def readiness(of: Installation) -> dict[str, Any]:
    """Each component and whether it works; the scheduler's last and next tick."""
    now, minutes = of.now(), of.settings.sweep_minutes
    parts: dict[str, Any] = {
        "database": False,
        "schema": False,
        "keys": _keys_open(of.vault),
        "storage": False,
        "scheduler": False,
        "sending": False,
        "replica": None,
        "replica_lag_seconds": None,
        "last_tick": None,
        "last_success": None,
        "next_tick": next_slot(now, minutes).astimezone(SEOUL).isoformat(),
    }
    if of.store.replica is not None:
        parts |= _replica_state(of.store.replica)
    try:
        with of.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        parts["database"] = True
        parts["schema"] = migrations.is_current(of.engine)
        parts["keys"] = parts["keys"] and not key_ring.unopened(of.vault, of.engine)
        if parts["schema"]:
            parts |= _scheduler_state(of, now)
            with of.engine.connect() as connection:
                parts["sending"] = not relay_control.current_state(connection, now).is_paused
            least = of.settings.min_free_mb * 2**20
            parts["storage"] = has_room(of.engine, [of.settings.data_dir], least, now)
    except Exception as error:
        log.warning("not ready", error=type(error).__name__)
    return parts


def _scheduler_state(of: Installation, now: datetime) -> dict[str, Any]:
    with of.store.showing(EVERYTHING, now) as reading:
        job = reading.jobs.get(JOB)
    tick, success = job.last_tick, job.last_success
    last = tick["ended_at"] if tick else None
    return {
        "scheduler": not is_late(last, of.built_at, now, of.settings.sweep_minutes),
        "last_tick": _ended(tick),
        "last_success": _ended(success),
    }


def _replica_state(replica: Replica) -> dict[str, Any]:
    """As it was last measured, which is now done again aside: nobody waits for a replica."""
    replica.look_aside()
    behind = replica.behind
    return {
        "replica": replica.is_used,
        "replica_lag_seconds": None if behind is None else round(behind.total_seconds(), 3),
    }


def _ended(run: Row | None) -> str | None:
    """When a run ended, in Seoul."""
    return run["ended_at"].astimezone(SEOUL).isoformat() if run else None


def _keys_open(vault: KeyVault) -> bool:
    try:
        vault.check()
    except RingError as error:
        log.warning("no keys", reason=str(error))
        return False
    return True
