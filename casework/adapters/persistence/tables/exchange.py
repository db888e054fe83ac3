"""Files that are taken in, and their rows."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)

from casework.adapters.persistence.engine.encrypted_columns import BlindIndex, EncryptedText
from casework.adapters.persistence.engine.types import Instant, Json
from casework.adapters.persistence.tables.base import metadata

import_file = Table(
    "import_file",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("mode", String(40), nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("state", String(40), nullable=False),
    Column("account_id", Uuid, ForeignKey("account.id")),
    Column("district_code", String(10)),
    Column("created_at", Instant, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("unknown_columns", Integer, nullable=False),
    Column("salt", EncryptedText),
    Column("digest", String(64), nullable=False),
    Column("position", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("duplicate", Integer, nullable=False),
    Column("unmatched", Integer, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("code", String(40)),
    Index(None, "account_id", "id"),
    Index(
        "ix_import_file_unfinished",
        "id",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)
import_row = Table(
    "import_row",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("import_id", Uuid, ForeignKey("import_file.id"), nullable=False),
    Column("account_id", Uuid),
    Column("district_code", String(10)),
    Column("number", Integer, nullable=False),
    Column("line", Integer, nullable=False),
    Column("cells", EncryptedText),
    Column("outcome", String(40)),
    Column("errors", Json, nullable=False),
    Column("key", String(64)),
    Column("external_id", EncryptedText),
    Column("external_index", BlindIndex("external id"), index=True),
    Column("subject_id", Uuid),
    Column("resident_id", Uuid),
    Column("centre_code", String(10)),
    Column("waits", Boolean, nullable=False),
    Column("resolved_at", Instant),
    Column("resolved_by", Uuid),
    Column("resolution", String(40)),
    UniqueConstraint("import_id", "number"),
    Index(None, "import_id", "key"),
    Index(
        "ix_import_row_waits",
        "district_code",
        "id",
        sqlite_where=text("waits"),
        postgresql_where=text("waits"),
    ),
)
