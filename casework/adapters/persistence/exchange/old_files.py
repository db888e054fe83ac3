"""Deleting what is left of old files: their results row by row, and then the files."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, delete, exists, select

from casework.adapters.persistence.tables.casefile import care_case
from casework.adapters.persistence.tables.exchange import import_file, import_row
from casework.domain.exchange.importing import Outcome

_file, _row = import_file.c, import_row.c
# By the id that another system gave, a later file finds who was registered from this row.
_IS_KNOWN = and_(_row.external_index.is_not(None), _row.outcome == Outcome.ACCEPTED)


# Whose case is under legal hold; nothing of it is deleted.
_IS_HELD = exists().where(
    care_case.c.resident_id == _row.resident_id, care_case.c.legal_hold_review_on.is_not(None)
)


def delete_old_files(connection: Connection, before: datetime) -> int:
    """Delete rows of files that ended before an instant, and files without rows; how many rows.

    What waits to be assigned stays, and so does a row by which a later file finds somebody, or one
    about a resident with a case under legal hold.
    """
    old = select(_file.id).where(_file.ended_at < before)
    rows = delete(import_row).where(_row.import_id.in_(old), ~_row.waits, ~_IS_KNOWN, ~_IS_HELD)
    gone = connection.execute(rows).rowcount
    has_rows = exists().where(_row.import_id == _file.id)
    connection.execute(delete(import_file).where(_file.ended_at < before, ~has_rows))
    return gone
