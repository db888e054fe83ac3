"""A database as it stood before fields were sealed: nothing in it needs a key."""

from __future__ import annotations

from sqlalchemy import Engine, MetaData, Table, Text, select, update

from casework.adapters.persistence.engine.encrypted_columns import (
    BlindIndex,
    EncryptedJson,
    EncryptedText,
    blind_columns,
    columns_with_ciphertext,
    decrypt_row,
)
from casework.adapters.persistence.engine.types import Json
from casework.adapters.persistence.schema.reencryption import INDEXED, encrypted_tables
from casework.workflows.ports.vault import Vault


def unsealed(table: Table) -> Table:
    """The same table with columns that take what stands in clear."""
    bare = table.to_metadata(MetaData())
    for column in bare.c:
        if isinstance(column.type, EncryptedJson):
            column.type = Json
        elif isinstance(column.type, EncryptedText | BlindIndex):
            column.type = Text()
    return bare


def put_in_clear(owner: Engine, vault: Vault) -> None:
    """Write every sealed field of every row in clear, and what it is found by."""
    with owner.begin() as connection:
        for table in encrypted_tables():
            bare = unsealed(table)
            for found in connection.execute(select(table)).all():
                row = decrypt_row(table, dict(found._mapping), found.id, vault)
                new = {column.name: row[column.name] for column in columns_with_ciphertext(table)}
                for column in blind_columns(table):
                    new[column.name] = INDEXED[f"{table.name}.{column.name}"](row)
                connection.execute(update(bare).where(bare.c.id == found.id).values(new))
