"""Identifiers: UUIDv7, made here and not by the database, so that no sequence is shared."""

from __future__ import annotations

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """A new identifier that sorts by when it was made."""
    return uuid_utils.compat.uuid7()
