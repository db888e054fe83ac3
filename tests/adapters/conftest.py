"""The small world of the API's tests, for tests of the store itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from casework.adapters.persistence.engine.engine import open_engine
from tests.api.conftest import api, application, owner
from tests.conftest import Store, session_vault

__all__ = ["api", "application", "owner"]


@pytest.fixture
def engine(store: Store) -> Iterator[Engine]:
    """An engine on a fresh database with empty tables."""
    engine = open_engine(store.owner_url).execution_options(vault=session_vault())
    yield engine
    engine.dispose()
