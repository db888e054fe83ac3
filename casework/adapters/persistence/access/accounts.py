"""Accounts: their facts, their tokens, and the log of their permissions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Integer, delete, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.faults import is_taken
from casework.adapters.persistence.engine.paging import page
from casework.adapters.persistence.rows.accounts import UNREAD
from casework.adapters.persistence.rows.mapper import from_row, to_row
from casework.adapters.persistence.rows.saving import update_row
from casework.domain.access.accounts import Account, canonical_username
from casework.domain.access.grant_log import GrantEntry
from casework.domain.access.tokens import AccountToken
from casework.domain.errors import Conflict, NotFound
from casework.workflows.ports.unit_of_work import Page, Paging

ACCOUNT = t.account.c


def read_totp(connection: Connection, account_id: UUID) -> str | None:
    """The encrypted secret of an account's second factor; no other query returns it."""
    sealed: str | None = connection.scalar(
        select(ACCOUNT.totp_sealed).where(ACCOUNT.id == account_id)
    )
    return sealed


class SqlAccountAdministration:
    """Accounts, in one transaction of an actor who administers them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, id: UUID) -> Account:
        row = self._connection.execute(select(t.account).where(ACCOUNT.id == id)).first()
        if row is None:
            raise NotFound("no such account")
        account: Account = from_row(Account, row)
        return account

    def by_username(self, username: str) -> Account | None:
        query = select(t.account).where(ACCOUNT.username == canonical_username(username))
        row = self._connection.execute(query.with_for_update(key_share=True)).first()
        return None if row is None else from_row(Account, row)

    def locked(self, id: UUID) -> Account | None:
        query = select(t.account).where(ACCOUNT.id == id).with_for_update(key_share=True)
        row = self._connection.execute(query).first()
        return None if row is None else from_row(Account, row)

    def add(self, account: Account) -> None:
        try:
            self._connection.execute(insert(t.account), [to_row(account)])
        except IntegrityError as error:
            if is_taken(error):
                raise Conflict(
                    f"there is an account {account.username!r}", code="username_taken"
                ) from None
            raise

    def save(self, account: Account) -> None:
        if account.password_hash == UNREAD:  # it was read without what lets it in
            raise ValueError("an account without its password is not saved")
        try:
            update_row(self._connection, t.account, to_row(account))
            account.version += 1  # it may change once more before the commit
        except IntegrityError as error:
            if is_taken(error):
                raise Conflict("another account has this identity", code="already_linked") from None
            raise

    def log(self, entry: GrantEntry) -> None:
        self._connection.execute(insert(t.account_grant_log), [to_row(entry)])

    def entries(self, account_id: UUID) -> list[GrantEntry]:
        log = t.account_grant_log
        query = select(log).where(log.c.account_id == account_id).order_by(log.c.at, log.c.id)
        return [from_row(GrantEntry, row) for row in self._connection.execute(query)]

    def prune(self, before: datetime) -> int:
        log, later = t.account_grant_log, t.account_grant_log.alias()
        superseded = exists().where(
            later.c.account_id == log.c.account_id, later.c.at < before, later.c.at > log.c.at
        )
        return self._connection.execute(delete(log).where(log.c.at < before, superseded)).rowcount

    def sign_out(self, account: Account, now: datetime) -> None:
        token = t.refresh_token
        self._connection.execute(
            update(token)
            .where(token.c.account_id == account.id, token.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        account.signed_out_at = now  # it may be saved after this as well
        self._connection.execute(
            update(t.account).where(ACCOUNT.id == account.id).values(signed_out_at=now)
        )

    def tokens(self, account_id: UUID) -> list[AccountToken]:
        token = t.account_token
        query = select(token).where(token.c.account_id == account_id).order_by(token.c.id.desc())
        return [from_row(AccountToken, row) for row in self._connection.execute(query)]

    def listed_tokens(self, account_id: UUID, paging: Paging) -> Page:
        token = t.account_token
        names = [one for one in token.c if one.name != "digest"]
        query = select(*names).where(token.c.account_id == account_id)
        return page(self._connection, query, [token.c.id], paging, newest_first=True)

    def token(self, id: UUID, *, lock: bool = True) -> AccountToken | None:
        query = select(t.account_token).where(t.account_token.c.id == id)
        row = self._connection.execute(query.with_for_update() if lock else query).first()
        return None if row is None else from_row(AccountToken, row)

    def add_token(self, token: AccountToken) -> None:
        self._connection.execute(insert(t.account_token), [to_row(token)])

    def save_token(self, token: AccountToken) -> None:
        table = t.account_token
        self._connection.execute(
            update(table)
            .where(table.c.id == token.id)
            .values(revoked_at=token.revoked_at, revoked_by=token.revoked_by)
        )

    def totp_sealed(self, account_id: UUID) -> str | None:
        return read_totp(self._connection, account_id)

    def save_totp_sealed(self, account_id: UUID, sealed: str | None) -> None:
        self._connection.execute(
            update(t.account).where(ACCOUNT.id == account_id).values(totp_sealed=sealed)
        )

    def save_recovery_codes(self, account_id: UUID, digests: Iterable[str]) -> None:
        code = t.recovery_code
        self._connection.execute(delete(code).where(code.c.account_id == account_id))
        rows = [{"account_id": account_id, "digest": one} for one in digests]
        if rows:
            self._connection.execute(insert(code), rows)

    def district_of(self, centre_code: str) -> str | None:
        query = select(t.centre.c.district_code).where(t.centre.c.code == centre_code)
        found: str | None = self._connection.scalar(query)
        return found

    def has_district(self, code: str) -> bool:
        query = select(t.district.c.code).where(t.district.c.code == code)
        return self._connection.scalar(query) is not None

    def provider_id(self, slug: str) -> UUID | None:
        agency = t.provider.c
        query = select(agency.id).where(agency.slug == slug, agency.is_active)
        found: UUID | None = self._connection.scalar(query)
        return found

    def open_cases(self, account_id: UUID) -> int:
        """Row-level security exposes only the number."""
        case = t.care_case.c
        query = select(func.count()).where(case.worker_id == account_id, case.status != "closed")
        if self._connection.dialect.name == "postgresql":
            query = select(func.casework_open_cases(account_id, type_=Integer))
        return self._connection.scalar(query) or 0
