"""Readiness: the ring is the one that the database expects."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from casework import key_ring
from casework.adapters.vault import KeyVault
from casework.adapters.vault.ring import make_ring
from casework.settings import SettingsError
from tests.api.conftest import Api

pytestmark = pytest.mark.both_stores
MASTER = b"m" * 32


def test_a_process_with_another_ring_is_not_ready(api: Api, tmp_path: Path) -> None:
    application, own = api.application, api.application.vault
    key_ring.check(own, application.engine)
    assert api.client.get("/health/ready").json()["keys"] is True
    other = tmp_path / "ring.json"
    make_ring(other, MASTER, datetime.now(UTC))
    application.vault = KeyVault(other, MASTER)
    try:
        answer = api.client.get("/health/ready")
        assert (answer.status_code, answer.json()["keys"]) == (503, False)
        assert 'casework_ready{part="keys"} 0.0' in api.client.get("/metrics").text
        with pytest.raises(SettingsError, match="this one has"):
            key_ring.check(application.vault, application.engine)
    finally:
        application.vault = own
    assert api.client.get("/health/ready").json()["keys"] is True


def test_a_key_is_known_by_its_secret_and_not_by_its_name(api: Api, tmp_path: Path) -> None:
    path = tmp_path / "ring.json"
    make_ring(path, MASTER, datetime.now(UTC))
    (data, index) = KeyVault(path, MASTER).checks()
    other = tmp_path / "other.json"
    make_ring(other, MASTER, datetime.now(UTC))
    elsewhere = KeyVault(other, MASTER)
    for own in elsewhere.checks():
        assert elsewhere.opens(own)
        for foreign in (data, index):
            assert not elsewhere.opens(own._replace(sealed=foreign.sealed))
            assert not elsewhere.opens(foreign)
