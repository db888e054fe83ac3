"""The application's own filter switched off, so that only the database's is left."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from unittest.mock import patch

from sqlalchemy import true

from casework.adapters.persistence.scope import scope


def _all_of_it(*_: Any) -> Any:
    return true()


@contextmanager
def filter_open() -> Iterator[None]:
    """Everybody reaches every row, as far as the application's statements are concerned.

    Modules hold ``seen`` under a name of their own, so it is replaced in each of them. Where
    ``tests.forced_open`` exists, which knows what else filters, that is what is used.
    """
    with ExitStack() as stack:
        if find_spec("tests.forced_open") is not None:
            stack.enter_context(import_module("tests.forced_open").forced_open())
        else:
            real = scope.seen
            for name, module in list(sys.modules.items()):
                if name.startswith("casework.") and getattr(module, "seen", None) is real:
                    stack.enter_context(patch.object(module, "seen", _all_of_it))
        yield
