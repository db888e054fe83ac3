"""Accounts, refresh tokens, and how often signing in failed from where."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.access.accounts import read_totp
from casework.adapters.persistence.audit.entry import write_audit
from casework.adapters.persistence.rows.mapper import from_row, to_row
from casework.domain.access.accounts import Account, canonical_username
from casework.domain.access.tokens import AccountToken, RefreshToken
from casework.domain.access.tries import WAIT
from casework.domain.notices.outbox import Message
from casework.workflows.access.signing_in import MAX_SOURCE_FAILURES, SOURCE_WINDOW
from casework.workflows.ports.unit_of_work import RequestFacts

# No address: the row that is written for accounts that there are not.
NOBODY: Final = "nobody"


class SqlSignInStore:
    """The accounts in one transaction."""

    def __init__(self, connection: Connection, facts: RequestFacts) -> None:
        self._connection, self._facts = connection, facts

    def _account(self, *where: Any, lock: bool) -> Account | None:
        """Lock an account: its next attempt waits, rows that refer to it do not."""
        query = select(t.account).where(*where)
        if lock:
            query = query.with_for_update(key_share=True)
        row = self._connection.execute(query).first()
        return None if row is None else from_row(Account, row)

    def by_username(self, username: str) -> Account | None:
        return self._account(t.account.c.username == canonical_username(username), lock=True)

    def locked(self, id: UUID) -> Account | None:
        return self._account(t.account.c.id == id, lock=True)

    def by_id(self, id: UUID) -> Account | None:
        return self._account(t.account.c.id == id, lock=False)

    def by_external_id(self, external_id: str) -> Account | None:
        return self._account(t.account.c.external_id == external_id, lock=False)

    def by_token(self, digest: str) -> tuple[Account, AccountToken] | None:
        """One statement reads both."""
        token = t.account_token
        row = self._connection.execute(
            select(t.account, *(one.label(f"token_{one.name}") for one in token.c))
            .join(token, token.c.account_id == t.account.c.id)
            .where(token.c.digest == digest)
        ).first()
        if row is None:
            return None
        return from_row(Account, row), from_row(AccountToken, row, prefix="token_")

    def note_use(self, token_id: UUID, day: date) -> None:
        token = t.account_token
        self._connection.execute(
            update(token).where(token.c.id == token_id).values(last_used_on=day)
        )

    def save_attempts(self, account: Account) -> None:
        row = to_row(account)
        self._connection.execute(
            update(t.account)
            .where(t.account.c.id == account.id)
            .values({name: row[name] for name in ("tries", "signed_in_from")})
        )

    def save_attempts_of_nobody(self, now: datetime) -> None:
        """One row is written: a commit that has nothing to bring to the disk is quicker."""
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        first = dialect.insert(t.sign_in_source).values(
            source=NOBODY, failed_attempts=0, counted_from=now
        )
        self._connection.execute(
            first.on_conflict_do_update(index_elements=["source"], set_={"counted_from": now})
        )

    def save_step(self, account: Account) -> None:
        self._connection.execute(
            update(t.account)
            .where(t.account.c.id == account.id)
            .values(totp_step=account.totp_step)
        )

    def may_source_try(self, source: str, now: datetime) -> bool:
        of = t.sign_in_source.c
        until = self._connection.scalar(select(of.locked_until).where(of.source == source))
        # No wait is longer: one that seems to be began before the clock was set back.
        return until is None or not now < until <= now + WAIT

    def note_source_failure(self, source: str, now: datetime) -> None:
        table = t.sign_in_source
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        first = dialect.insert(table).values(source=source, failed_attempts=1, counted_from=now)
        # It begins with a write, so it waits for any transaction that counts for the same source.
        row = self._connection.execute(
            first.on_conflict_do_update(
                index_elements=["source"], set_={"failed_attempts": table.c.failed_attempts + 1}
            ).returning(*table.c)
        ).one()
        values: dict[str, Any] = {}
        if row.locked_until is not None and now < row.locked_until <= now + WAIT:
            values = {"failed_attempts": 0}
        elif abs(now - row.counted_from) > SOURCE_WINDOW:
            values = {"failed_attempts": 1, "counted_from": now}
        elif row.failed_attempts >= MAX_SOURCE_FAILURES:
            values = {"failed_attempts": 0, "locked_until": now + WAIT}
        if values:
            self._connection.execute(update(table).where(table.c.source == source).values(values))

    def tell(self, message: Message) -> None:
        self._connection.execute(insert(t.message), [to_row(message)])

    def totp_sealed(self, account_id: UUID) -> str | None:
        return read_totp(self._connection, account_id)

    def use_recovery_code(self, account_id: UUID, digest: str, now: datetime) -> bool:
        code = t.recovery_code
        used = self._connection.execute(
            update(code)
            .where(
                code.c.account_id == account_id, code.c.digest == digest, code.c.used_at.is_(None)
            )
            .values(used_at=now)
        )
        return used.rowcount == 1

    def refresh_token(self, digest: str) -> RefreshToken | None:
        row = self._connection.execute(
            select(t.refresh_token).where(t.refresh_token.c.digest == digest).with_for_update()
        ).first()
        return None if row is None else RefreshToken(**row._mapping)

    def add_refresh_token(self, token: RefreshToken) -> None:
        self._connection.execute(insert(t.refresh_token), [asdict(token)])

    def use_refresh_token(self, id: UUID, now: datetime) -> None:
        self._connection.execute(
            update(t.refresh_token).where(t.refresh_token.c.id == id).values(used_at=now)
        )

    def revoke_family(self, family_id: UUID, now: datetime) -> None:
        self._connection.execute(
            update(t.refresh_token)
            .where(t.refresh_token.c.family_id == family_id)
            .values(revoked_at=now)
        )

    def note(self, account: Account | None, action: str, now: datetime, code: str | None) -> None:
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
        self._connection.commit()


@contextmanager
def sign_in_store(engine: Engine, facts: RequestFacts | None = None) -> Iterator[SqlSignInStore]:
    """The accounts in one transaction; what is not committed is rolled back."""
    with engine.connect() as connection:
        yield SqlSignInStore(connection, facts or RequestFacts())
