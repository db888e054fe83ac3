"""The accounts as those who keep them see them, with what each belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from casework.adapters.persistence import asking
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.accounts import SqlAccountBook
from casework.adapters.persistence.faults import is_taken
from casework.adapters.persistence.mapper import to_row
from casework.adapters.persistence.store import write_audit
from casework.domain.access import SYSTEM
from casework.domain.accounts import Account
from casework.domain.errors import Conflict
from casework.workflows.ports import RequestFacts

ACCOUNT = t.account.c


class SqlAccountRegister(SqlAccountBook):
    """The accounts in one transaction of their keeper."""

    def add(self, account: Account) -> None:
        """A new account."""
        try:
            self._connection.execute(insert(t.account), [to_row(account)])
        except IntegrityError as error:
            if is_taken(error):
                raise Conflict(
                    f"there is an account {account.username!r}", code="username_taken"
                ) from None
            raise

    def save(self, account: Account) -> None:
        """A changed account."""
        row = to_row(account)
        self._connection.execute(update(t.account).where(ACCOUNT.id == row.pop("id")).values(**row))

    def sign_out(self, account_id: UUID, now: datetime) -> None:
        """Void every refresh token of an account."""
        token = t.refresh_token
        self._connection.execute(
            update(token)
            .where(token.c.account_id == account_id, token.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )

    def district_of(self, centre_code: str) -> str | None:
        """The district of a centre."""
        query = select(t.centre.c.district_code).where(t.centre.c.code == centre_code)
        found: str | None = self._connection.scalar(query)
        return found

    def has_district(self, code: str) -> bool:
        """Whether there is that district."""
        query = select(t.district.c.code).where(t.district.c.code == code)
        return self._connection.scalar(query) is not None

    def provider_id(self, slug: str) -> UUID | None:
        """The active agency of that slug."""
        agency = t.provider.c
        query = select(agency.id).where(agency.slug == slug, agency.is_active)
        found: UUID | None = self._connection.scalar(query)
        return found

    def open_cases(self, account_id: UUID) -> int:
        """How many open cases an account carries."""
        case = t.care_case.c
        asking.state_system(self._connection)
        query = select(func.count()).where(case.worker_id == account_id, case.status != "closed")
        return self._connection.scalar(query) or 0

    def every(self) -> list[dict[str, Any]]:
        """Every account, by user name."""
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
        """The audit entry, which names the account by what was asked for."""
        write_audit(self._connection, SYSTEM, action, now, self._facts, ())


@contextmanager
def account_register(engine: Engine, facts: RequestFacts) -> Iterator[SqlAccountRegister]:
    """The accounts in one transaction; what is not committed is rolled back."""
    with engine.connect() as connection:
        yield SqlAccountRegister(connection, facts)
