"""A table as it stands before its fields are sealed: nothing in it needs a key."""

from __future__ import annotations

from sqlalchemy import MetaData, Table, Text

from casework.adapters.persistence.engine.encrypted_columns import (
    BlindIndex,
    EncryptedJson,
    EncryptedText,
)
from casework.adapters.persistence.engine.types import Json


def unsealed(table: Table) -> Table:
    """The same table with columns that take what stands in clear."""
    bare = table.to_metadata(MetaData())
    for column in bare.c:
        if isinstance(column.type, EncryptedJson):
            column.type = Json
        elif isinstance(column.type, EncryptedText | BlindIndex):
            column.type = Text()
    return bare
