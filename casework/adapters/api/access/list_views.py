"""Response views of list rows."""

from __future__ import annotations

from typing import Any

from casework.adapters.api.shared.views import picked
from casework.workflows.ports.paging import Row


def account(row: Row) -> dict[str, Any]:
    """Someone who can be given work; nothing of how they sign in but the name."""
    return picked(
        row, "id", "username", "name", "role", "centre_code", "district_code", "provider_id"
    )
