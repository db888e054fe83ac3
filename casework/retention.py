"""Deleting what is older than its time, kind by kind; or only counting it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine

from casework import operations
from casework.adapters.persistence.audit.entry import write_audit
from casework.adapters.persistence.exchange.old_files import delete_old_files
from casework.adapters.persistence.scope import session_context
from casework.bootstrap import Application
from casework.domain.access.policy import SYSTEM
from casework.domain.errors import Refusal
from casework.domain.exchange.retention import Expired, RetainedKind, retained_since
from casework.workflows.access import accounts
from casework.workflows.ports.unit_of_work import RequestFacts

TASK = "casework retention run"


def run(of: Application, *, dry_run: bool) -> list[Expired]:
    """Delete what is older than its time, as the owner of the tables; ``dry_run`` only counts it.

    What is refused of one kind, as a log that was tampered with is, stops no other.
    """
    settings = of.settings
    since = retained_since(of.now(), settings.audit_years, settings.files_days)
    return [_expired(of, kind, before, dry_run) for kind, before in since.items()]


def _expired(of: Application, kind: RetainedKind, before: datetime, dry_run: bool) -> Expired:
    deletes: dict[RetainedKind, Callable[[Application, datetime, bool], int]] = {
        RetainedKind.ACCESS_RECORDS: _access_records,
        RetainedKind.RIGHTS_RECORDS: _rights_records,
        RetainedKind.FILES: _files,
    }
    try:
        found = deletes[kind](of, before, dry_run)
    except Refusal as refusal:
        return Expired(kind=kind, before=before, found=0, deleted=0, error=refusal.code)
    return Expired(kind=kind, before=before, found=found, deleted=0 if dry_run else found)


def _access_records(of: Application, before: datetime, dry_run: bool) -> int:
    if dry_run:
        return operations.prunable_audit(of, before)
    return operations.prune_audit(of, before)


def _rights_records(of: Application, before: datetime, dry_run: bool) -> int:
    register = of.register(TASK, as_owner=True)
    return accounts.prune_history(register, before, dry_run=dry_run)


def _files(of: Application, before: datetime, dry_run: bool) -> int:
    with operations.as_owner(of) as owner:
        return _delete_files(owner, before, of.now(), dry_run)


def _delete_files(owner: Engine, before: datetime, now: datetime, dry_run: bool) -> int:
    with owner.connect() as connection:
        session_context.set_system_context(connection)
        gone = delete_old_files(connection, before)
        if dry_run or not gone:
            connection.rollback()
            return gone
        facts = RequestFacts(task=TASK, asked_for=f"{gone} rows before {before.isoformat()}")
        write_audit(connection, SYSTEM, "import.prune", now, facts, ())
        connection.commit()
    return gone
