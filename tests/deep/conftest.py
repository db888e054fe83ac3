"""The small world of the API's tests, for the long campaigns; each runs on both stores."""

from __future__ import annotations

from tests.api.conftest import api, application, owner

__all__ = ["api", "application", "owner"]
