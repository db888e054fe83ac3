"""The application's own filter switched off, so that only row-level security is left."""

from __future__ import annotations

from tests.forced_open import forced_open as filter_open

__all__ = ["filter_open"]
