"""Fixtures for every test of the command line."""

from __future__ import annotations

import pytest

from casework.adapters.identity import Argon2Passwords


@pytest.fixture(autouse=True)
def asked_for_cheap(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Cheap digests for commands in this process; records whether each command requested them."""
    found: list[bool] = []

    def passwords(*, cheap: bool = False) -> Argon2Passwords:
        found.append(cheap)
        return Argon2Passwords(cheap=True)

    monkeypatch.setattr("casework.bootstrap.Argon2Passwords", passwords)
    return found
