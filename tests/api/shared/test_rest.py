"""What is there before the first request is left to no collection of garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from casework.adapters.http.garbage import put_aside
from tests.api.conftest import Api


@pytest.fixture
def did(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is done about garbage, in a process that has done nothing yet."""
    done: list[str] = []
    for name in ("collect", "freeze"):
        monkeypatch.setattr(gc, name, lambda name=name: done.append(name))
    put_aside.cache_clear()
    yield done
    put_aside()  # as it was: what the tests have imported is put aside already


def test_what_an_application_is_made_of_is_put_aside_before_the_first_request(
    api: Api, did: list[str]
) -> None:
    for _ in range(2):
        with TestClient(api.client.app) as client:
            assert client.get("/health/live").status_code == 200
            did.append("answer")
    assert did == ["collect", "freeze", "answer", "answer"]
