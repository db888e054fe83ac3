"""Deleting what is older than its time, kind by kind; or only counting it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, Engine

from casework import operations
from casework.adapters.persistence.audit.entry import write_audit
from casework.adapters.persistence.casefile.past_retention import schedules
from casework.adapters.persistence.exchange import old_cases
from casework.adapters.persistence.exchange.old_files import delete_old_files
from casework.adapters.persistence.scope import session_context
from casework.bootstrap import Application
from casework.domain.access.policy import SYSTEM
from casework.domain.casefile.retained import closed_before
from casework.domain.clocks.calendar import day_in_seoul
from casework.domain.errors import Refusal
from casework.domain.exchange.retention import (
    Expired,
    ExpiredCases,
    RetainedKind,
    cases_closed_before,
    retained_since,
)
from casework.workflows.access import accounts
from casework.workflows.ports.unit_of_work import RequestFacts

TASK: Final = "casework retention run"
# How many cases one transaction deletes, with everything they consist of.
CASES: Final = 100
Told = Callable[[int], None]


def run(of: Application, *, dry_run: bool, tell: Told = lambda _count: None) -> list[Expired]:
    """Delete what is older than its time, as the owner of the tables; ``dry_run`` only counts it.

    What is refused of one kind, as a log that was tampered with is, stops no other. ``tell`` is
    told how many cases each transaction deleted.
    """
    settings = of.settings
    since = retained_since(of.now(), settings.audit_years, settings.files_days)
    done = [_expired(of, kind, before, dry_run) for kind, before in since.items()]
    return [*done, closed_cases(of, dry_run=dry_run, tell=tell)]


def count_old_cases(of: Application) -> int:
    """How many closed cases the next run deletes."""
    with operations.as_owner(of) as owner:
        return sum(one.found for one in _due(owner, of.now()))


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


def closed_cases(of: Application, *, dry_run: bool, tell: Told = lambda _count: None) -> Expired:
    """Delete the closed cases that are past their district's years, as the owner of the tables."""
    with operations.as_owner(of) as owner:
        due = _due(owner, of.now())
        if not dry_run:
            due = [_delete_cases(owner, one, of.now, tell) for one in due]
            _delete_notices(owner)
    return Expired(
        kind=RetainedKind.CLOSED_CASES,
        before=closed_before(of.now(), None),
        found=sum(one.found for one in due),
        deleted=sum(one.deleted for one in due),
        districts=tuple(due),
    )


def _due(owner: Engine, now: datetime) -> list[ExpiredCases]:
    """The districts that have closed cases past their time, held ones too."""
    found = []
    with owner.connect() as connection:
        session_context.set_system_context(connection)
        bounds = cases_closed_before(now, schedules(connection))
        for code, (years, before) in bounds.items():
            old = old_cases.count_old_cases(connection, code, before)
            if old.found or old.held:
                found.append(
                    ExpiredCases(
                        district_code=code,
                        years=years,
                        before=before,
                        found=old.found,
                        held=old.held,
                        oldest_on=old.oldest and day_in_seoul(old.oldest),
                    )
                )
    return found


def _delete_cases(
    owner: Engine, due: ExpiredCases, now: Callable[[], datetime], tell: Told
) -> ExpiredCases:
    """Batch by batch, each with the entries of the audit that name its cases and residents."""
    last: UUID | None = None
    while True:
        with owner.begin() as connection:
            session_context.set_system_context(connection)
            some = old_cases.delete_old_cases(
                connection, due.district_code, due.before, last, CASES
            )
            if some is None:
                return due
            _note(connection, some, now())
        last = some.last
        due = replace(
            due,
            deleted=due.deleted + len(some.cases),
            residents=due.residents + len(some.residents),
        )
        tell(len(some.cases))


def _note(connection: Connection, some: old_cases.DeletedCases, now: datetime) -> None:
    for number, resident_id in some.cases:
        facts = RequestFacts(task=TASK, asked_for=number)
        write_audit(connection, SYSTEM, "case.prune", now, facts, (resident_id,))
    if some.residents:
        facts = RequestFacts(task=TASK)
        write_audit(connection, SYSTEM, "resident.prune", now, facts, some.residents)


def _delete_notices(owner: Engine) -> None:
    with owner.begin() as connection:
        session_context.set_system_context(connection)
        old_cases.delete_notices_of_no_case(connection)
