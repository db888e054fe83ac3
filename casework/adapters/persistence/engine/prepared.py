"""Prepared statements of PostgreSQL: parsed, checked against the policies and planned once.

Planning is most of what a short statement costs where row-level security adds its conditions.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg._preparing import Prepare, PrepareManager
from psycopg._queries import PostgresQuery

# A connection prepares what it was asked for a third time, and keeps so many.
AFTER: Final = 2
AT_MOST: Final = 200
# A statement that says so is planned each time, for what it is given: a search for hundreds of
# values would else keep the plan that was made for any ten of them in a small table.
PLANNED_EACH_TIME: Final = "/* planned each time */"
_BEGINNING: Final = 40
_NOT_KEPT: Final = PLANNED_EACH_TIME.encode()


class KeptStatements(PrepareManager):
    """Statements that stay prepared when a transaction is rolled back, as PostgreSQL keeps them.

    The driver forgets them all with each rollback, lest a table that they name was altered before
    it, and reads and refusals end with one. Whoever serves alters no table.
    """

    def __init__(self) -> None:
        super().__init__()
        self.prepare_threshold, self.prepared_max = AFTER, AT_MOST

    def get(self, query: PostgresQuery, prepare: bool | None = None) -> tuple[Prepare, bytes]:
        """As the driver has it, but for what is to be planned each time."""
        return super().get(query, False if _NOT_KEPT in query.query[:_BEGINNING] else prepare)

    def clear(self) -> bool:
        """Forget nothing; False, since nothing is to be said to the server."""
        return False


def keep_prepared(connection: psycopg.Connection[Any]) -> None:
    """Let a new connection prepare what it is asked for often."""
    connection._prepared = KeptStatements()
