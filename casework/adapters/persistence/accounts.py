"""Accounts, refresh tokens, and how often signing in failed from where."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.mapper import from_row
from casework.adapters.persistence.store import write_audit
from casework.domain.accounts import LOCKED_FOR, Account
from casework.workflows.ports import RequestFacts
from casework.workflows.signing_in import SOURCE_MAY_FAIL, SOURCE_WINDOW, RefreshToken


class SqlAccountBook:
    """The accounts in one transaction."""

    def __init__(self, connection: Connection, facts: RequestFacts) -> None:
        self._connection, self._facts = connection, facts

    def by_username(self, username: str) -> Account | None:
        """The account of that name, locked for the attempt."""
        row = self._connection.execute(
            select(t.account).where(t.account.c.username == username).with_for_update()
        ).first()
        return None if row is None else from_row(Account, row)

    def by_id(self, id: UUID) -> Account | None:
        """An account as it stands now."""
        row = self._connection.execute(select(t.account).where(t.account.c.id == id)).first()
        return None if row is None else from_row(Account, row)

    def save_attempts(self, account: Account) -> None:
        """How often signing in failed."""
        self._connection.execute(
            update(t.account)
            .where(t.account.c.id == account.id)
            .values(failed_attempts=account.failed_attempts, locked_until=account.locked_until)
        )

    def source_is_locked(self, source: str, now: datetime) -> bool:
        """Whether too many attempts failed from there lately."""
        until = self._connection.scalar(
            select(t.sign_in_source.c.locked_until).where(t.sign_in_source.c.source == source)
        )
        return until is not None and now < until

    def note_source_failure(self, source: str, now: datetime) -> None:
        """Count a failure; so many within the window rest that source for a while."""
        table = t.sign_in_source
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        first = dialect.insert(table).values(source=source, failed_attempts=1, counted_from=now)
        self._connection.execute(
            first.on_conflict_do_update(
                index_elements=["source"], set_={"failed_attempts": table.c.failed_attempts + 1}
            )
        )
        row = self._connection.execute(select(table).where(table.c.source == source)).one()
        if now - row.counted_from > SOURCE_WINDOW:
            values = {"failed_attempts": 1, "counted_from": now}
        elif row.failed_attempts >= SOURCE_MAY_FAIL:
            values = {"failed_attempts": 0, "locked_until": now + LOCKED_FOR}
        else:
            return
        self._connection.execute(update(table).where(table.c.source == source).values(values))

    def refresh_token(self, digest: str) -> RefreshToken | None:
        """A refresh token by digest, locked."""
        row = self._connection.execute(
            select(t.refresh_token).where(t.refresh_token.c.digest == digest).with_for_update()
        ).first()
        return None if row is None else RefreshToken(**row._mapping)

    def add_refresh_token(self, token: RefreshToken) -> None:
        """A new refresh token."""
        self._connection.execute(insert(t.refresh_token), [asdict(token)])

    def use_refresh_token(self, id: UUID, now: datetime) -> None:
        """It was exchanged."""
        self._connection.execute(
            update(t.refresh_token).where(t.refresh_token.c.id == id).values(used_at=now)
        )

    def revoke_family(self, family_id: UUID, now: datetime) -> None:
        """Every token that descends from one sign-in is void."""
        self._connection.execute(
            update(t.refresh_token)
            .where(t.refresh_token.c.family_id == family_id)
            .values(revoked_at=now)
        )

    def note(self, account: Account | None, action: str, now: datetime, code: str | None) -> None:
        """The audit entry of an attempt."""
        write_audit(
            self._connection,
            account.actor() if account else None,
            action,
            now,
            self._facts,
            (),
            "refused" if code else "ok",
            code,
        )

    def commit(self) -> None:
        """Keep it."""
        self._connection.commit()


@contextmanager
def account_book(engine: Engine, facts: RequestFacts | None = None) -> Iterator[SqlAccountBook]:
    """The accounts in one transaction; what is not committed is rolled back."""
    with engine.connect() as connection:
        yield SqlAccountBook(connection, facts or RequestFacts())
