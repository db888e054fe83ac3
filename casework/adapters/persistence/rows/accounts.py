"""Accounts as all but signing in read them: by the columns that let nobody in."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, literal_column

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.rows.mapper import from_row
from casework.adapters.persistence.tables.secret_columns import SECRETS
from casework.domain.access.accounts import Account

# A column that may not be read has nothing in it, whatever is stored there.
UNREAD: Final = "unread"
_EMPTY: Final = {"password_hash": f"'{UNREAD}'"}


def _read(column: Any) -> ColumnElement[Any]:
    if column.name not in SECRETS[t.account.name]:
        return column  # type: ignore[no-any-return]
    empty: ColumnElement[Any] = literal_column(_EMPTY.get(column.name, "NULL"), column.type)
    return empty.label(column.name)


KNOWN_ACCOUNT: Final[tuple[ColumnElement[Any], ...]] = tuple(map(_read, t.account.c))


def known_account(row: Any) -> Account:
    """The account of a row of ``KNOWN_ACCOUNT``; it has no password, and is not to be saved."""
    account: Account = from_row(Account, row)
    return account
