"""The figures of these tests come from what is kept: it is counted before every other request."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from casework.kept_figures import keep_figures
from tests.api.conftest import SignedIn
from tests.api.directory.test_matching import as_scheduler

COUNTED = ("/figures", "/unmet-needs", "/inbox")


@pytest.fixture(autouse=True)
def _kept_before_every_other_request(monkeypatch: pytest.MonkeyPatch) -> None:
    requested, asked = SignedIn.request, count()

    def request(self: SignedIn, method: str, path: str, **with_it: Any) -> Any:
        if method == "GET" and path.startswith(COUNTED) and next(asked) % 2 == 0:
            with as_scheduler(self.api) as application:
                keep_figures(application)
        return requested(self, method, path, **with_it)

    monkeypatch.setattr(SignedIn, "request", request)
