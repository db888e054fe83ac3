"""The application's own filter switched off, so that only the database's is left."""

from __future__ import annotations

from tests.forced_open import forced_open as filter_open

__all__ = ["filter_open"]
