"""A table as it was before its fields were encrypted at rest: reading it needs no key."""

from __future__ import annotations

from sqlalchemy import MetaData, Table, Text

from casework.adapters.persistence.engine.encrypted_columns import (
    BlindIndex,
    EncryptedJson,
    EncryptedText,
)
from casework.adapters.persistence.engine.types import Json


def unsealed(table: Table) -> Table:
    """The same table with plain-text columns."""
    bare = table.to_metadata(MetaData())
    for column in bare.c:
        if isinstance(column.type, EncryptedJson):
            column.type = Json
        elif isinstance(column.type, EncryptedText | BlindIndex):
            column.type = Text()
    return bare
