"""What is there before the first request is left to no collection of garbage."""

from __future__ import annotations

import gc

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import Api


@pytest.mark.parametrize(
    ("already", "done"), [(0, ["collect", "freeze", "answer", "unfreeze"]), (1, ["answer"])]
)
def test_what_an_application_is_made_of_is_put_aside_once_while_it_lives(
    api: Api, monkeypatch: pytest.MonkeyPatch, already: int, done: list[str]
) -> None:
    did: list[str] = []
    monkeypatch.setattr(gc, "get_freeze_count", lambda: already)
    for name in ("collect", "freeze", "unfreeze"):
        monkeypatch.setattr(gc, name, lambda name=name: did.append(name))
    with TestClient(api.client.app) as client:
        assert client.get("/health/live").status_code == 200
        did.append("answer")
    assert did == done
