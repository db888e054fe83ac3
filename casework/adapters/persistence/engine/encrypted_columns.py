"""Fields encrypted at rest: column types mark them, rows are encrypted and decrypted here.

A column of such a type refuses unencrypted values: code that forgets to encrypt fails instead of
writing plain text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Column, Connection, String, Table, Text, TypeDecorator
from sqlalchemy.engine import Dialect

from casework.adapters.persistence.engine.types import Json, to_json
from casework.workflows.ports.vault import Place, Vault

ENCRYPTED: Final = re.compile(r"v1\.[0-9a-f]{8}\.[\w=-]+", re.ASCII)
INDEXED: Final = re.compile(r"[0-9a-f]{8}\.[\w=-]+", re.ASCII)


class EncryptedText(TypeDecorator[str]):
    """Text that only the vault can read."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        """Return the encrypted value; refuse plain text."""
        return _only(ENCRYPTED, value)


class EncryptedJson(TypeDecorator[Any]):
    """A JSON column whose one string is the encrypted document."""

    impl = Json
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Return the encrypted value; refuse plain text."""
        return _only(ENCRYPTED, value)


class BlindIndex(TypeDecorator[str]):
    """A blind index: finds equal values, for one purpose, without the value."""

    impl = String(40)
    cache_ok = True

    def __init__(self, purpose: str) -> None:
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        """Return the blind index; refuse plain text."""
        return _only(INDEXED, value)


def _only(form: re.Pattern[str], value: Any) -> Any:
    if value is not None and not (isinstance(value, str) and form.fullmatch(value)):
        raise TypeError("a value in clear for a sealed column")
    return value


def vault_of(connection: Connection) -> Vault | None:
    """The vault that the engine of this connection was given."""
    return connection.get_execution_options().get("vault")


def encrypt_row(table: Table, row: dict[str, Any], id: UUID, vault: Vault | None) -> dict[str, Any]:
    """The row, or the part of one, as it is stored."""
    for name, seal in _encryptors(table).items():
        if row.get(name) is not None:
            row[name] = seal(row[name], Place(table.name, name, id), require_vault(vault))
    return row


def decrypt_row(
    table: Table, row: dict[str, Any], id: UUID | None, vault: Vault | None, **labels: str
) -> dict[str, Any]:
    """Decrypt the row of a query; ``labels`` maps other names to their columns."""
    for name, column in (labels or {name: name for name in _decryptors(table)}).items():
        row[name] = decrypted(table, column, row.get(name), id, vault)
    return row


def decrypt_rows(
    table: Table, rows: Sequence[dict[str, Any]], id: str, vault: Vault | None, **labels: str
) -> None:
    """Decrypt columns of many rows, whose row of the table is named by their column ``id``."""
    ways = [(name, column, _decryptors(table)[column]) for name, column in labels.items()]
    for row in rows:
        for name, column, decrypt in ways:
            if row[name] is not None:
                place = Place(table.name, column, row[id])
                row[name] = decrypt(row[name], place, require_vault(vault))


def decrypted(table: Table, column: str, stored: Any, id: UUID | None, vault: Vault | None) -> Any:
    """Decrypt one stored value."""
    if stored is None or id is None:
        return stored
    return _decryptors(table)[column](stored, Place(table.name, column, id), require_vault(vault))


def decrypted_fields(table: Table) -> Mapping[str, Callable[[Any, Place, Vault], Any]]:
    """The encrypted columns of a table, each with its decryption."""
    return _decryptors(table)


@cache
def columns_with_ciphertext(table: Table) -> tuple[Column[Any], ...]:
    """The columns of a table that hold encrypted values."""
    kinds = EncryptedText | EncryptedJson
    return tuple(column for column in table.c if isinstance(column.type, kinds))


@cache
def blind_columns(table: Table) -> tuple[Column[Any], ...]:
    """The columns of a table that hold blind indexes."""
    return tuple(column for column in table.c if isinstance(column.type, BlindIndex))


def require_vault(vault: Vault | None) -> Vault:
    """The vault, which any access to an encrypted field needs."""
    if vault is None:
        raise TypeError("a sealed field, and no vault")
    return vault


@cache
def _encryptors(table: Table) -> dict[str, Callable[[Any, Place, Vault], str]]:
    found: dict[str, Callable[[Any, Place, Vault], str]] = {}
    for column in table.c:
        match column.type:
            case EncryptedText():
                found[column.name] = _encrypt_text
            case EncryptedJson():
                found[column.name] = _encrypt_json
            case BlindIndex(purpose=purpose):
                found[column.name] = _blinding(purpose)
    return found


@cache
def _decryptors(table: Table) -> dict[str, Callable[[Any, Place, Vault], Any]]:
    return {
        column.name: _decrypt_json if isinstance(column.type, EncryptedJson) else _decrypt_text
        for column in columns_with_ciphertext(table)
    }


def _encrypt_text(value: str, place: Place, vault: Vault) -> str:
    return vault.encrypt(value, place)


def _encrypt_json(value: Any, place: Place, vault: Vault) -> str:
    return vault.encrypt(to_json(value), place)


def _blinding(purpose: str) -> Callable[[Any, Place, Vault], str]:
    return lambda value, _place, vault: vault.blind(purpose, value)


def _decrypt_text(stored: str, place: Place, vault: Vault) -> str:
    return vault.decrypt(stored, place)


def _decrypt_json(stored: str, place: Place, vault: Vault) -> Any:
    return orjson.loads(vault.decrypt(stored, place))
