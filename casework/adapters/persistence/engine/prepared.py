"""Prepared statements of PostgreSQL: parsed, checked against the policies and planned once.

Planning is most of what a short statement costs where row-level security adds its conditions.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg._preparing import PrepareManager

# A connection prepares what it was asked for a third time, and keeps so many.
AFTER: Final = 2
AT_MOST: Final = 200


class KeptStatements(PrepareManager):
    """Statements that stay prepared when a transaction is rolled back, as PostgreSQL keeps them.

    The driver forgets them all with each rollback, lest a table that they name was altered before
    it, and reads and refusals end with one. Whoever serves alters no table.
    """

    def __init__(self) -> None:
        super().__init__()
        self.prepare_threshold, self.prepared_max = AFTER, AT_MOST

    def clear(self) -> bool:
        """Forget nothing; False, since nothing is to be said to the server."""
        return False


def keep_prepared(connection: psycopg.Connection[Any]) -> None:
    """Let a new connection prepare what it is asked for often."""
    connection._prepared = KeptStatements()
