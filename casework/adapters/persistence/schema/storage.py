"""Whether what is written now would find its place."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import Engine, insert
from sqlalchemy.exc import DBAPIError
from structlog import get_logger

from casework.adapters.persistence.engine.faults import fault
from casework.adapters.persistence.tables.operations import idempotency

log = get_logger("casework")
# A row that is never kept, of nobody.
_PROBE: Final = {
    "principal_id": UUID(int=0), "route": "storage", "digest": "", "in_progress": False,
}  # fmt: skip


def has_room(engine: Engine, folders: Iterable[Path], least_free: int, now: datetime) -> bool:
    """Whether the folders that are there have so many bytes free, and the database takes a row.

    The disk of a SQLite file is looked at; that of PostgreSQL may be on another machine, and is
    tried by a row that is rolled back.
    """
    if engine.dialect.name == "sqlite":
        folders = [*folders, *_folder_of(engine)]
    free = [shutil.disk_usage(one).free for one in folders if one.is_dir()]
    if any(one < least_free for one in free):
        log.warning("little room", count=min(free))
        return False
    return engine.dialect.name == "sqlite" or _takes_a_row(engine, now)


def _folder_of(engine: Engine) -> list[Path]:
    """The folder of a SQLite file; a database in memory has none."""
    with engine.execution_options(only_reads=True).connect() as connection:
        files = [row.file for row in connection.exec_driver_sql("PRAGMA database_list")]
    return [Path(one).parent for one in files if one]


def _takes_a_row(engine: Engine, now: datetime) -> bool:
    """Whether there is room for a row. Raises DBAPIError where that cannot be told."""
    probe = _PROBE | {"key": str(uuid4()), "claimed_at": now}  # of two at once none waits
    try:
        with engine.connect() as connection:
            connection.execute(insert(idempotency), [probe])
            connection.rollback()
    except DBAPIError as error:
        if fault(error) != "full":
            raise
        log.warning("no room", error=type(error.orig).__name__)
        return False
    return True
