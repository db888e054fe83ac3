"""The application's own filter, forced open: what is left then is the database's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

from sqlalchemy import true

from casework.adapters.persistence.scope import registry
from casework.adapters.persistence.scope.rights import TABLES, RowKind

# The database lets through what a colleague of the district sent in; see the registry.
WIDER: Final = frozenset({"import_file", "import_row"})


@contextmanager
def forced_open() -> Iterator[None]:
    """Let the application's scope say yes to every row that row-level security stands before."""
    closed = registry._condition

    def condition(table: Any, *asked: Any) -> Any:
        name = getattr(table, "element", table).name
        is_open = TABLES[name] is RowKind.PERSONAL and name not in WIDER
        return true() if is_open else closed(table, *asked)

    with patch.object(registry, "_condition", condition):
        yield
