"""The accounts as the command line's administrator sees them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.access.accounts import ACCOUNT, SqlAccountAdministration
from casework.adapters.persistence.audit.entry import write_audit
from casework.domain.access.policy import SYSTEM
from casework.workflows.ports.unit_of_work import RequestFacts


class SqlCommandLineAccounts(SqlAccountAdministration):
    """The accounts in one transaction of the administrator."""

    def __init__(self, connection: Connection, facts: RequestFacts) -> None:
        super().__init__(connection)
        self._facts = facts

    def every(self) -> list[dict[str, Any]]:
        query = (
            select(
                *t.account.c["id", "username", "name", "role"],
                ACCOUNT.centre_code.label("centre"),
                ACCOUNT.district_code.label("district"),
                t.provider.c.slug.label("provider"),
                ACCOUNT.is_head.label("head"),
                ACCOUNT.is_active.label("active"),
            )
            .outerjoin(t.provider, t.provider.c.id == ACCOUNT.provider_id)
            .order_by(ACCOUNT.username)
        )
        return [dict(row._mapping) for row in self._connection.execute(query)]

    def note_by_system(self, action: str, now: datetime) -> None:
        write_audit(self._connection, SYSTEM, action, now, self._facts, ())

    def commit(self) -> None:
        self._connection.commit()


@contextmanager
def command_line_accounts(engine: Engine, facts: RequestFacts) -> Iterator[SqlCommandLineAccounts]:
    """The accounts in one transaction; what is not committed is rolled back."""
    with engine.connect() as connection:
        yield SqlCommandLineAccounts(connection, facts)
