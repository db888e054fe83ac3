"""The application's own filter, forced open: what is left then is the database's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any
from unittest.mock import patch

from sqlalchemy import true

from casework.adapters.persistence import (
    break_glass,
    case_queries,
    casefiles,
    come_back,
    conferences,
    figure_sources,
    reading,
    residents,
    scope,
    standards,
    worklists,
)

# Every module that asks for the filter by its name.
FILTERS: dict[str, tuple[ModuleType, ...]] = {
    "seen": (
        break_glass,
        case_queries,
        casefiles,
        come_back,
        conferences,
        reading,
        residents,
        scope,
        standards,
        worklists,
    ),
    "counted": (figure_sources,),
}


@contextmanager
def forced_open() -> Iterator[None]:
    """Let the application's scope say yes to every row of every table."""
    with ExitStack() as undo:
        for name, modules in FILTERS.items():
            for module in modules:
                undo.enter_context(patch.object(module, name, _yes))
        yield


def _yes(*_asked: Any, **_options: Any) -> Any:
    return true()
